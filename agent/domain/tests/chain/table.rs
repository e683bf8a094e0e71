//! One test per situation.

use BackupKind::{Differential, Full, Log};
use twinset_domain::chain::{Bridge, Foreign, Reason, endangered, judge};
use twinset_domain::{BackupKind, Lsn, Moment};

use super::world::{guid, held, is, on, question, usual};

#[test]
fn a_chain_that_goes_on() {
    is(&question(Log, 300, 1, usual()), "log");
    is(&question(Differential, 300, 1, usual()), "differential");
    is(&question(Full, 300, 1, usual()), "full");
}

#[test]
fn a_database_without_anything() {
    let mut nothing = question(Log, 100, 1, Vec::new());
    is(&nothing, "full");
    nothing.source.next_log = None;
    is(&nothing, "full");
    nothing.wanted.copy_only = true;
    is(&nothing, "refuse");
    nothing.wanted.copy_only = false;
    nothing.wanted.kind = Differential;
    nothing.source.bases = vec![None];
    // Nothing was broken, so nothing is refused either.
    nothing.bridge = Bridge::Refuse;
    is(&nothing, "full");
}

#[test]
fn pseudo_simple_begins_anew() {
    let mut question = question(Log, 300, 1, usual());
    question.source.next_log = None;
    is(&question, "full");
}

#[test]
fn a_foreign_log_is_bridged_as_the_group_says() {
    let mut question = question(Log, 400, 1, usual());
    is(&question, "differential");
    question.bridge = Bridge::Full;
    is(&question, "full");
    question.bridge = Bridge::Refuse;
    is(&question, "refuse");
    // Where the base is not held, a differential would be worth nothing.
    question.bridge = Bridge::Differential;
    question.source.bases = vec![Some(guid(99))];
    is(&question, "full");
}

#[test]
fn behind_the_bridge_logs_go_on() {
    let mut sets = usual();
    sets.push(on(1, held(4, Differential, 410, 440)));
    is(&question(Log, 400, 1, sets.clone()), "log");
    // The differential is worth as much as the full under it.
    sets[0].sound = false;
    is(&question(Log, 400, 1, sets), "full");
}

#[test]
fn simple_and_master() {
    let mut question = question(Log, 300, 1, usual());
    question.source.is_simple = true;
    question.source.next_log = None;
    is(&question, "skip");
    question.wanted.tail = true;
    is(&question, "refuse");
    question.wanted.tail = false;
    question.wanted.kind = Differential;
    is(&question, "differential");
    question.source.is_master = true;
    is(&question, "full");
    question.wanted.kind = Log;
    is(&question, "skip");
}

#[test]
fn a_machine_that_was_rolled_back() {
    is(&question(Log, 200, 1, usual()), "refuse");
    is(&question(Differential, 200, 1, usual()), "refuse");
    is(&question(Full, 200, 1, usual()), "full!");
    assert!(matches!(
        judge(&question(Log, 200, 1, usual())).reason,
        Reason::RolledBack {
            ends: Lsn(300),
            next: Lsn(200)
        }
    ));
    // Behind the mark the chain goes on, and what was before counts no more.
    let mut sets = usual();
    let mut branch = held(4, Full, 205, 230);
    branch.new_branch = true;
    sets.push(branch);
    is(&question(Log, 200, 4, sets.clone()), "log");
    is(
        &question(Differential, 200, 4, sets.clone()),
        "differential",
    );
    is(&question(Full, 200, 4, sets.clone()), "full");
    // A differential on a full before the mark is no base any more.
    is(&question(Differential, 200, 1, sets), "full");
}

#[test]
fn another_fork_begins_with_a_full() {
    let mut question = question(Log, 300, 1, usual());
    question.source.fork = Some(guid(77));
    is(&question, "full");
    question.wanted.kind = Differential;
    is(&question, "full");
    question.bridge = Bridge::Refuse;
    is(&question, "refuse");
    // Another database of the same name has nothing here.
    question.bridge = Bridge::Differential;
    question.source.family = Some(guid(78));
    question.wanted.kind = Log;
    is(&question, "full");
}

#[test]
fn a_differential_needs_its_base_here() {
    is(&question(Differential, 300, 9, usual()), "full");
    let mut many = question(Differential, 300, 1, usual());
    many.source.bases = vec![Some(guid(1)), Some(guid(2))];
    is(&many, "full");
    let mut copy = usual();
    copy[0].copy_only = true;
    is(&question(Differential, 300, 1, copy), "full");
    let mut lost = usual();
    lost[0].sound = false;
    is(&question(Differential, 300, 1, lost), "full");
}

#[test]
fn a_set_without_a_verdict_counts_when_the_source_stands_on_it() {
    let mut sets = usual();
    sets[2].confirmed = false;
    is(&question(Log, 300, 1, sets.clone()), "log");
    // It never counted: the chain goes on from the log before it, and nothing was rolled back.
    is(&question(Log, 200, 1, sets), "log");
}

#[test]
fn copies_and_tails_are_taken_as_they_are() {
    let mut question = question(Log, 400, 1, usual());
    question.wanted.copy_only = true;
    is(&question, "log");
    question.wanted.copy_only = false;
    question.wanted.tail = true;
    is(&question, "log");
}

#[test]
fn foreign_logs_that_reach_behind_ours_endanger_what_they_hold() {
    let foreign = |n: u64, kind, first, last, copy_only| Foreign {
        set: guid(n),
        kind,
        copy_only,
        first: Some(Lsn(first)),
        last: Some(Lsn(last)),
        finished: None,
        device: Some("D:\\b\\x.trn".into()),
        name: Some("Nightly".into()),
        user: Some("sa".into()),
    };
    let question = question(Log, 400, 50, usual());
    let all = vec![
        foreign(50, Full, 310, 320, false),
        foreign(51, Full, 310, 320, true),
        foreign(52, Log, 300, 400, false),
        foreign(53, Log, 300, 390, true),
        foreign(54, Log, 80, 200, false),
        foreign(55, Differential, 350, 360, false),
    ];
    let found = endangered(all, &question);
    let named: Vec<_> = found.iter().map(|one| (one.by.set, one.behind)).collect();
    assert_eq!(named, [(guid(50), None), (guid(52), Some(Moment(180)))]);
    assert_eq!(
        found[1].by.described(),
        "log backup in D:\\b\\x.trn, set \"Nightly\", login sa"
    );
}
