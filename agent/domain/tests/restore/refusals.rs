//! What is said when a point cannot be reached.

use twinset_domain::code;
use twinset_domain::restore::{Candidate, Goal};

use super::history::{at, fixture, lsn};

#[test]
fn before_the_first_point() {
    let fault = fixture().plan(Goal::Time(at("00:30"))).unwrap_err();
    insta::assert_snapshot!(fault);
}

#[test]
fn behind_the_last_point() {
    let fault = fixture().plan(Goal::Time(at("07:00"))).unwrap_err();
    insta::assert_snapshot!(fault);
}

#[test]
fn behind_a_gap() {
    let fault = fixture()
        .without("L3")
        .plan(Goal::Time(at("03:45")))
        .unwrap_err();
    insta::assert_snapshot!(fault);
}

#[test]
fn the_newest_set_is_lost() {
    let told = fixture().without("L5");
    let fault = told.plan_on(2, Goal::Latest).unwrap_err();
    insta::assert_snapshot!(fault);
}

#[test]
fn inside_a_log_with_bulk_changes() {
    let mut told = fixture();
    told.link("L3").bulk = true;
    let fault = told.plan(Goal::Time(at("03:15"))).unwrap_err();
    insta::assert_snapshot!(fault);
    // Its end is no stop.
    assert_eq!(told.to("04:00"), "F1 L1* L2* L3*");
}

#[test]
fn a_set_that_nothing_leads_to() {
    let told = fixture().without("F1").without("C1");
    let fault = told.plan(Goal::Set(told.place("L2"))).unwrap_err();
    insta::assert_snapshot!(fault);
}

#[test]
fn nothing_of_the_database() {
    let none: [Candidate; 0] = [];
    let wanted = fixture().wanted(Goal::Latest);
    let fault = twinset_domain::restore::plan(&wanted, &none).unwrap_err();
    assert_eq!(fault.code, code::NO_RESTORE_POINT);
    let mut told = fixture();
    told.sets.retain(|set| set.place == fixture().place("L1"));
    let fault = told.plan(Goal::Latest).unwrap_err();
    assert_eq!(fault.code, code::NO_RESTORE_POINT);
    let fault = told.plan_on(9, Goal::Latest).unwrap_err();
    assert_eq!(fault.code, code::CHAIN_FORK);
}

#[test]
fn a_record_before_everything() {
    let fault = fixture().plan(Goal::Lsn(lsn(90))).unwrap_err();
    assert_eq!(fault.code, code::POINT_UNREACHABLE);
    assert!(
        fault.remedy.contains(&format!("lsn:{}", lsn(140))),
        "{fault}"
    );
}
