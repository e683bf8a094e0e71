//! Does a chain of full, differential and logs lead to the point that is wanted, and nowhere else?
//!
//! The history is the worked fixture of the planner as real streams: a failover, a copy-only full, a
//! forced service with two forks. The double refuses what comes in the wrong order.

mod content;
mod damaged;
mod points;
mod reaching;
mod script;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use twinset::sqlserver::{
    Auth, Connector, Encrypt, Endpoint, InstanceSettings, Purpose, Secret, StatementEnd,
};
use twinset_tests::stream::{DateTime, Kind, Lsn, Spec, generate_files};
use uuid::Uuid;

use crate::front::{Host, PASSWORD, Setup};
use crate::support::{Ran, damage_bit};

/// Bits of a chunk.
const CHUNK_BITS: u64 = (4 << 20) * 8;
/// Names of the history's sets, in the order of their positions.
const NAMES: [&str; 8] = ["F1", "L1", "L2", "L3", "D1", "C1", "L4", "L5"];

/// A host that holds the history.
pub(crate) struct Chains {
    pub(crate) host: Host,
}

fn at(block: u32) -> Lsn {
    Lsn {
        file: 40,
        block,
        slot: 0,
    }
}

fn guid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// One set of the history, by its name.
fn set(name: &str) -> Spec {
    let (kind, first, last, time) = match name {
        "F1" => (Kind::Full, 100, 140, (1, 0)),
        "L1" => (Kind::Log, 80, 200, (2, 0)),
        "L2" => (Kind::Log, 200, 300, (3, 0)),
        "L3" => (Kind::Log, 300, 410, (4, 0)),
        "D1" => (Kind::Differential, 410, 440, (4, 30)),
        "C1" => (Kind::Full, 445, 460, (4, 45)),
        "L4" => (Kind::Log, 410, 520, (5, 0)),
        "L5" => (Kind::Log, 410, 600, (6, 0)),
        other => panic!("no set {other}"),
    };
    let number = NAMES.iter().position(|known| *known == name).unwrap() as u64 + 1;
    // Large enough for a second chunk, where a test needs one.
    let size = if name == "D1" { 6 << 20 } else { 1 << 20 };
    let mut spec = Spec::new(number, size, 1);
    spec.kind = kind;
    spec.set_guid = guid(number.into());
    spec.media_set_guid = guid(0x100 + u128::from(number));
    spec.family_guid = guid(0xFA);
    spec.fork_guid = guid(if name == "L5" { 0x62 } else { 0x61 });
    spec.lsns.first = at(first);
    spec.lsns.last = at(last);
    spec.lsns.checkpoint = at(first);
    spec.finished = DateTime {
        year: 2026,
        month: 11,
        day: 21,
        hour: time.0,
        minute: time.1,
        second: 0,
    };
    spec.started = spec.finished;
    if name == "D1" {
        spec.base_guid = guid(1);
        spec.lsns.differential_base = at(100);
        spec.lsns.database_backup = at(100);
    }
    spec
}

/// Position of a set of the history.
fn position(name: &str) -> u64 {
    NAMES.iter().position(|known| *known == name).unwrap() as u64 + 1
}

impl Chains {
    /// The history up to the abandoned log, all on one fork.
    pub(crate) fn on_one_fork() -> Self {
        Self::of(&NAMES[..7])
    }

    /// These sets alone, in this order.
    pub(crate) fn of(names: &[&str]) -> Self {
        let host = Host::formatted(&Setup::default());
        let chains = Self { host };
        for name in names {
            chains.import(&set(name));
        }
        chains
    }

    pub(crate) fn import(&self, spec: &Spec) {
        let folder = tempfile::tempdir_in(self.host.world.path()).unwrap();
        let files: Vec<PathBuf> = generate_files(spec, folder.path()).unwrap();
        self.host.world.import(&files).ended(0);
    }

    /// `restore plan` with more arguments.
    pub(crate) fn plan(&self, more: &[&str]) -> Ran {
        let line = ["restore", "plan", "Payroll", "--group", "payroll"];
        self.host.world.json(&[&line[..], more].concat())
    }

    /// Positions of the sets that a plan restores.
    #[track_caller]
    pub(crate) fn planned(&self, more: &[&str]) -> Vec<u64> {
        let planned = self.plan(more).ended(0).result();
        positions(&planned["steps"])
    }

    /// `restore run` as Copy, with more arguments.
    pub(crate) fn run(&self, more: &[&str]) -> Ran {
        self.host.restore_of("Payroll", "Copy", more)
    }

    /// The restore must end so, with these sets and this state of the copy.
    #[track_caller]
    pub(crate) fn runs(&mut self, more: &[&str], code: i32, expected: &[&str]) -> Value {
        let result = self.run(more).ended(code).result();
        let expected: Vec<u64> = expected.iter().map(|name| position(name)).collect();
        assert_eq!(positions(&result["sets"]), expected, "{result}");
        assert_eq!(self.host.told("Copy")["state"], "ONLINE");
        result
    }

    /// A chunk of a set is altered on every mirror.
    pub(crate) fn lose_chunk(&self, name: &str, chunk: u64) {
        let begins = format!("{:04}.", position(name) * 2 - 1);
        for mirror in 1..=2 {
            let file = self.host.world.file(mirror, 1, &begins);
            damage_bit(&file, chunk * CHUNK_BITS + 123_457);
        }
    }

    /// A set's data are gone from every mirror.
    pub(crate) fn lose(&self, name: &str) {
        let begins = format!("{:04}.", position(name) * 2 - 1);
        for mirror in 1..=2 {
            std::fs::remove_file(self.host.world.file(mirror, 1, &begins)).unwrap();
        }
    }

    /// Sends a batch by hand, as the operator would.
    pub(crate) fn by_hand(&self, sql: &str) -> StatementEnd {
        let client = &self.host.client;
        let auth = Auth::Sql {
            user: client.user.clone(),
            password: Secret::new(PASSWORD),
        };
        let endpoint = Endpoint::Port(client.port);
        let mut settings = InstanceSettings::new("sql-a", &client.host, endpoint, auth);
        settings.encrypt = Encrypt::Required;
        settings.ca_file.clone_from(&client.ca_file);
        let session = Connector::new(settings, "by-hand")
            .open(Purpose::Work)
            .unwrap();
        let running = session.start(sql).unwrap();
        running.wait(Duration::from_secs(60)).unwrap()
    }
}

/// `position` of each.
fn positions(sets: &Value) -> Vec<u64> {
    let sets = sets.as_array().unwrap().iter();
    sets.map(|set| set["position"].as_u64().unwrap()).collect()
}
