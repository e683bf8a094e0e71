//! Is the catalog a memory that can be lost?
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twinset_domain::Moment;

use crate::support::{World, crowd, generated};

fn show(world: &World) -> Value {
    world.json(&["catalog", "show"]).ended(0).result()
}

fn forget(world: &World) {
    for file in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = fs::remove_file(world.path().join("state").join(file));
    }
}

/// A world with published, void and dropped sets, as its own runs left them.
fn lived() -> World {
    let mut world = World::formatted(2, 2);
    world.group(
        "payroll",
        &["Payroll"],
        "[retention]\ndaily = 1\nmax_drop = \"100%\"",
    );
    let files = generated(world.path(), 1, 1 << 17, 2);
    world.import(&files).ended(0);
    world.import(&files).ended(0);
    world.configure(|media| {
        media.fault(1, 1, json!({ "fail_write_at": 100, "errno": 28 }));
    });
    world.import(&files).ended(1);
    world.heal_devices();
    world.import(&files).ended(0);
    world.json(&["media", "expire", "payroll"]).ended(0);
    world
}

#[test]
fn a_rebuilt_catalog_shows_what_the_lost_one_showed() {
    let world = lived();
    let before = show(&world);
    let states: Vec<&str> = before["media_sets"][0]["sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| set["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["dropped", "dropped", "void", "published"]);
    forget(&world);
    assert_eq!(show(&world), json!({ "media_sets": [] }));
    let rebuilt = world
        .json(&["catalog", "rebuild", "--from-media"])
        .ended(0)
        .result();
    assert_eq!(rebuilt[0]["sets"], 4);
    assert_eq!(show(&world), before);
    // And again over itself.
    world
        .json(&["catalog", "rebuild", "--from-media", "payroll"])
        .ended(0);
    assert_eq!(show(&world), before);
    let files = generated(world.path(), 9, 1 << 16, 2);
    let position = world.import(&files).ended(0).result()["position"].clone();
    assert_eq!(position, 5, "positions go on");
}

#[test]
fn each_set_is_told_with_all_its_facts() {
    let (world, _files) = World::with_set(2, 2, 1 << 17);
    let shown = show(&world);
    let set = &shown["media_sets"][0]["sets"][0];
    assert_eq!(shown["media_sets"][0]["key"], "payroll");
    assert_eq!(shown["media_sets"][0]["sequence"], 1);
    assert_eq!(
        (&set["database"], &set["kind"]),
        (&json!("Payroll"), &json!("full"))
    );
    assert_eq!(set["mirrors"], json!([1, 2]));
    assert_eq!(set["families"].as_array().unwrap().len(), 2);
    let manifest = crate::support::hex_of(&world.file(2, 2, "0002."));
    assert_eq!(set["families"][1]["manifest"], manifest);
    for fact in [
        "set",
        "family_guid",
        "recovery_fork",
        "first_lsn",
        "last_lsn",
        "checkpoint_lsn",
    ] {
        assert!(set["sets"][0][fact].is_string(), "{fact} {set}");
    }
    let text = world.run(&["catalog", "show", "payroll"]).ended(0).stdout;
    assert!(
        text.contains("media set payroll: ") && text.contains("published"),
        "{text}"
    );
}

#[test]
fn a_missing_volume_is_no_source_to_rebuild_from() {
    let (world, _files) = World::with_set(1, 2, 1 << 16);
    let before = show(&world);
    fs::rename(world.device(2, 1), world.path().join("away")).unwrap();
    let ran = world.json(&["catalog", "rebuild", "--from-media"]).ended(1);
    ran.failed("3240");
    assert_eq!(show(&world), before);
}

#[test]
fn a_catalog_of_version_1_is_carried_on() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let before = show(&world);
    let path = world.path().join("state/catalog.sqlite");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(
        "DROP TABLE backup_set; DROP TABLE clock; DROP TABLE foreign_backup;
         DROP TABLE alert_delivery; DROP TABLE alert_event; DROP TABLE alert;
         DROP TABLE protection; DROP TABLE timeline; DROP TABLE integrity;
         DROP TABLE outbox; DROP TABLE shared;
         DROP INDEX run_by_database; PRAGMA user_version = 1",
    )
    .unwrap();
    drop(old);
    let status = world.json(&["media", "show", "payroll"]).ended(0).result();
    assert_eq!(status["sets"].as_array().unwrap().len(), 1);
    let new = rusqlite::Connection::open(&path).unwrap();
    let version: i64 = new
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 7);
    drop(new);
    assert_eq!(show(&world), before, "what was read is remembered again");
    world.import(&files).ended(0);
}

