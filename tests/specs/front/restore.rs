//! Does a restore give what was backed up, from whatever is left, and never over something else?

use std::fs;

use serde_json::{Value, json};

use super::{Host, Setup, database, mirrored};
use crate::support::damage_bit;

/// Bits of a chunk.
const CHUNK_BITS: u64 = (4 << 20) * 8;

/// A host with one set of Payroll of several chunks in two families.
fn with_set() -> Host {
    let host = Host::formatted(&Setup {
        families: 2,
        databases: database("Payroll", 20 << 20) + &mirrored("Session", "principal"),
        ..Setup::default()
    });
    host.backup().ended(0);
    host
}

fn harm(host: &Host, mirror: u8, family: u16, chunk: u64) {
    damage_bit(
        &host.world.file(mirror, family, "0001."),
        chunk * CHUNK_BITS + 123_457,
    );
}

fn paths(result: &Value) -> Vec<(String, String)> {
    serde_json::from_value(result["files"].clone()).unwrap()
}

#[test]
fn to_a_new_name_beside_the_original() {
    let mut host = with_set();
    let result = host.restores("Payroll", 1, "Payroll_Copy");
    let folder = "/var/opt/mssql/data";
    let expected = [
        ("Payroll", format!("{folder}/Payroll_Copy.Payroll.mdf")),
        (
            "Payroll_log",
            format!("{folder}/Payroll_Copy.Payroll_log.ldf"),
        ),
    ];
    assert_eq!(
        paths(&result),
        expected.map(|(name, path)| (name.to_owned(), path))
    );
    assert_eq!(result["map"]["damage"], json!([]));
    assert_eq!(host.told("Payroll")["state"], "ONLINE");
}

#[test]
fn without_a_position_the_latest_full_is_taken() {
    let mut host = with_set();
    host.backup().ended(0);
    assert_eq!(host.restore("Copy").ended(0).result()["position"], 2);
    assert_eq!(host.told("Copy")["state"], "ONLINE");
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let mut host = with_set();
    host.restore("Payroll").ended(5).failed("3141");
    host.restore("payroll").ended(5).failed("3141");
    assert_eq!(host.told("Payroll")["state"], "ONLINE");
}

#[test]
fn a_database_in_a_mirroring_session_is_never_restored_over() {
    let host = with_set();
    let fault = host.restore("Session").ended(5).failed("3104");
    assert!(
        fault["remedy"].as_str().unwrap().contains("--as"),
        "{fault}"
    );
}

#[test]
fn into_a_folder_of_its_own() {
    let host = with_set();
    let more = ["--data-dir", "/srv/data/copies/"];
    let result = host.restore_of("Payroll", "Copy", &more).ended(0).result();
    for (_, path) in paths(&result) {
        assert!(path.starts_with("/srv/data/copies/Copy."), "{path}");
    }
}

#[test]
fn single_files_go_where_they_are_sent() {
    let host = with_set();
    let more = ["--move", "Payroll_log=/log/copy.ldf", "--data-dir", "/data"];
    let result = host.restore_of("Payroll", "Copy", &more).ended(0).result();
    let paths = paths(&result);
    assert_eq!(paths[0].1, "/data/Copy.Payroll.mdf");
    assert_eq!(paths[1].1, "/log/copy.ldf");
}

#[test]
fn a_file_that_the_backup_does_not_have_is_named_with_those_it_has() {
    let mut host = with_set();
    let more = ["--move", "Salaries=/data/x.mdf"];
    let fault = host
        .restore_of("Payroll", "Copy", &more)
        .ended(2)
        .failed("TW1006");
    let text = fault.to_string();
    assert!(
        text.contains("Salaries") && text.contains("Payroll, Payroll_log"),
        "{text}"
    );
    assert!(
        host.lab.database(super::SERVER, "Copy").is_err(),
        "the database was made"
    );
}

#[test]
fn damage_is_healed_from_the_twin_and_mapped() {
    let mut host = with_set();
    harm(&host, 1, 1, 0);
    harm(&host, 1, 2, 1);
    harm(&host, 2, 1, 2);
    let result = host.restore("Copy").ended(3).result();
    assert_eq!(host.told("Copy")["state"], "ONLINE");
    let map = &result["map"];
    let damage = map["damage"].as_array().unwrap();
    let places: Vec<(u64, u64, u64)> = damage
        .iter()
        .map(|one| {
            let slot = &one["slot"];
            let number = |value: &Value| value.as_u64().unwrap();
            (
                number(&slot["mirror"]),
                number(&slot["family"]),
                number(&one["chunk"]),
            )
        })
        .collect();
    // Mirror 2's third chunk is bad too, but nobody had to read it.
    assert_eq!(places, [(1, 1, 0), (1, 2, 1)], "{map}");
    assert_eq!(map["substituted"], 2);
    // Sets read for the list of files count once: nothing of the set was changed on the media.
    host.world.verify(3);
}

#[test]
fn a_mirror_with_nothing_left_is_no_loss() {
    let mut host = with_set();
    for family in [1, 2] {
        fs::remove_dir_all(host.world.device(1, family)).unwrap();
    }
    let result = host.restore("Copy").ended(3).result();
    assert_eq!(host.told("Copy")["state"], "ONLINE");
    assert_eq!(result["map"]["damage"].as_array().unwrap().len(), 2);
}

