//! Is a media set written by one agent and one run at a time, whatever happens to its memory?
#![allow(clippy::unwrap_used, clippy::panic)]

mod adopt;
mod drop_mirror;
mod holds;
mod identity;
mod renewing;
mod stopped;

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::support::{Running, World, copy, generated, sections, snapshot};

/// A world in which an import hangs in a write, holding all locks.
fn while_one_runs(then: impl FnOnce(&World)) {
    let (mut world, files) = World::with_set(1, 2, 1 << 17);
    world.configure(|media| {
        // However slow the machine is, the run must not outlive its device's deadline meanwhile.
        media.deadline = Some("1h");
        let hang = json!({ "hang_in": "write", "hang_ms": 3_600_000, "only_index": 3 });
        media.fault(2, 1, hang);
    });
    let mut run: Running = world.start(&World::import_line(&files));
    assert!(run.says("a fault was planted in write"));
    world.heal_devices();
    then(&world);
    run.kill();
    world.json(&["media", "recover", "payroll"]).ended(0);
    world.exports(1, 0, &files);
    world.import(&files).ended(0);
    world.verify(0);
}

/// What another agent with a state folder of its own is told to do.
fn other_agent(world: &World, args: &[&str]) -> crate::support::Ran {
    world.other_config("other.toml", |media| {
        media.agent = "sql-b".into();
        media.state_dir = "other".into();
    });
    world.json_with("other.toml", args)
}

#[test]
fn a_second_run_of_the_agent_is_refused_while_one_runs() {
    while_one_runs(|world| {
        let files = generated(world.path(), 9, 1 << 16, 1);
        let before = sections(&world.volume(2, 1));
        world.import(&files).ended(5).failed("TW5002");
        world
            .json(&["media", "recover", "payroll"])
            .ended(5)
            .failed("TW5002");
        world
            .json(&["media", "format", "payroll"])
            .ended(5)
            .failed("TW5002");
        assert_eq!(sections(&world.volume(2, 1)), before);
    });
}

#[test]
fn reading_goes_on_while_one_runs() {
    while_one_runs(|world| {
        let files = generated(world.path(), 1, 1 << 17, 1);
        assert_eq!(world.sets()[0]["state"], "published");
        world.json(&["media", "verify", "payroll"]).ended(0);
        world.exports(1, 0, &files);
        world.json(&["status"]).ended(0);
    });
}

#[test]
fn another_agent_is_told_who_holds_the_volume_while_one_runs() {
    while_one_runs(|world| {
        let files = generated(world.path(), 9, 1 << 16, 1);
        let identity = fs::read_to_string(world.path().join("state/agent.json")).unwrap();
        let identity: serde_json::Value = serde_json::from_str(&identity).unwrap();
        for line in [
            &World::import_line(&files)[..],
            &["media", "recover", "payroll"],
        ] {
            let fault = other_agent(world, line).ended(5).failed("TW2009");
            let message = fault["message"].as_str().unwrap();
            assert!(
                message.contains(identity["agent"].as_str().unwrap()),
                "{fault}"
            );
        }
    });
}

#[test]
fn another_agent_reads_the_volumes_and_never_writes_them() {
    let (world, files) = World::with_set(2, 2, 1 << 17);
    let before = (
        snapshot(&world.path().join("m1")),
        snapshot(&world.path().join("m2")),
    );
    other_agent(&world, &World::import_line(&files))
        .ended(5)
        .failed("TW3006");
    other_agent(&world, &["media", "recover", "payroll"])
        .ended(5)
        .failed("TW3006");
    for line in [
        &["media", "format", "payroll"][..],
        &["media", "format", "payroll", "--if-needed"],
        &["media", "format", "payroll", "--overwrite"],
    ] {
        other_agent(&world, line).ended(5).failed("4030");
    }
    other_agent(&world, &["media", "verify", "payroll"]).ended(0);
    let shown = other_agent(&world, &["media", "show", "payroll"])
        .ended(0)
        .result();
    assert_eq!(shown["volumes"][0]["header"]["agent_name"], "sql-a");
    let to = world.path().join("out");
    let to = to.to_str().unwrap();
    let line = ["media", "export", "payroll", "--position", "1", "--to", to];
    other_agent(&world, &line).ended(0);
    let after = (
        snapshot(&world.path().join("m1")),
        snapshot(&world.path().join("m2")),
    );
    assert_eq!(before, after);
    world.import(&files).ended(0);
}

#[test]
fn another_agent_does_not_set_right_what_it_did_not_write() {
    let (mut world, files) = World::with_set(1, 2, 1 << 17);
    world.configure(|media| {
        media.fault(
            1,
            1,
            json!({ "hang_in": "end_section", "hang_ms": 600_000 }),
        );
    });
    let mut run = world.start(&World::import_line(&files));
    assert!(run.says("a fault was planted in end_section"));
    run.kill();
    world.heal_devices();
    let before = snapshot(&world.path().join("m1"));
    other_agent(&world, &World::import_line(&files))
        .ended(5)
        .failed("TW3006");
    assert_eq!(snapshot(&world.path().join("m1")), before);
}

#[test]
fn a_cloned_identity_is_refused() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let path = world.path().join("state/agent.json");
    let mut identity: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    identity["machine"] = "ab".repeat(32).into();
    fs::write(&path, identity.to_string()).unwrap();
    let before = snapshot(&world.path().join("m1"));
    world.import(&files).ended(5).failed("TW5003");
    world
        .json(&["media", "recover", "payroll"])
        .ended(5)
        .failed("TW5003");
    assert_eq!(snapshot(&world.path().join("m1")), before);
}

