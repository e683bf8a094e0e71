//! What can be protected on an instance, and who is principal, before anything is protected?

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Host, SERVER, Setup, database, mirrored};

/// A host with a second instance that holds the other copy.
fn pair(ours: &str, theirs: &str) -> Host {
    let databases = format!(
        "{ours}[[instances]]\nname = \"SQL-B\"\n\
         [[instances.logins]]\nname = \"twinset\"\npassword = {:?}\nsysadmin = true\n\
         [[instances.logins]]\nname = \"reader\"\npassword = {:?}\n{theirs}",
        super::PASSWORD,
        super::PASSWORD
    );
    let mut host = Host::blank(&Setup {
        databases,
        ..Setup::default()
    });
    let (port, other_ca) = (
        host.lab.instances[1].port,
        host.lab.instances[1].ca_file.clone(),
    );
    host.reach(|client| {
        let ca_file = client.ca_file.take().unwrap();
        write!(
            client.more,
            "ca_file = {ca_file:?}\n[instances.sql-b]\nhost = \"localhost\"\nport = {port}\n\
             auth = \"sql\"\nuser = {:?}\npassword_file = \"password\"\nca_file = {other_ca:?}\n",
            client.user
        )
        .unwrap();
    });
    host
}

/// The verb's result, asked with the partner.
fn listed(host: &Host) -> Value {
    let line = ["instance", "databases", "sql-a", "--partner", "sql-b"];
    host.world.json(&line).ended(0).result()
}

fn of<'a>(listed: &'a Value, name: &str) -> &'a Value {
    let databases = listed["databases"].as_array().unwrap();
    let found = databases.iter().find(|line| line["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is missing: {listed}"))
}

#[test]
fn every_database_is_listed_with_what_speaks_against_a_backup() {
    let offline = format!("{}state = \"OFFLINE\"\n", database("Closed", 1 << 20));
    let host = Host::blank(&Setup {
        databases: [
            database("Payroll", 1 << 20),
            offline,
            mirrored("Ledger", "principal"),
            mirrored("Stock", "mirror"),
        ]
        .concat(),
        ..Setup::default()
    });
    let listed = host.world.json(&["instance", "databases", "sql-a"]);
    let listed = listed.ended(0).result();
    let code = |name: &str| of(&listed, name)["refused"]["code"].clone();
    assert_eq!(code("Payroll"), Value::Null);
    assert_eq!(code("master"), Value::Null);
    assert_eq!(code("tempdb"), "3147");
    assert_eq!(code("Closed"), "TW4010");
    assert_eq!(code("Ledger"), Value::Null);
    assert_eq!(code("Stock"), "954");
    assert_eq!(of(&listed, "Payroll")["groups"], json!(["payroll"]));
    assert_eq!(of(&listed, "Ledger")["groups"], json!([]));
    let session = &of(&listed, "Ledger")["mirroring"];
    for (field, wanted) in [
        ("role", json!("principal")),
        ("state", json!("SYNCHRONIZED")),
        ("safety", json!("FULL")),
        ("partner", json!("TCP://sql-b:5022")),
        ("partner_instance", json!("SQL-B")),
        ("witness", Value::Null),
    ] {
        assert_eq!(session[field], wanted, "{field}");
    }
    let text = host.world.run(&["instance", "databases", "sql-a"]).stdout;
    let line = text.lines().find(|line| line.starts_with("Stock")).unwrap();
    assert!(
        line.contains("mirror SYNCHRONIZED, safety FULL") && line.contains("no: 954"),
        "{text}"
    );
}

#[test]
fn two_partners_of_one_session_are_a_pair() {
    let host = pair(
        &mirrored("Payroll", "principal"),
        &mirrored("Payroll", "mirror"),
    );
    let listed = listed(&host);
    let payroll = of(&listed, "Payroll");
    assert_eq!(payroll["pairing"], "healthy");
    assert_eq!(payroll["principal"], "first");
    assert_eq!(payroll["objections"], json!([]));
    assert_eq!(payroll["refused"], Value::Null);
    // master is on both and belongs to nobody's session.
    assert_eq!(of(&listed, "master")["pairing"], "separate");
}

#[test]
fn a_mirror_hides_its_session_from_a_login_that_is_no_sysadmin() {
    let mut host = pair(
        &mirrored("Payroll", "principal"),
        &mirrored("Payroll", "mirror"),
    );
    host.reach(|client| client.more = client.more.replace("\"twinset\"", "\"reader\""));
    assert_eq!(of(&listed(&host), "Payroll")["pairing"], "mirror-hidden");
}

#[test]
fn two_principals_of_one_session_are_not_backed_up() {
    let host = pair(
        &mirrored("Payroll", "principal"),
        &mirrored("Payroll", "principal"),
    );
    let payroll = of(&listed(&host), "Payroll").clone();
    assert_eq!(payroll["pairing"], "split");
    assert_eq!(payroll["refused"]["code"], "954");
}

#[test]
fn a_partner_that_does_not_answer_is_told_and_the_list_goes_on() {
    let mut host = pair(
        &mirrored("Payroll", "principal"),
        &mirrored("Payroll", "mirror"),
    );
    let port = host.lab.instances[1].port;
    // Nobody listens on a port that was just given back.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = closed.local_addr().unwrap().port();
    drop(closed);
    host.reach(|client| {
        client.more = client
            .more
            .replace(&format!("port = {port}"), &format!("port = {nobody}"));
    });
    let listed = listed(&host);
    assert_eq!(of(&listed, "Payroll")["pairing"], "alone");
    assert!(listed["partner"]["fault"]["code"].is_string(), "{listed}");
    assert_eq!(of(&listed, "Payroll")["refused"], Value::Null);
}

#[test]
fn copies_on_one_computer_and_partners_named_by_number_are_objected_to() {
    let by_number = |role| mirrored("Payroll", role).replace("TCP://sql-b:", "TCP://10.0.0.7:");
    let mut host = pair(&by_number("principal"), &by_number("mirror"));
    let found = of(&listed(&host), "Payroll")["objections"].clone();
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found[0]["objection"], "explicit-ip");
    // The instance itself as its own partner: one computer.
    host.reach(|_| {});
    let line = ["instance", "databases", "sql-a", "--partner", "sql-a"];
    let listed = host.world.json(&line).ended(0).result();
    assert_eq!(of(&listed, "Payroll")["pairing"], "split");
    assert_eq!(
        of(&listed, "Payroll")["objections"][0]["objection"],
        "same-computer"
    );
}

#[test]
fn an_unknown_instance_is_a_fault_of_usage() {
    let host = Host::blank(&Setup::default());
    host.world
        .json(&["instance", "databases", "sql-z"])
        .ended(2)
        .failed("TW1006");
}

#[test]
fn a_look_at_five_hundred_databases_takes_two_statements() {
    let databases = (1..=500).map(|number| database(&format!("db{number:03}"), 1 << 16));
    let mut host = Host::formatted(&Setup {
        databases: databases.collect(),
        names: vec!["db001"],
        ..Setup::default()
    });
    let mut requests = || {
        let told = host.lab.order(&json!({ "instance": SERVER })).unwrap();
        told["requests"].as_u64().unwrap()
    };
    let before = requests();
    let listed = host
        .world
        .json(&["instance", "databases", "sql-a"])
        .ended(0);
    // One more, in which the session asks behind its login who it is.
    assert_eq!(requests() - before, 2 + 1);
    let listed = listed.result()["databases"].as_array().unwrap().len();
    assert!(listed >= 500, "{listed}");
}
