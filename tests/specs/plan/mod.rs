//! Does `twinset plan` say what would run when, and why the rest would not?
#![allow(clippy::unwrap_used, clippy::panic)]

mod calendar;
mod history;

use serde_json::Value;

use crate::support::World;

/// The schedule of the reference configuration, by a zone with daylight saving.
pub(crate) const USUAL: &str = "[schedule]\nfull = \"0 1 * * sun\"\n\
    differential = \"0 1 * * *\"\nlog = \"*/15 * * * *\"\ntime_zone = \"Europe/Vienna\"\n";

/// A world with one group that has these databases and this schedule; nothing is formatted.
pub(crate) fn world(databases: &[&str], schedule: &str) -> World {
    let mut world = World::blank(1, 2);
    world.group("payroll", databases, schedule);
    world
}

/// The first group of what `plan` says.
pub(crate) fn plan(world: &World, more: &[&str]) -> Value {
    let line = [&["plan"], more].concat();
    world.json(&line).ended(0).result()["groups"][0].clone()
}

/// One line for each decision: `Payroll full due: why` or `Payroll log: why`.
pub(crate) fn decisions(group: &Value) -> Vec<String> {
    let list = |key: &str, word: &str| {
        let all = group[key].as_array().unwrap().clone();
        let line = move |one: &Value| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            format!(
                "{} {}{word}: {}",
                text("database"),
                text("kind"),
                text("text")
            )
        };
        all.iter().map(line).collect::<Vec<String>>()
    };
    [list("due", " due"), list("waiting", "")].concat()
}

/// The slots of a kind in the days ahead.
pub(crate) fn slots(group: &Value, kind: &str) -> Vec<String> {
    let ahead = group["ahead"].as_array().unwrap();
    let found = ahead.iter().find(|one| one["kind"] == kind).unwrap();
    let slots = found["slots"].as_array().unwrap();
    slots
        .iter()
        .map(|slot| slot.as_str().unwrap().to_owned())
        .collect()
}
