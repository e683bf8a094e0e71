//! What does `twinset backup` do when all goes well?

use std::fs;

use serde_json::{Value, json};

use super::{Host, SERVER, Setup, database, mirrored};
use crate::support::{corpus, hex_of, sections, snapshot};

/// Backup, verify, restore and export of so many families.
fn whole_way(families: u16) {
    let mut host = Host::formatted(&Setup {
        families,
        ..Setup::default()
    });
    if families > 8 {
        host.world.configure(|media| {
            media.extra = format!("memory_limit = \"512MiB\"\n{}", media.extra);
        });
    }
    let result = host.backup().ended(0).result();
    let set = &result["sets"][0];
    assert_eq!(
        (&set["position"], &set["database"]),
        (&json!(1), &json!("Payroll"))
    );
    assert_eq!(set["shape"], json!({ "families": families, "mirrors": 2 }));
    assert!(set["bytes"].as_u64().unwrap() > 4 << 20);
    assert_eq!(result["failed"], json!([]));
    host.world.verify(0);
    let restored = host.restores("Payroll", 1, "Payroll_Copy");
    assert_eq!(restored["bytes"], set["bytes"]);
    let (exported, _folder) = host.world.export(1);
    let files = exported.ended(0).result()["files"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(files.len(), usize::from(families));
    for (family, file) in (1..).zip(&files) {
        let exported = fs::read(file.as_str().unwrap()).unwrap();
        for mirror in [1, 2] {
            let stored = fs::read(host.world.file(mirror, family, "0001.Payroll.full.")).unwrap();
            assert!(exported == stored, "mirror {mirror}, family {family}");
        }
    }
}

#[test]
fn one_family_goes_the_whole_way() {
    whole_way(1);
}

#[test]
fn two_families_go_the_whole_way() {
    whole_way(2);
}

#[test]
fn eight_families_go_the_whole_way() {
    whole_way(8);
}

/// As many as SQL Server takes.
#[test]
fn sixty_four_families_go_the_whole_way() {
    whole_way(64);
}

#[test]
fn real_stripes_go_through_virtual_devices_as_two_families() {
    let Some(corpus) = corpus() else { return };
    let stripes = [1, 2].map(|n| corpus.join(format!("v10.50-stripe{n}of2-full.bak")));
    let mut host = Host::formatted(&Setup {
        families: 2,
        databases: format!(
            "[[instances.databases]]\nname = \"RestoreTimeStripe\"\nstream = {stripes:?}\n"
        ),
        names: vec!["RestoreTimeStripe"],
        backup: "block_size = 512",
        ..Setup::default()
    });
    host.backup().ended(0);
    host.world.verify(0);
    host.world.exports(1, 0, &stripes);
    let restored = host.restores("RestoreTimeStripe", 1, "Copy");
    let length = |path| fs::metadata(path).unwrap().len();
    assert_eq!(restored["bytes"], stripes.iter().map(length).sum::<u64>());
}

#[test]
fn sets_get_positions_one_after_the_other() {
    let mut host = Host::usual();
    for position in 1..=3 {
        let result = host.backup().ended(0).result();
        assert_eq!(result["sets"][0]["position"], position);
    }
    host.world.verify(0);
    for position in 1..=3 {
        host.restores("Payroll", position, &format!("Copy{position}"));
    }
}

#[test]
fn an_unformatted_media_set_is_refused() {
    let mut host = Host::blank(&Setup::default());
    host.backup().ended(1).failed("3215");
    host.server_has_no_backup("Payroll");
    assert!(!host.world.path().join("m1").exists());
}

#[test]
fn a_second_backup_into_the_same_media_set_waits_for_nobody() {
    let mut host = Host::usual();
    host.turn(&json!({ "bytes_per_second": 2 << 20 }));
    let mut first = host.world.start(&["backup", "payroll"]);
    assert!(first.says("\"begin\""));
    host.backup().ended(5).failed("TW5002");
    let first = first.end().ended(0);
    assert_eq!(first.result()["sets"][0]["position"], 1);
    assert_eq!(host.told("Payroll")["backups"].as_array().unwrap().len(), 1);
    host.world.verify(0);
}

#[test]
fn a_second_backup_of_the_database_by_another_agent_is_3023() {
    let mut host = Host::usual();
    let other = host.world.path().join("other");
    host.world.other_config("other.toml", |media| {
        media.agent = "sql-other".into();
        media.state_dir = "other/state".into();
        for mirror in [1, 2] {
            media
                .elsewhere
                .insert((mirror, 1), other.join(format!("m{mirror}")));
        }
    });
    fs::create_dir(&other).unwrap();
    host.world
        .json_with("other.toml", &["media", "format", "payroll"])
        .ended(0);
    host.turn(&json!({ "bytes_per_second": 2 << 20 }));
    let mut first = host.world.start(&["backup", "payroll"]);
    // Its statement runs once bytes come; the work is begun before that.
    assert!(first.says("\"running\""));
    let second = host
        .world
        .json_with("other.toml", &["backup", "payroll"])
        .ended(5);
    second.failed("3023");
    first.end().ended(0);
    let left = snapshot(&other.join("m1"));
    assert_eq!(left.len(), 1, "{:?}", left.keys());
    assert_eq!(host.told("Payroll")["backups"].as_array().unwrap().len(), 1);
}

#[test]
fn copy_only_leaves_the_differential_base_alone() {
    let mut host = Host::usual();
    host.world
        .json(&["backup", "payroll", "--copy-only"])
        .ended(0);
    let told = host.told("Payroll");
    assert_eq!(told["differential_base"], Value::Null);
    assert_eq!(told["backups"][0]["is_copy_only"], "1");
    let set = host.backup().ended(0).result()["sets"][0]["set"].clone();
    let told = host.told("Payroll");
    assert_eq!(told["differential_base"], set);
    assert_eq!(told["backups"][1]["is_copy_only"], "0");
}

#[test]
fn a_dry_run_touches_nothing() {
    let mut host = Host::formatted(&Setup {
        databases: database("Payroll", 1 << 20) + &mirrored("Standby", "mirror"),
        names: vec!["Payroll", "Standby", "Nobody"],
        ..Setup::default()
    });
    let volumes = |host: &Host| [1, 2].map(|mirror| snapshot(&host.world.device(mirror, 1)));
    let before = volumes(&host);
    let planned = host
        .world
        .json(&["backup", "payroll", "--dry-run"])
        .ended(0)
        .result();
    assert_eq!(volumes(&host), before);
    host.server_has_no_backup("Payroll");
    let planned = planned.as_array().unwrap();
    let states: Vec<_> = planned
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["ONLINE", "RESTORING", "does not exist"]);
    for one in planned {
        assert_eq!(one["instance"], "sql-a");
        assert_eq!(
            (&one["media_set"], &one["kind"]),
            (&json!("payroll"), &json!("full"))
        );
    }
}

