//! When a check is to run.

use std::fmt;

use super::{DAY, Depth, Standing};
use crate::Moment;
use crate::schedule::FUTURE;

/// What a group wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How deep.
    pub depth: Depth,
    /// How old the last check may be, in seconds.
    pub max_age: i64,
}

/// What is known beside the checks themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// When the last full that succeeded began.
    pub full: Option<Moment>,
    /// Since when the instance serves the database, as far as this agent saw.
    pub since: Moment,
    /// Now.
    pub now: Moment,
}

/// Why a check runs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It never did here.
    First,
    /// A full was taken, and half of the time is over: best beside a full.
    BehindFull,
    /// The last one is too old.
    TooOld,
    /// The last one found damage, and a day is over.
    Findings,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "never checked here",
            Self::BehindFull => "behind a full backup",
            Self::TooOld => "the last one is too old",
            Self::Findings => "whether the damage is mended",
        })
    }
}

/// Whether a check is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Now, and why.
    Now(Cause),
    /// Not before then.
    Later(Moment),
}

/// Decides. The first check waits for the first full: what is not backed up needs that more.
#[must_use]
pub fn due(rule: Rule, standing: &Standing, facts: Facts) -> Due {
    let now = facts.now;
    let after = |begin: Moment, span: i64| Moment(begin.0.saturating_add(span));
    let horizon = after(now, FUTURE);
    if let Some(pause) = standing
        .pause
        .filter(|pause| *pause > now && *pause <= after(now, 2 * DAY))
    {
        return Due::Later(pause);
    }
    let Some(last) = standing.checked(rule.depth) else {
        let latest = after(facts.since, rule.max_age);
        return match facts.full {
            Some(_) => Due::Now(Cause::First),
            None if now >= latest || facts.since > horizon => Due::Now(Cause::First),
            None => Due::Later(latest),
        };
    };
    let (span, cause) = match standing.found {
        Some(_) => (rule.max_age.min(DAY), Cause::Findings),
        None => (rule.max_age, Cause::TooOld),
    };
    let latest = after(last, span);
    if now >= latest || last > horizon {
        return Due::Now(cause);
    }
    let behind = facts
        .full
        .is_some_and(|full| full > last && full <= horizon);
    if behind && now >= after(last, span / 2) {
        return Due::Now(Cause::BehindFull);
    }
    Due::Later(latest)
}
