//! Media sets whose families go on from cartridge to cartridge.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use twinset_format::note::Note;

use super::kills::is_set_right_over_cartridges;
use super::{BLOCK, files};
use crate::front::{Host, Setup};
use crate::support::{Dice, World, damage_bit, generated};

/// Bytes of a cartridge; it warns after two thirds.
const CARTRIDGE: u64 = 3 << 20;

/// The shelf of a place.
pub(crate) fn shelf(world: &World, mirror: u8, family: u16) -> PathBuf {
    world.path().join(format!("t/m{mirror}f{family}"))
}

pub(super) fn cartridge(world: &World, mirror: u8, family: u16, number: u32) -> PathBuf {
    shelf(world, mirror, family).join(format!("{number:04}.tap"))
}

/// How many cartridges a place has.
pub(super) fn cartridges(world: &World, mirror: u8, family: u16) -> usize {
    let there = |number: &u32| cartridge(world, mirror, family, *number).exists();
    (1..).take_while(there).count()
}

/// Puts every device of a world before a shelf of its own.
pub(super) fn on_shelves(world: &mut World) {
    let root = world.path().join("t");
    let (families, mirrors) = (world.media.families, world.media.mirrors);
    world.configure(|media| {
        for mirror in 1..=mirrors {
            for family in 1..=families {
                let shelf = root.join(format!("m{mirror}f{family}"));
                fs::create_dir_all(&shelf).unwrap();
                let options = json!({ "shelf": shelf, "block_size": BLOCK, "capacity": CARTRIDGE });
                media.tapes.insert((mirror, family), options);
            }
        }
    });
}

/// A world whose devices are shelves, never formatted.
pub(crate) fn blank(families: u16, mirrors: u8) -> World {
    let mut world = World::blank(families, mirrors);
    on_shelves(&mut world);
    world
}

/// The same, formatted.
pub(crate) fn formatted(families: u16, mirrors: u8) -> World {
    let world = blank(families, mirrors);
    world.json(&["media", "format", "payroll"]).ended(0);
    world
}

/// A mirror begins anew with empty shelves.
fn empty(world: &World, mirror: u8) {
    for family in 1..=world.media.families {
        let shelf = shelf(world, mirror, family);
        fs::remove_dir_all(&shelf).unwrap();
        fs::create_dir(&shelf).unwrap();
    }
}

/// The data section behind the header without Twinset: the parts one after the other, as long as
/// their notes say.
fn joined(tapes: &[PathBuf]) -> Vec<u8> {
    let part = |tape: &PathBuf| {
        let files = files(tape);
        let mut data = files[1].clone();
        if let Some(Ok(note)) = files[2].get(1024..).map(Note::parse) {
            data.truncate(usize::try_from(note.to - note.from).unwrap());
        }
        data
    };
    tapes.iter().flat_map(part).collect()
}

#[test]
fn two_families_on_two_mirrors_go_over_three_cartridges_each() {
    let world = formatted(2, 2);
    let source = generated(world.path(), 1, 10 << 20, 2);
    world.import(&source).ended(0);
    for family in [1, 2] {
        let count = cartridges(&world, 1, family);
        assert!(count >= 3, "{count}");
        assert_eq!(count, cartridges(&world, 2, family));
        let native = fs::read(&source[usize::from(family) - 1]).unwrap();
        let tapes = |mirror| -> Vec<PathBuf> {
            let number = 1..=u32::try_from(count).unwrap();
            number
                .map(|number| cartridge(&world, mirror, family, number))
                .collect()
        };
        assert!(joined(&tapes(1)) == native, "family {family}");
        assert!(joined(&tapes(2)) == native, "family {family}");
    }
    let second = generated(world.path(), 2, 300_000, 2);
    world.import(&second).ended(0);
    world.verify(0);
    world.exports(1, 0, &source);
    world.exports(2, 0, &second);
}

