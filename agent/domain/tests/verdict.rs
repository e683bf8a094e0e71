//! Did the backup succeed? One row per line of facts/vdi.md 3.7 as design 6 changed it.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use twinset_domain::verdict::{Evidence, History, Statement, Verdict, judge};

fn all_well() -> Evidence {
    Evidence {
        statement: Statement::Clean,
        history: History::Found,
        all_answered: true,
        all_closed: true,
        all_sealed: true,
        facts_agree: true,
    }
}

#[test]
fn a_clean_statement_that_msdb_knows_is_a_success() {
    assert_eq!(judge(&all_well()), Verdict::Success);
}

#[test]
fn error_3009_alone_is_a_success_with_a_warning() {
    let evidence = Evidence {
        statement: Statement::Error(3009),
        history: History::Absent,
        ..all_well()
    };
    assert_eq!(judge(&evidence), Verdict::SuccessHistoryMissing);
}

#[test]
fn any_other_error_after_every_answer_is_unconfirmed() {
    let evidence = Evidence {
        statement: Statement::Error(3202),
        ..all_well()
    };
    assert_eq!(judge(&evidence), Verdict::Unconfirmed);
}

#[test]
fn an_error_before_every_device_was_answered_is_a_failure() {
    let evidence = Evidence {
        statement: Statement::Error(3202),
        all_answered: false,
        ..all_well()
    };
    assert_eq!(judge(&evidence), Verdict::Failed);
}

#[test]
fn a_clean_statement_that_msdb_does_not_know_is_unconfirmed() {
    for history in [History::Absent, History::Unknown] {
        assert_eq!(
            judge(&Evidence {
                history,
                ..all_well()
            }),
            Verdict::Unconfirmed
        );
    }
}

#[test]
fn a_lost_connection_after_every_answer_is_unconfirmed() {
    let evidence = Evidence {
        statement: Statement::Lost,
        ..all_well()
    };
    assert_eq!(judge(&evidence), Verdict::Unconfirmed);
}

#[test]
fn a_device_that_did_not_close_or_facts_that_disagree_are_unconfirmed() {
    assert_eq!(
        judge(&Evidence {
            all_closed: false,
            ..all_well()
        }),
        Verdict::Unconfirmed
    );
    assert_eq!(
        judge(&Evidence {
            facts_agree: false,
            ..all_well()
        }),
        Verdict::Unconfirmed
    );
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let statement = prop_oneof![
        Just(Statement::Clean),
        Just(Statement::Lost),
        any::<u32>().prop_map(Statement::Error),
        Just(Statement::Error(3009)),
    ];
    let history = prop_oneof![
        Just(History::Found),
        Just(History::Absent),
        Just(History::Unknown)
    ];
    (statement, history, any::<[bool; 4]>()).prop_map(|(statement, history, flags)| Evidence {
        statement,
        history,
        all_answered: flags[0],
        all_closed: flags[1],
        all_sealed: flags[2],
        facts_agree: flags[3],
    })
}

proptest! {
    /// P2: nothing is a success unless everybody says so.
    #[test]
    fn success_means_agreed(evidence in evidence()) {
        let verdict = judge(&evidence);
        if matches!(verdict, Verdict::Success | Verdict::SuccessHistoryMissing) {
            prop_assert!(evidence.all_answered && evidence.all_sealed);
            prop_assert!(evidence.all_closed && evidence.facts_agree);
        }
    }

    /// P1: what SQL Server may believe to be safe is never thrown away.
    #[test]
    fn what_may_be_acknowledged_is_never_called_failed(evidence in evidence()) {
        if evidence.all_answered && evidence.all_sealed {
            prop_assert_ne!(judge(&evidence), Verdict::Failed);
        }
    }
}
