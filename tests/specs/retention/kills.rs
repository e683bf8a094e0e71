//! `media expire` is cut off at every one of its steps; the next run goes on.

use serde_json::json;
use twinset_tests::stream::Kind;

use super::{Line, five, lines, plan};
use crate::support::{Dice, World, sections};

const TABLES: &str = "[retention]\ndaily = 1\nmax_drop = \"100%\"";

/// However far it came: the kept chain is whole, and the next run ends what was begun.
fn is_set_right(world: &World, what: &str) {
    let expired = world.json(&["media", "expire", "payroll"]);
    let expired = if expired.code == 0 {
        expired
    } else {
        // A record that reached one mirror alone waits for the operator's word.
        expired.failed("3240");
        world.json(&["media", "recover", "payroll"]).ended(0);
        world.json(&["media", "expire", "payroll"])
    };
    expired.ended(0);
    let states: Vec<String> = world
        .sets()
        .iter()
        .map(|set| set["state"].as_str().unwrap().to_owned())
        .collect();
    let wanted = ["dropped", "dropped", "dropped", "published", "published"];
    assert_eq!(states, wanted, "{what}");
    let report = world.verify(0);
    assert_eq!(
        (&report["damage"], &report["notes"]),
        (&json!([]), &json!([])),
        "{what}"
    );
    let names = |mirror| sections(&world.volume(mirror, 1));
    assert_eq!(names(1), names(2), "{what}: mirrors hold different files");
    let kept = lines(&plan(world, &[]));
    assert!(
        kept.iter().all(|line| line.contains(" keep: ")),
        "{what}: {kept:#?}"
    );
    Line::new("Payroll").import(world, Kind::Full);
}

#[test]
fn cut_off_at_any_record_or_removal_of_any_mirror_it_goes_on() {
    for mirror in [1, 2] {
        for call in ["put_record", "remove_section"] {
            for after in 0..3 {
                let mut world = five(TABLES);
                let fault = json!({ "fail_call": call, "errno": 5, "after": after });
                world.configure(|media| {
                    media.fault(mirror, 1, fault);
                });
                let what = format!("mirror {mirror}, {call} after {after}");
                world.json(&["media", "expire", "payroll"]).ended(1);
                world.heal_devices();
                is_set_right(&world, &what);
            }
        }
    }
}

#[test]
fn killed_while_a_device_hangs_it_goes_on() {
    for call in ["put_record", "remove_section"] {
        for after in [0, 2] {
            let mut world = five(TABLES);
            let fault = json!({ "hang_in": call, "hang_ms": 60_000, "after": after });
            world.configure(|media| {
                media.fault(2, 1, fault);
            });
            let mut expire = world.start(&["media", "expire", "payroll"]);
            assert!(expire.says(&format!("a fault was planted in {call}")));
            expire.kill();
            world.heal_devices();
            is_set_right(&world, &format!("{call} after {after}"));
        }
    }
}

#[test]
fn killed_at_random_it_goes_on() {
    let mut dice = Dice::new(11);
    let whole = {
        let world = five(TABLES);
        world.json(&["media", "expire", "payroll"]).ended(0).took
    };
    for round in 0..6 {
        let world = five(TABLES);
        let mut expire = world.start(&["media", "expire", "payroll"]);
        expire.runs_for(whole * u32::try_from(dice.below(110)).unwrap() / 100);
        expire.kill();
        is_set_right(&world, &format!("round {round}"));
    }
}
