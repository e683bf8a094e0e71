//! What a drill hands over: the timeline, the promises, the figures.

use std::fmt;
use std::time::Instant;

use crate::hosts::AGENTS;
use crate::hosts::said::Said;

/// Something that was done to the scene.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: Instant,
    pub(super) who: &'static str,
    pub(super) text: String,
}

/// A promise that was held against what happened.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// Its number in the design, `P1` to `P12`, or the chapter.
    pub(super) promise: &'static str,
    pub(super) what: String,
    pub(super) holds: bool,
}

/// The story of one drill.
#[derive(Clone, Debug)]
pub struct Report {
    begun: Instant,
    pub(super) entries: Vec<Entry>,
    pub(super) said: [Vec<(Instant, Said)>; 2],
    pub(super) checks: Vec<Check>,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            entries: Vec::new(),
            said: [Vec::new(), Vec::new()],
            checks: Vec::new(),
        }
    }

    /// Whether everything held, and something was held against it.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.holds)
    }

    /// How many promises held, and how many were looked at.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let held = self.checks.iter().filter(|check| check.holds).count();
        (held, self.checks.len())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = self.entries.clone();
        for (agent, said) in AGENTS.iter().zip(&self.said) {
            all.extend(said.iter().map(|(at, said)| Entry {
                at: *at,
                who: agent,
                text: said.to_string(),
            }));
        }
        all.sort_by_key(|entry| entry.at);
        for entry in all {
            let since = entry.at.saturating_duration_since(self.begun);
            let who = entry.who;
            writeln!(
                f,
                "  {:>7.2} s  {who:<6} {}",
                since.as_secs_f64(),
                entry.text
            )?;
        }
        for check in &self.checks {
            let (word, promise) = (if check.holds { "ok" } else { "BROKEN" }, check.promise);
            writeln!(f, "  [{word}] {promise}: {}", check.what)?;
        }
        Ok(())
    }
}
