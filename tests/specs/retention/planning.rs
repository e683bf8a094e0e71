//! What `media plan-retention` says, row by row.

use serde_json::json;
use twinset_tests::stream::Kind;

use super::{Line, five, lines, plan};
use crate::support::{World, snapshot};

#[test]
fn every_set_has_its_reason_and_nothing_is_touched() {
    let world = five("[retention]\ndaily = 1");
    let media = world.path().join("m1");
    let before = snapshot(&media);
    let plan = plan(&world, &["--at", "2030-01-01T00:00:00Z"]);
    let lines = lines(&plan);
    assert!(lines[0].starts_with("1 full drop: older than the window and in no count"));
    assert!(lines[1].starts_with("2 differential drop"), "{lines:#?}");
    assert!(lines[2].starts_with("3 log drop"), "{lines:#?}");
    assert!(lines[3].starts_with("4 full keep: daily 20"), "{lines:#?}");
    assert!(
        lines[3].contains("; last restorable chain of Payroll; needed by position 5 (log)"),
        "{lines:#?}"
    );
    assert_eq!(lines[4], "5 log keep: last restorable chain of Payroll");
    assert_eq!(plan["now"], "2030-01-01T00:00:00Z");
    assert_eq!(
        plan["doubt"]["kind"], "forwards",
        "years in which nothing happened"
    );
    assert_eq!(plan["shares"][0]["drops"], 3);
    assert_eq!(before, snapshot(&media));
}

#[test]
fn people_read_a_table() {
    let world = five("[retention]\ndaily = 1");
    let text = world
        .run(&["media", "plan-retention", "payroll"])
        .ended(0)
        .stdout;
    for words in [
        "older than the window and in no count",
        "last restorable chain of Payroll",
        "group payroll: 3 of 5 sets would go, one run may drop 1 (max_drop): needs --yes",
        "3 of 5 sets would be dropped",
        "nothing was touched",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
}

#[test]
fn the_window_keeps_what_restores_its_first_moment() {
    let world = five("[retention]\nwindow = \"35d\"");
    let lines = lines(&plan(&world, &[]));
    assert!(
        lines
            .iter()
            .all(|line| line.contains("keep: in the window (since ")),
        "{lines:#?}"
    );
}

#[test]
fn a_kept_log_and_differential_name_themselves_at_all_they_need() {
    let mut world = World::formatted(1, 2);
    world.group("payroll", &["Payroll"], "[retention]\ndaily = 1");
    Line::new("Payroll")
        .import(&world, Kind::Full)
        .import(&world, Kind::Differential)
        .import(&world, Kind::Log);
    // The next full is of another family: the first line is a chain of its own.
    let lines = lines(&plan(&world, &[]));
    assert!(
        lines[0].contains("needed by position 2 (differential)"),
        "{lines:#?}"
    );
    assert!(
        lines[1].contains("needed by position 3 (log)"),
        "{lines:#?}"
    );
}

#[test]
fn without_retention_or_without_a_group_everything_stays() {
    let mut world = World::formatted(1, 2);
    world.group("payroll", &["Payroll"], "");
    Line::new("Payroll")
        .import(&world, Kind::Full)
        .import(&world, Kind::Full);
    Line::new("Stray")
        .import(&world, Kind::Full)
        .import(&world, Kind::Full);
    let lines = lines(&plan(&world, &[]));
    assert_eq!(
        lines[0],
        "1 full keep: group payroll keeps everything: it has no [retention]"
    );
    assert_eq!(lines[2], "3 full keep: its database is in no group: kept");
    let expired = world
        .json(&["media", "expire", "payroll", "--yes"])
        .ended(0)
        .result();
    assert_eq!(expired["dropped"], json!([]));
}

#[test]
fn each_database_is_judged_by_its_own_group() {
    let mut world = World::formatted(1, 2);
    world.group("payroll", &["Payroll"], "[retention]\ndaily = 1");
    world.group("hr", &["HR"], "[retention]\ndaily = 100\nwindow = \"1d\"");
    Line::new("Payroll")
        .import(&world, Kind::Full)
        .import(&world, Kind::Full);
    Line::new("HR")
        .import(&world, Kind::Full)
        .import(&world, Kind::Full);
    let plan = plan(&world, &[]);
    let lines = lines(&plan);
    assert!(lines[0].starts_with("1 full drop"), "{lines:#?}");
    assert!(
        lines[2].starts_with("3 full keep: in the window"),
        "{lines:#?}"
    );
    assert_eq!(plan["sets"][2]["groups"], json!(["hr"]));
}
