//! What `media expire` does, and what it refuses.

use std::fs;
use std::process::Command;

use serde_json::json;
use twinset_tests::stream::Kind;

use super::{Line, five, lines, plan};
use crate::support::{World, built, sections, snapshot};

fn expire(world: &World, more: &[&str]) -> crate::support::Ran {
    world.json(&[&["media", "expire", "payroll"], more].concat())
}

#[test]
fn a_device_that_keeps_single_sets_is_named_and_nothing_goes() {
    let mut world = five("[retention]\ndaily = 1\nmax_drop = \"100%\"");
    world.configure(|media| {
        media.fault(1, 1, json!({}));
        media.fault(2, 1, json!({}));
    });
    let before = ["m1", "m2"].map(|mirror| snapshot(&world.path().join(mirror)));
    let keeping = |args: &[&str]| {
        let mut command = Command::new(built("twinset"));
        command
            .args(["--config", "agent.toml", "--no-progress"])
            .args(args);
        command
            .current_dir(world.path())
            .env("TWINSET_FAULT_KEEPS", "1");
        command.output().unwrap()
    };
    let refused = keeping(&["media", "expire", "payroll"]);
    assert_eq!(refused.status.code(), Some(5), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    for part in [
        "error TW3033",
        "m1/f1",
        "the device cannot remove single backup sets",
        "format the media anew when all their sets have expired",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let after = ["m1", "m2"].map(|mirror| snapshot(&world.path().join(mirror)));
    assert_eq!(after, before);
    // What it would drop can be asked all the same.
    assert_eq!(
        keeping(&["media", "plan-retention", "payroll"])
            .status
            .code(),
        Some(0)
    );
    world.heal_devices();
    expire(&world, &[]).ended(0);
}

#[test]
fn data_goes_manifests_and_records_stay_and_verify_is_content() {
    let world = five("[retention]\ndaily = 1\nmax_drop = \"100%\"");
    let expired = expire(&world, &[]).ended(0).result();
    assert_eq!(expired["dropped"], json!([3, 2, 1]));
    assert!(expired["freed"].as_u64().unwrap() > 0);
    for (_, _, volume) in world.volumes() {
        let names = sections(&volume);
        let gone = |number: &str| !names.iter().any(|name| name.starts_with(number));
        assert!(
            gone("0001.") && gone("0003.") && gone("0005."),
            "{names:#?}"
        );
        for kept in [
            "0002.",
            "0004.",
            "0006.",
            "0007.",
            "drop.000006.0003.",
            "drop.000008.0001.",
        ] {
            assert!(
                names.iter().any(|name| name.starts_with(kept)),
                "{kept} {names:#?}"
            );
        }
        assert_eq!(
            names
                .iter()
                .filter(|name| name.starts_with("drop."))
                .count(),
            3
        );
    }
    let report = world.verify(0);
    assert_eq!(
        (&report["damage"], &report["notes"]),
        (&json!([]), &json!([]))
    );
    let states: Vec<String> = world
        .sets()
        .iter()
        .map(|set| set["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        states,
        ["dropped", "dropped", "dropped", "published", "published"]
    );
    let (ran, _folder) = world.export(1);
    ran.failed("4038");
    let again = expire(&world, &[]).ended(0).result();
    assert_eq!(again["dropped"], json!([]));
    assert_eq!(
        world
            .json(&["media", "recover", "payroll"])
            .ended(0)
            .result()["positions"],
        json!([])
    );
    // The media set goes on as before.
    let mut line = Line::new("Payroll");
    line.import(&world, Kind::Full);
    assert_eq!(world.sets().last().unwrap()["position"], 6);
}

#[test]
fn the_drop_record_says_why() {
    let world = five("[retention]\ndaily = 1\nmax_drop = \"100%\"");
    expire(&world, &[]).ended(0);
    let record = world.file(2, 1, "drop.000006.0003.");
    let text = fs::read_to_string(record).unwrap();
    let record: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(record["outcome"], "dropped");
    assert_eq!(record["position"], 3);
    assert_eq!(record["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(
        record["note"],
        "older than the window and in no count (group payroll)"
    );
}

#[test]
fn a_dry_run_touches_nothing() {
    let world = five("[retention]\ndaily = 1\nmax_drop = \"100%\"");
    let before = snapshot(&world.path().join("m2"));
    let dry = expire(&world, &["--dry-run"]).ended(0).result();
    assert_eq!(
        lines(&dry["plan"])
            .iter()
            .filter(|line| line.contains(" drop: "))
            .count(),
        3
    );
    assert_eq!(before, snapshot(&world.path().join("m2")));
}

#[test]
fn more_than_one_runs_part_needs_a_yes() {
    let world = five("[retention]\ndaily = 1");
    let before = snapshot(&world.path().join("m1"));
    let fault = expire(&world, &[]).ended(5).failed("TW3032");
    assert_eq!(
        fault["causes"][0],
        "group payroll: 3 of 5 sets would go, 1 may (max_drop)"
    );
    assert_eq!(before, snapshot(&world.path().join("m1")));
    assert_eq!(
        expire(&world, &["--yes"]).ended(0).result()["dropped"],
        json!([3, 2, 1])
    );
}

#[test]
fn the_last_restorable_chain_survives_whatever_is_agreed() {
    let mut world = World::formatted(1, 2);
    world.group(
        "payroll",
        &["*"],
        "[retention]\nyearly = 1\nmax_drop = \"100%\"",
    );
    Line::new("Payroll")
        .import(&world, Kind::Full)
        .import(&world, Kind::Log)
        .import(&world, Kind::Differential)
        .import(&world, Kind::Log);
    Line::new("HR").import(&world, Kind::Full);
    let expired = expire(&world, &["--yes"]).ended(0).result();
    // The differential stands over the first log: that one alone is not needed.
    let lines = lines(&expired["plan"]);
    assert_eq!(expired["dropped"], json!([2]), "{lines:#?}");
}

#[test]
fn a_reader_is_waited_for_and_ended_holds_go() {
    let world = five("[retention]\ndaily = 1\nmax_drop = \"100%\"");
    let reader = "11111111222233334444555555555555";
    let hold = |until: &str| format!("hold.{until}.{reader}.{reader}.record");
    let (live, ended) = (hold("20991231T000000Z"), hold("20200101T000000Z"));
    for name in [&live, &ended] {
        fs::write(world.volume(2, 1).join(name), "{}\n").unwrap();
    }
    let held = expire(&world, &["--yes"]).ended(0).result();
    assert_eq!(held["dropped"], json!([]));
    assert_eq!(held["holds_removed"], 1);
    assert!(lines(&held["plan"])[0].contains("held by agent 11111111-2222-"));
    assert!(!world.volume(2, 1).join(&ended).exists());
    fs::remove_file(world.volume(2, 1).join(&live)).unwrap();
    assert_eq!(
        expire(&world, &["--yes"]).ended(0).result()["dropped"],
        json!([3, 2, 1])
    );
}

#[test]
fn every_mirror_must_answer() {
    let world = five("[retention]\ndaily = 1\nmax_drop = \"100%\"");
    fs::rename(world.device(2, 1), world.path().join("away")).unwrap();
    let before = snapshot(&world.path().join("m1"));
    expire(&world, &[]).ended(1).failed("3240");
    assert_eq!(before, snapshot(&world.path().join("m1")));
}

#[test]
fn an_unconfirmed_set_and_what_it_needs_are_never_dropped() {
    let world = five("[retention]\ndaily = 1\nmax_drop = \"100%\"");
    // An unconfirmed log: its verdict is gone from both mirrors and from the chain's end.
    for mirror in [1, 2] {
        fs::remove_file(world.file(mirror, 1, "verdict.000005.0005.")).unwrap();
    }
    let lines = lines(&plan(&world, &[]));
    assert!(
        lines[4].starts_with("5 log keep: last restorable"),
        "{lines:#?}"
    );
    assert!(lines[4].contains("unconfirmed: kept"), "{lines:#?}");
}

#[test]
fn a_clock_that_was_set_back_drops_nothing_until_the_operator_says_so() {
    let world = five("[retention]\ndaily = 1\nmax_drop = \"100%\"");
    // The catalog remembers a run in the far future: since then the clock was set back.
    let catalog = world.path().join("state/catalog.sqlite");
    let connection = rusqlite::Connection::open(&catalog).unwrap();
    let far = "INSERT INTO clock (key, at, position) VALUES ('payroll', 4000000000, 5)";
    connection.execute(far, []).unwrap();
    drop(connection);
    let before = snapshot(&world.path().join("m1"));
    let fault = expire(&world, &["--yes"]).ended(5).failed("TW3031");
    assert!(
        fault["causes"][0]
            .as_str()
            .unwrap()
            .contains("was seen already"),
        "{fault}"
    );
    assert_eq!(before, snapshot(&world.path().join("m1")));
    let agreed = expire(&world, &["--now-is-right"]).ended(0).result();
    assert_eq!(agreed["dropped"], json!([3, 2, 1]));
    assert_eq!(plan(&world, &[])["doubt"], json!(null), "it was agreed");
}

#[test]
fn a_clock_that_runs_years_ahead_drops_nothing_until_the_operator_says_so() {
    let world = five("[retention]\ndaily = 1\nmax_drop = \"100%\"");
    // As seen from now, the last run lies years back, and so does everything: a jump.
    let catalog = world.path().join("state/catalog.sqlite");
    let connection = rusqlite::Connection::open(&catalog).unwrap();
    let past = "INSERT INTO clock (key, at, position) VALUES ('payroll', 1500000000, 0)";
    connection.execute(past, []).unwrap();
    drop(connection);
    let fault = expire(&world, &["--yes"]).ended(5).failed("TW3031");
    let cause = fault["causes"][0].as_str().unwrap();
    assert!(
        cause.contains("nothing for more than a year before it"),
        "{fault}"
    );
    assert_eq!(
        world
            .sets()
            .iter()
            .filter(|set| set["state"] == "dropped")
            .count(),
        0
    );
}
