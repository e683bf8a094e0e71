//! What a run could not finish is taken in by the next one, or by `media recover`.

use std::fs;

use serde_json::{Value, json};

use super::{folder, guid, staged, usual};
use crate::front::{Host, names_the_cause};

/// SQL Server has its backup, the media could not take it.
#[track_caller]
pub(super) fn waits() -> Host {
    let mut host = usual();
    host.world.configure(|media| {
        media.fault(2, 2, json!({ "fail_write_at": 1_000_000, "only_index": 1 }));
    });
    let fault = host.backup().ended(1).failed("TW4043");
    names_the_cause(&fault);
    let text = fault.to_string();
    assert!(text.contains("TW2010") && text.contains("m2/f2"), "{text}");
    assert_eq!(host.told("Payroll")["backups"].as_array().unwrap().len(), 1);
    assert_eq!(staged(&host).len(), 3, "{:?}", staged(&host));
    let states: Vec<Value> = host
        .world
        .sets()
        .iter()
        .map(|set| set["state"].clone())
        .collect();
    assert_eq!(states, ["void"], "nothing of it stays on the media");
    host
}

fn published(host: &Host) -> Vec<Value> {
    let sets = host.world.sets();
    sets.into_iter()
        .filter(|set| set["state"] == "published")
        .collect()
}

#[test]
fn the_next_backup_takes_in_what_waits() {
    let mut host = waits();
    let status = host.world.json(&["status", "payroll"]).ended(3).result();
    let left = &status[0]["media_sets"][0]["staged"][0];
    assert_eq!(
        (&left["database"], &left["kind"]),
        (&json!("Payroll"), &json!("full"))
    );
    host.world.heal_devices();
    host.backup().ended(0);
    assert_eq!(staged(&host), Vec::<String>::new());
    let sets = published(&host);
    assert_eq!(sets.len(), 2, "{sets:?}");
    let told = host.told("Payroll");
    for (set, row) in sets.iter().zip(told["backups"].as_array().unwrap()) {
        assert_eq!(guid(&set["set"]), guid(&row["backup_set_uuid"]));
        let position = set["position"].as_u64().unwrap();
        host.restores("Payroll", position, &format!("Copy{position}"));
    }
    host.world.verify(0);
    host.world.json(&["status", "payroll"]).ended(0);
}

#[test]
fn recover_takes_in_what_waits_also_when_no_backup_may_run() {
    let mut host = waits();
    host.world.heal_devices();
    let report = host.recover().ended(0).result();
    assert_eq!(report["staged"][0]["became"], "taken-in", "{report}");
    assert_eq!(staged(&host), Vec::<String>::new());
    let position = report["staged"][0]["position"].as_u64().unwrap();
    host.restores("Payroll", position, "Copy");
    host.world.verify(0);
}

#[test]
fn while_no_server_answers_what_waits_is_kept() {
    let mut host = waits();
    host.world.heal_devices();
    let port = host.client.port;
    host.reach(|client| client.port = 1);
    let report = host.recover().ended(3).result();
    assert_eq!(report["staged"][0]["became"], "kept", "{report}");
    assert_eq!(staged(&host).len(), 3);
    host.reach(|client| client.port = port);
    host.recover().ended(0);
    assert_eq!(staged(&host), Vec::<String>::new());
    assert_eq!(published(&host).len(), 1);
}

#[test]
fn a_file_that_was_cut_off_since_is_named_and_never_taken_in() {
    let mut host = waits();
    host.world.heal_devices();
    let name = staged(&host)
        .into_iter()
        .find(|n| n.ends_with("-2.bak"))
        .unwrap();
    let path = folder(&host).join(&name);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 5000]).unwrap();
    let report = host.recover().ended(3).result();
    assert_eq!(report["staged"][0]["became"], "kept", "{report}");
    let why = report["staged"][0]["why"].as_str().unwrap();
    assert!(why.contains(&name) && why.contains("full backup"), "{why}");
    assert_eq!(published(&host).len(), 0);
    assert!(path.exists());
    fs::write(&path, &whole).unwrap();
    host.recover().ended(0);
    assert_eq!(published(&host).len(), 1);
}

#[test]
fn a_set_that_the_media_hold_already_is_not_taken_in_twice() {
    let mut host = waits();
    host.world.heal_devices();
    let keep = host.world.path().join("keep");
    fs::create_dir(&keep).unwrap();
    for name in staged(&host) {
        fs::copy(folder(&host).join(&name), keep.join(&name)).unwrap();
    }
    host.recover().ended(0);
    // As if the run had died between its verdict and the removal.
    for entry in fs::read_dir(&keep).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder(&host).join(entry.file_name())).unwrap();
    }
    let report = host.recover().ended(0).result();
    assert_eq!(report["staged"][0]["became"], "already-there", "{report}");
    assert_eq!(staged(&host), Vec::<String>::new());
    assert_eq!(published(&host).len(), 1);
}

#[test]
fn another_agents_intent_is_not_touched() {
    let mut host = waits();
    host.world.heal_devices();
    let intent = staged(&host)
        .into_iter()
        .find(|n| n.ends_with("intent.json"))
        .unwrap();
    let path = folder(&host).join(intent);
    let mut text: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    text["agent"] = json!("6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55");
    fs::write(&path, text.to_string()).unwrap();
    host.backup().ended(0);
    assert_eq!(staged(&host).len(), 3);
    assert_eq!(published(&host).len(), 1);
}

#[test]
fn an_intent_that_was_not_finished_is_removed_and_one_that_is_being_written_is_not() {
    let host = usual();
    let work = |run: &str| folder(&host).join(format!("twinset-{run}.work"));
    let (dead, alive) = (work(&"1".repeat(32)), work(&"2".repeat(32)));
    fs::write(&dead, "{").unwrap();
    let held = fs::File::create_new(&alive).unwrap();
    held.lock().unwrap();
    host.recover().ended(0);
    assert!(!dead.exists() && alive.exists());
    drop(held);
    host.backup().ended(0);
    assert_eq!(staged(&host), Vec::<String>::new());
}