#[test]
fn a_lost_identity_does_not_come_back_as_the_old_writer() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    fs::remove_dir_all(world.path().join("state")).unwrap();
    world.import(&files).ended(5).failed("TW3006");
    world.exports(1, 0, &files);
}

#[test]
fn a_damaged_identity_is_refused_and_kept() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let path = world.path().join("state/agent.json");
    fs::write(&path, "{\"agent\":").unwrap();
    world.import(&files).ended(1).failed("TW5005");
    assert_eq!(fs::read(path).unwrap(), b"{\"agent\":");
}

fn forget(world: &World) {
    for entry in fs::read_dir(world.path().join("state")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("catalog")
        {
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_deleted_catalog_is_attached_again_and_appending_goes_on() {
    for attach in [true, false] {
        let (world, files) = World::with_set(1, 2, 1 << 16);
        world.import(&files).ended(0);
        forget(&world);
        if attach {
            let line = ["media", "format", "payroll", "--if-needed"];
            assert_eq!(world.json(&line).ended(0).result()["formatted"], false);
        }
        assert_eq!(world.sets().len(), 2);
        assert_eq!(world.import(&files).ended(0).result()["position"], 3);
        for position in 1..=3 {
            world.exports(position, 0, &files);
        }
        assert_eq!(world.verify(0)["damage"], json!([]));
    }
}

#[test]
fn attaching_does_not_forget_what_the_catalog_knows() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    world.import(&files).ended(0);
    let before = snapshot(&world.path().join("m1"));
    world
        .json(&["media", "format", "payroll", "--if-needed"])
        .ended(0);
    for mirror in ["m1", "m2"] {
        for (path, _) in snapshot(&world.path().join(mirror)) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.starts_with("0003") || name.starts_with("0004") || name.contains(".000002.") {
                fs::remove_file(world.path().join(mirror).join(path)).unwrap();
            }
        }
    }
    assert_ne!(snapshot(&world.path().join("m1")), before);
    world.import(&files).ended(1).failed("3210");
}

#[test]
fn with_catalog_and_a_mirror_lost_nothing_is_appended() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    forget(&world);
    let aside = world.path().join("aside");
    fs::rename(world.device(2, 1), &aside).unwrap();
    let before = snapshot(&world.path().join("m1"));
    world.import(&files).ended(1).failed("3240");
    assert_eq!(snapshot(&world.path().join("m1")), before);
    fs::rename(&aside, world.device(2, 1)).unwrap();
    assert_eq!(world.import(&files).ended(0).result()["position"], 2);
}

#[test]
fn a_catalog_older_than_the_media_learns_from_them() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let (state, kept) = (world.path().join("state"), world.path().join("kept"));
    copy(&state, &kept);
    world.import(&files).ended(0);
    world.import(&files).ended(0);
    copy(&kept, &state);
    assert_eq!(world.import(&files).ended(0).result()["position"], 4);
    assert_eq!(world.verify(0)["damage"], json!([]));
    assert!(world.sets().iter().all(|set| set["state"] == "published"));
}

#[test]
fn media_older_than_the_catalog_are_refused_with_3210() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    for mirror in ["m1", "m2"] {
        copy(
            &world.path().join(mirror),
            &world.path().join(format!("old-{mirror}")),
        );
    }
    world.import(&files).ended(0);
    for mirror in ["m1", "m2"] {
        copy(
            &world.path().join(format!("old-{mirror}")),
            &world.path().join(mirror),
        );
    }
    let before = snapshot(&world.path().join("m1"));
    world.import(&files).ended(1).failed("3210");
    assert_eq!(snapshot(&world.path().join("m1")), before);
    world.exports(1, 0, &files);
}

#[test]
fn one_mirror_set_back_is_behind_until_recover_brings_it_in_step() {
    for mirror in ["m1", "m2"] {
        let (world, files) = World::with_set(2, 2, 1 << 17);
        copy(&world.path().join(mirror), &world.path().join("old"));
        world.import(&files).ended(0);
        copy(&world.path().join("old"), &world.path().join(mirror));
        world.import(&files).ended(1).failed("3240");
        world.exports(2, 3, &files);
        world.json(&["media", "recover", "payroll"]).ended(0);
        assert_eq!(world.import(&files).ended(0).result()["position"], 3);
        assert_eq!(world.verify(0)["damage"], json!([]));
        world.exports(2, 0, &files);
    }
}

/// Two mirrors that were written apart from each other, by one agent set back in between.
fn diverged() -> (World, Vec<PathBuf>) {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let at = |name: &str| world.path().join(name);
    for folder in ["m1", "m2", "state"] {
        copy(&at(folder), &at(&format!("old-{folder}")));
    }
    world.import(&files).ended(0);
    copy(&at("m2"), &at("kept"));
    for folder in ["m1", "m2", "state"] {
        copy(&at(&format!("old-{folder}")), &at(folder));
    }
    let other = generated(world.path(), 4, 1 << 17, 1);
    world.import(&other).ended(0);
    copy(&at("kept"), &at("m2"));
    (world, files)
}

#[test]
fn mirrors_that_tell_different_histories_are_refused_with_3210() {
    let (world, files) = diverged();
    let before = snapshot(&world.path().join("m1"));
    world.import(&files).ended(1).failed("3210");
    assert_eq!(snapshot(&world.path().join("m1")), before);
    world.exports(1, 0, &files);
}

#[test]
fn a_damaged_catalog_is_named_and_nothing_is_written() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    forget(&world);
    fs::write(
        world.path().join("state/catalog.sqlite"),
        "not a database, ".repeat(999),
    )
    .unwrap();
    let before = snapshot(&world.path().join("m1"));
    world.import(&files).ended(1).failed("TW5001");
    assert_eq!(snapshot(&world.path().join("m1")), before);
}
