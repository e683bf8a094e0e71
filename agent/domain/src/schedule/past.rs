//! What ran: attempts, folded to what the planner needs.

use serde::Serialize;

use crate::Moment;

/// Failures behind the last success that are remembered, the newest.
pub const MAX_FAILURES: usize = 128;
/// How far in the future a start is still believed, in seconds (an hour): the clock was set back.
/// One that lies further ahead was written by a clock that was wrong, and must not stop backups for
/// years.
pub const FUTURE: i64 = 3600;

/// A backup that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// When it began.
    pub started: Moment,
    /// When it ended, if that is known.
    pub ended: Option<Moment>,
    /// Whether it was published, or is sealed and waits for its verdict.
    pub succeeded: bool,
}

/// What ran of one kind of one database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Past {
    /// When the last one that succeeded began.
    pub succeeded: Option<Moment>,
    /// Begin and end of those that failed behind it, oldest first, the newest of them.
    pub failed: Vec<(Moment, Moment)>,
}

impl Past {
    /// Folds attempts, in any order. What lies more than [`FUTURE`] ahead of `now` is not believed.
    #[must_use]
    pub fn of(attempts: impl IntoIterator<Item = Attempt>, now: Moment) -> Self {
        let horizon = Moment(now.0.saturating_add(FUTURE));
        let mut past = Self::default();
        for attempt in attempts {
            if attempt.started > horizon {
                continue;
            }
            if attempt.succeeded {
                past.succeeded = past.succeeded.max(Some(attempt.started));
            } else {
                let ended = attempt.ended.unwrap_or(attempt.started);
                past.failed.push((attempt.started, ended));
            }
        }
        past.failed
            .retain(|(started, _)| Some(*started) > past.succeeded);
        past.failed.sort_unstable();
        let old = past.failed.len().saturating_sub(MAX_FAILURES);
        past.failed.drain(..old);
        past
    }

    /// Whether anything is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.succeeded.is_none() && self.failed.is_empty()
    }

    /// Whether one that succeeded began at or behind a moment.
    pub(super) fn served(&self, slot: Moment) -> bool {
        self.succeeded.is_some_and(|started| started >= slot)
    }

    /// How many failed that began at or behind a moment, and when the last of them ended.
    pub(super) fn failures(&self, slot: Moment) -> Option<(u32, Moment)> {
        let since = self.failed.iter().filter(|(started, _)| *started >= slot);
        let last = since.clone().map(|(_, ended)| *ended).max()?;
        Some((u32::try_from(since.count()).unwrap_or(u32::MAX), last))
    }
}
