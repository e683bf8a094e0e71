//! Locks that a store keeps on sections: set, read back, proven, respected.

use serde_json::{Value, json};
use twinset::device::{Checked, Mount, Observed, SectionMode};
use twinset_tests::stream::Kind;

use super::server::{Access, Server, bytes, damage, mounted, open, put, section, servers};
use super::{is_sound, mixed_at};
use crate::retention::{self, Line};
use crate::support::{World, generated};

const KEY: &str = "6a1f7c1e-0000-4000-8000-000000000002";

/// Runs a test with each server that can lock, whose options ask for it.
fn with_locks(test: impl Fn(&Server, &dyn Fn() -> Value)) {
    let mut count = 0;
    for server in servers() {
        let Some(first) = server.locked() else {
            continue;
        };
        count += 1;
        eprintln!("with {}: {}", server.name, first["path"]);
        test(&server, &|| {
            let mut options = server.locked().unwrap();
            options["lock"] = json!("35d");
            options
        });
    }
    assert!(count > 1, "only {count} servers can lock");
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

const DAY_MS: i64 = 86_400_000;

#[test]
#[ignore = "needs servers: make test-stores"]
fn every_section_is_locked_for_its_days_and_the_store_says_so_itself() {
    with_locks(|_, options| {
        let options = options();
        let mut device = open(&options, "an-agent", Access::Write);
        device.mount(Mount::Blank(KEY)).unwrap();
        let lengths = [0, 5, 20 << 20];
        for (index, length) in (0..).zip(lengths) {
            put(
                &mut device,
                index,
                "s.bak",
                SectionMode::New,
                &bytes(length),
            );
        }
        // A section of several objects is locked as its least locked one.
        device
            .begin_section(&section(3, "s.bak", SectionMode::New))
            .unwrap();
        for piece in bytes(14 << 20).chunks(7 << 20) {
            device.write(piece).unwrap();
            device.sync().unwrap();
        }
        device.end_section().unwrap();
        for index in 0..4 {
            let told = device.inspect_section(index).unwrap();
            let left = told.locked_until.expect("no lock") - now_ms();
            assert!((34 * DAY_MS..=35 * DAY_MS).contains(&left), "{left}");
            assert_eq!(told.checked, Checked::Sound);
        }
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn doctor_proves_the_lock_by_an_object_that_cannot_be_removed() {
    with_locks(|server, options| {
        let world = mixed_at(1, options);
        let made = world
            .json(&["media", "format", "payroll"])
            .ended(0)
            .result();
        let told = made["observed"].to_string();
        assert!(told.contains("is in force: the store refused"), "{told}");
        let mut device = mounted(&world.media.stores[&(2, 1)], Access::Read);
        let seen = device.probe().unwrap();
        let says = |text: &str| seen.iter().find(|seen| seen.text.contains(text));
        let proof = says("is in force: the store refused").unwrap_or_else(|| panic!("{seen:?}"));
        assert_eq!(proof.level, Observed::Ok);
        assert!(says("section 0 is locked until").is_some(), "{seen:?}");
        assert_eq!(device.leftovers().unwrap(), [], "{}", server.name);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_repair_takes_the_place_of_what_is_locked_and_is_locked_itself() {
    with_locks(|_, options| {
        let world = mixed_at(1, options);
        world.json(&["media", "format", "payroll"]).ended(0);
        let files = generated(world.path(), 1, 20 << 20, 1);
        world.import(&files).ended(0);
        damage(&world.media.stores[&(2, 1)], 1, 54_321);
        world.verify(3);
        world.json(&["media", "repair", "payroll"]).ended(0);
        is_sound(&world);
        let mut device = mounted(&world.media.stores[&(2, 1)], Access::Read);
        let told = device.inspect_section(1).unwrap();
        let left = told.locked_until.expect("no lock") - now_ms();
        assert!((34 * DAY_MS..=35 * DAY_MS).contains(&left), "{left}");
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_bucket_without_object_lock_is_refused_before_a_set_is_taken() {
    for server in servers().iter().filter(|server| server.is_s3()) {
        let mut world = mixed_at(1, || {
            let mut options = server.place();
            options["lock"] = json!("35d");
            options
        });
        let ran = world.json(&["media", "format", "payroll"]);
        assert_ne!(ran.code, 0, "{}", server.name);
        let told = ran.object()["error"].to_string();
        assert!(
            told.contains("lock = \\\"35d\\\"") && told.contains("object lock must be enabled"),
            "{}: {told}",
            server.name
        );
        // Nothing is left of it, on either side.
        let m1 = world.device(1, 1);
        let left = std::fs::read_dir(&m1).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{}", m1.display());
        let plain = world.media.stores[&(2, 1)].clone();
        world.configure(|media| {
            let mut options = plain.clone();
            options.as_object_mut().unwrap().remove("lock");
            media.stores.insert((2, 1), options);
        });
        world.json(&["media", "format", "payroll"]).ended(0);
        let files = generated(world.path(), 1, 1 << 20, 1);
        world.import(&files).ended(0);
        is_sound(&world);
    }
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn retention_keeps_what_is_locked_and_says_until_when() {
    with_locks(|server, options| {
        for (options, locked) in [(options(), true), (server.locked().unwrap(), false)] {
            let mut world = mixed_at(1, || options.clone());
            world.json(&["media", "format", "payroll"]).ended(0);
            let keep = "[retention]\ndaily = 1\nmax_drop = \"100%\"";
            world.group("payroll", &["Payroll"], keep);
            let mut line = Line::new("Payroll");
            line.import(&world, Kind::Full).import(&world, Kind::Full);
            let plan = retention::plan(&world, &[]);
            let first = plan["sets"][0].to_string();
            assert_eq!(
                first.contains("locked in its store until"),
                locked,
                "{first}"
            );
            let ran = world.json(&["media", "expire", "payroll", "--yes"]);
            let told = ran.ended(0).result();
            let dropped = told["dropped"].as_array().unwrap().len();
            assert_eq!(dropped, usize::from(!locked), "{told}");
            is_sound(&world);
        }
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_locked_media_set_is_not_destroyed_and_a_dead_run_is_still_cleaned_up() {
    with_locks(|_, options| {
        let world = mixed_at(1, options);
        let made = world
            .json(&["media", "format", "payroll"])
            .ended(0)
            .result();
        let id = made["media_set"].as_str().unwrap().to_owned();
        let files = generated(world.path(), 1, 20 << 20, 1);
        world.import(&files).ended(0);
        let line = ["media", "format", "payroll", "--destroy", &id];
        let fault = world.json(&line).ended(5).failed("4030");
        assert!(
            fault["message"]
                .as_str()
                .unwrap()
                .contains("is locked in its store"),
            "{fault}"
        );
        world.exports(1, 0, &files);
        let import = World::import_line(&files);
        let mut running = world.start(&import);
        assert!(running.says("Payroll"));
        running.kill();
        world.json(&["media", "recover", "payroll"]).ended(0);
        is_sound(&world);
        world.import(&files).ended(0);
        is_sound(&world);
    });
}