#[test]
fn a_look_at_known_sets_sees_what_others_wrote_since() {
    let (world, files) = World::with_set(1, 2, 1 << 16);
    let kept = world.path().join("kept.sqlite");
    let path = world.path().join("state/catalog.sqlite");
    fs::copy(&path, &kept).unwrap();
    world.import(&files).ended(0);
    let shown = world.sets();
    forget(&world);
    fs::copy(&kept, &path).unwrap();
    assert_eq!(world.sets(), shown);
    fs::remove_file(world.file(1, 1, "0001.")).unwrap();
    assert_eq!(
        world.sets()[0]["volumes"],
        1,
        "what is missing shows by its name"
    );
}

#[test]
fn one_device_is_shown_without_any_state_folder() {
    let (mut world, _files) = World::with_set(1, 2, 1 << 16);
    // A file where the state folder should be: nothing can be opened or made there.
    fs::write(world.path().join("file"), "").unwrap();
    world.configure(|media| media.state_dir = "file/state".into());
    let path = world.device(2, 1);
    let options = json!({ "path": path }).to_string();
    let line = ["media", "show", "--plugin", "disk", "--device", &options];
    let shown = world.json(&line).ended(0).result();
    assert_eq!(
        (&shown["header"]["mirror"], &shown["header"]["family"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(shown["sets"][0]["database"], "Payroll");
    let text = world.run(&line).ended(0).stdout;
    for field in [
        "media name",
        "description",
        "media set id",
        "families x mirrors",
        "family",
        "mirror",
        "media sequence",
        "software",
        "vendor 0x5457",
        "written",
        "block size",
        "encoding",
        "agent",
    ] {
        assert!(text.contains(field), "{field} is not in\n{text}");
    }
    world.json(&["media", "show", "payroll"]).ended(1);
}

#[test]
fn a_media_set_of_dropped_and_void_sets_alone_may_be_formatted_over() {
    let mut world = World::formatted(1, 2);
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.configure(|media| {
        media.fault(1, 1, json!({ "fail_write_at": 100, "errno": 28 }));
    });
    world.import(&files).ended(1);
    world.heal_devices();
    // The failing device may have refused the void too.
    world.json(&["media", "recover", "payroll"]).ended(0);
    let over = ["media", "format", "payroll", "--overwrite"];
    let before = show(&world)["media_sets"][0]["media_set"].clone();
    world
        .json(&["media", "format", "payroll"])
        .ended(5)
        .failed("4030");
    let made = world.json(&over).ended(0).result();
    assert_ne!(made["media_set"], before);
    assert_eq!(world.sets(), Vec::<Value>::new());
    world.import(&files).ended(0);
    world.json(&over).ended(5).failed("4030");
}

/// How long what takes.
fn time(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

/// Rule 13: run with `--ignored --nocapture`; prints a table.
#[test]
#[ignore = "measures: run alone, with --ignored --nocapture"]
fn many_sets_cost_neither_look_nor_append() {
    let now = Moment(1_790_000_000);
    println!("sets    first look  look   append  plan-retention");
    for count in [10, 1000, 10_000] {
        let world = World::formatted(1, 2);
        crowd(&world, count, now);
        let show = || {
            world.json(&["media", "show", "payroll"]).ended(0);
        };
        let (first, look) = (time(show), time(show));
        let files = generated(world.path(), 1, 1 << 16, 1);
        world.import(&files).ended(0);
        let append = time(|| {
            world.import(&files).ended(0);
        });
        let plan = time(|| {
            world.json(&["media", "plan-retention", "payroll"]).ended(0);
        });
        println!(
            "{count:<7} {:>9.3}s {:>5.3}s {:>6.3}s {:>13.3}s",
            first.as_secs_f64(),
            look.as_secs_f64(),
            append.as_secs_f64(),
            plan.as_secs_f64()
        );
        assert!(count < 10_000 || look < Duration::from_secs(1), "{look:?}");
    }
}
