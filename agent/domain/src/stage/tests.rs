#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

const ENDS: [Ended; 6] = [
    Ended::Clean,
    Ended::HistoryFailed,
    Ended::Failed,
    Ended::FailedWithoutHistory,
    Ended::Gone,
    Ended::MayRun,
];
const HISTORIES: [History; 3] = [History::Found, History::Absent, History::Unknown];
const STREAMS: [Stream; 3] = [Stream::Complete, Stream::Incomplete, Stream::Hidden];

fn every() -> impl Iterator<Item = Evidence> {
    ENDS.into_iter().flat_map(|ended| {
        HISTORIES.into_iter().flat_map(move |history| {
            STREAMS.into_iter().map(move |stream| Evidence {
                ended,
                history,
                stream,
            })
        })
    })
}

#[test]
fn what_sql_server_may_count_is_never_discarded() {
    for evidence in every().filter(|e| judge(e) == Fate::Discard) {
        assert_ne!(evidence.history, History::Found, "{evidence:?}");
        assert_ne!(evidence.stream, Stream::Complete, "{evidence:?}");
        let counted = [Ended::Clean, Ended::HistoryFailed, Ended::MayRun];
        assert!(!counted.contains(&evidence.ended), "{evidence:?}");
        let silent = evidence.ended == Ended::Gone && evidence.history == History::Unknown;
        assert!(!silent, "{evidence:?}");
    }
}

#[test]
fn success_needs_sql_servers_word() {
    for evidence in every() {
        match judge(&evidence) {
            Fate::TakeIn(Verdict::Success) => {
                assert_eq!(evidence.history, History::Found, "{evidence:?}");
                assert_ne!(evidence.stream, Stream::Incomplete, "{evidence:?}");
            }
            Fate::TakeIn(Verdict::SuccessHistoryMissing) => {
                assert_eq!(evidence.ended, Ended::HistoryFailed, "{evidence:?}");
            }
            Fate::TakeIn(verdict) => assert_eq!(verdict, Verdict::Unconfirmed, "{evidence:?}"),
            Fate::Discard | Fate::Keep(_) => {}
        }
    }
}

#[test]
fn what_is_not_whole_is_never_taken_in() {
    for evidence in every().filter(|e| e.stream == Stream::Incomplete) {
        assert!(!matches!(judge(&evidence), Fate::TakeIn(_)), "{evidence:?}");
    }
}

#[test]
fn the_rows_that_matter() {
    let fate = |ended, history, stream| {
        judge(&Evidence {
            ended,
            history,
            stream,
        })
    };
    use {Ended as E, History as H, Stream as S};
    // A clean statement whose row is missing: somebody cleans msdb, or the file is not ours.
    let unconfirmed = Fate::TakeIn(Verdict::Unconfirmed);
    assert_eq!(fate(E::Clean, H::Absent, S::Complete), unconfirmed);
    // The agent died in the middle, the server has ended the statement.
    assert_eq!(fate(E::Gone, H::Absent, S::Incomplete), Fate::Discard);
    assert_eq!(
        fate(E::Gone, H::Absent, S::Hidden),
        Fate::Keep(Why::NoProof)
    );
    // Error after the last byte, with a history that could not be written.
    assert_eq!(
        fate(E::FailedWithoutHistory, H::Absent, S::Complete),
        unconfirmed
    );
    let kept = Fate::Keep(Why::NoProof);
    assert_eq!(fate(E::FailedWithoutHistory, H::Absent, S::Hidden), kept);
    assert_eq!(fate(E::Failed, H::Absent, S::Hidden), Fate::Discard);
    assert_eq!(
        fate(E::MayRun, H::Absent, S::Complete),
        Fate::Keep(Why::StillWritten)
    );
}

#[test]
fn room_is_judged_by_the_last_backup_and_doubted_by_size() {
    assert_eq!(room(Estimate::LastBackup(1000), 1100), Room::Enough);
    assert!(matches!(
        room(Estimate::LastBackup(1000), 1099),
        Room::TooLittle(_)
    ));
    assert_eq!(room(Estimate::Allocated(1000), 1000), Room::Enough);
    assert!(matches!(
        room(Estimate::Allocated(1000), 999),
        Room::Doubtful(_)
    ));
    assert_eq!(room(Estimate::Unknown, 0), Room::Enough);
    assert!(matches!(
        room(Estimate::LastBackup(u64::MAX), 1),
        Room::TooLittle(_)
    ));
}
