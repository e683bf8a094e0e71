//! What the shared catalog says of all agents, put together by replica.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use super::HEARTBEAT;
use crate::alert::Severity;
use crate::{AgentId, BackupKind, Exit, Moment};

/// Seconds behind which an agent that tells nothing is silent: three of its signs of life.
pub const SILENCE: i64 = 3 * HEARTBEAT;

/// An agent, as the shared catalog heard of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgentSeen {
    /// Its id.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// Its release.
    pub release: String,
    /// When it was heard last, by the clock of the shared catalog.
    pub heard: Moment,
}

/// A protected database, as one agent sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberSeen {
    /// The agent.
    #[serde(skip)]
    pub agent: AgentId,
    /// Its name.
    #[serde(rename = "agent")]
    pub name: String,
    /// The group.
    pub group: String,
    /// The database.
    #[serde(skip)]
    pub database: String,
    /// Its family, as far as it is known.
    #[serde(skip)]
    pub family: Option<Uuid>,
    /// One word.
    pub state: String,
    /// The same in words.
    pub text: String,
    /// The principal serves without its partner.
    pub exposed: bool,
}

/// The newest backup of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastSeen {
    /// Its family, as far as it is known.
    #[serde(skip)]
    pub family: Option<Uuid>,
    /// The database, as it was named then.
    #[serde(skip)]
    pub database: String,
    /// Its kind.
    pub kind: BackupKind,
    /// When it began.
    pub began: Option<Moment>,
    /// The agent that holds it.
    #[serde(skip)]
    pub agent: AgentId,
    /// That agent's name.
    #[serde(rename = "agent")]
    pub name: String,
    /// Key of the media set in that agent's configuration.
    pub media_set: String,
    /// Its position there.
    pub position: u64,
}

/// An open alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlertSeen {
    /// Name of the agent.
    pub agent: String,
    /// Its code.
    pub code: String,
    /// What it is about.
    pub object: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do now.
    pub remedy: String,
    /// Since when.
    pub since: Moment,
}

/// All of it at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Agents.
    pub agents: Vec<AgentSeen>,
    /// Protected databases.
    pub members: Vec<MemberSeen>,
    /// The newest backups.
    pub last: Vec<LastSeen>,
    /// Open alerts.
    pub alerts: Vec<AlertSeen>,
}

/// Whether somebody protects a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guarded {
    /// An agent protects it now.
    Protected,
    /// Agents mean it, and none protects it now.
    NotNow,
    /// There are backups of it, and no agent means it: an import, or a database that was let go.
    Nobody,
}

/// An agent in the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgentLine {
    /// The agent.
    #[serde(flatten)]
    pub seen: AgentSeen,
    /// It has told nothing for long.
    pub silent: bool,
}

/// A replica in the report: one database, wherever copies of it are served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replica {
    /// Its family; nothing where nobody could read it.
    pub family: Option<Uuid>,
    /// Its name.
    pub database: String,
    /// Whether somebody protects it.
    pub guarded: Guarded,
    /// Who means it, and how it stands there.
    pub members: Vec<MemberSeen>,
    /// The newest backup of each kind.
    pub last: Vec<LastSeen>,
}

/// The whole report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// When, by the clock of the shared catalog.
    pub now: Moment,
    /// Agents, by name.
    pub agents: Vec<AgentLine>,
    /// Replicas, by name.
    pub databases: Vec<Replica>,
    /// Open alerts, the worst first, then the newest.
    pub alerts: Vec<AlertSeen>,
}

impl Report {
    /// Puts together what belongs together: by family, never by the name of a server.
    #[must_use]
    pub fn of(seen: Seen, now: Moment) -> Self {
        // What has no family belongs to the agent that tells of it, under its name.
        type Key = (Option<Uuid>, Option<(AgentId, String)>);
        fn key(family: Option<Uuid>, agent: AgentId, name: &str) -> Key {
            match family {
                Some(family) => (Some(family), None),
                None => (None, Some((agent, name.to_lowercase()))),
            }
        }
        let mut all: BTreeMap<Key, Replica> = BTreeMap::new();
        let empty = |family, database: &str| Replica {
            family,
            database: database.to_owned(),
            guarded: Guarded::Nobody,
            members: Vec::new(),
            last: Vec::new(),
        };
        for last in seen.last {
            let key = key(last.family, last.agent, &last.database);
            let line = all
                .entry(key)
                .or_insert_with(|| empty(last.family, &last.database));
            // The newest backup knows the name of today best.
            if line.last.iter().all(|other| other.began <= last.began) {
                line.database.clone_from(&last.database);
            }
            line.last.push(last);
        }
        for member in seen.members {
            let key = key(member.family, member.agent, &member.database);
            let line = all
                .entry(key)
                .or_insert_with(|| empty(member.family, &member.database));
            line.guarded = match (line.guarded, member.state.as_str()) {
                (_, "protected") | (Guarded::Protected, _) => Guarded::Protected,
                _ => Guarded::NotNow,
            };
            // Who protects it knows its name of today.
            line.database.clone_from(&member.database);
            line.members.push(member);
        }
        let mut databases: Vec<Replica> = all.into_values().collect();
        databases.sort_by_cached_key(|line| (line.database.to_lowercase(), line.family));
        let agents = seen.agents.into_iter().map(|seen| AgentLine {
            silent: now.0.saturating_sub(seen.heard.0) > SILENCE,
            seen,
        });
        let mut agents: Vec<AgentLine> = agents.collect();
        agents.sort_by(|a, b| (&a.seen.name, a.seen.agent).cmp(&(&b.seen.name, b.seen.agent)));
        let mut alerts = seen.alerts;
        alerts.sort_by_key(|alert| std::cmp::Reverse((alert.severity, alert.since)));
        Self {
            now,
            agents,
            databases,
            alerts,
        }
    }

    /// How the process ends: degraded when an agent is silent, a database that is meant is not
    /// protected now or served without its partner, or an alert above `info` is open.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let silent = self.agents.iter().any(|agent| agent.silent);
        let open = self.databases.iter().any(|line| {
            line.guarded == Guarded::NotNow || line.members.iter().any(|one| one.exposed)
        });
        let alerts = self.alerts.iter();
        let bad = alerts
            .filter(|alert| alert.severity > Severity::Info)
            .count();
        match silent || open || bad > 0 {
            true => Exit::Degraded,
            false => Exit::Done,
        }
    }
}
