//! Histories as SQL Server writes them: one line of sets over one or more databases.

use std::collections::BTreeMap;

use twinset_domain::recover::SetState;
use twinset_domain::retention::{
    Accepted, Limits, Part, Place, Plan, Policy, Question, Rule, Subject, plan,
};
use twinset_domain::{BackupKind, Lsn, Moment, Position};
use uuid::Uuid;

pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 24 * HOUR;
/// 2026-01-01, a Thursday.
pub(crate) const START: i64 = 1_767_225_600;

#[derive(Clone, Default)]
struct Database {
    lsn: u128,
    fork: u128,
    full: Option<(Uuid, Lsn)>,
    log_from: Option<Lsn>,
}

/// A history that is written set by set.
#[derive(Clone)]
pub(crate) struct History {
    pub(crate) sets: Vec<Subject>,
    pub(crate) now: i64,
    databases: BTreeMap<String, Database>,
}

fn guid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            sets: Vec::new(),
            now: START,
            databases: BTreeMap::new(),
        }
    }

    pub(crate) fn wait(&mut self, seconds: i64) -> &mut Self {
        self.now += seconds;
        self
    }

    /// The database was brought back to an earlier time and lives on as another branch.
    pub(crate) fn fork(&mut self, database: &str) -> &mut Self {
        let state = self.databases.entry(database.to_owned()).or_default();
        state.fork += 1;
        state.full = None;
        state.log_from = None;
        self
    }

    pub(crate) fn full(&mut self, database: &str) -> &mut Self {
        self.add(database, BackupKind::Full, false)
    }

    pub(crate) fn copy_only(&mut self, database: &str) -> &mut Self {
        self.add(database, BackupKind::Full, true)
    }

    pub(crate) fn differential(&mut self, database: &str) -> &mut Self {
        self.add(database, BackupKind::Differential, false)
    }

    pub(crate) fn log(&mut self, database: &str) -> &mut Self {
        self.add(database, BackupKind::Log, false)
    }

    pub(crate) fn last(&mut self) -> &mut Subject {
        self.sets.last_mut().unwrap()
    }

    fn add(&mut self, database: &str, kind: BackupKind, copy_only: bool) -> &mut Self {
        let number = self.sets.len() as u64 + 1;
        let family = 1 + database
            .bytes()
            .fold(0, |sum, byte| sum * 256 + u128::from(byte));
        let state = self.databases.entry(database.to_owned()).or_default();
        let begun = Lsn(state.lsn + 10);
        state.lsn += 100;
        let end = Lsn(state.lsn);
        let mut part = Part {
            kind: Some(kind),
            set: Some(guid(number.into())),
            copy_only,
            family: Some(guid(family << 64)),
            fork: Some(guid(state.fork + 1)),
            first: Some(begun),
            last: Some(end),
            checkpoint: Some(begun),
            ..Part::default()
        };
        match kind {
            BackupKind::Full if !copy_only => {
                state.full = Some((guid(number.into()), begun));
                state.log_from.get_or_insert(begun);
            }
            BackupKind::Full => {}
            BackupKind::Differential => {
                part.base = state.full.map(|(guid, _)| guid);
                part.base_checkpoint = state.full.map(|(_, lsn)| lsn);
            }
            BackupKind::Log => part.first = Some(state.log_from.replace(end).unwrap_or(begun)),
        }
        self.sets.push(Subject {
            place: Place {
                media_set: "payroll".into(),
                position: Position::new(number).unwrap(),
            },
            state: SetState::Published,
            database: Some(database.to_owned()),
            kind: Some(kind),
            parts: vec![part],
            new_branch: false,
            began: Moment(self.now),
            ended: Moment(self.now + 60),
            bytes: 1 << 20,
            mirrors: 2,
            least: 2,
            policies: vec![0],
        });
        self
    }

    pub(crate) fn plan(&self, limits: Limits) -> Plan {
        self.plan_at(limits, self.now, None)
    }

    pub(crate) fn plan_at(&self, limits: Limits, now: i64, accepted: Option<Accepted>) -> Plan {
        let policies = [Policy {
            group: "payroll".into(),
            rule: Rule::Limits(limits),
        }];
        plan(&Question {
            media_set: "payroll",
            sets: &self.sets,
            policies: &policies,
            holds: &[],
            locks: &BTreeMap::new(),
            now: Moment(now),
            accepted,
        })
    }
}

pub(crate) fn window(days: i64) -> Limits {
    Limits {
        window: Some(days * DAY),
        max_drop_percent: 25,
        ..Limits::default()
    }
}

/// The plan as a reviewer reads it: one line for each set.
pub(crate) fn text(plan: &Plan) -> String {
    let line = |set: &twinset_domain::retention::Judged| {
        let reasons: Vec<String> = set.reasons.iter().map(ToString::to_string).collect();
        let word = if set.drop { "drop" } else { "keep" };
        let kind = set.kind.map_or("-".into(), |kind| kind.to_string());
        format!("{} {kind} {word}: {}", set.position, reasons.join("; "))
    };
    plan.sets.iter().map(line).collect::<Vec<_>>().join("\n")
}
