//! The service through its front door: two real agents on two doubles of SQL Server that are
//! partners of a mirroring session.
//!
//! Each row of design 7.2 has a spec that bears its number:
//!
//! | rows | in |
//! |---|---|
//! | 1, 4, 5, 8 | `follow` |
//! | 2, 3, 6, 7, 9, 12, and 4 for an agent that was down | `rows` |
//! | 10, 11, 15, 16 | `others` |
//! | 13, 14 | `schedule` |
//! | 17, 18 | `control` |
#![allow(clippy::unwrap_used, clippy::panic)]

mod alerts;
mod anew;
mod bad_input;
mod control;
mod follow;
mod kept;
mod leave;
mod metrics;
mod others;
mod rows;
mod schedule;
mod upkeep;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::pair::{Pair, Setup};

/// Nothing that is waited for takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `[failover]` says so that nothing is waited for.
const FAST: &str = "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n";

/// Two hosts on which a switch is seen soon, and checked at once.
fn fast() -> Setup {
    Setup {
        group: FAST,
        ..Setup::default()
    }
}

/// Whether an alert with this code is open on an agent.
#[track_caller]
fn is_open(pair: &Pair, agent: &str, code: &str) -> bool {
    let listed = pair.json(agent, &["alerts", "list"]).ended(0).result();
    let open = listed["open"].as_array().unwrap();
    open.iter().any(|alert| alert["code"] == code)
}

/// Waits until an alert is open on an agent: it is raised behind the line of log about its cause.
#[track_caller]
fn opens(pair: &Pair, agent: &str, code: &str) {
    waits(|| is_open(pair, agent, code), code);
}

/// Waits until an alert has ended on an agent.
#[track_caller]
fn ends(pair: &Pair, agent: &str, code: &str) {
    waits(|| !is_open(pair, agent, code), code);
}

#[track_caller]
fn waits(mut done: impl FnMut() -> bool, what: &str) {
    let until = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < until, "waited for {what} in vain");
    }
}

/// Waits until the service of an agent, which alone asks its server, has asked it again, and has
/// taken in what it said.
#[track_caller]
fn looks_again(pair: &mut Pair, agent: &str) {
    // Two statements a look, and one that may be under way.
    const MORE: u64 = 5;
    let requests = |pair: &mut Pair| pair.order(agent, json!({}))["requests"].as_u64().unwrap();
    let before = requests(pair);
    waits(|| requests(pair) >= before + MORE, "a look");
    state(pair, agent);
}

/// The state of the first database that an agent's service protects, by its control API.
#[track_caller]
fn state(pair: &Pair, agent: &str) -> String {
    let path = pair.path().join(format!("state-{agent}/control.sock"));
    let told = ask(&path, &json!({ "do": "status" }));
    let state = &told["result"]["databases"][0]["protection"]["state"];
    state
        .as_str()
        .unwrap_or_else(|| panic!("{told}"))
        .to_owned()
}

/// Asks over a control socket.
#[track_caller]
fn ask(path: &Path, request: &Value) -> Value {
    let mut stream = UnixStream::connect(path).unwrap();
    writeln!(stream, "{request}").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

#[test]
fn every_row_of_the_table_has_a_spec() {
    let sources = [
        include_str!("control.rs"),
        include_str!("follow.rs"),
        include_str!("others.rs"),
        include_str!("rows.rs"),
        include_str!("schedule.rs"),
    ];
    for row in 1..=18 {
        let named = format!("fn row_{row}_");
        let specs = sources.iter().filter(|text| text.contains(&named));
        assert!(specs.count() > 0, "no spec of row {row}");
    }
}
