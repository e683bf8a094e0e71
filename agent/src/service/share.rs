//! The shared catalog is told by a process of its own, so that nothing here waits for it.

use std::collections::BTreeSet;

use twinset_domain::fleet::is_due;
use twinset_domain::{Fault, Moment, code};

use super::jobs::{Name, What};
use super::outcome::Outcome;
use super::state::Service;
use crate::config::Config;

/// Least seconds between two meetings.
const LEAST: i64 = 5;
/// What the alert about it is about.
const OBJECT: &str = "shared catalog";

/// How it goes with the shared catalog.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// Not before this is it told again, whatever waits.
    rests: Option<Moment>,
    /// It is told at once, whatever failed before: where it is has changed.
    at_once: bool,
    /// Whether the last meeting went well; nothing before the first.
    well: Option<bool>,
    /// It is known that none is configured, and that no alert about one is open.
    idle: bool,
}

impl Share {
    /// The configuration has changed.
    pub(super) fn turned(&mut self, old: &Config, new: &Config) {
        if old.shared != new.shared {
            *self = Self {
                at_once: true,
                ..Self::default()
            };
        }
    }
}

impl Service {
    /// Tells the shared catalog when something waits, and now and then that this agent lives.
    pub(super) fn share_due(&mut self, now: Moment) -> Result<(), Fault> {
        if self.config.shared.is_none() {
            if !self.share.idle {
                self.share.idle = true;
                self.over(code::SHARED_BEHIND, OBJECT, now)?;
            }
            return Ok(());
        }
        let rests = |rests: Moment| (now.0..=now.0.saturating_add(LEAST)).contains(&rests.0);
        if self.jobs.shares() || self.share.rests.is_some_and(rests) {
            return Ok(());
        }
        let sharing = self.catalog.sharing()?;
        let waiting = sharing.waiting != Some(0);
        if !self.share.at_once && !is_due(&sharing.tries, waiting, now) {
            return Ok(());
        }
        self.share.at_once = false;
        self.share.rests = Some(Moment(now.0.saturating_add(LEAST)));
        let nobody = Name {
            group: String::new(),
            database: String::new(),
        };
        let what = (What::Share, "shared catalog".to_owned());
        self.jobs.add(nobody, what, BTreeSet::new(), now);
        Ok(())
    }

    /// A meeting has ended. Its changes are said once, not every time.
    pub(super) fn was_shared(&mut self, outcome: &Outcome, now: Moment) -> Result<(), Fault> {
        let fault = outcome.fault();
        let well = outcome.code == Some(0);
        if self.share.well != Some(well) {
            match (&fault, well) {
                (_, true) => tracing::info!("the shared catalog is told"),
                (Some(fault), false) => tracing::warn!(
                    "the shared catalog cannot be told, and is tried again: {} {}: {}",
                    fault.code,
                    fault.object,
                    fault.message
                ),
                (None, false) => tracing::warn!("the shared catalog cannot be told"),
            }
            self.share.well = Some(well);
            // An alert about it may have been raised or ended.
            self.tells = now;
        }
        Ok(())
    }
}
