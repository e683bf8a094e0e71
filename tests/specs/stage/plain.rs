//! A staged backup that goes well, and one that SQL Server fails.

use serde_json::{Value, json};

use super::{folder, group, guid, host, staged, usual};
use crate::front::{PASSWORD, Setup, database, names_the_cause};

#[test]
fn a_login_below_sysadmin_takes_a_backup_of_several_families() {
    let operator = format!(
        "[[instances.logins]]\nname = \"operator\"\npassword = {PASSWORD:?}\n\
         backup_operator = true\n"
    );
    let mut host = host(&Setup {
        families: 4,
        databases: operator + &database("Payroll", 4 << 20),
        ..Setup::default()
    });
    host.reach(|client| client.user = "operator".into());
    let set = host.backup().ended(0).result()["sets"][0].clone();
    assert_eq!(set["position"], 1);
    assert_eq!(staged(&host), Vec::<String>::new());
    host.world.verify(0);
    let told = host.told("Payroll");
    assert_eq!(
        guid(&told["backups"][0]["backup_set_uuid"]),
        guid(&set["set"])
    );
    assert_eq!(guid(&told["differential_base"]), guid(&set["set"]));
    host.reach(|client| client.user = "twinset".into());
    host.restores("Payroll", 1, "Copy");
    host.world.json(&["status", "payroll"]).ended(0);
}

#[test]
fn every_kind_goes_through_the_folder() {
    let mut host = usual();
    let rows = [("full", "D"), ("log", "L"), ("diff", "I"), ("log", "L")];
    for (kind, letter) in rows {
        let set = host.take(kind, &[]).ended(0).result()["sets"][0].clone();
        assert_eq!(staged(&host), Vec::<String>::new(), "{kind}");
        let told = host.told("Payroll");
        let row = told["backups"].as_array().unwrap().last().unwrap();
        assert_eq!(row["type"], letter);
        assert_eq!(guid(&row["backup_set_uuid"]), guid(&set["set"]));
    }
    assert_eq!(host.sets_of("payroll").len(), 2);
    assert_eq!(host.sets_of("payroll-log").len(), 2);
}

#[test]
fn filestream_rounds_on_a_server_without_complete_are_no_trouble() {
    let mut host = usual();
    host.turn(&json!({ "extra_flush": true, "complete_enabled": false }));
    host.backup().ended(0);
    host.turn(&json!({}));
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn both_sources_share_a_media_set() {
    let mut host = usual();
    host.backup().ended(0);
    group(&host, "source = \"vdi\"");
    host.backup().ended(0);
    host.world.verify(0);
    for position in [1, 2] {
        host.restores("Payroll", position, &format!("Copy{position}"));
    }
}

#[test]
fn a_dry_run_prints_paths_and_statement_and_touches_nothing() {
    let mut host = usual();
    let planned = host
        .world
        .json(&["backup", "payroll", "--dry-run"])
        .ended(0)
        .result();
    let stage = &planned[0]["stage"];
    let first = folder(&host).join("twinset-RUN-1.bak");
    assert_eq!(stage["files"][0], first.display().to_string());
    let statement = stage["statement"].as_str().unwrap();
    assert!(
        statement.starts_with("BACKUP DATABASE [Payroll] TO DISK = N'"),
        "{statement}"
    );
    assert_eq!(stage["room"], "enough");
    assert_eq!(staged(&host), Vec::<String>::new());
    host.server_has_no_backup("Payroll");
    let text = host.world.run(&["backup", "payroll", "--dry-run"]).ended(0);
    assert!(text.stdout.contains(statement), "{}", text.stdout);
}

#[test]
fn a_statement_that_fails_leaves_nothing_anywhere() {
    for faults in [
        json!({ "fail_before_open": 3033 }),
        json!({ "fail_after_bytes": 2_000_000 }),
        json!({ "abort_after_bytes": 2_000_000 }),
    ] {
        let mut host = usual();
        host.turn(&faults);
        let fault = host.backup().ended(1).object()["error"].clone();
        names_the_cause(&fault);
        assert_eq!(staged(&host), Vec::<String>::new(), "{faults}");
        host.server_has_no_backup("Payroll");
        host.turn(&json!({}));
        let set = host.backup().ended(0).result()["sets"][0].clone();
        host.restores("Payroll", set["position"].as_u64().unwrap(), "Copy");
    }
}

#[test]
fn an_operator_who_stops_it_leaves_nothing_anywhere() {
    let mut host = usual();
    host.turn(&json!({ "bytes_per_second": 1 << 20 }));
    let mut running = host.world.start(&["backup", "payroll"]);
    assert!(running.says("\"begin\""));
    while staged(&host).len() < 3 {
        std::thread::yield_now();
    }
    running.interrupt();
    running.end().ended(6).failed("TW5004");
    host.server_has_no_backup("Payroll");
    assert_eq!(staged(&host), Vec::<String>::new());
    host.media_are_clean();
}

#[test]
fn a_lost_connection_is_no_matter_when_msdb_has_the_set() {
    for moment in ["before-success", "after-success"] {
        let mut host = usual();
        host.turn(&json!({ "drop_connection": moment }));
        host.backup().ended(0);
        host.turn(&json!({}));
        assert_eq!(staged(&host), Vec::<String>::new());
        host.restores("Payroll", 1, "Copy");
    }
}

#[test]
fn history_that_could_not_be_written_is_success_with_a_warning() {
    let mut host = usual();
    host.turn(&json!({ "history_fails": true }));
    let result = host.backup().ended(0).result();
    assert!(
        result["sets"][0]["notes"].to_string().contains("3009"),
        "{result}"
    );
    host.turn(&json!({}));
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn an_error_after_the_last_byte_is_unconfirmed_and_recover_confirms_it() {
    for faults in [
        json!({ "fail_after_close": true }),
        json!({ "fail_after_close": true, "history_fails": true }),
    ] {
        let mut host = usual();
        host.turn(&faults);
        let fault = host.backup().ended(1).failed("TW3005");
        names_the_cause(&fault);
        assert!(fault.to_string().contains("3271"), "{fault}");
        assert_eq!(staged(&host), Vec::<String>::new());
        assert_eq!(host.world.sets()[0]["state"], "unconfirmed");
        host.turn(&json!({}));
        host.recover().ended(0);
        assert_eq!(host.world.sets()[0]["state"], "published", "{faults}");
        host.restores("Payroll", 1, "Copy");
    }
}

#[test]
fn what_others_left_in_the_folder_is_left_alone() {
    let mut host = usual();
    let stranger = folder(&host).join("other.bak");
    std::fs::write(&stranger, b"not ours").unwrap();
    host.backup().ended(0);
    host.recover().ended(0);
    assert_eq!(std::fs::read(&stranger).unwrap(), b"not ours");
    let told = host.told("Payroll");
    assert_ne!(told["differential_base"], Value::Null);
}
