//! The service goes on, whatever the shared catalog does.

use std::fs;

use serde_json::Value;

use crate::messages::full;
use crate::relay::{Relay, Wrong};
use crate::server::{Server, password};
use crate::support::Running;
use crate::support::pair::{A, Pair, Setup};

/// Seconds are short where nothing else is looked at.
pub(crate) const FAST: &str = "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n";

pub(crate) fn fast() -> Setup {
    Setup {
        group: FAST,
        ..Setup::default()
    }
}

/// An agent of a pair tells this server from now on.
pub(crate) fn shares(pair: &Pair, agent: &str, server: &Server, port: u16, more: &str) {
    password(pair.path());
    let file = pair.config_file(agent);
    let text = fs::read_to_string(&file).unwrap();
    let before = text.split("[shared_catalog]").next().unwrap();
    fs::write(&file, format!("{before}{}{more}", server.table(port))).unwrap();
}

/// How an agent stands with the shared catalog, by its own catalog.
fn sharing(pair: &Pair, agent: &str) -> Value {
    let status = pair.json(agent, &["status"]).result();
    status[0]["shared_catalog"].clone()
}

#[track_caller]
pub(crate) fn waits(mut done: impl FnMut() -> bool, what: &str) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(180);
    while !done() {
        assert!(
            std::time::Instant::now() < until,
            "waited for {what} in vain"
        );
    }
}

/// A backup by hand; the service may be at one of its own just then.
#[track_caller]
fn takes(pair: &Pair, kind: &str) {
    waits(|| pair.take(A, kind, &[]).code == 0, kind);
}

/// Waits until the server holds every set that the agent's catalog holds, and at least so many.
#[track_caller]
fn all_told(pair: &Pair, server: &Server, least: usize) {
    waits(
        || {
            let known = pair.json(A, &["catalog", "show"]).ended(0).result();
            let of = |set: &Value| set["sets"].as_array().unwrap().len();
            let known: usize = known["media_sets"].as_array().unwrap().iter().map(of).sum();
            let told = server.ask("SELECT count(*) FROM twinset.holding");
            known >= least && told == known.to_string()
        },
        "all sets",
    );
}

/// The files are read again, so that a meeting is tried at once.
fn turned(pair: &Pair, service: &mut Running, server: &Server, port: u16, more: &str) {
    shares(pair, A, server, port, more);
    service.line_with("the configuration was read again");
}

#[test]
fn it_is_away_at_the_start_and_backups_go_on() {
    let mut server = Server::start();
    let pair = Pair::of(&fast());
    server.stop();
    shares(&pair, A, &server, server.port, "alert_after = \"0s\"\n");
    let mut service = pair.serve(A);
    service.line_with("the shared catalog cannot be told, and is tried again: TW5011");
    takes(&pair, "full");
    let alert = || {
        let open = pair.json(A, &["alerts", "list"]).ended(0).result()["open"].clone();
        let open = open.as_array().unwrap().clone();
        open.into_iter().find(|alert| alert["code"] == "TW6024")
    };
    waits(|| alert().is_some(), "the alert");
    let told = sharing(&pair, A);
    assert_eq!(
        (&told["waiting"], &told["fault"]["code"]),
        (&Value::Null, &"TW5011".into())
    );
    server.run();
    turned(
        &pair,
        &mut service,
        &server,
        server.port,
        "alert_after = \"1s\"\n",
    );
    service.line_with("the shared catalog is told");
    waits(|| alert().is_none(), "the end of the alert");
    all_told(&pair, &server, 1);
    let seen = "SELECT state, served_by, family IS NOT NULL FROM twinset.member";
    waits(
        || server.ask(seen) == "protected|sql-a|t",
        "the protected database",
    );
    service.stop().ended(0);
}

#[test]
fn it_dies_in_the_middle_of_a_batch_and_comes_back() {
    let mut server = Server::start();
    let relay = Relay::before(server.port);
    let pair = Pair::of(&fast());
    shares(&pair, A, &server, relay.port, "");
    let mut service = pair.serve(A);
    service.line_with("the shared catalog is told");
    relay.goes_wrong(Wrong::Cut(b"INSERT INTO twinset.holding", 1));
    takes(&pair, "full");
    relay.has_struck();
    server.crash();
    service.line_with("the shared catalog cannot be told");
    takes(&pair, "log");
    server.run();
    // Tried again by itself, behind pauses of some seconds.
    all_told(&pair, &server, 2);
    service.stop().ended(0);
}

#[test]
fn a_full_disk_there_costs_nothing_here() {
    let server = Server::start();
    let pair = Pair::of(&fast());
    shares(&pair, A, &server, server.port, "");
    let mut service = pair.serve(A);
    service.line_with("the shared catalog is told");
    full(&server, true);
    takes(&pair, "full");
    service.line_with("the shared catalog cannot be told, and is tried again: TW5015");
    takes(&pair, "log");
    let told = sharing(&pair, A);
    assert!(told["waiting"].as_u64().unwrap() >= 2, "{told}");
    assert_ne!(told["failed"], 0, "{told}");
    assert_ne!(told["next"], Value::Null, "{told}");
    full(&server, false);
    turned(
        &pair,
        &mut service,
        &server,
        server.port,
        "timeout = \"20s\"\n",
    );
    all_told(&pair, &server, 2);
    service.stop().ended(0);
}

#[test]
fn a_server_that_never_answers_holds_nobody_up() {
    let server = Server::start();
    let relay = Relay::before(server.port);
    let pair = Pair::of(&fast());
    // The first answer to a login.
    relay.goes_wrong(Wrong::Swallow(b"SCRAM-SHA-256"));
    shares(&pair, A, &server, relay.port, "timeout = \"5m\"\n");
    let mut service = pair.serve(A);
    relay.has_struck();
    takes(&pair, "full");
    pair.json(A, &["catalog", "push"]).ended(5).failed("TW5002");
    let began = std::time::Instant::now();
    service.interrupt();
    service.line_with("the service ends");
    assert!(
        began.elapsed().as_secs() < 60,
        "the end of the service waits for nobody"
    );
    service.end().ended(0);
}
