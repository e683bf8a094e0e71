//! A power cut at every step of a change of cartridges: whatever order the steps have, each leaves
//! a beginning of the row, and the one that it was at is cut.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use super::kills::{copy_folder, is_set_right};
use super::spanning::{formatted, shelf, tapes};
use crate::support::{Dice, World, generated};

/// How far around a change of cartridges half of the cuts fall: closing label, note, and header,
/// label and list of the next one.
const AROUND: u64 = 12_000;

/// A row as it was written to its end.
struct Row {
    shelf: PathBuf,
    /// Each cartridge: file, bytes.
    cartridges: Vec<(PathBuf, Vec<u8>)>,
    /// Bytes of the row that were there before the run.
    before: u64,
}

impl Row {
    fn new(world: &World, mirror: u8, before: u64) -> Self {
        let shelf = shelf(world, mirror, 1);
        let read = |path: PathBuf| {
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        };
        Self {
            cartridges: tapes(&shelf).into_iter().map(read).collect(),
            shelf,
            before,
        }
    }

    fn length(&self) -> u64 {
        self.cartridges
            .iter()
            .map(|(_, bytes)| bytes.len() as u64)
            .sum()
    }

    /// Where one cartridge ends and the next begins.
    fn turns(&self) -> Vec<u64> {
        let mut at = 0;
        let ends = self.cartridges.iter().map(|(_, bytes)| {
            at += bytes.len() as u64;
            at
        });
        let mut ends: Vec<u64> = ends.collect();
        ends.pop();
        ends
    }

    /// A place in what the run wrote.
    fn cut(&self, dice: &mut Dice) -> u64 {
        let at = match dice.below(2) {
            0 => self.before + dice.below(self.length() - self.before + 1),
            _ => dice.pick(&self.turns()) + dice.below(AROUND) - AROUND / 2,
        };
        at.clamp(self.before, self.length())
    }

    /// Lays the row out as a power cut left it. The next cartridge is there and blank, or not yet.
    fn lay(&self, mut cut: u64, dice: &mut Dice) {
        let old = tapes(&self.shelf);
        old.iter().for_each(|tape| fs::remove_file(tape).unwrap());
        for (path, bytes) in &self.cartridges {
            let length = cut.min(bytes.len() as u64);
            if length == 0 {
                if dice.below(2) == 0 {
                    fs::write(path, b"").unwrap();
                }
                break;
            }
            fs::write(path, &bytes[..usize::try_from(length).unwrap()]).unwrap();
            cut -= length;
        }
    }
}

fn length(shelf: &Path) -> u64 {
    let bytes = |tape: &PathBuf| fs::metadata(tape).unwrap().len();
    tapes(shelf).iter().map(bytes).sum()
}

#[test]
fn rows_that_were_cut_around_a_change_of_cartridges_are_set_right() {
    let source = TempDir::new().unwrap();
    let before = generated(source.path(), 1, 1 << 16, 1);
    let killed = generated(source.path(), 2, 5 << 20, 1);
    let world = formatted(1, 2);
    world.import(&before).ended(0);
    let first = [1, 2].map(|mirror| length(&shelf(&world, mirror, 1)));
    let state = world.path().join("state");
    let kept = world.path().join("kept");
    copy_folder(&state, &kept);
    world.import(&killed).ended(0);
    let rows = [1, 2].map(|mirror: u8| Row::new(&world, mirror, first[usize::from(mirror) - 1]));
    assert!(rows[0].turns().len() >= 2, "{:?}", rows[0].turns());
    let mut dice = Dice::new(23);
    for round in 0..16 {
        let cuts = rows.each_ref().map(|row| {
            let cut = row.cut(&mut dice);
            row.lay(cut, &mut dice);
            cut
        });
        fs::remove_dir_all(&state).unwrap();
        copy_folder(&kept, &state);
        println!("round {round}: {cuts:?} of {:?}", rows[0].turns());
        is_set_right(&world, &[&before, &killed]);
        let plan = world.json(&["media", "repair", "payroll", "--dry-run"]);
        assert_eq!(plan.ended(0).result()["steps"], json!([]));
    }
}
