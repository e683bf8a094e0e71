//! The expected plans of the worked fixture, row by row (facts/sqlserver.md 5.4).

use twinset_domain::code;
use twinset_domain::restore::Goal;

use super::history::{at, fixture, guid, lsn};

const G1: u128 = 1;
const G2: u128 = 2;

#[track_caller]
fn on(fork: u128, time: &str) -> String {
    let told = fixture();
    match told.plan_on(fork, Goal::Time(at(time))) {
        Ok(plan) => told.names(&plan),
        Err(fault) => fault.code.to_string(),
    }
}

#[test]
fn before_the_forks_part_both_paths_agree() {
    assert_eq!(on(G1, "03:15"), "F1 L1* L2* L3*");
    assert_eq!(on(G2, "03:15"), "F1 L1* L2* L3*");
}

#[test]
fn the_newest_data_before_the_time_are_taken() {
    assert_eq!(on(G1, "04:40"), "F1 D1 L4*");
    assert_eq!(on(G1, "04:50"), "C1 L4*");
    assert_eq!(on(G1, "05:00"), "C1 L4*");
}

#[test]
fn the_current_path_leads_around_the_abandoned_log() {
    assert_eq!(on(G2, "05:45"), "C1 L5*");
    let plan = fixture().plan(Goal::Time(at("05:45"))).unwrap();
    let positions = |places: &[twinset_domain::restore::Place]| -> Vec<u64> {
        places.iter().map(|place| place.position.get()).collect()
    };
    // C1 ends before the forks part: it is on both. F1, D1, L5 is the way round.
    assert_eq!(positions(&plan.alternatives[0]), [1, 5, 8]);
    assert_eq!(plan.path.end(), Some(guid(G2)));
    assert_eq!(plan.forks.len(), 1);
    assert_eq!((plan.forks[0].fork, plan.forks[0].sets), (guid(G1), 1));
}

#[test]
fn the_abandoned_path_ends_where_its_last_log_ends() {
    let fault = fixture().plan_on(G1, Goal::Time(at("05:45"))).unwrap_err();
    assert_eq!(fault.code, code::POINT_UNREACHABLE);
    let text = fault.to_string();
    assert!(text.contains("before it: 2026-11-21T05:00:00Z"), "{text}");
    assert!(text.contains(&guid(G2).to_string()), "{text}");
}

#[test]
fn a_log_that_is_lost_leaves_a_gap_with_a_name() {
    let told = fixture().without("L3");
    let fault = told.plan(Goal::Time(at("03:45"))).unwrap_err();
    assert_eq!(fault.code, code::CHAIN_GAP);
    let text = fault.to_string();
    assert!(text.contains(&format!("LSN {}", lsn(300))), "{text}");
    assert!(
        text.contains("position 4 (log): family 1 is on no mirror"),
        "{text}"
    );
    assert!(text.contains("before it: 2026-11-21T03:00:00Z"), "{text}");
    assert!(text.contains("behind it: 2026-11-21T04:30:00Z"), "{text}");
    // What lies before the gap still restores.
    assert_eq!(told.to("02:59"), "F1 L1* L2*");
}

#[test]
fn a_differential_bridges_a_gap() {
    let told = fixture().without("L3");
    for (time, expected) in [
        ("04:50", "C1 L4*"),
        ("05:00", "C1 L4*"),
        ("04:40", "F1 D1 L4*"),
    ] {
        let plan = told.plan_on(G1, Goal::Time(at(time))).unwrap();
        assert_eq!(told.names(&plan), expected);
        assert_eq!(plan.gaps.len(), 1);
        assert_eq!(plan.gaps[0].from, lsn(300));
    }
}

#[test]
fn a_differential_of_an_unknown_base_is_not_used() {
    let mut told = fixture();
    told.link("D1").base = Some(guid(77));
    let plan = told.plan_on(G1, Goal::Time(at("04:40"))).unwrap();
    assert_eq!(told.names(&plan), "F1 L1* L2* L3* L4*");
    let text = plan.warnings.join("\n");
    assert!(
        text.contains("position 5 (differential) is not used"),
        "{text}"
    );
}

#[test]
fn logs_of_two_forks_never_follow_each_other() {
    let told = fixture();
    // L5 behind L3 is right, behind L4 it would be 4330.
    let plan = told.without("C1").without("D1").plan(Goal::Latest).unwrap();
    assert_eq!(told.names(&plan), "F1 L1 L2 L3 L5");
    assert_eq!(
        told.names(&told.plan_on(G1, Goal::Latest).unwrap()),
        "C1 L4"
    );
    assert_eq!(told.names(&told.plan(Goal::Latest).unwrap()), "C1 L5");
}
