//! What is due, what comes next, and why not now.
//!
//! Cron lines ([`Cron`]) are read in a time zone ([`Zone`], a value: nothing is loaded here) and
//! give slots ([`last_until`], [`behind`]). [`plan()`] takes what ran ([`Past`]), the windows in which
//! nothing begins ([`Blackout`]) and the clock, and says of every database and kind whether it is
//! due, or why not and when. [`forecast()`] tells the days ahead.
//!
//! Clocks that jump: a run is known by when it began, so when the clock is set back nothing runs
//! twice; when it is set forward, or the agent was away, all slots that were missed are one run.

mod blackout;
mod cron;
mod forecast;
mod past;
mod plan;
mod recent;
mod times;
mod words;
mod zone;

use serde::Serialize;

pub use blackout::{BLACKOUT_HELP, Blackout, never, until};
pub use cron::{Cron, CronError};
pub use forecast::{Forecast, MAX_SLOTS, Replaced, forecast};
pub use past::{Attempt, FUTURE, MAX_FAILURES, Past};
pub use plan::{Cause, Clock, Due, Plan, Subject, Wait, Waiting, order, plan};
pub use times::{behind, last_until, next_after};
pub use zone::Zone;

use crate::BackupKind;

/// The kinds in the order in which they go first: a log must never wait behind a full.
pub const KINDS: [BackupKind; 3] = [BackupKind::Log, BackupKind::Differential, BackupKind::Full];

/// Longest span over which starts are spread, in seconds (a day).
pub const MAX_STAGGER: u32 = 86_400;

/// When backups of a group are taken: `[schedule]`, understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// Full backups.
    pub full: Option<Cron>,
    /// Differential backups.
    pub differential: Option<Cron>,
    /// Log backups.
    pub log: Option<Cron>,
    /// Whose clocks the lines mean.
    pub zone: Zone,
    /// Seconds over which the starts of databases are spread, at most [`MAX_STAGGER`].
    pub stagger: u32,
    /// What becomes of a run that was missed while the agent was away.
    pub missed: Missed,
    /// How often a failed backup is tried again.
    pub retries: u32,
    /// Seconds from the end of a failed try to the next.
    pub retry_delay: u32,
    /// Windows in which nothing begins.
    pub blackout: Vec<Blackout>,
}

/// What becomes of a run that was missed while the agent was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missed {
    /// It runs once, however many slots were missed.
    RunOnce,
    /// It is left out.
    Skip,
}

impl Rules {
    /// The line of a kind.
    #[must_use]
    pub const fn line(&self, kind: BackupKind) -> Option<&Cron> {
        match kind {
            BackupKind::Full => self.full.as_ref(),
            BackupKind::Differential => self.differential.as_ref(),
            BackupKind::Log => self.log.as_ref(),
        }
    }

    /// By how many seconds a database begins behind the slots: below `stagger`, the same at every
    /// start of the agent, for all kinds, however names are written.
    #[must_use]
    pub fn offset(&self, database: &str) -> u32 {
        let span = self.stagger.min(MAX_STAGGER);
        if span == 0 {
            return 0;
        }
        // FNV-1a, 64 bits: spreads names well, and stays the same for ever.
        let hash = database
            .chars()
            .flat_map(char::to_lowercase)
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, c| {
                (hash ^ u64::from(u32::from(c))).wrapping_mul(0x100_0000_01b3)
            });
        // The low bits of short names differ little; the high ones are mixed best.
        u32::try_from((hash >> 32) % u64::from(span)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
