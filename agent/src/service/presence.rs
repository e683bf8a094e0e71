//! Row 16: whether the principal's agent lives, told by the agent that stands by.

use std::time::Duration;

use twinset_domain::presence::{Life, Traces, patience};
use twinset_domain::protection::{Event, Sight};
use twinset_domain::{Fault, Moment};

use super::jobs::Name;
use super::state::Service;
use crate::config::Group;

/// How often an instance is looked at for signs of other agents.
const EVERY: Duration = Duration::from_secs(60);
/// So many looks at least lie within the patience.
const LOOKS: u32 = 3;

/// How often the instances of a group are looked at; not at all where there is one partner.
pub(super) fn signs(group: &Group) -> Option<Duration> {
    let alert = group.failover.no_agent_alert.unwrap_or(EVERY * LOOKS);
    (group.partners.len() > 1).then(|| EVERY.min(alert / LOOKS))
}

/// Seconds for which the principal's agent may be silent; `None` where nothing says how often it
/// should be heard of.
fn seconds(group: &Group, now: Moment) -> Option<i64> {
    let schedule = group.schedule.as_ref()?;
    let whole = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    if let Some(alert) = group.failover.no_agent_alert {
        return Some(whole(alert));
    }
    Some(patience(schedule, now)?.max(whole(EVERY * LOOKS)))
}

impl Service {
    /// An instance was looked at.
    pub(super) fn traced(
        &mut self,
        instance: &str,
        traces: Option<&Traces>,
        now: Moment,
    ) -> Result<(), Fault> {
        // A watch that was ended may have looked once more.
        if !self.config.instances.contains_key(instance) {
            return Ok(());
        }
        let presence = self.presence.entry(instance.to_owned()).or_default();
        presence.hear(traces, self.agent, now);
        let names: Vec<Name> = self.members.keys().cloned().collect();
        for name in names {
            if let Some(event) = self.life(&name, instance, now) {
                self.event(&name, &event, now)?;
            }
        }
        self.look_at_pairs(now)
    }

    /// What follows for a database that this instance serves, and another agent backs up.
    fn life(&self, name: &Name, instance: &str, now: Moment) -> Option<Event> {
        let record = &self.members.get(name)?.record;
        let Sight::Principal { who, .. } = &record.sight else {
            return None;
        };
        let group = self.config.groups.get(&name.group)?;
        if who.by != instance || self.config.served(group)? == instance || record.orphaned {
            return None;
        }
        let life = self
            .presence
            .get(instance)?
            .life(&name.database, seconds(group, now)?, now);
        match life {
            Life::Silent if record.silent.is_none() => Some(Event::PartnerSilent),
            Life::Heard if record.silent.is_some() => Some(Event::PartnerHeard),
            Life::Silent | Life::Heard | Life::Unknown => None,
        }
    }
}
