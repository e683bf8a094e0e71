//! Signs of other agents on the partners' servers: that the principal's agent lives (design 7.2,
//! row 16), and for which group it takes backups (row 10).
//!
//! Agents do not talk to each other. But each asks both partners, so its sessions show on both
//! servers, and each set that it takes stands in msdb of the server that it was taken on, under a
//! name that says for which group and by whom. Both are compared from look to look: that something
//! moved is a sign, however the clocks of servers and agents stand. What cannot be told is not
//! alarmed about.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::schedule::{KINDS, Rules, behind, last_until};
use crate::stamp::PRODUCT;
use crate::{AgentId, LocalTime, Moment};

/// How long a set that another group's agent took speaks for that group, in seconds: a full a day
/// renews it.
pub const SPEAKS: i64 = 25 * 3600;
/// Most databases of one server of which signs are remembered.
const MAX_DATABASES: usize = 10_000;

/// NAME of the sets that an agent takes for a group, as msdb and SQL Server's own tools show it.
#[must_use]
pub fn set_name(group: &str, agent: AgentId) -> String {
    format!("{PRODUCT} {group} {}", agent.0.simple())
}

/// Group and agent of a set by its NAME; `None` of sets that others took.
#[must_use]
pub fn of_set(name: &str) -> Option<(&str, AgentId)> {
    let (group, agent) = name
        .strip_prefix(PRODUCT)?
        .strip_prefix(' ')?
        .rsplit_once(' ')?;
    Some((group, agent.parse().ok()?)).filter(|(group, _)| !group.is_empty())
}

/// What a server shows of agents at one look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// When the sessions of each agent last asked anything, by the server's own clock; nothing
    /// where the login may not see the sessions of others.
    pub sessions: Option<BTreeMap<AgentId, Option<LocalTime>>>,
    /// Sets of agents that came into msdb since the last look, oldest first.
    pub sets: Vec<Taken>,
}

/// A set of an agent in msdb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its database.
    pub database: String,
    /// For which group.
    pub group: String,
    /// By which agent.
    pub agent: AgentId,
}

/// What is known of the agents on one server.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    /// Since when every look told.
    since: Option<Moment>,
    sessions: BTreeMap<AgentId, Option<LocalTime>>,
    /// When a session of another agent last moved.
    alive: Option<Moment>,
    /// The newest set of another agent, by the database's name in small letters.
    taken: BTreeMap<String, (Taken, Moment)>,
}

/// Whether the principal's agent lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Life {
    /// It was heard of within the time.
    Heard,
    /// It was not, and would have been seen.
    Silent,
    /// That cannot be told, or not yet.
    Unknown,
}

impl Presence {
    /// Takes in a look; `None` where nothing could be asked.
    pub fn hear(&mut self, traces: Option<&Traces>, ours: AgentId, now: Moment) {
        let sessions = traces.and_then(|traces| traces.sessions.as_ref());
        match sessions {
            // Who is not seen may be there.
            None => self.since = None,
            Some(seen) => {
                let other = |(agent, asked): (&AgentId, &Option<LocalTime>)| {
                    *agent != ours && self.sessions.get(agent) != Some(asked)
                };
                if self.since.is_some() && seen.iter().any(other) {
                    self.alive = Some(now);
                }
                self.sessions.clone_from(seen);
                self.since.get_or_insert(now);
            }
        }
        self.taken
            .retain(|_, (_, at)| now.0.saturating_sub(at.0) < SPEAKS);
        let sets = traces.into_iter().flat_map(|traces| &traces.sets);
        for set in sets.filter(|set| set.agent != ours) {
            let key = set.database.to_lowercase();
            if self.taken.len() < MAX_DATABASES || self.taken.contains_key(&key) {
                self.taken.insert(key, (set.clone(), now));
            }
        }
    }

    /// Whether an agent beside ours lives there, by its sessions or by a set of this database, with
    /// so many seconds of patience.
    #[must_use]
    pub fn life(&self, database: &str, patience: i64, now: Moment) -> Life {
        let Some(since) = self.since else {
            return Life::Unknown;
        };
        let set = self.taken.get(&database.to_lowercase()).map(|(_, at)| *at);
        let heard = self.alive.max(set);
        let within = |at: Moment| now.0.saturating_sub(at.0) < patience;
        match heard {
            Some(at) if within(at) => Life::Heard,
            _ if within(since) => Life::Unknown,
            _ => Life::Silent,
        }
    }

    /// The newest set that another agent took of this database while we looked.
    #[must_use]
    pub fn taken(&self, database: &str) -> Option<&Taken> {
        let found = self.taken.get(&database.to_lowercase());
        found.map(|(taken, _)| taken)
    }
}

/// Two intervals of the schedule's most frequent line around a moment, in seconds: so long the
/// principal's agent may be silent. The longer neighbour counts, so that a pause at night is none.
/// `None` without a schedule.
#[must_use]
pub fn patience(schedule: &Rules, now: Moment) -> Option<i64> {
    let cron = KINDS.iter().find_map(|kind| schedule.line(*kind))?;
    let zone = &schedule.zone;
    let mut slots = vec![last_until(cron, zone, now)?];
    slots.extend(behind(cron, zone, now).take(2));
    if let Some(first) = slots.first().copied() {
        slots.extend(last_until(cron, zone, Moment(first.0.saturating_sub(1))));
    }
    slots.sort_unstable();
    let pairs = slots.windows(2).filter_map(|pair| match pair {
        [from, to] => Some(to.0.saturating_sub(from.0)),
        _ => None,
    });
    pairs.max().map(|longest| longest.saturating_mul(2))
}

#[cfg(test)]
mod tests;
