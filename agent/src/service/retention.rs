//! Retention by the service: `media expire` behind fulls, or by schedule.

use twinset_domain::alert::Severity;
use twinset_domain::schedule::last_until;
use twinset_domain::{Fault, Moment, code};

use super::jobs::{Job, Name};
use super::outcome::Outcome;
use super::state::Service;

impl Service {
    /// A full was published: what it makes dispensable may go.
    pub(super) fn expire_behind(&mut self, name: &Name, now: Moment) -> Result<(), Fault> {
        let group = self.config.groups.get(&name.group);
        let retention = group.and_then(|group| group.retention.as_ref());
        if retention.is_some_and(|retention| retention.at.is_none()) {
            self.expire(name, now)?;
        }
        Ok(())
    }

    /// Groups whose time has come: each slot since the service looks once.
    pub(super) fn expire_due(&mut self, now: Moment) -> Result<(), Fault> {
        let mut due = Vec::new();
        for group in self.config.groups.values() {
            let retention = group.retention.as_ref();
            let times = retention.and_then(|retention| retention.at.as_ref());
            let slot = times.and_then(|times| last_until(&times.cron, &times.zone, now));
            let served = self.expired.get(&group.name).copied().max(Some(self.awake));
            if let Some(slot) = slot.filter(|slot| Some(*slot) > served) {
                due.push((group.name.clone(), slot));
            }
        }
        for (group, slot) in due {
            let names = self.members.keys().filter(|name| name.group == group);
            for name in names.cloned().collect::<Vec<_>>() {
                self.expire(&name, now)?;
            }
            self.expired.insert(group, slot);
        }
        Ok(())
    }

    /// The media sets of a database, each by a process of its own. What was never formatted holds
    /// nothing.
    fn expire(&mut self, name: &Name, now: Moment) -> Result<(), Fault> {
        let Some(group) = self.config.groups.get(&name.group) else {
            return Ok(());
        };
        let mut jobs = Vec::new();
        for key in group.media_sets() {
            let set = self.config.media_set(key)?;
            let of = set.key_of(Some(&name.database));
            if self.catalog.media_set(&of)?.is_none() {
                continue;
            }
            let mut line = vec!["media".to_owned(), "expire".to_owned()];
            if set.per_database() {
                // In one word, and behind `--`: names may begin with a dash.
                line.push(format!("--database={}", name.database));
            }
            line.extend(["--".to_owned(), key.to_owned()]);
            jobs.push((of, line));
        }
        for job in jobs {
            self.jobs.expire(name.clone(), job, now);
        }
        Ok(())
    }

    /// Retention of a media set has ended: an alert when it failed or would drop too much, and the
    /// end of that alert when it did not.
    pub(super) fn expired(
        &mut self,
        job: &Job,
        (outcome, stopped): (&Outcome, bool),
        now: Moment,
    ) -> Result<(), Fault> {
        // What it dropped is read anew.
        self.mark = None;
        let key: String = job.keys.iter().cloned().collect();
        let object = format!("retention of media set {key}");
        let fault = match (outcome.fault(), &outcome.object) {
            (Some(fault), _) if fault.code == code::CANCELLED => return Ok(()),
            (Some(fault), _) => fault,
            (None, Some(_)) => return self.over(code::RETENTION_FAILED, &object, now),
            (None, None) if stopped => return Ok(()),
            (None, None) => {
                let message = "its process ended without a result";
                Fault::new(code::INTERNAL, object.clone(), message)
                    .remedy("look into the log; the next run goes on")
            }
        };
        let message = format!("{} {}: {}", fault.code, fault.object, fault.message);
        let raised = Fault::new(code::RETENTION_FAILED, object, message);
        let raised = fault.causes.iter().fold(raised, Fault::cause);
        let raised = raised.remedy(&fault.remedy);
        self.put(&raised, Severity::Warning, Some(&job.of), now)
    }
}
