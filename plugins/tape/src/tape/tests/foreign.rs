//! Nothing that is not ours is ever written over, whatever mistake is made with tapes.

use std::fs;
use std::path::Path;

use twinset_plugin_api::{Access, Mount, Outcome};

use super::{BLOCK, KEY, NEW, Shelf, bytes, open, outcome, put, section};

fn record(block: &[u8]) -> Vec<u8> {
    let length = (block.len() as u32).to_le_bytes();
    let pad = vec![0; block.len() % 2];
    [&length[..], block, &pad, &length].concat()
}

/// Tapes that other programs wrote.
fn strangers() -> Vec<Vec<u8>> {
    let mark = vec![0; 4];
    vec![
        record(b"VOL1TAPE01"),
        [record(&bytes(1024)), mark.clone()].concat(),
        [mark.clone(), mark.clone(), record(b"x")].concat(),
        mark.clone(),
        [
            record(b"TAPE of somebody"),
            mark.clone(),
            record(&bytes(BLOCK)),
        ]
        .concat(),
        record(&vec![7; 3 << 20]),
        [record(&bytes(5 * BLOCK)), record(b"y"), mark].concat(),
        std::iter::repeat_n(record(&bytes(BLOCK)), 40)
            .collect::<Vec<_>>()
            .concat(),
    ]
}

#[test]
fn a_tape_of_others_is_refused_and_stays_as_it_is() {
    for (number, theirs) in strangers().into_iter().enumerate() {
        let shelf = Shelf::new();
        fs::write(shelf.image(), &theirs).unwrap();
        let mut device = shelf.open(Access::Write);
        assert_eq!(device.leftovers("", 9).unwrap().len(), 1, "{number}");
        assert_eq!(device.leftovers("", 9).unwrap()[0].run_id, None);
        let error = device.mount(Mount::Blank(KEY)).unwrap_err();
        assert_eq!(error.outcome, Outcome::WRONG_MEDIUM, "{number}: {error:?}");
        assert_eq!(
            outcome(device.mount(Mount::Existing(KEY))),
            Outcome::WRONG_MEDIUM
        );
        assert!(device.begin_section(&section(0, "h", NEW)).is_err());
        assert!(device.put_record("r", b"").is_err());
        assert!(device.truncate(0).is_ok() || device.truncate(1).is_err());
        drop(device);
        assert!(fs::read(shelf.image()).unwrap() == theirs, "{number}");
    }
}

/// A tape whose beginning cannot be read is not blank.
#[test]
fn an_unreadable_beginning_is_no_blank_tape() {
    let shelf = Shelf::new();
    let mut bad = record(&bytes(BLOCK));
    bad[3] |= 0x80;
    let last = bad.len() - 1;
    bad[last] |= 0x80;
    fs::write(shelf.image(), &bad).unwrap();
    let mut device = shelf.open(Access::Write);
    assert!(device.mount(Mount::Blank(KEY)).is_err());
    drop(device);
    assert!(fs::read(shelf.image()).unwrap() == bad);
}

/// A dice with a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }
}

/// Swaps in what a hand would put into the drive by mistake.
fn swap(dice: &mut Dice, ours: &Path, cabinet: &Path, others: &[std::path::PathBuf]) {
    let other = &others[dice.below(others.len() as u64) as usize];
    if ours.exists() {
        fs::rename(ours, cabinet).unwrap();
    }
    fs::rename(other, ours).unwrap();
}

/// 1,000 seeded mistakes: the wrong tape is put in at a random moment of a run, and whatever the run
/// does then, no byte of that tape changes.
#[test]
fn a_thousand_wrong_tapes_keep_every_byte() {
    let (mut struck, mut refused) = (0, 0);
    for seed in 0..1000 {
        let mut dice = Dice(seed);
        let shelf = Shelf::new();
        shelf.with_set(2 * BLOCK);
        let (theirs, other) = stranger(&mut dice, &shelf);
        let cabinet = shelf.folder.path().join("cabinet.tap");
        let moment = dice.below(9);
        let mut device = shelf.open(Access::Write);
        for step in 0..8 {
            if step == moment {
                swap(
                    &mut dice,
                    &shelf.image(),
                    &cabinet,
                    std::slice::from_ref(&other),
                );
                struck += 1;
            }
            let done = match step {
                0 => device.mount(Mount::Existing(KEY)),
                1 => device.begin_section(&section(3, "x", NEW)),
                2 | 3 => device.write(&bytes(3 * BLOCK + 11)),
                4 => device.sync(),
                5 => device.end_section(),
                6 => device.put_record("verdict.2", b"{}"),
                _ => device.mount(Mount::Blank(KEY)),
            };
            refused += u32::from(done.is_err());
            if done.is_err() && dice.below(2) == 0 {
                let _ = device.abort_section();
                let _ = device.put_record("out-of-step", b"");
                let _ = device.truncate(dice.below(3));
                drop(device);
                device = shelf.open(Access::Write);
                let _ = device.mount(Mount::Blank(KEY));
            }
        }
        drop(device);
        let there = if moment < 8 { shelf.image() } else { other };
        assert!(
            fs::read(there).unwrap() == theirs,
            "seed {seed}, step {moment}"
        );
    }
    assert!(struck > 800 && refused > 1000, "{struck} {refused}");
}

/// The tape that comes by mistake: foreign, or ours and of another volume.
fn stranger(dice: &mut Dice, shelf: &Shelf) -> (Vec<u8>, std::path::PathBuf) {
    let other = shelf.folder.path().join("other.tap");
    let strangers = strangers();
    let kind = dice.below(strangers.len() as u64 + 1) as usize;
    match strangers.get(kind) {
        Some(theirs) => fs::write(&other, theirs).unwrap(),
        None => {
            let mut device = open(&other, Access::Write);
            device.mount(Mount::Blank("of.another.volume")).unwrap();
            put(&mut *device, 0, "header.mtf", NEW, b"theirs");
            put(&mut *device, 1, "their.bak", NEW, &bytes(9 * BLOCK));
        }
    }
    (fs::read(&other).unwrap(), other)
}
