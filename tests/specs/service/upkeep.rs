//! What the service does beside backups: retention behind fulls, the consistency check by schedule.

use serde_json::{Value, json};

use super::fast;
use crate::support::pair::{A, B, Pair, Setup};

fn keeps(retention: &'static str) -> Setup {
    Setup {
        group: retention,
        ..fast()
    }
}

const SHORT: &str = "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n[check]\nintegrity = \"none\"\n\
                     [schedule]\nfull = \"* * * * *\"\n\
                     [retention]\nwindow = \"1s\"\nshared_storage = false\nmax_drop = \"100%\"\n";
const NOTHING: &str = "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n[check]\n\
                       integrity = \"none\"\n[schedule]\nfull = \"* * * * *\"\n\
                       [retention]\nwindow = \"1s\"\nshared_storage = false\nmax_drop = \"0%\"\n";
const PARTNERS: &str = "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n[check]\n\
                        integrity = \"none\"\n[schedule]\nfull = \"* * * * *\"\n\
                        [retention]\nwindow = \"1s\"\nmax_drop = \"100%\"\n";

/// Three fulls, then the service takes one more; what it said until retention had ended.
fn served(retention: &'static str) -> Pair {
    let pair = Pair::of(&keeps(retention));
    serves(&pair);
    pair
}

fn serves(pair: &Pair) {
    for _ in 0..3 {
        pair.take(A, "full", &[]).ended(0);
    }
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("Expire"), "behind the full");
    assert!(a.says("has ended"));
    a.stop().ended(0);
}

#[track_caller]
fn states(pair: &Pair) -> Vec<String> {
    let sets = pair.sets(A, "payroll");
    sets.iter().map(|set| set.replace("full ", "")).collect()
}

#[track_caller]
fn alerts(pair: &Pair) -> Vec<Value> {
    let listed = pair.json(A, &["alerts", "list"]).ended(0).result();
    listed["open"].as_array().unwrap().clone()
}

#[test]
fn behind_a_full_goes_what_retention_lets_go() {
    let pair = served(SHORT);
    let states = states(&pair);
    assert_eq!(states.last().unwrap(), "published", "{states:?}");
    assert!(
        states.starts_with(&["dropped".into(), "dropped".into()]),
        "{states:?}"
    );
    assert!(alerts(&pair).is_empty());
}

#[test]
fn what_would_drop_too_much_is_an_alert_and_drops_nothing() {
    let pair = served(NOTHING);
    let states = states(&pair);
    assert!(
        states.iter().all(|state| state == "published"),
        "{states:?}"
    );
    let open = alerts(&pair);
    assert_eq!(open[0]["code"], "TW6031", "{open:?}");
    let message = open[0]["message"].to_string();
    assert!(message.contains("TW3032"), "{message}");
}

#[test]
fn what_the_partner_needs_not_goes_as_well() {
    let states = states(&served(PARTNERS));
    assert!(
        states.starts_with(&["dropped".into(), "dropped".into()]),
        "{states:?}"
    );
}

#[test]
fn what_may_be_needed_by_the_partners_sets_stays() {
    let pair = Pair::of(&keeps(PARTNERS));
    std::fs::rename(pair.path().join(B), pair.path().join("away")).unwrap();
    serves(&pair);
    let states = states(&pair);
    assert!(
        states.iter().all(|state| state == "published"),
        "{states:?}"
    );
    assert_eq!(json!(alerts(&pair)), json!([]));
}

#[test]
fn the_consistency_check_runs_by_schedule_and_backups_go_on() {
    let setup = keeps(
        "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n\
         [check]\nintegrity = \"none\"\nconsistency = \"* * * * *\"\n",
    );
    let pair = Pair::of(&setup);
    let mut a = pair.serve(A);
    assert!(a.says("Backup(Full)"));
    assert!(a.says("has ended"));
    assert!(a.says("by schedule"));
    assert!(a.says("\"protected\""), "and it passes");
    a.stop().ended(0);
}
