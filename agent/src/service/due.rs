//! From schedules to events.

use std::collections::BTreeMap;

use twinset_domain::protection::{Event, Phase};
use twinset_domain::schedule::{Clock, KINDS, Past, Rules, Subject, last_until, plan};
use twinset_domain::{BackupKind, Fault, Moment};

use super::jobs::Name;
use super::members::Member;
use super::state::Service;

impl Service {
    /// What is due by schedule.
    pub(super) fn due(&mut self, now: Moment) -> Result<(), Fault> {
        self.read_past(now)?;
        let clock = Clock {
            now,
            awake: self.awake,
        };
        let mut due = Vec::new();
        for group in self.config.groups.values() {
            let Some(schedule) = &group.schedule else {
                continue;
            };
            let members = self.members.iter();
            let subjects: Vec<Subject> = members
                .filter(|(name, member)| name.group == group.name && speaks(member))
                .map(|(name, member)| subject(&name.database, member))
                .collect();
            let planned = plan(schedule, &subjects, clock);
            due.extend(planned.due.into_iter().map(|due| {
                let name = Name {
                    group: group.name.clone(),
                    database: due.database,
                };
                (name, due.kind)
            }));
        }
        for (name, kind) in due {
            self.event(&name, &Event::Due(kind), now)?;
        }
        Ok(())
    }

    /// Consistency checks by schedule: each slot since the service looks is served once, as soon as
    /// nothing else of the database runs.
    pub(super) fn checks_due(&mut self, now: Moment) -> Result<(), Fault> {
        let mut slots: BTreeMap<&str, Moment> = BTreeMap::new();
        for group in self.config.groups.values() {
            let times = group.check.consistency.as_ref();
            let slot = times.and_then(|times| last_until(&times.cron, &times.zone, now));
            if let Some(slot) = slot.filter(|slot| *slot > self.awake) {
                slots.insert(&group.name, slot);
            }
        }
        let mut due = Vec::new();
        for (name, member) in &self.members {
            let slot = slots.get(name.group.as_str());
            if let Some(slot) = slot.filter(|slot| member.daily < Some(**slot)) {
                due.push((name.clone(), *slot));
            }
        }
        for (name, slot) in due {
            self.event(&name, &Event::CheckDue, now)?;
            if let Some(member) = self.members.get_mut(&name)
                && matches!(member.record.phase, Phase::Checking { .. })
            {
                member.daily = Some(slot);
            }
        }
        Ok(())
    }

    /// Reads what ran, when somebody wrote into the catalog since.
    fn read_past(&mut self, now: Moment) -> Result<(), Fault> {
        let mark = self.catalog.mark()?;
        if self.mark == Some(mark) {
            return Ok(());
        }
        for (name, member) in &mut self.members {
            let Some(group) = self.config.groups.get(&name.group) else {
                continue;
            };
            for kind in KINDS {
                let schedule = group.schedule.as_ref();
                let line = schedule.and_then(|rules| Rules::line(rules, kind));
                // Integrity checks come behind fulls, whoever takes those.
                let looks = kind == BackupKind::Full && group.check.rule.is_some();
                if line.is_none() && !looks {
                    continue;
                }
                let keys = self.config.keys_of(group, kind, &name.database)?;
                let past = self.catalog.past(&keys, &name.database, kind, now)?;
                member.past.insert(kind, past);
            }
        }
        let checks = self.catalog.integrity_mark()?;
        if self.sound.0 != checks {
            self.sound = (checks, self.catalog.standings()?);
        }
        self.mark = Some(mark);
        Ok(())
    }
}

/// A group's database for which a schedule may speak: the others say why not once, not each second.
fn speaks(member: &Member) -> bool {
    !member.record.orphaned
}

fn subject(database: &str, member: &Member) -> Subject {
    let past = |kind| past(&member.past, &member.early, kind);
    let mut excluded = member.record.excluded();
    if member.logless {
        let why = "the simple recovery model has no log backups".to_owned();
        excluded.push((BackupKind::Log, why));
    }
    Subject {
        database: database.to_owned(),
        full: past(BackupKind::Full),
        differential: past(BackupKind::Differential),
        log: past(BackupKind::Log),
        running: member.record.running.clone(),
        excluded,
        hold: None,
        since: member.record.taken_over,
    }
}

/// What the catalog knows, and what failed before it got there.
fn past(
    known: &BTreeMap<BackupKind, Past>,
    early: &[(BackupKind, Moment, Moment)],
    kind: BackupKind,
) -> Past {
    let mut past = known.get(&kind).cloned().unwrap_or_default();
    let early = early.iter().filter(|(of, began, _)| {
        *of == kind && past.succeeded.is_none_or(|succeeded| *began > succeeded)
    });
    past.failed
        .extend(early.map(|(_, began, ended)| (*began, *ended)));
    past.failed.sort_unstable();
    past.failed.dedup();
    past
}
