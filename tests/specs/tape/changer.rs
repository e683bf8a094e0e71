//! Drives that share a virtual library; the arm of a real one is moved in `make test-tape`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::BLOCK;
use super::kills::is_set_right_over_cartridges;
use crate::support::{Dice, World, damage_bit, generated};

/// Bytes of a cartridge; it warns after two thirds.
const CARTRIDGE: u64 = 3 << 20;

fn library(world: &World) -> PathBuf {
    world.path().join("library")
}

fn image(world: &World, name: &str) -> PathBuf {
    library(world).join(format!("{name}.tap"))
}

fn foreign() -> Vec<u8> {
    [&8_u32.to_le_bytes()[..], b"VOL1THEM", &8_u32.to_le_bytes()].concat()
}

/// A drive for each place, all in one library of so many cartridges, with a cleaning cartridge and
/// a foreign one before them.
fn formatted(families: u16, mirrors: u8, cartridges: u32) -> World {
    let mut world = World::blank(families, mirrors);
    let folder = library(&world);
    fs::create_dir_all(&folder).unwrap();
    fs::write(image(&world, "CLNU01L1"), b"").unwrap();
    fs::write(image(&world, "U00001"), foreign()).unwrap();
    world.configure(|media| {
        for mirror in 1..=mirrors {
            for family in 1..=families {
                let drive = u16::from(mirror - 1) * families + family - 1;
                let options = json!({
                    "library": folder, "drive_element": drive, "block_size": BLOCK,
                    "capacity": CARTRIDGE, "cartridges": cartridges + 2,
                });
                media.tapes.insert((mirror, family), options);
            }
        }
    });
    world.json(&["media", "format", "payroll"]).ended(0);
    world
}

/// Cartridges that something was written to.
fn used(world: &World) -> Vec<PathBuf> {
    let entries = fs::read_dir(library(world)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let ours = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with('V') && name.ends_with(".tap")
    };
    let mut used: Vec<PathBuf> = paths
        .filter(|path| ours(path) && fs::metadata(path).unwrap().len() > 0)
        .collect();
    used.sort();
    used
}

#[test]
fn four_drives_share_a_library() {
    let world = formatted(2, 2, 20);
    let source = generated(world.path(), 1, 10 << 20, 2);
    world.import(&source).ended(0);
    let used = used(&world);
    assert!(used.len() >= 12, "{used:?}");
    world.verify(0);
    world.exports(1, 0, &source);
    let second = generated(world.path(), 2, 300_000, 2);
    world.import(&second).ended(0);
    world.exports(2, 0, &second);
    assert_eq!(fs::read(image(&world, "U00001")).unwrap(), foreign());
    assert_eq!(fs::read(image(&world, "CLNU01L1")).unwrap(), b"");
}

#[test]
fn a_damaged_and_a_missing_cartridge_are_made_good() {
    let world = formatted(1, 2, 14);
    let source = generated(world.path(), 1, 5 << 20, 1);
    world.import(&source).ended(0);
    // The first one of the first mirror.
    let first = used(&world).remove(0);
    damage_bit(&first, 8 << 20);
    world.verify(3);
    world.exports(1, 3, &source);
    world.json(&["media", "repair", "payroll"]).ended(0);
    world.verify(0);
    // The first one of its twin was taken away: who verifies asks for it by its barcode, and goes on
    // when it is back.
    let first = image(&world, "V00002");
    let away = world.path().join("away");
    fs::rename(&first, &away).unwrap();
    let mut run = world.start(&["media", "verify", "payroll"]);
    let line = run.line_with("operator");
    assert!(line.contains("last seen as V00002"), "{line}");
    fs::rename(&away, &first).unwrap();
    run.end().ended(0);
}

/// One drive of a library reads every row: whichever has a cartridge in it.
#[test]
fn a_drive_of_a_library_shows_the_row_that_is_in_it() {
    let world = formatted(2, 1, 8);
    let source = generated(world.path(), 1, 300_000, 2);
    world.import(&source).ended(0);
    let inside = |drive: u32| library(&world).join(format!("drive-{drive}"));
    fs::rename(inside(1), inside(0)).unwrap();
    let device = json!({ "library": library(&world), "drive_element": 0, "block_size": BLOCK });
    let device = device.to_string();
    let line = ["media", "show", "--plugin", "tape", "--device", &device];
    let shown = world.json(&line).ended(0).result().to_string();
    assert!(shown.contains(r#""family":2"#), "{shown}");
}

#[test]
fn a_library_without_blank_cartridges_asks_for_one_and_says_why() {
    let world = formatted(1, 1, 1);
    let source = generated(world.path(), 1, 3 << 20, 1);
    let mut run = world.start(&World::import_line(&source));
    let line = run.line_with("operator");
    for why in [
        "put a blank cartridge into the library",
        "slot 1 (CLNU01L1): a cleaning cartridge",
        "it holds data that begins with `VOL1THEM`",
    ] {
        assert!(line.contains(why), "{line}");
    }
    fs::write(image(&world, "W00001"), b"").unwrap();
    run.end().ended(0);
    world.verify(0);
    world.exports(1, 0, &source);
}

#[test]
fn a_run_killed_among_cartridges_is_set_right() {
    let source = tempfile::TempDir::new().unwrap();
    let before = generated(source.path(), 1, 1 << 17, 1);
    let killed = generated(source.path(), 2, 12 << 20, 1);
    let whole = {
        let world = formatted(1, 2, 24);
        world.import(&before).ended(0);
        world.import(&killed).ended(0).took
    };
    let mut dice = Dice::new(7);
    for _ in 0..4 {
        let world = formatted(1, 2, 40);
        world.import(&before).ended(0);
        let mut import = world.start(&World::import_line(&killed));
        let share = u32::try_from(dice.below(100)).unwrap();
        import.runs_for(whole * share / 100);
        import.kill();
        is_set_right_over_cartridges(&world, &before);
    }
}
