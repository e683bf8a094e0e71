//! The statements of a chain.

use twinset_domain::BackupKind;
use twinset_domain::restore::{Plan, Stop};
use twinset_format::manifest::Facts;

use super::stream::{has_checksums, transfer};
use crate::sqlserver::statement::{Medium, Move, Recovery, RestoreStatement};

/// What all statements of one chain share.
pub(super) struct Chain<'a> {
    /// The sets, and where to stop.
    pub(super) plan: &'a Plan,
    /// Name under which it is restored.
    pub(super) name: &'a str,
    /// Leave it RESTORING.
    pub(super) norecovery: bool,
    /// Take the place of a database whose log is given up.
    pub(super) replace: bool,
    /// Per set, the files that no set before it has.
    pub(super) moves: &'a [Vec<Move>],
}

/// The statement of one set, counted from 0.
///
/// Every log is told the point, the last set opens the database. Where the point is a mark, any log
/// may be the last: each is told to open it, and SQL Server leaves it RESTORING until the mark was
/// found (facts/sqlserver.md 3.4, 4329).
pub(super) fn statement(
    chain: &Chain<'_>,
    number: usize,
    devices: Vec<Medium>,
    facts: &Facts,
) -> RestoreStatement {
    let step = chain.plan.steps.get(number);
    let stop = chain
        .plan
        .stop
        .as_ref()
        .filter(|_| step.is_some_and(|step| step.stops));
    let last = number + 1 == chain.plan.steps.len() || matches!(stop, Some(Stop::Mark { .. }));
    RestoreStatement {
        database: chain.name.to_owned(),
        kind: step
            .and_then(|step| step.set.kind)
            .unwrap_or(BackupKind::Full),
        devices,
        moves: chain.moves.get(number).cloned().unwrap_or_default(),
        replace: chain.replace && number == 0,
        recovery: if last && !chain.norecovery {
            Recovery::Recovery
        } else {
            Recovery::NoRecovery
        },
        checksum: has_checksums(facts),
        over_damage: facts.over_damage,
        transfer: transfer(facts),
        stop: stop.cloned(),
    }
}
