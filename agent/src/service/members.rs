//! Which databases are protected, and what is remembered of each.

use std::collections::{BTreeMap, BTreeSet};

use twinset_domain::protection::{Event, Record, Rules};
use twinset_domain::schedule::Past;
use twinset_domain::{BackupKind, Moment};

use super::jobs::Name;
use crate::config::{Group, TopologyChange};
use crate::sqlserver::partners::Told;

/// A protected database.
#[derive(Debug)]
pub(super) struct Member {
    /// The state of its protection.
    pub(super) record: Record,
    /// What ran of each kind, for its schedule.
    pub(super) past: BTreeMap<BackupKind, Past>,
    /// Tries that failed before their intent was in the catalog: begin and end.
    pub(super) early: Vec<(BackupKind, Moment, Moment)>,
    /// The simple recovery model, or master: no log backups.
    pub(super) logless: bool,
    /// It is in an availability group.
    pub(super) grouped: bool,
    /// Both seem to claim the role: which partners were heard since. The answers are not of one
    /// moment, so each must say it once more.
    pub(super) doubt: BTreeSet<String>,
    /// No integrity check begins before then, whatever is due.
    pub(super) rests: Moment,
    /// The slot of the consistency check by schedule that ran last.
    pub(super) daily: Option<Moment>,
    /// A backup met a damaged page, and nobody looked since.
    pub(super) suspect: bool,
    /// A refusal that was logged already, so that it is not at every tick.
    pub(super) refused: Option<String>,
}

impl Member {
    /// Of a record.
    pub(super) const fn of(record: Record) -> Self {
        Self {
            record,
            past: BTreeMap::new(),
            early: Vec::new(),
            logless: false,
            grouped: false,
            doubt: BTreeSet::new(),
            rests: Moment(0),
            daily: None,
            suspect: false,
            refused: None,
        }
    }
}

/// What a group says, as the state machine takes it. `grouped`: the database is in an availability
/// group, where no check waits.
pub(super) fn rules(group: &Group, grouped: bool) -> Rules {
    let failover = &group.failover;
    let seconds = |span: std::time::Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    let follow = group.profile == crate::config::Profile::Follow;
    let base = if follow { Rules::FOLLOW } else { Rules::DPM };
    let default = if grouped { 0 } else { base.check_delay };
    Rules {
        check_delay: failover.check_delay.map_or(default, seconds),
        check_first: failover.check_before_backup,
        follow_topology: failover.on_topology_change == TopologyChange::Continue,
        go_on_in_split: group.allowed().split,
        no_principal_alert: seconds(failover.no_principal_alert),
    }
}

/// The databases that a group means: those it names, and those of its patterns that a partner has.
pub(super) fn meant(group: &Group, heard: &BTreeMap<String, Told>) -> Vec<String> {
    let told = group.partners.iter().filter_map(|name| heard.get(name));
    let there = told
        .flat_map(|told| &told.databases)
        .filter(|database| database.source_database_id.is_none());
    group
        .databases
        .meant(there.map(|database| database.name.as_str()))
}

/// Whether a change of who is meant can be told: every partner was heard, or all are named.
pub(super) fn is_sure(group: &Group, heard: &BTreeMap<String, Told>) -> bool {
    group.databases.is_literal() || group.partners.iter().all(|name| heard.contains_key(name))
}

/// What happens to the members when the groups mean these databases.
pub(super) fn changes(
    members: &BTreeMap<Name, Member>,
    meant: &BTreeSet<Name>,
    unsure: &BTreeSet<String>,
) -> Vec<(Name, Event)> {
    let mut events = Vec::new();
    for (name, member) in members {
        let means = meant.contains(name);
        if member.record.orphaned && means {
            events.push((name.clone(), Event::Matched));
        } else if !member.record.orphaned && !means && !unsure.contains(&name.group) {
            events.push((name.clone(), Event::Orphaned));
        }
    }
    events
}
