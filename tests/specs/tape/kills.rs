//! The agent is killed at random moments, and the tape is cut as a power cut leaves it.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::{formatted, image};
use crate::support::{Dice, World, generated};

/// Whatever the kill left, recovery sets it right, all that was published is there, and runs go on.
#[track_caller]
pub(super) fn is_set_right(world: &World, sets: &[&[PathBuf]]) {
    world.json(&["media", "recover", "payroll"]).ended(0);
    assert_eq!(world.verify(0)["damage"], json!([]));
    let found = world.sets();
    let kept = found.iter().filter(|set| set["state"] == "published");
    let positions: Vec<u64> = kept.map(|set| set["position"].as_u64().unwrap()).collect();
    assert!(positions.contains(&1), "{found:?}");
    world.exports(1, 0, sets[0]);
    if positions.contains(&2) {
        world.exports(2, 0, sets[1]);
    }
    let next = generated(world.path(), 9, 1 << 16, world.media.families);
    world.import(&next).ended(0);
    let again = world
        .json(&["media", "recover", "payroll"])
        .ended(0)
        .result();
    assert_eq!(again["positions"], json!([]), "{again}");
    assert_eq!(again["work_removed"], json!([]), "{again}");
}

/// The same of a run that was killed somewhere on its way over cartridges; and the next run goes over
/// some as well.
#[track_caller]
pub(super) fn is_set_right_over_cartridges(world: &World, before: &[PathBuf]) {
    world.json(&["media", "recover", "payroll"]).ended(0);
    assert_eq!(world.verify(0)["damage"], json!([]));
    world.exports(1, 0, before);
    let next = generated(world.path(), 9, 5 << 20, 1);
    world.import(&next).ended(0);
    let last = world.sets().last().unwrap()["position"].as_u64().unwrap();
    world.exports(last, 0, &next);
    world.verify(0);
}

fn kill(seed: u64, families: u16) {
    let source = TempDir::new().unwrap();
    let before = generated(source.path(), 1, 1 << 17, families);
    let killed = generated(source.path(), 2, 24 << 20, families);
    let whole = {
        let world = formatted(families, 2);
        world.import(&before).ended(0);
        world.import(&killed).ended(0).took
    };
    let mut dice = Dice::new(seed);
    for _ in 0..4 {
        let world = formatted(families, 2);
        world.import(&before).ended(0);
        let mut import = world.start(&World::import_line(&killed));
        let share = u32::try_from(dice.below(110)).unwrap();
        import.runs_for(whole * share / 100);
        import.kill();
        is_set_right(&world, &[&before, &killed]);
    }
}

#[test]
fn an_import_onto_tapes_killed_at_random_is_set_right_first_seed() {
    kill(1, 1);
}

#[test]
fn an_import_onto_tapes_killed_at_random_is_set_right_second_seed() {
    kill(2, 2);
}

/// A power cut at every step of the second set: mirror 1 ends here, mirror 2 there.
#[test]
fn tapes_that_were_cut_anywhere_are_set_right() {
    let source = TempDir::new().unwrap();
    let before = generated(source.path(), 1, 1 << 16, 1);
    let killed = generated(source.path(), 2, 1 << 18, 1);
    let world = formatted(1, 2);
    world.import(&before).ended(0);
    let tapes = [image(&world, 1, 1), image(&world, 2, 1)];
    let first: Vec<u64> = tapes
        .iter()
        .map(|t| fs::metadata(t).unwrap().len())
        .collect();
    let state = world.path().join("state");
    let kept = world.path().join("kept");
    copy_folder(&state, &kept);
    world.import(&killed).ended(0);
    let whole: Vec<Vec<u8>> = tapes.iter().map(|tape| fs::read(tape).unwrap()).collect();
    let mut dice = Dice::new(11);
    for _ in 0..10 {
        for ((tape, bytes), first) in tapes.iter().zip(&whole).zip(&first) {
            let rest = bytes.len() as u64 - first + 1;
            // Every second cut falls behind the data, where labels, manifest and verdict lie.
            let small = 6000_u64.min(rest);
            let cut = match dice.below(2) {
                0 => first + dice.below(rest),
                _ => bytes.len() as u64 - dice.below(small),
            };
            let mut cut = bytes[..usize::try_from(cut).unwrap()].to_vec();
            if dice.below(2) == 0 {
                // The driver's closing filemark, as after a kill.
                cut.extend([0; 4]);
            }
            fs::write(tape, cut).unwrap();
        }
        fs::remove_dir_all(&state).unwrap();
        copy_folder(&kept, &state);
        is_set_right(&world, &[&before, &killed]);
    }
}

pub(super) fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
