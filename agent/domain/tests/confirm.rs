//! Is a sealed set without a verdict SQL Server's backup? One row per kind of evidence.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use twinset_domain::confirm::{Finding, Log, Sealed, Source, judge};
use twinset_domain::{BackupKind, Lsn, Position};
use uuid::Uuid;

fn lsn(n: u64) -> Lsn {
    n.to_string().parse().unwrap()
}

fn guid(n: u128) -> Option<Uuid> {
    Some(Uuid::from_u128(n))
}

fn sealed(kind: BackupKind) -> Sealed {
    Sealed {
        kind: Some(kind),
        set: guid(1),
        first_lsn: Some(lsn(100)),
        last_lsn: Some(lsn(200)),
        recovery_fork: guid(2),
        family_guid: guid(3),
        complete: true,
        maybe_copy_only: false,
    }
}

fn source() -> Source {
    Source {
        family_guid: guid(3),
        recovery_fork: guid(2),
        last_log_backup_lsn: Some(lsn(150)),
        bases: vec![guid(9), guid(9)],
        ..Source::default()
    }
}

fn later(first: u64, fork: u128) -> Vec<Log> {
    vec![Log {
        position: Position::new(7).unwrap(),
        first_lsn: lsn(first),
        recovery_fork: guid(fork),
    }]
}

const FULL: BackupKind = BackupKind::Full;
const LOG: BackupKind = BackupKind::Log;

fn at(kind: BackupKind, change: impl FnOnce(&mut Source)) -> Finding {
    let mut source = source();
    change(&mut source);
    judge(&sealed(kind), Some(&source), &[])
}

#[test]
fn each_kind_of_evidence() {
    let seven = Finding::LaterLog(Position::new(7).unwrap());
    let rows: Vec<(Finding, Finding)> = vec![
        (at(FULL, |s| s.in_history = true), Finding::History),
        (at(LOG, |s| s.in_history = true), Finding::History),
        (
            at(FULL, |s| s.bases = vec![guid(1), guid(1)]),
            Finding::DifferentialBase,
        ),
        // One file that was left out is no base of the whole.
        (at(FULL, |s| s.bases = vec![guid(1), None]), Finding::Open),
        (at(FULL, |s| s.bases = Vec::new()), Finding::Open),
        (at(FULL, |_| {}), Finding::Open),
        (
            at(LOG, |s| s.last_log_backup_lsn = Some(lsn(200))),
            Finding::LogChain,
        ),
        (
            at(LOG, |s| s.last_log_backup_lsn = Some(lsn(100))),
            Finding::NeverCounted,
        ),
        (
            at(LOG, |s| s.last_log_backup_lsn = Some(lsn(99))),
            Finding::NeverCounted,
        ),
        // Somewhere within it: nobody knows how it came there.
        (
            at(LOG, |s| s.last_log_backup_lsn = Some(lsn(150))),
            Finding::Open,
        ),
        (at(LOG, |s| s.last_log_backup_lsn = None), Finding::Open),
        (
            at(LOG, |s| {
                s.last_log_backup_lsn = Some(lsn(100));
                s.busy = true;
            }),
            Finding::Open,
        ),
        (
            at(LOG, |s| {
                s.last_log_backup_lsn = Some(lsn(200));
                s.recovery_fork = guid(8);
            }),
            Finding::Open,
        ),
        (
            at(FULL, |s| {
                s.bases = vec![guid(1)];
                s.family_guid = guid(8);
            }),
            Finding::Open,
        ),
        (judge(&sealed(LOG), None, &later(200, 2)), seven),
        (judge(&sealed(LOG), None, &later(200, 8)), Finding::Open),
        (judge(&sealed(LOG), None, &later(201, 2)), Finding::Open),
        (judge(&sealed(FULL), None, &later(200, 2)), Finding::Open),
        (judge(&sealed(LOG), Some(&source()), &later(200, 2)), seven),
    ];
    for (row, (found, expected)) in rows.into_iter().enumerate() {
        assert_eq!(found, expected, "row {row}");
    }
}

#[test]
fn a_stream_that_was_cut_off_or_may_be_copy_only_is_never_judged_away() {
    let mut cut = sealed(LOG);
    cut.complete = false;
    let mut source = source();
    source.last_log_backup_lsn = Some(lsn(200));
    assert_eq!(judge(&cut, Some(&source), &later(200, 2)), Finding::Open);
    let mut copy = sealed(LOG);
    copy.maybe_copy_only = true;
    source.last_log_backup_lsn = Some(lsn(100));
    assert_eq!(judge(&copy, Some(&source), &[]), Finding::Open);
}

proptest! {
    /// Without a server, and with a server of another fork, nothing is ever voided.
    #[test]
    fn nothing_is_voided_without_a_comparable_source(
        first in 1u64..50, last in 1u64..50, next in 1u64..50, fork in 1u128..4, asked in any::<bool>(),
    ) {
        let set = Sealed { first_lsn: Some(lsn(first)), last_lsn: Some(lsn(last)), ..sealed(LOG) };
        let source = Source {
            recovery_fork: guid(fork), last_log_backup_lsn: Some(lsn(next)), ..source()
        };
        let found = judge(&set, asked.then_some(&source), &[]);
        if found == Finding::NeverCounted {
            prop_assert!(asked && fork == 2 && next <= first);
        }
    }
}
