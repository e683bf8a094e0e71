//! Do manifests and verdicts hold what SQL Server says of the set?

use std::fs;

use serde_json::{Value, json};

use super::{Host, SERVER, Setup};
use crate::support::corpus;

/// The JSON line of a manifest or record.
fn json_line(host: &Host, mirror: u8, family: u16, begins: &str) -> Value {
    let bytes = fs::read(host.world.file(mirror, family, begins)).unwrap();
    serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next().unwrap()).unwrap()
}

/// Facts of a set as the media have them, against msdb's row.
#[track_caller]
fn agree(facts: &Value, row: &Value) {
    for (ours, theirs) in [
        ("set", "backup_set_uuid"),
        ("database", "database_name"),
        ("server", "server_name"),
        ("letter", "type"),
        ("first_lsn", "first_lsn"),
        ("last_lsn", "last_lsn"),
        ("checkpoint_lsn", "checkpoint_lsn"),
        ("family_guid", "family_guid"),
        ("database_guid", "database_guid"),
        ("recovery_fork", "last_recovery_fork_guid"),
    ] {
        let (left, right) = (facts[ours].as_str().unwrap(), row[theirs].as_str().unwrap());
        assert!(
            left.eq_ignore_ascii_case(right),
            "{ours}: {left}, msdb says {right}"
        );
    }
}

fn all_sides_agree(setup: &Setup) {
    let mut host = Host::formatted(setup);
    let name = setup.names[0];
    let result = host.backup().ended(0).result();
    let told = host.told(name);
    let row = &told["backups"][0];
    for (mirror, family, _) in host.world.volumes() {
        let manifest = json_line(&host, mirror, family, "0002.");
        assert_eq!(
            (&manifest["source"], &manifest["database"]),
            (&"vdi".into(), &name.into())
        );
        assert_eq!(manifest["sets"].as_array().unwrap().len(), 1);
        agree(&manifest["sets"][0], row);
        assert_eq!(manifest["run"], result["sets"][0]["run"]);
        let verdict = json_line(&host, mirror, family, "verdict.");
        assert_eq!(
            (&verdict["outcome"], &verdict["position"]),
            (&"success".into(), &1.into())
        );
        assert_eq!(verdict["run"], manifest["run"]);
        agree(&verdict["history"], row);
    }
    let shown = &host.world.sets()[0];
    assert_eq!(
        (&shown["state"], &shown["volumes"]),
        (&"published".into(), &4.into())
    );
    let set = shown["set"].as_str().unwrap();
    assert!(set.eq_ignore_ascii_case(row["backup_set_uuid"].as_str().unwrap()));
}

#[test]
fn manifest_verdict_and_msdb_agree_on_a_generated_stream() {
    all_sides_agree(&Setup {
        families: 2,
        ..Setup::default()
    });
}

#[test]
fn manifest_verdict_and_msdb_agree_on_what_a_real_server_wrote() {
    let Some(corpus) = corpus() else { return };
    let stripes = [1, 2].map(|n| corpus.join(format!("v10.50-stripe{n}of2-full.bak")));
    let databases =
        format!("[[instances.databases]]\nname = \"RestoreTimeStripe\"\nstream = {stripes:?}\n");
    all_sides_agree(&Setup {
        families: 2,
        databases,
        names: vec!["RestoreTimeStripe"],
        backup: "block_size = 512",
        ..Setup::default()
    });
}

#[test]
fn status_names_the_last_set_without_asking_the_server() {
    let host = Host::usual();
    let set = host.backup().ended(0).result()["sets"][0].clone();
    let Host { world, lab, .. } = host;
    assert!(
        lab.end().unwrap().success(),
        "{SERVER} did not end by itself"
    );
    let status = world.json(&["status", "payroll"]).ended(0).result();
    let media = &status[0]["media_sets"][0];
    assert_eq!(media["last"][0]["run"], set["run"]);
    assert_eq!(media["runs"][0]["state"], "published");
    assert_eq!(media["missing"].as_array().unwrap().len(), 0);
}

#[test]
fn status_names_a_database_that_was_never_backed_up() {
    let host = Host::usual();
    let status = host.world.json(&["status", "payroll"]).ended(3).result();
    let media = &status[0]["media_sets"][0];
    assert_eq!(media["never"], json!(["Payroll"]));
    host.backup().ended(0);
    host.world.json(&["status", "payroll"]).ended(0);
}

#[test]
fn status_says_why_the_next_run_would_be_refused() {
    let host = Host::usual();
    host.backup().ended(0);
    let (one, two) = (host.world.device(1, 1), host.world.device(2, 1));
    let between = host.world.path().join("between");
    for (from, to) in [(&one, &between), (&two, &one), (&between, &two)] {
        fs::rename(from, to).unwrap();
    }
    let status = host.world.json(&["status", "payroll"]).ended(3).result();
    let refused = &status[0]["media_sets"][0]["refused"];
    assert_eq!(refused[0]["code"], "3133", "{status}");
    host.backup().ended(1).failed("3133");
}

#[test]
fn status_tells_a_run_that_writes_from_one_that_died() {
    let mut host = Host::usual();
    host.turn(&json!({ "bytes_per_second": 100_000 }));
    let mut running = host.world.start(&["backup", "payroll"]);
    assert!(running.says("\"running\""));
    let status = host.world.json(&["status", "payroll"]).ended(3).result();
    let media = &status[0]["media_sets"][0];
    assert_eq!(media["busy"], true, "{status}");
    assert_eq!(media["refused"], json!([]), "{status}");
    assert_eq!(media["unfinished"], Value::Null, "{status}");
    running.kill();
    host.turn(&json!({}));
    let status = host.world.json(&["status", "payroll"]).ended(3).result();
    let media = &status[0]["media_sets"][0];
    assert_eq!(media["busy"], false, "{status}");
    assert_eq!(media["unfinished"]["code"], "TW3008", "{status}");
    host.backup().ended(0);
    let status = host.world.json(&["status", "payroll"]).ended(0).result();
    assert_eq!(
        status[0]["media_sets"][0]["unfinished"],
        Value::Null,
        "{status}"
    );
}
