//! What changes while an instance runs: databases, sessions, requests, history.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Login;
use super::availability;
use super::errorlog::ErrorLog;
use super::history::History;
use super::mirroring::WitnessRow;
use super::model::{Database, Ids};
use super::moment::Moment;
use super::restore::compare::Received;
use crate::tds::reply::Interrupt;

/// How far a statement is.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Sets the amount of work, in bytes.
    pub fn begin(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Adds bytes that are through and returns all of them.
    pub fn add(&self, bytes: u64) -> u64 {
        self.done.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// Bytes that are through.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// From 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        match self.total.load(Ordering::Relaxed) {
            0 => 0.0,
            total => (self.done() as f64 / total as f64).min(1.0),
        }
    }
}

/// A statement under way.
#[derive(Clone, Debug)]
pub struct RequestRow {
    /// When it began.
    pub started: Moment,
    /// Command as sys.dm_exec_requests shows it.
    pub command: &'static str,
    /// How far it is.
    pub progress: Arc<Progress>,
}

/// A session as others see it.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// session_id
    pub spid: i16,
    /// Login.
    pub login: String,
    /// Client machine.
    pub host: String,
    /// Program name.
    pub program: String,
    /// Client library.
    pub library: String,
    /// Client process id.
    pub process: u32,
    /// When it logged in.
    pub login_time: Moment,
    /// When its newest request began.
    pub last_start: Moment,
    /// Current database.
    pub database_id: i32,
    /// Open transactions.
    pub transactions: i32,
    /// Packet size.
    pub packet_size: u32,
    /// Stops what it runs.
    pub interrupt: Arc<Interrupt>,
    /// What it runs.
    pub request: Option<RequestRow>,
}

/// A certificate in master that can encrypt backups.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Name.
    pub name: String,
    /// Last day of its validity, `2030-01-01`; unlimited when left out.
    #[serde(default)]
    pub expires: Option<String>,
}

impl Certificate {
    /// Whether it can no longer encrypt.
    #[must_use]
    pub fn expired(&self, now: Moment) -> bool {
        let end = self.expires.as_deref().and_then(Moment::parse);
        end.is_some_and(|end| end <= now)
    }

    /// SHA-1-sized thumbprint, as msdb and HEADERONLY show it.
    #[must_use]
    pub fn thumbprint(&self) -> Vec<u8> {
        blake3::hash(self.name.to_lowercase().as_bytes()).as_bytes()[..20].to_vec()
    }
}

/// Everything that changes.
#[derive(Debug)]
pub struct State {
    /// Databases by id.
    pub databases: Vec<Database>,
    /// Logins.
    pub logins: Vec<Login>,
    /// Certificates in master.
    pub certificates: Vec<Certificate>,
    /// Sessions by id.
    pub sessions: BTreeMap<i16, SessionRow>,
    /// msdb.
    pub msdb: History,
    /// The error log.
    pub errorlog: ErrorLog,
    /// Sessions that this instance witnesses.
    pub witnessed: Vec<WitnessRow>,
    /// Availability groups that it is a replica of.
    pub groups: Vec<availability::View>,
    /// New GUIDs.
    pub ids: Ids,
    /// BLAKE3 of each family this instance sent, by backup set GUID and family number from 1.
    pub sent: HashMap<(uuid::Uuid, u16), [u8; 32]>,
    /// Damaged pages, file and page, of the data that went into a backup set.
    pub damaged: HashMap<uuid::Uuid, Vec<(i32, i64)>>,
    /// What RESTORE read to its end here, oldest first.
    pub received: Vec<Received>,
    /// Requests that clients sent so far: batches and calls.
    pub requests: u64,
}

impl State {
    /// A database by name.
    #[must_use]
    pub fn database(&self, name: &str) -> Option<&Database> {
        self.databases
            .iter()
            .find(|database| database.name.eq_ignore_ascii_case(name))
    }

    /// The same, to be changed.
    pub fn database_mut(&mut self, name: &str) -> Option<&mut Database> {
        self.databases
            .iter_mut()
            .find(|database| database.name.eq_ignore_ascii_case(name))
    }
}
