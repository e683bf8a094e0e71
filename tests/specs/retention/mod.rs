//! Does retention explain itself, and never drop the last restorable chain?
#![allow(clippy::unwrap_used, clippy::panic)]

mod expiring;
mod kills;
mod partners;
mod planning;

use std::path::PathBuf;

use serde_json::Value;
use twinset_tests::stream::{Kind, Lsn, Spec, generate_files};

use crate::support::World;

/// What a database wrote, one line of log sequence numbers.
pub(crate) struct Line {
    database: &'static str,
    seed: u64,
    block: u32,
    full: Option<Spec>,
    log_from: Option<Lsn>,
}

impl Line {
    pub(crate) fn new(database: &'static str) -> Self {
        let seed = database
            .bytes()
            .fold(7, |sum, byte| sum * 31 + u64::from(byte));
        Self {
            database,
            seed,
            block: 1000,
            full: None,
            log_from: None,
        }
    }

    fn lsn(&self, block: u32) -> Lsn {
        Lsn {
            file: 37,
            block,
            slot: 1,
        }
    }

    fn spec(&mut self, kind: Kind) -> Spec {
        self.seed += 1;
        let family = Spec::new(self.database.len() as u64, 1 << 16, 1);
        let mut spec = Spec {
            kind,
            database: self.database.into(),
            family_guid: family.family_guid,
            fork_guid: family.fork_guid,
            ..Spec::new(self.seed, 1 << 16, 1)
        };
        spec.lsns.first = self.lsn(self.block + 10);
        spec.lsns.checkpoint = self.lsn(self.block + 20);
        self.block += 100;
        spec.lsns.last = self.lsn(self.block);
        spec
    }

    /// A backup of this kind, imported as the next set.
    pub(crate) fn import(&mut self, world: &World, kind: Kind) -> &mut Self {
        let mut spec = self.spec(kind);
        match kind {
            Kind::Full => {
                self.log_from.get_or_insert(spec.lsns.first);
                self.full = Some(spec.clone());
            }
            Kind::Differential => {
                let full = self.full.clone().unwrap();
                spec.base_guid = full.set_guid;
                spec.lsns.differential_base = full.lsns.checkpoint;
            }
            _ => {
                spec.lsns.first = self.log_from.replace(spec.lsns.last).unwrap();
            }
        }
        let folder = world
            .path()
            .join(format!("{}-{}", self.database, self.seed));
        let _ = std::fs::remove_dir_all(&folder);
        let files: Vec<PathBuf> = generate_files(&spec, &folder).unwrap();
        let mut line = vec!["media", "import", "payroll", "--database", self.database];
        line.extend(files.iter().map(|path| path.to_str().unwrap()));
        world.json(&line).ended(0);
        self
    }
}

/// A world whose group keeps the newest full of the day, with one long line of sets:
/// full, differential, log, full, log.
pub(crate) fn five(tables: &str) -> World {
    let mut world = World::formatted(1, 2);
    world.group("payroll", &["Payroll"], tables);
    Line::new("Payroll")
        .import(&world, Kind::Full)
        .import(&world, Kind::Differential)
        .import(&world, Kind::Log)
        .import(&world, Kind::Full)
        .import(&world, Kind::Log);
    world
}

/// One line for each set of a plan: `1 full drop: why`.
pub(crate) fn lines(plan: &Value) -> Vec<String> {
    let line = |set: &Value| {
        let word = if set["drop"] == true { "drop" } else { "keep" };
        let reasons: Vec<&str> = set["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reason| reason.as_str().unwrap())
            .collect();
        format!(
            "{} {} {word}: {}",
            set["position"],
            set["kind"].as_str().unwrap_or("-"),
            reasons.join("; ")
        )
    };
    plan["sets"].as_array().unwrap().iter().map(line).collect()
}

/// What `media plan-retention` says.
pub(crate) fn plan(world: &World, more: &[&str]) -> Value {
    let line = [&["media", "plan-retention", "payroll"], more].concat();
    world.json(&line).ended(0).result()
}
