//! Integrity checks: when they begin, and what came of them.

use twinset_domain::integrity::{Check, Due, Facts, Outcome as Came, Rule, Unfinished, due};
use twinset_domain::protection::Shown;
use twinset_domain::schedule::until;
use twinset_domain::{BackupKind, Fault, Moment, code};

use super::jobs::{Job, Name, What};
use super::members::Member;
use super::outcome::Outcome;
use super::state::Service;
use crate::alerts;
use crate::catalog::standing;
use crate::config::Group;

/// Seconds between two checks of one database, whatever came of the first.
const REST: i64 = 60;
/// Seconds that one which was taken out of the queue rests.
const LONG_REST: i64 = 3600;

impl Service {
    /// Puts integrity checks that are due into the queue; the process remembers what it found.
    pub(super) fn look_into(&mut self, now: Moment) -> Result<(), Fault> {
        let mut begin = Vec::new();
        for (name, member) in &self.members {
            let Some(group) = self.config.groups.get(&name.group) else {
                continue;
            };
            let (Some(rule), Some(instance)) = (group.check.rule, self.config.served(group)) else {
                continue;
            };
            if !may_begin(member, group, now) || self.jobs.looks_into(name) {
                continue;
            }
            if let Some(why) = self.why((name, member), (rule, instance), now) {
                begin.push((name.clone(), why));
            }
        }
        for (name, why) in begin {
            if let Some(member) = self.members.get_mut(&name) {
                member.suspect = false;
            }
            self.begin(&name, What::Integrity, why, now)?;
        }
        Ok(())
    }

    fn why(
        &self,
        (name, member): (&Name, &Member),
        (rule, instance): (Rule, &str),
        now: Moment,
    ) -> Option<String> {
        let standing = standing(&self.sound.1, &name.database, instance);
        if member.suspect && standing.found.is_none() {
            return Some("a backup met a damaged page".to_owned());
        }
        let full = member.past.get(&BackupKind::Full);
        let facts = Facts {
            full: full.and_then(|past| past.succeeded),
            since: member.record.sight_since,
            now,
        };
        match due(rule, &standing, facts) {
            Due::Now(cause) => Some(cause.to_string()),
            Due::Later(_) => None,
        }
    }

    /// No integrity check of it for a while: somebody took one out of the queue.
    pub(super) fn rest(&mut self, name: &Name, now: Moment) {
        if let Some(member) = self.members.get_mut(name) {
            member.rests = Moment(now.0.saturating_add(LONG_REST));
        }
    }

    /// A backup that met a damaged page asks for a check: once that has found it, backups go on.
    pub(super) fn met_damage(&mut self, name: &Name, outcome: &Outcome) {
        let met = outcome.fault().map(|fault| fault.code) == Some(code::BAD_PAGE);
        if let Some(member) = self.members.get_mut(name).filter(|_| met) {
            member.suspect = true;
        }
    }

    /// The process of a check has ended. One that died remembered nothing: that is done here.
    pub(super) fn looked_into(
        &mut self,
        job: &Job,
        (outcome, stopped): (&Outcome, bool),
        now: Moment,
    ) -> Result<(), Fault> {
        (self.mark, self.tells) = (None, now);
        if let Some(member) = self.members.get_mut(&job.of) {
            member.rests = Moment(now.0.saturating_add(REST));
        }
        let group = self.config.groups.get(&job.of.group);
        let rule = group.and_then(|group| Some((group.check.rule?, self.config.served(group)?)));
        let Some((rule, instance)) = rule.filter(|_| outcome.object.is_none()) else {
            return Ok(());
        };
        let check = Check {
            database: job.of.database.clone(),
            instance: instance.to_owned(),
            depth: rule.depth,
            began: job.started.unwrap_or(job.queued),
            ended: now,
            outcome: Came::Unfinished(if stopped {
                Unfinished::Stopped
            } else {
                Unfinished::Failed("its process ended without a result".to_owned())
            }),
        };
        self.catalog.checked(&check)?;
        self.sound = (self.catalog.integrity_mark()?, self.catalog.standings()?);
        let standing = standing(&self.sound.1, &check.database, &check.instance);
        let told = (&check, &standing);
        alerts::integrity::told(&mut self.catalog, &job.of.group, told, now)
    }
}

/// Where the database is ours to work on, outside the windows in which no full begins.
fn may_begin(member: &Member, group: &Group, now: Moment) -> bool {
    let barred = group
        .schedule
        .as_ref()
        .and_then(|rules| until(&rules.blackout, &rules.zone, BackupKind::Full, now));
    // Of a replica that takes no fulls the primary's agent looks.
    member.record.shown() == Shown::Protected
        && member.record.elsewhere(BackupKind::Full).is_none()
        && member.record.running.is_empty()
        && member.rests <= now
        && barred.is_none()
}
