//! Ten thousand places, chosen by seeds: flipped, zeroed, cut, exchanged, deleted, over all kinds of
//! sections. All are found, all are healed while one sound copy is left, and no wrong byte is ever
//! returned. The rounds run inside this process, over the library that the command is made of.
#![allow(clippy::unwrap_used, clippy::panic)]

mod bench;
mod harm;

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::Dice;
use bench::Bench;
use harm::{Harm, Round};

/// Places of each of the four media sets.
const PLACES: usize = 2500;
/// Every so many rounds, one chunk is lost on every mirror.
const LOSSES: usize = 6;

/// Hurts a media set round by round until enough places were hit.
fn survive(families: u16, mirrors: u8, seed: u64) {
    let mut bench = Bench::new(families, mirrors);
    let mut dice = Dice::new(seed);
    let (mut hit, mut rounds) = (0, 0);
    while hit < PLACES {
        rounds += 1;
        let mut round = Round::new(&bench);
        if rounds % LOSSES == 0 {
            round.lose_a_chunk(&mut dice);
        }
        round.hurt(&mut dice);
        let (harms, lost) = (round.harms, round.lost);
        hit += harms.len();
        let what = format!("seed {seed}, round {rounds}");
        all_are_found(&bench, &harms, &lost, &what);
        bench.reads(&lost, &what);
        let report = bench.repair();
        let named: BTreeSet<_> = report.lost.iter().copied().collect();
        assert_eq!(named, lost, "{what}: {harms:?}");
        assert!(
            report.unhealed.is_empty(),
            "{what}: {:?} {harms:?}",
            report.unhealed
        );
        bench.is_as_before_but(&lost, &what);
        bench.reads(&lost, &what);
        bench.undo_losses(&lost);
        assert!(bench.repair().steps.is_empty(), "{what}: repaired twice");
    }
    println!("{hit} places in {rounds} rounds");
    // The command sees the same.
    let world = &bench.world;
    assert_eq!(world.verify(0)["damage"], json!([]));
    let report = crate::repair::repair(world, 0);
    assert_eq!(report["steps"], json!([]));
    for (position, files) in &bench.sources {
        world.exports(*position, 0, files);
    }
}

fn all_are_found(
    bench: &Bench,
    harms: &[Harm],
    lost: &BTreeSet<twinset_domain::repair::Lost>,
    what: &str,
) {
    let report = bench.verify();
    for harm in harms {
        let found = report.damage.iter().any(|damage| harm.is_named(damage));
        assert!(found, "{what}: {harm:?} is not in {:#?}", report.damage);
    }
    let named: BTreeSet<(u64, u16, u64)> = report
        .lost
        .iter()
        .map(|lost| (lost.position.get(), lost.family, lost.chunk))
        .collect();
    let lost = lost.iter();
    let lost: BTreeSet<_> = lost
        .map(|lost| (lost.position.get(), lost.family.0, lost.chunk))
        .collect();
    assert_eq!(named, lost, "{what}");
}

#[test]
fn places_of_one_family_on_two_mirrors_are_found_and_healed() {
    survive(1, 2, 101);
}

#[test]
fn places_of_one_family_on_three_mirrors_are_found_and_healed() {
    survive(1, 3, 102);
}

#[test]
fn places_of_two_families_on_two_mirrors_are_found_and_healed() {
    survive(2, 2, 103);
}

#[test]
fn places_of_two_families_on_three_mirrors_are_found_and_healed() {
    survive(2, 3, 104);
}