#[test]
fn a_damaged_and_a_swapped_cartridge_are_made_good_from_their_twins() {
    let world = formatted(2, 2);
    let other = formatted(1, 1);
    let source = generated(world.path(), 1, 10 << 20, 2);
    let theirs = generated(other.path(), 1, 5 << 20, 1);
    other.import(&theirs).ended(0);
    world.import(&source).ended(0);
    damage_bit(&cartridge(&world, 1, 1, 2), 8 << 20);
    let swapped = cartridge(&world, 2, 2, 2);
    let aside = world.path().join("aside");
    fs::rename(&swapped, &aside).unwrap();
    fs::copy(cartridge(&other, 1, 1, 2), &swapped).unwrap();
    let theirs = fs::read(&swapped).unwrap();
    world.exports(1, 3, &source);
    let damage = world.verify(3)["damage"].to_string();
    assert!(damage.contains("put tape 2 of this row in"), "{damage}");
    assert_eq!(fs::read(&swapped).unwrap(), theirs);
    fs::rename(&aside, &swapped).unwrap();
    // Onto new cartridges.
    empty(&world, 1);
    world
        .json(&["media", "repair", "payroll", "--mirror", "1"])
        .ended(0);
    assert_eq!(world.verify(0)["damage"], json!([]));
    for family in [1, 2] {
        assert_eq!(cartridges(&world, 1, family), cartridges(&world, 2, family));
    }
    empty(&world, 2);
    world.exports(1, 3, &source);
}

/// A section that is damaged in the middle of the row is written again behind its end, on as many
/// cartridges as that takes.
#[test]
fn a_damaged_cartridge_is_healed_behind_the_end_of_the_row() {
    let world = formatted(1, 2);
    let source = generated(world.path(), 1, 5 << 20, 1);
    world.import(&source).ended(0);
    let before = cartridges(&world, 2, 1);
    damage_bit(&cartridge(&world, 2, 1, 2), 8 << 20);
    world.verify(3);
    world.json(&["media", "repair", "payroll"]).ended(0);
    assert_eq!(world.verify(0)["damage"], json!([]));
    assert!(cartridges(&world, 2, 1) > before);
    // One row is longer now, and that is no damage.
    let plan = world.json(&["media", "repair", "payroll", "--dry-run"]);
    assert_eq!(plan.ended(0).result()["steps"], json!([]));
    // The next set brings the mirrors level again.
    let second = generated(world.path(), 2, 3 << 20, 1);
    world.import(&second).ended(0);
    world.verify(0);
    empty(&world, 1);
    world.exports(1, 3, &source);
    world.exports(2, 3, &second);
}

#[test]
fn a_lost_catalog_is_rebuilt_from_the_last_cartridges() {
    let world = formatted(1, 2);
    let source = generated(world.path(), 1, 5 << 20, 1);
    world.import(&source).ended(0);
    fs::remove_dir_all(world.path().join("state")).unwrap();
    world.json(&["catalog", "rebuild", "--from-media"]).ended(0);
    world.exports(1, 0, &source);
    world.verify(0);
}

#[test]
fn a_shelf_without_its_last_cartridge_is_a_missing_mirror() {
    let mut world = formatted(1, 2);
    world.configure(|media| media.set = "min_mirrors = 1".to_owned());
    let source = generated(world.path(), 1, 5 << 20, 1);
    world.import(&source).ended(0);
    let last = cartridge(
        &world,
        2,
        1,
        u32::try_from(cartridges(&world, 2, 1)).unwrap(),
    );
    let aside = world.path().join("aside");
    fs::rename(&last, &aside).unwrap();
    let before: Vec<Vec<u8>> = kept(&shelf(&world, 2, 1));
    let second = generated(world.path(), 2, 100_000, 1);
    world.import(&second).ended(3);
    assert!(
        kept(&shelf(&world, 2, 1)) == before,
        "nothing is written without it"
    );
    world.exports(1, 3, &source);
    fs::rename(&aside, &last).unwrap();
    world
        .json(&["media", "repair", "payroll", "--mirror", "2"])
        .ended(0);
    world.verify(0);
    world.exports(2, 0, &second);
}

fn kept(shelf: &Path) -> Vec<Vec<u8>> {
    let tapes = tapes(shelf);
    tapes.iter().map(|tape| fs::read(tape).unwrap()).collect()
}

/// The cartridges of a shelf.
pub(crate) fn tapes(shelf: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(shelf)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut tapes: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "tap"))
        .collect();
    tapes.sort();
    tapes
}