#[test]
fn programs_get_one_object_of_fixed_shape() {
    let host = Host::usual();
    let object = host.backup().ended(0).object();
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&object), ["code", "result"]);
    assert_eq!(object["code"], 0);
    assert_eq!(keys(&object["result"]), ["failed", "sets"]);
    let set = &object["result"]["sets"][0];
    assert_eq!(
        keys(set),
        [
            "bytes",
            "database",
            "kind",
            "lost",
            "media_set",
            "mirrors",
            "notes",
            "position",
            "published",
            "run",
            "set",
            "shape",
            "started",
            "stored_bytes"
        ]
    );
    let failed = host
        .world
        .json(&["backup", "payroll", "--database", "Other"])
        .ended(2)
        .object();
    assert_eq!(keys(&failed), ["code", "error"]);
    let fault = &failed["error"];
    assert_eq!(
        keys(fault),
        ["causes", "code", "message", "object", "remedy"]
    );
}

#[test]
fn programs_get_progress_line_by_line() {
    let mut host = Host::usual();
    host.turn(&json!({ "bytes_per_second": 2 << 20 }));
    let ran = host.world.start(&["backup", "payroll"]).end().ended(0);
    let lines = ran
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let steps: Vec<Value> = lines.map(|line| line["progress"].clone()).collect();
    let steps: Vec<&Value> = steps.iter().filter(|step| step.is_object()).collect();
    let states: Vec<_> = steps
        .iter()
        .map(|step| step["state"].as_str().unwrap())
        .collect();
    let (first, last) = (states[0], states[states.len() - 1]);
    assert_eq!((first, last), ("begin", "end"));
    assert!(states.len() > 2, "{states:?}");
    assert!(
        states[1..states.len() - 1]
            .iter()
            .all(|state| *state == "running")
    );
    let done: Vec<u64> = steps
        .iter()
        .map(|step| step["done"].as_u64().unwrap())
        .collect();
    assert!(done.is_sorted(), "{done:?}");
    assert!(steps.iter().all(|step| step["what"] == "backup Payroll"));
    assert_eq!(ran.result()["sets"][0]["bytes"], done[done.len() - 1]);
}

