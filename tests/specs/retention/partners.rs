//! Two partners, each with media of its own: what the one wrote keeps what the other holds.

use std::fs;

use serde_json::Value;

use super::lines;
use crate::support::pair::{A, B, Pair, Setup};

const LATER: &str = "2031-01-01T00:00:00Z";

/// A full and a log by the one agent, a log by the other, a full by the first again.
fn pair() -> Pair {
    let mut pair = Pair::of(&Setup {
        group: "[retention]\nwindow = \"1s\"\nmax_drop = \"100%\"\n",
        ..Setup::default()
    });
    pair.take(A, "full", &[]).ended(0);
    pair.write(A, "one");
    pair.take(A, "log", &[]).ended(0);
    pair.fail_over(A);
    pair.write(B, "two");
    pair.take(B, "log", &[]).ended(0);
    pair.fail_over(B);
    pair.take(A, "full", &[]).ended(0);
    pair
}

fn judged(pair: &Pair, media_set: &str, more: &[&str]) -> Vec<String> {
    let line = ["media", "plan-retention", media_set, "--at", LATER];
    let line = [&line[..], more].concat();
    let plan: Value = pair.json(A, &line).ended(0).result();
    lines(&plan)
}

#[test]
fn what_the_partners_newest_log_stands_on_stays() {
    let pair = pair();
    let data = judged(&pair, "payroll", &[]);
    assert!(data[0].starts_with("1 full keep: needed by"), "{data:#?}");
    let logs = judged(&pair, "payroll-log", &[]);
    assert!(
        logs[0].contains("needed by position 1 (log) of payroll-log@sql-b"),
        "{logs:#?}"
    );
    let alone = judged(&pair, "payroll", &["--without-partner"]);
    assert!(
        alone[0].contains("needed by position 1 (log)"),
        "{alone:#?}"
    );
}

#[test]
fn what_nothing_of_the_partner_stands_on_goes() {
    let mut pair = pair();
    pair.fail_over(A);
    pair.take(B, "full", &[]).ended(0);
    pair.write(B, "three");
    pair.take(B, "log", &[]).ended(0);
    let data = judged(&pair, "payroll", &[]);
    assert!(data[0].starts_with("1 full drop"), "{data:#?}");
    assert!(
        data[1].contains("; last restorable chain of Payroll"),
        "each agent keeps a chain on media of its own: {data:#?}"
    );
    let logs = judged(&pair, "payroll-log", &[]);
    assert!(logs[0].starts_with("1 log drop"), "{logs:#?}");
}

#[test]
fn while_the_partners_media_cannot_be_read_everything_stays() {
    let pair = pair();
    pair.take(A, "full", &[]).ended(0);
    fs::rename(pair.path().join(B), pair.path().join("away")).unwrap();
    let data = judged(&pair, "payroll", &[]);
    for line in &data {
        assert!(
            line.contains("group payroll keeps everything: the partner's media set payroll")
                && line.contains("@sql-b cannot be read: no volume answers"),
            "{data:#?}"
        );
    }
    let alone = judged(&pair, "payroll", &["--without-partner"]);
    assert!(alone[1].starts_with("2 full drop"), "{alone:#?}");
}
