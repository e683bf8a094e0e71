//! When the shared catalog is told next, and when its absence is worth an alert.

use serde::{Deserialize, Serialize};

use crate::Moment;

/// Seconds behind which the shared catalog is told that the agent lives, though nothing changed.
pub const HEARTBEAT: i64 = 300;
/// Seconds of absence behind which an alert is raised, where the configuration does not say.
pub const ABSENCE: i64 = 86_400;

/// Pauses between tries that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Seconds before the second try; doubled for each further one.
    pub first: u32,
    /// Longest pause, in seconds, before chance is added.
    pub longest: u32,
}

impl Pace {
    /// Ten seconds, twenty ... up to a quarter of an hour, for ever.
    pub const USUAL: Self = Self {
        first: 10,
        longest: 900,
    };

    /// Seconds until the next try behind the `tries`th failure in a row: up to a quarter more or
    /// less by `chance`, so that a hundred agents do not come back together.
    #[must_use]
    pub fn pause(self, tries: u32, chance: u32) -> i64 {
        let doubled = tries.saturating_sub(1).min(31);
        let pause = (u64::from(self.first) << doubled).min(self.longest.into());
        let spread = pause / 2;
        let moved = u64::from(chance) % (spread + 1);
        i64::try_from(pause - spread / 2 + moved).unwrap_or(i64::MAX)
    }
}

/// How the last tries to reach the shared catalog went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// When it took in last what it was told.
    pub reached: Option<Moment>,
    /// Since when every try failed; nothing while it answers.
    pub silent: Option<Moment>,
    /// Tries that failed in a row.
    pub failed: u32,
    /// Not before this is it tried again.
    pub next: Option<Moment>,
}

impl Tries {
    /// Behind a try that went well.
    #[must_use]
    pub const fn well(now: Moment) -> Self {
        Self {
            reached: Some(now),
            silent: None,
            failed: 0,
            next: None,
        }
    }

    /// Behind one more that failed.
    #[must_use]
    pub fn badly(self, chance: u32, now: Moment) -> Self {
        let failed = self.failed.saturating_add(1);
        let pause = Pace::USUAL.pause(failed, chance);
        Self {
            reached: self.reached,
            silent: self.silent.or(Some(now)),
            failed,
            next: Some(Moment(now.0.saturating_add(pause))),
        }
    }
}

/// Whether the shared catalog is to be told now; `waiting`: something waits for it.
#[must_use]
pub fn is_due(tries: &Tries, waiting: bool, now: Moment) -> bool {
    /// A pause longer than any was written before the clock was set back.
    const BEYOND: i64 = Pace::USUAL.longest as i64 * 2;
    match (tries.next, tries.reached) {
        (Some(next), _) => next <= now || next.0 > now.0.saturating_add(BEYOND),
        (None, None) => true,
        (None, Some(reached)) => {
            let passed = now.0.saturating_sub(reached.0);
            waiting || !(0..HEARTBEAT).contains(&passed)
        }
    }
}

/// Whether it has been away for so long that somebody must know; `longest` in seconds.
#[must_use]
pub fn is_long(tries: &Tries, longest: i64, now: Moment) -> bool {
    let since = |silent: Moment| now.0.saturating_sub(silent.0) >= longest;
    tries.silent.is_some_and(since)
}