#[test]
fn a_run_killed_on_its_way_over_cartridges_is_set_right() {
    let source = tempfile::TempDir::new().unwrap();
    let before = generated(source.path(), 1, 1 << 17, 1);
    let killed = generated(source.path(), 2, 24 << 20, 1);
    let whole = {
        let world = formatted(1, 2);
        world.import(&before).ended(0);
        world.import(&killed).ended(0).took
    };
    let mut dice = Dice::new(5);
    for _ in 0..5 {
        let world = formatted(1, 2);
        world.import(&before).ended(0);
        let mut import = world.start(&World::import_line(&killed));
        let share = u32::try_from(dice.below(100)).unwrap();
        import.runs_for(whole * share / 100);
        import.kill();
        is_set_right_over_cartridges(&world, &before);
        assert_eq!(cartridges(&world, 1, 1), cartridges(&world, 2, 1));
    }
}

#[test]
fn an_empty_shelf_asks_the_operator_and_goes_on() {
    let mut world = blank(1, 2);
    world.configure(|media| {
        if let Some(options) = media.tapes.get_mut(&(1, 1)) {
            options["cartridges"] = json!(1);
        }
    });
    world.json(&["media", "format", "payroll"]).ended(0);
    let source = generated(world.path(), 1, 3 << 20, 1);
    let mut run = world.start(&World::import_line(&source));
    let line = run.line_with("operator");
    assert!(
        line.contains("put a blank cartridge on the shelf"),
        "{line}"
    );
    fs::write(cartridge(&world, 1, 1, 2), b"").unwrap();
    run.end().ended(0);
    world.exports(1, 0, &source);
    world.verify(0);
}

/// One drive: the cartridge in it is changed by hand.
#[test]
fn a_drive_asks_for_the_next_cartridge_and_refuses_others() {
    let mut world = World::blank(1, 1);
    let drive = world.path().join("drive.tap");
    world.configure(|media| {
        let options = json!({ "image": drive, "block_size": BLOCK, "capacity": CARTRIDGE });
        media.tapes.insert((1, 1), options);
    });
    world.json(&["media", "format", "payroll"]).ended(0);
    let source = generated(world.path(), 1, 3 << 20, 1);
    let mut run = world.start(&World::import_line(&source));
    run.line_with("number 2 of this row");
    let foreign = [&8_u32.to_le_bytes()[..], b"VOL1THEM", &8_u32.to_le_bytes()].concat();
    let other = world.path().join("other.tap");
    fs::write(&other, &foreign).unwrap();
    let first = world.path().join("first.tap");
    fs::rename(&drive, &first).unwrap();
    fs::rename(&other, &drive).unwrap();
    run.line_with("VOL1THEM");
    assert_eq!(fs::read(&drive).unwrap(), foreign);
    fs::write(&other, b"").unwrap();
    fs::rename(&other, &drive).unwrap();
    run.end().ended(0);
    assert_eq!(
        world.sets().len(),
        1,
        "the last cartridge tells the whole row"
    );
    // The first one is not the one that is written.
    let second = world.path().join("second.tap");
    fs::rename(&drive, &second).unwrap();
    fs::copy(&first, &drive).unwrap();
    let next = generated(world.path(), 2, 100_000, 1);
    let ran = world.import(&next);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("goes on on tape 2"), "{}", ran.stdout);
    assert!(fs::read(&drive).unwrap() == fs::read(&first).unwrap());
    fs::rename(&second, &drive).unwrap();
    world.import(&next).ended(0);
    world.exports(2, 0, &next);
}

#[test]
fn a_database_goes_over_cartridges_and_comes_back() {
    let mut host = Host::blank(&Setup {
        families: 2,
        ..Setup::default()
    });
    on_shelves(&mut host.world);
    let (families, mirrors) = (host.world.media.families, host.world.media.mirrors);
    host.world.configure(|media| {
        for options in media.tapes.values_mut() {
            options["capacity"] = json!(1_600_000);
        }
    });
    host.world.json(&["media", "format", "payroll"]).ended(0);
    host.backup().ended(0);
    for mirror in 1..=mirrors {
        for family in 1..=families {
            assert!(cartridges(&host.world, mirror, family) > 1);
        }
    }
    host.world.verify(0);
    host.restores("Payroll", 1, "Payroll_Copy");
}
