//! Causes and reasons in words, with the times of a zone.

use super::{Cause, Wait, Zone};
use crate::Moment;

impl Cause {
    /// In words: what stands behind "due since ...".
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Slot => "its time has come".to_owned(),
            Self::Missed => "missed while the agent was away".to_owned(),
            Self::First => "none was taken yet".to_owned(),
            Self::Retry { number } => format!("try {number}: the last one failed"),
        }
    }
}

impl Wait {
    /// In words, with the clocks of a zone.
    #[must_use]
    pub fn text(&self, zone: &Zone) -> String {
        let at = |moment: &Moment| zone.text(*moment);
        match self {
            Self::Done { began } => format!("done: began {}", at(began)),
            Self::ByFull => "a full backup takes its place".to_owned(),
            Self::NoBase => "no full backup yet: that goes first".to_owned(),
            Self::Excluded { why } => why.clone(),
            Self::NotYet => "its first time is still to come".to_owned(),
            Self::Running { kind } => format!("a {kind} backup of it runs"),
            Self::Retrying { tries, at: next } => {
                format!("failed {}: next try {}", times(*tries), at(next))
            }
            Self::GivenUp { tries } => {
                format!("failed {}: given up until its next time", times(*tries))
            }
            Self::Skipped { slot } => {
                let slot = at(slot);
                format!("missed at {slot} while the agent was away: skipped")
            }
            Self::Elsewhere { slot } => {
                format!("due {}, while the partner served it", at(slot))
            }
            Self::Blackout { until } => format!("blackout until {}", at(until)),
            Self::Held { why } => why.clone(),
        }
    }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}
