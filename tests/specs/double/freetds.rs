//! FreeTDS `tsql` (Debian package freetds-bin) logs in, reads catalogue views and messages.

use std::io::Write;
use std::process::{Command, Stdio};

use super::World;

/// Runs `tsql`; `None` when it is not installed.
fn tsql(world: &World, encryption: &str, login: (&str, &str), sql: &str) -> Option<String> {
    let config = world.folder.path().join("freetds.conf");
    let port = world.port();
    let text = format!(
        "[double]\nhost = 127.0.0.1\nport = {port}\ntds version = 7.4\nencryption = {encryption}\n\
         client charset = UTF-8\n\
         use ntlmv2 = yes\n"
    );
    std::fs::write(&config, text).unwrap();
    let spawned = Command::new("tsql")
        .args(["-S", "double", "-U", login.0, "-P", login.1])
        .env("FREETDSCONF", &config)
        .env("TDSDUMP", "")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        eprintln!("skipped: tsql is not installed (Debian package freetds-bin)");
        return None;
    };
    // A refused login closes the pipe before everything is written.
    let _ = write!(child.stdin.take().unwrap(), "{sql}\ngo\n");
    let output = child.wait_with_output().unwrap();
    let both = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&both).into_owned())
}

const SA: (&str, &str) = ("twinset", "Secret-1");

#[test]
fn every_level_of_encryption_works() {
    let cases = [
        ("required", "require"),
        ("required", "request"),
        ("on", "require"),
        ("off", "request"),
        ("off", "off"),
        ("not-supported", "request"),
    ];
    for (server, client) in cases {
        let world = World::start(server);
        let Some(said) = tsql(&world, client, SA, "SELECT @@SERVERNAME AS s") else {
            return;
        };
        assert!(said.contains("SQL-A"), "{server}/{client}: {said}");
    }
}

#[test]
fn an_account_of_windows_proves_itself_by_ntlm() {
    for (server, client) in [("required", "require"), ("off", "request"), ("off", "off")] {
        let world = World::start(server);
        let ask =
            |user, password| tsql(&world, client, (user, password), "SELECT @@SERVERNAME AS s");
        let Some(said) = ask(r"LAB\dba", "Account-1") else {
            return;
        };
        assert!(said.contains("\nSQL-A\n"), "{server}/{client}: {said}");
        // A wrong password, an account that nobody knows, and a login of SQL Server as an account.
        for (user, password) in [
            (r"LAB\dba", "account-1"),
            (r"LAB\eve", "Account-1"),
            (r"LAB\twinset", SA.1),
        ] {
            let said = ask(user, password).unwrap();
            assert!(
                said.contains("18452") && said.contains("connection failed"),
                "{user}: {said}"
            );
        }
    }
}

#[test]
fn a_client_without_tls_is_not_let_in_where_it_is_required() {
    let world = World::start("required");
    let Some(said) = tsql(&world, "off", SA, "SELECT 1") else {
        return;
    };
    assert!(
        said.contains("connection failed") || said.contains("Unable to connect"),
        "{said}"
    );
}

#[test]
fn catalogue_views_are_read_with_their_types() {
    let world = World::start("required");
    let sql = "SELECT d.name, d.state, d.create_date, m.mirroring_guid, r.family_guid, \
               CAST(39000000172000001 AS numeric(25,0)) AS lsn FROM sys.databases d LEFT JOIN \
               sys.database_mirroring m ON m.database_id = d.database_id LEFT JOIN \
               sys.database_recovery_status r ON r.database_id = d.database_id WHERE d.name = \
               N'payroll'";
    let Some(said) = tsql(&world, "require", SA, sql) else {
        return;
    };
    let row = said
        .lines()
        .find(|line| line.starts_with("Payroll\t"))
        .unwrap_or(&said);
    let cells: Vec<&str> = row.split('\t').collect();
    assert_eq!(cells[1], "0");
    assert!(cells[2].contains("2024"), "{row}");
    assert_eq!(
        (cells[3], cells[4].len(), cells[5]),
        ("NULL", 36, "39000000172000001")
    );
}

#[test]
fn errors_and_several_result_sets_arrive_in_order() {
    let world = World::start("required");
    let sql =
        "SELECT 1 AS a; SELECT N'é中' AS b; BACKUP DATABASE nope TO DISK = 'x'; SELECT 3 AS c";
    let Some(said) = tsql(&world, "require", SA, sql) else {
        return;
    };
    let places: Vec<usize> = ["Msg 911", "Msg 3013"]
        .iter()
        .map(|text| {
            said.find(text)
                .unwrap_or_else(|| panic!("{text} missing: {said}"))
        })
        .collect();
    assert!(places[0] < places[1]);
    for text in ["a\n1\n", "b\né中\n", "c\n3\n"] {
        assert!(said.contains(text), "{text:?} missing: {said}");
    }
}

#[test]
fn a_wrong_password_is_18456() {
    let world = World::start("required");
    let Some(said) = tsql(&world, "require", ("twinset", "wrong"), "SELECT 1") else {
        return;
    };
    assert!(said.contains("Msg 18456 (severity 14, state 1)"), "{said}");
}

#[test]
fn a_login_without_rights_gets_262_and_sees_itself_only() {
    let world = World::start("required");
    let reader = ("reader", "Reader-1");
    let sql =
        "BACKUP DATABASE Payroll TO DISK = 'x' SELECT COUNT(*) AS n FROM sys.dm_exec_sessions";
    let Some(said) = tsql(&world, "require", reader, sql) else {
        return;
    };
    assert!(said.contains("Msg 262 (severity 14"), "{said}");
    assert!(said.contains("n\n1\n"), "{said}");
}
