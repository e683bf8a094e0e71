//! Clocks, windows, many databases and long spans.

use std::time::Instant;

use super::{USUAL, decisions, plan, slots, world};

#[test]
fn clocks_that_change_skip_nothing_and_double_nothing() {
    let schedule = "[schedule]\nfull = \"30 2 * * *\"\nlog = \"0 * * * *\"\n\
                    time_zone = \"Europe/Vienna\"";
    let world = world(&["Payroll"], schedule);
    let spring = plan(&world, &["--at", "2027-03-27T12:00:00Z", "--days", "2"]);
    // 02:30 does not come on the 28th: the run begins when clocks show 03:00.
    let fulls = ["2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"];
    assert_eq!(slots(&spring, "full"), fulls);
    assert_eq!(slots(&spring, "log").len(), 48);
    let autumn = plan(&world, &["--at", "2026-10-24T12:00:00Z", "--days", "2"]);
    // 02:30 comes twice on the 25th, and is used the first time; logs go on every hour.
    let fulls = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
    assert_eq!(slots(&autumn, "full"), fulls);
    assert_eq!(slots(&autumn, "log").len(), 48);
}

#[test]
fn a_window_gathers_what_it_covers() {
    let schedule = format!("{USUAL}blackout = [\"log 08:00-12:00\"]");
    let world = world(&["Payroll"], &schedule);
    let told = plan(&world, &["--at", "2026-11-23T09:00:00Z", "--days", "1"]);
    assert!(
        decisions(&told).contains(&"Payroll log: no full backup yet: that goes first".to_owned()),
        "{told}"
    );
    let logs = slots(&told, "log");
    // Vienna is an hour ahead: the window ends at 11:00 UTC.
    assert_eq!(logs[0], "2026-11-23T11:00:00Z");
    let log = &told["ahead"][0];
    assert_eq!(log["replaced"][0]["by"], "blackout");
    assert_eq!(log["count"].as_u64().unwrap(), 80, "{log}");
}

#[test]
fn people_read_one_line_for_many_databases() {
    let names: Vec<String> = (0..20).map(|number| format!("Shop_{number:02}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.push("HR_*");
    let schedule = format!("{USUAL}stagger = \"20m\"");
    let world = world(&names, &schedule);
    let line = ["plan", "payroll", "--at", "2026-11-23T09:00:00Z"];
    let text = world.run(&line).ended(0).stdout;
    for words in [
        "group payroll: full \"0 1 * * sun\", differential \"0 1 * * *\", log \"*/15 * * * *\", \
         clocks of Europe/Vienna, databases spread over 20 min 00 s",
        "patterns: databases that were never backed up are known to the server alone",
        "at 2026-11-23 10:00",
        "Shop_00, Shop_01, Shop_02 and 17 more",
        "none was taken yet",
        "no full backup yet: that goes first",
        "2026-11-29 01:00",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    assert!(text.lines().count() < 16, "{text}");
}

#[test]
fn a_thousand_databases_and_a_year_are_told_at_once() {
    let names: Vec<String> = (0..1000)
        .map(|number| format!("Shop_{number:04}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = world(&names, &format!("{USUAL}stagger = \"20m\""));
    let begin = Instant::now();
    let told = plan(&world, &["--days", "366"]);
    println!("1,000 databases and a year, JSON: {:?}", begin.elapsed());
    assert_eq!(told["databases"].as_array().unwrap().len(), 1000);
    assert_eq!(decisions(&told).len(), 3000);
    // Listed up to a bound, counted to the end.
    assert_eq!(slots(&told, "log").len(), 10_000);
    let count = told["ahead"][0]["count"].as_u64().unwrap();
    assert!((35_130..=35_140).contains(&count), "{count}");
    let begin = Instant::now();
    let text = world.run(&["plan", "--days", "366"]).ended(0).stdout;
    println!("1,000 databases and a year, text: {:?}", begin.elapsed());
    assert!(text.lines().count() < 16, "{text}");
}

#[test]
fn what_cannot_be_is_refused_with_its_column() {
    let world = world(&["Payroll"], "[schedule]\nlog = \"*/15 * * 13 *\"");
    let told = world.run(&["plan"]).ended(2).stderr;
    assert!(
        told.contains("groups.d/payroll.toml:7:17: `log` is no cron line: \"13\" is no month"),
        "{told}"
    );
    assert!(
        told.contains("remedy: write 1 to 12, or jan to dec, or *"),
        "{told}"
    );
    let days = world.run(&["plan", "--days", "0"]).ended(2).stderr;
    assert!(days.contains("0 is not in 1..=731"), "{days}");
}