#[test]
fn one_database_that_fails_leaves_the_others_be_and_the_worst_end_counts() {
    let offline = database("Offline", 1 << 20) + "state = \"OFFLINE\"\n";
    let mut host = Host::formatted(&Setup {
        databases: database("Payroll", 1 << 20) + &offline + &mirrored("Standby", "mirror"),
        names: vec!["Offline", "Standby", "Payroll"],
        ..Setup::default()
    });
    let ran = host.backup().ended(1);
    let fault = ran.failed("TW4010");
    assert!(fault["message"].as_str().unwrap().contains("OFFLINE"));
    let object = ran.object();
    assert_eq!(object["result"]["failed"], json!(["Offline", "Standby"]));
    assert_eq!(object["result"]["sets"][0]["database"], "Payroll");
    let codes: Vec<_> = object["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["code"])
        .collect();
    assert_eq!(codes, ["TW4010", "954"]);
    host.restores("Payroll", 1, "Copy");
    // A refusal alone is a refusal.
    let line = ["backup", "payroll", "--database", "Standby"];
    host.world.json(&line).ended(5).failed("954");
}

#[test]
fn patterns_choose_among_the_servers_databases() {
    let wanted = ["HR_Pay", "HR_Time", "HR_Scratch", "Other"].map(|name| database(name, 1 << 20));
    let mut host = Host::formatted(&Setup {
        databases: wanted.concat(),
        names: vec!["HR_*", "-HR_Scratch"],
        ..Setup::default()
    });
    let result = host.backup().ended(0).result();
    let sets = result["sets"].as_array().unwrap();
    let names: Vec<_> = sets
        .iter()
        .map(|set| set["database"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["HR_Pay", "HR_Time"]);
    assert_eq!(host.told("Other")["backups"], json!([]));
}

#[test]
fn a_name_that_needs_quoting_everywhere_does_no_harm() {
    let name = "it's [odd]] 表/..";
    let mut host = Host::formatted(&Setup {
        databases: database(name, 1 << 20),
        names: vec![name],
        ..Setup::default()
    });
    host.backup().ended(0);
    let names = sections(&host.world.volume(1, 1));
    assert!(
        names[1].starts_with("0001.") && names[1].ends_with(".bak"),
        "{names:?}"
    );
    assert_eq!(host.told(name)["backups"][0]["server_name"], SERVER);
    host.restores(name, 1, "Copy");
}

#[test]
fn a_server_without_complete_is_acknowledged_at_flush() {
    let mut host = Host::formatted(&Setup {
        families: 2,
        ..Setup::default()
    });
    host.turn(&json!({ "complete_enabled": false }));
    host.backup().ended(0);
    host.world.verify(0);
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn both_mirrors_hold_what_b3sum_prints() {
    let host = Host::usual();
    host.backup().ended(0);
    for mirror in [1, 2] {
        let manifest = fs::read(host.world.file(mirror, 1, "0002.")).unwrap();
        let line = manifest.split(|byte| *byte == b'\n').next().unwrap();
        let facts: Value = serde_json::from_slice(line).unwrap();
        let data = host.world.file(mirror, 1, "0001.");
        assert_eq!(facts["stored_blake3"], hex_of(&data));
        assert_eq!(facts["stored_length"], fs::metadata(&data).unwrap().len());
    }
}
