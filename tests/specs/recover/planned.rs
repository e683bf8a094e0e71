//! The agent is killed between two calls of its devices, call by call.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Struck;
use crate::support::{World, generated};

/// A call of one device before which the agent dies.
#[derive(Clone, Copy, Debug)]
struct Moment {
    call: &'static str,
    /// The section concerned: 3 is data of position 2, 4 its manifest.
    index: Option<u64>,
    /// Calls that go well before.
    after: u64,
}

const fn moment(call: &'static str, index: Option<u64>, after: u64) -> Moment {
    Moment { call, index, after }
}

const OF_IMPORT: [Moment; 9] = [
    moment("mount", None, 0),
    moment("begin_section", Some(3), 0),
    moment("write", Some(3), 0),
    moment("write", Some(3), 1),
    moment("end_section", Some(3), 0),
    moment("begin_section", Some(4), 0),
    moment("write", Some(4), 0),
    moment("end_section", Some(4), 0),
    moment("put_record", None, 0),
];

const OF_RECOVER: [Moment; 6] = [
    moment("remove_leftover", None, 0),
    moment("begin_section", Some(3), 0),
    moment("begin_section", Some(4), 0),
    moment("end_section", Some(4), 0),
    moment("remove_section", None, 0),
    moment("put_record", None, 0),
];

impl Moment {
    fn fault(self) -> Value {
        let mut fault = json!({ "hang_in": self.call, "hang_ms": 600_000, "after": self.after });
        if let Some(index) = self.index {
            fault["only_index"] = index.into();
        }
        fault
    }
}

/// Files and a world with one published set.
struct Stage {
    world: World,
    before: Vec<PathBuf>,
    killed: Vec<PathBuf>,
    _source: TempDir,
}

fn stage() -> Stage {
    let source = TempDir::new().unwrap();
    let before = generated(source.path(), 1, 1 << 17, 2);
    let killed = generated(source.path(), 2, 3 << 20, 2);
    let world = World::formatted(2, 2);
    world.import(&before).ended(0);
    Stage {
        world,
        before,
        killed,
        _source: source,
    }
}

impl Stage {
    /// Runs until the moment comes and kills then; false when it never came.
    fn die(&mut self, line: &[&str], moment: Moment, mirror: u8, family: u16) -> bool {
        self.world.configure(|media| {
            media.fault(mirror, family, moment.fault());
        });
        let mut running = self.world.start(line);
        let came = running.says(&format!("a fault was planted in {}", moment.call));
        running.kill();
        self.world.heal_devices();
        came
    }

    fn is_set_right(&self) {
        let Self {
            world,
            before,
            killed,
            ..
        } = self;
        Struck {
            world,
            before,
            killed,
        }
        .is_set_right();
    }
}

fn killed_import(mirror: u8, family: u16) {
    for moment in OF_IMPORT {
        let mut stage = stage();
        let files = stage.killed.clone();
        let came = stage.die(&World::import_line(&files), moment, mirror, family);
        assert!(came, "{moment:?} never came");
        stage.is_set_right();
    }
}

#[test]
fn an_import_killed_at_any_call_of_the_first_device_is_set_right() {
    killed_import(1, 1);
}

#[test]
fn an_import_killed_at_any_call_of_the_second_family_is_set_right() {
    killed_import(1, 2);
}

#[test]
fn an_import_killed_at_any_call_of_the_second_mirror_is_set_right() {
    killed_import(2, 1);
}

#[test]
fn an_import_killed_at_any_call_of_the_last_device_is_set_right() {
    killed_import(2, 2);
}

/// An import dies before a call of family 2's device on `mirror`, then recover dies at each of its
/// moments; `reached` of them come whatever family 1 was doing.
fn killed_recover(of_import: Moment, mirror: u8, reached: usize) {
    let mut came = 0;
    for of_recover in OF_RECOVER {
        for (on, family) in [(1, 1), (2, 2)] {
            let mut stage = stage();
            let files = stage.killed.clone();
            assert!(stage.die(&World::import_line(&files), of_import, mirror, 2));
            let line = ["media", "recover", "payroll"];
            came += usize::from(stage.die(&line, of_recover, on, family));
            stage.is_set_right();
        }
    }
    assert!(came >= reached, "only {came} moments came");
}

#[test]
fn a_recover_killed_while_it_takes_unsealed_data_back_is_done_again() {
    killed_recover(moment("begin_section", Some(4), 0), 1, 3);
}

#[test]
fn a_recover_killed_while_it_heals_a_mirror_is_done_again() {
    killed_recover(moment("begin_section", Some(4), 0), 2, 2);
}

#[test]
fn a_recover_killed_while_it_copies_a_verdict_is_done_again() {
    killed_recover(moment("put_record", None, 0), 2, 1);
}

#[test]
fn an_import_that_fails_and_is_killed_while_it_takes_back_is_set_right() {
    for (fails, call, family) in [
        ("write", "abort_section", 2),
        ("end_section", "remove_section", 1),
    ] {
        let mut stage = stage();
        let files = stage.killed.clone();
        stage.world.configure(|media| {
            let fault = json!({ "fail_call": fails, "errno": 5, "only_index": 3 });
            media.fault(2, 2, fault);
        });
        let came = stage.die(
            &World::import_line(&files),
            moment(call, None, 0),
            1,
            family,
        );
        assert!(came, "{call} never came");
        stage.is_set_right();
    }
}