#[test]
fn volumes_missing_on_different_mirrors_are_no_loss() {
    let mut host = with_set();
    fs::remove_dir_all(host.world.device(1, 1)).unwrap();
    fs::remove_dir_all(host.world.device(2, 2)).unwrap();
    let planned = host
        .world
        .json(&["restore", "plan", "Payroll", "--group", "payroll"])
        .ended(3)
        .result();
    let slot = |mirror, family| json!([{ "mirror": mirror, "family": family }]);
    let set = &planned["steps"][0];
    assert_eq!(set["sources"], json!([slot(2, 1), slot(1, 2)]));
    assert_eq!(planned["missing"].as_array().unwrap().len(), 2);
    host.restore("Copy").ended(3);
    assert_eq!(host.told("Copy")["state"], "ONLINE");
}

#[test]
fn a_chunk_that_is_bad_on_every_mirror_ends_the_restore() {
    let mut host = with_set();
    harm(&host, 1, 1, 1);
    harm(&host, 2, 1, 1);
    let fault = host.restore("Copy").ended(4).failed("TW3004");
    assert!(fault.to_string().contains("chunk 1"), "{fault}");
    // SQL Server never calls it good.
    match host.lab.database(super::SERVER, "Copy") {
        Ok(told) => assert_ne!(told["state"], "ONLINE", "{told}"),
        Err(absent) => assert!(absent.to_string().contains("no database"), "{absent}"),
    }
    // Another set of the same database still restores.
    host.backup().ended(0);
    host.restores("Payroll", 2, "Copy_2");
}

#[test]
fn a_family_that_is_missing_on_every_mirror_ends_it_before_it_begins() {
    let mut host = with_set();
    for mirror in [1, 2] {
        fs::remove_dir_all(host.world.device(mirror, 2)).unwrap();
    }
    let fault = host.restore("Copy").ended(4).failed("TW3004");
    assert!(fault.to_string().contains("family 2"), "{fault}");
    assert!(
        host.lab.database(super::SERVER, "Copy").is_err(),
        "the database was made"
    );
}

#[test]
fn the_plan_is_told_to_people_and_programs() {
    let host = with_set();
    let line = ["restore", "plan", "Payroll", "--group", "payroll"];
    let planned = host.world.json(&line).ended(0).result();
    let set = &planned["steps"][0];
    assert_eq!(
        (&set["position"], &set["database"]),
        (&json!(1), &json!("Payroll"))
    );
    assert_eq!(
        (&set["state"], &set["kind"]),
        (&json!("published"), &json!("full"))
    );
    let both =
        |family| json!([{ "mirror": 1, "family": family }, { "mirror": 2, "family": family }]);
    assert_eq!(set["sources"], json!([both(1), both(2)]));
    assert_eq!(planned["missing"], json!([]));
    let text = host.world.run(&line).ended(0).stdout;
    assert!(text.contains("restore Payroll from position 1"), "{text}");
    assert!(text.contains("family 2: mirror 1, then mirror 2"), "{text}");
}

#[test]
fn nothing_to_restore_is_said() {
    let host = Host::usual();
    host.restore("Copy").ended(1).failed("TW4009");
    let more = ["--position", "7"];
    host.restore_of("Payroll", "Copy", &more).ended(1);
}

#[test]
fn another_servers_agent_restores_from_what_it_can_read() {
    let mut host = with_set();
    host.world.other_config("other.toml", |media| {
        media.agent = "sql-b".into();
        media.state_dir = "state-b".into();
    });
    let line = [
        "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", "sql-a",
    ];
    host.world.json_with("other.toml", &line).ended(0);
    assert_eq!(host.told("Copy")["state"], "ONLINE");
}

#[test]
fn a_server_that_fails_in_the_middle_names_its_cause() {
    let mut host = with_set();
    host.turn(&json!({ "abort_after_bytes": 9_000_000 }));
    let fault = host.restore("Copy").ended(1).object()["error"].clone();
    super::names_the_cause(&fault);
    host.turn(&json!({}));
    host.restores("Payroll", 1, "Copy_2");
}

#[test]
fn imported_files_of_another_server_restore_through_virtual_devices() {
    let Some(corpus) = crate::support::corpus() else {
        return;
    };
    let mut host = Host::usual();
    let file = corpus.join("v13-full-512.bak");
    let file = file.to_str().unwrap();
    let line = ["media", "import", "payroll", "--database", "Payroll", file];
    host.world.json(&line).ended(0);
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn a_restore_that_the_operator_stops_ends_as_cancelled() {
    let mut host = with_set();
    host.turn(&json!({ "bytes_per_second": 1 << 20 }));
    let line = [
        "restore", "run", "Payroll", "--group", "payroll", "--as", "Copy", "--on", "sql-a",
    ];
    let mut running = host.world.start(&line);
    assert!(running.says("restore Payroll as Copy"));
    assert!(running.says("\"running\""));
    running.interrupt();
    running.end().ended(6).failed("TW5004");
}

#[test]
fn a_name_that_is_none_is_refused_before_anything_is_asked() {
    let host = with_set();
    let long = "x".repeat(129);
    for name in ["", "a\nb", long.as_str()] {
        host.restore(name).ended(2).failed("TW1007");
    }
}
