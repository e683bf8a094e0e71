//! A protection group: who is protected, how, when and for how long.

mod build;
mod check;
mod how;
mod keep;
mod later;
mod stage;
mod when;

use std::path::PathBuf;
use std::time::Duration;

use twinset_domain::BackupKind;
use twinset_domain::integrity::Rule;
use twinset_domain::partner::{Allowed, Site};
use twinset_domain::protection::{Bond, Wish};
use twinset_domain::schedule::{Cron, Rules, Zone};

use super::super::databases::Databases;
use crate::config::source::Place;
use crate::sqlserver::statement::{Compression, Encryption};

pub(crate) use build::{World, group};

/// A protection group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its instances: the partners of a session, or one.
    pub partners: Vec<String>,
    /// Its databases.
    pub databases: Databases,
    /// The key of its media set.
    pub media_set: String,
    /// The key of the media set for log backups, if it is another one: the one named, or the one
    /// beside.
    pub log_media_set: Option<String>,
    /// How the bytes come out of SQL Server.
    pub source: Source,
    /// What the agent does by itself.
    pub profile: Profile,
    /// What binds the partners.
    pub kind: SessionKind,
    /// How backups are taken.
    pub backup: Backup,
    /// When, if not on demand only.
    pub schedule: Option<Rules>,
    /// What a change of roles does.
    pub failover: Failover,
    /// Integrity checks.
    pub check: Check,
    /// How long sets are kept; nothing expires without it.
    pub retention: Option<Retention>,
    /// Largest age of the last backup before the alarm.
    pub rpo: Rpo,
    /// Where its name stands.
    pub place: Place,
}

impl Group {
    /// The key of the media set that takes backups of a kind.
    #[must_use]
    pub fn media_set_of(&self, kind: BackupKind) -> &str {
        match (kind, &self.log_media_set) {
            (BackupKind::Log, Some(log)) => log,
            _ => &self.media_set,
        }
    }

    /// What it allows of its partners.
    #[must_use]
    pub fn allowed(&self) -> Allowed {
        Allowed {
            ip: self.failover.allow_ip,
            split: self.profile == Profile::Follow,
        }
    }

    /// What it says of its partners, for a look at them.
    #[must_use]
    pub fn wish(&self) -> Wish {
        Wish {
            allowed: self.allowed(),
            site: self.backup.replica,
            bond: match self.kind {
                SessionKind::Detect => None,
                SessionKind::Mirroring => Some(Bond::Mirroring),
                SessionKind::AvailabilityGroup => Some(Bond::AvailabilityGroup),
                SessionKind::Standalone => Some(Bond::Standalone),
            },
        }
    }

    /// The keys of its media sets.
    #[must_use]
    pub fn media_sets(&self) -> Vec<&str> {
        let log = self.log_media_set.iter().map(String::as_str);
        let log = log.filter(|log| *log != self.media_set);
        std::iter::once(self.media_set.as_str())
            .chain(log)
            .collect()
    }
}

/// How the bytes come out of SQL Server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Through the Virtual Device Interface.
    Vdi,
    /// Through files of a stage folder.
    Stage(Stage),
}

/// A folder that SQL Server writes backups to and the agent takes them from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// As the agent sees it.
    pub dir: PathBuf,
    /// As SQL Server sees it.
    pub server: String,
}

/// What the agent does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Whatever is safe.
    Follow,
    /// As little as Data Protection Manager does.
    Dpm,
}

/// What binds the partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// Found out by asking.
    Detect,
    /// Database mirroring.
    Mirroring,
    /// An availability group.
    AvailabilityGroup,
    /// Nothing.
    Standalone,
}

/// How backups are taken.
#[derive(Clone, Debug)]
pub struct Backup {
    /// What bridges a chain that others broke.
    pub on_broken_chain: BrokenChain,
    /// Which replica of an availability group takes logs.
    pub replica: Site,
    /// BLOCKSIZE, a power of two from 512 to 65536.
    pub block_size: u32,
    /// MAXTRANSFERSIZE, a multiple of 65536 up to 4194304.
    pub max_transfer_size: u32,
    /// BUFFERCOUNT; left to the plan when absent.
    pub buffer_count: Option<u32>,
    /// Whether and how SQL Server compresses.
    pub compression: Compression,
    /// Whether and how SQL Server encrypts.
    pub encryption: Option<Encryption>,
    /// Bytes per second that one backup may take.
    pub throttle: Option<u64>,
}

/// What bridges a chain that others broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenChain {
    /// A differential backup.
    Differential,
    /// A full backup.
    Full,
    /// Nothing: the backup is refused.
    Refuse,
}

/// What a change of roles does.
#[derive(Clone, Debug)]
pub struct Failover {
    /// How often roles are asked for.
    pub poll: Duration,
    /// How long without a principal before the alarm.
    pub no_principal_alert: Duration,
    /// How long the principal's agent may be silent; by the schedule when absent.
    pub no_agent_alert: Option<Duration>,
    /// From a change of roles to the consistency check; by kind of session when absent.
    pub check_delay: Option<Duration>,
    /// Whether a backup that is due first runs the check (else it is refused).
    pub check_before_backup: bool,
    /// Whether partners may be named by their address.
    pub allow_ip: bool,
    /// A session that appears or goes.
    pub on_topology_change: TopologyChange,
}

/// What a session that appears or goes does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopologyChange {
    /// Alarm, check, go on.
    Continue,
    /// Alarm, and wait for the operator.
    Alert,
}

/// Times, and whose clocks they mean.
#[derive(Clone, Debug)]
pub struct Times {
    /// The line.
    pub cron: Cron,
    /// Whose clocks.
    pub zone: Zone,
}

/// Checks of the database, and of replica and source.
#[derive(Clone, Debug)]
pub struct Check {
    /// How deep and how often; nothing: not at all.
    pub rule: Option<Rule>,
    /// How long one may take.
    pub budget: Duration,
    /// Whether findings stop full and differential backups.
    pub gate: bool,
    /// When the consistency check runs by itself.
    pub consistency: Option<Times>,
}

/// How long sets are kept.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// Span to any moment of which a restore must be possible.
    pub window: Option<Duration>,
    /// Last sets of days, weeks, months and years that are kept.
    pub daily: u32,
    /// See `daily`.
    pub weekly: u32,
    /// See `daily`.
    pub monthly: u32,
    /// See `daily`.
    pub yearly: u32,
    /// When the service drops what may go; nothing: behind every full that it takes.
    pub at: Option<Times>,
    /// Largest part of all sets that one run may drop, in percent.
    pub max_drop_percent: u8,
    /// Whether both partners can read each other's media.
    pub shared_storage: bool,
}

/// Largest age of the last backup, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rpo {
    /// Of the last full.
    pub full: Option<Duration>,
    /// Of the last differential.
    pub differential: Option<Duration>,
    /// Of the last log.
    pub log: Option<Duration>,
}

impl Rpo {
    /// That of a kind.
    #[must_use]
    pub const fn of(&self, kind: BackupKind) -> Option<Duration> {
        match kind {
            BackupKind::Full => self.full,
            BackupKind::Differential => self.differential,
            BackupKind::Log => self.log,
        }
    }
}
