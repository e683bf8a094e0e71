//! What is shown: everything at one moment.

use serde::Serialize;
use twinset_domain::alert::Entry;
use twinset_domain::protection::Shown;
use twinset_domain::{BackupKind, Moment};

/// A running service at one moment; `/status.json` is this.
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    /// The agent's name.
    pub agent: String,
    /// Its version.
    pub version: &'static str,
    /// When it was looked at.
    pub now: Moment,
    /// When the service started.
    pub started: Moment,
    /// Protected databases, by group and name.
    pub databases: Vec<Database>,
    /// Instances that are asked.
    pub instances: Vec<Instance>,
    /// Media sets that protected databases are written to.
    pub media_sets: Vec<MediaSet>,
    /// What runs and waits.
    pub jobs: Jobs,
    /// Open alerts, the worst first.
    pub alerts: Vec<Entry>,
    /// How far the shared catalog was told, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_catalog: Option<SharedCatalog>,
}

/// How far the shared catalog was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SharedCatalog {
    /// Whether the last meeting went well.
    pub answers: bool,
    /// When the last one that went well ended.
    pub told: Option<Moment>,
    /// Events that wait; nothing where everything is told at the next meeting.
    pub waiting: Option<u64>,
}

/// A protected database.
#[derive(Clone, Debug, Serialize)]
pub struct Database {
    /// Its group.
    pub group: String,
    /// Its name.
    pub database: String,
    /// How it stands.
    pub protection: Shown,
    /// The same in words.
    pub text: String,
    /// The principal serves without its partner: the log cannot be truncated meanwhile.
    pub exposed: bool,
    /// Kinds of backups that it has, or should have.
    pub kinds: Vec<Kind>,
}

/// One kind of backups of a database.
#[derive(Clone, Debug, Serialize)]
pub struct Kind {
    /// Which.
    pub kind: BackupKind,
    /// Keys of the media sets that hold them: ours first, then as the partners' agents write them.
    pub media_sets: Vec<String>,
    /// The newest that succeeded; of the partner's agent, where ours goes on behind it.
    pub last: Option<Last>,
    /// Whether it is older than the group allows; `None` without a rule.
    pub rpo_breached: Option<bool>,
    /// It has a schedule or a rule; others are shown where there is one.
    #[serde(skip)]
    pub wanted: bool,
}

/// A backup that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Last {
    /// When it began: what was written since is not in it.
    pub began: Moment,
    /// How long it took, in seconds, if that is known.
    pub seconds: Option<i64>,
    /// Bytes on each mirror.
    pub bytes: u64,
}

/// An instance.
#[derive(Clone, Debug, Serialize)]
pub struct Instance {
    /// Its name in the configuration.
    pub instance: String,
    /// Whether it answered when it was asked last.
    pub answers: bool,
    /// When it was asked last.
    pub asked: Moment,
    /// How long that took, in seconds.
    pub seconds: f64,
}

/// A media set.
#[derive(Clone, Debug, Serialize)]
pub struct MediaSet {
    /// Its key.
    pub media_set: String,
    /// Mirrors in the configuration.
    pub mirrors: usize,
    /// Mirrors that held its newest backup set when that was published; `None` while it has none.
    pub in_step: Option<usize>,
}

/// What runs and waits.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Jobs {
    /// Backups and checks that run.
    pub running: usize,
    /// Those that wait for their turn.
    pub waiting: usize,
}
