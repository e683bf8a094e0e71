//! An agent is killed while its BACKUP hangs on a server that does not notice. What then?

use std::time::{Duration, Instant};

use serde_json::json;

use super::Host;
use crate::support::Running;

/// Kills an agent in the middle; its statement stays on the server.
fn orphaned(host: &mut Host) {
    host.turn(&json!({ "never_open": true, "ignores_disconnect": true }));
    let running: Running = host.world.start(&["backup", "payroll"]);
    let until = Instant::now() + Duration::from_secs(60);
    while host.told("Payroll")["busy"] != true {
        assert!(Instant::now() < until, "no BACKUP began");
        std::thread::sleep(Duration::from_millis(20));
    }
    running.kill();
    // What comes now is well again; what hangs, hangs on.
    host.turn(&json!({ "ignores_disconnect": true }));
    assert_eq!(host.told("Payroll")["busy"], true);
}

#[test]
fn the_next_backup_ends_it_says_so_and_goes_on() {
    let mut host = Host::usual();
    orphaned(&mut host);
    let ran = host.world.start(&["backup", "payroll"]).end().ended(0);
    assert!(
        ran.stderr
            .contains("of a dead run of this agent was killed"),
        "{ran:?}"
    );
    assert_eq!(ran.result()["sets"][0]["position"], 2);
    host.world.verify(0);
}

#[test]
fn recover_ends_it_too() {
    let mut host = Host::usual();
    orphaned(&mut host);
    let ran = host.world.run(&["media", "recover", "payroll"]).ended(0);
    assert!(
        ran.stdout
            .contains("of a dead run of this agent was killed"),
        "{ran:?}"
    );
    assert_eq!(host.quiet("Payroll")["busy"], false);
    let again = host.world.run(&["media", "recover", "payroll"]).ended(0);
    assert!(!again.stdout.contains("dead run"), "{again:?}");
}

#[test]
fn what_was_not_proven_to_be_ours_is_named_and_left_alone() {
    let mut host = Host::usual();
    orphaned(&mut host);
    // Another agent of the same configuration: it has an identity of its own.
    let other = host.world.other_config("other.toml", |media| {
        media.state_dir = "other-state".into();
    });
    let other = other.to_str().unwrap();
    let line = ["--log-level", "warn", "media", "recover", "payroll"];
    let ran = host.world.run_with(other, &line);
    assert!(
        ran.stdout.contains("another agent opened it") && ran.stdout.contains("KILL "),
        "{ran:?}"
    );
    assert_eq!(host.told("Payroll")["busy"], true);
}

#[test]
fn how_long_the_devices_may_stay_unopened_is_a_setting() {
    let mut host = Host::usual();
    host.turn(&json!({ "never_open": true }));
    host.reach(|client| client.more = "open_timeout = \"1s\"".into());
    let begun = Instant::now();
    let fault = host.backup().ended(1).failed("TW4006");
    assert!(begun.elapsed() < Duration::from_secs(60));
    let said = fault.to_string();
    assert!(
        said.contains("1s") && said.contains("open_timeout"),
        "{said}"
    );
    host.server_has_no_backup("Payroll");
    host.media_are_clean();
}

#[test]
fn a_cut_line_is_told_with_what_became_of_the_session() {
    let mut host = Host::usual();
    let line = crate::sqlserver::line::Line::to(host.client.port);
    host.turn(&json!({ "bytes_per_second": 1 << 20 }));
    let port = line.port;
    host.reach(|client| client.port = port);
    let running: Running = host.world.start(&["backup", "payroll"]);
    let until = Instant::now() + Duration::from_secs(60);
    while host.told("Payroll")["busy"] != true {
        assert!(Instant::now() < until, "no BACKUP began");
        std::thread::sleep(Duration::from_millis(20));
    }
    line.cut();
    let fault = running.end().ended(1).failed("TW4007").to_string();
    assert!(fault.contains("it has ended on the server"), "{fault}");
    host.turn(&json!({}));
    host.server_has_no_backup("Payroll");
}
