//! Receivers: each is told once, none is told by halves, none can hold the agent up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::receivers::{SILENT, Web};
use super::{break_devices, host, passes, time_passes};
use crate::front::Host;

/// An RPO rule that a database without backups breaks.
const RPO: &str = "[alerts]\nrpo = { full = \"8d\" }\n";
const TOKEN: &str = "Kein-Token-davon-0815";

fn body(request: &str) -> Value {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

/// A host whose receiver is a program with this script.
fn with_script(group: &str, script: &str, more: &str) -> Host {
    let mut host = host(group, "");
    let path = host.world.path().join("tell.sh");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let told = host.world.path().join("told");
    let table = format!("[alerts]\ncommand = [{path:?}, {told:?}]\n{more}\n");
    host.world.configure(|media| media.tables = table);
    host
}

#[test]
fn a_program_reads_what_was_raised_and_what_ended() {
    let host = with_script(RPO, "cat >> \"$1\"; echo >> \"$1\"", "");
    host.world.json(&["alerts", "check"]).ended(3);
    host.world.json(&["alerts", "check"]).ended(3);
    host.backup().ended(0);
    host.world.json(&["alerts", "check"]).ended(0);
    let told = fs::read_to_string(host.world.path().join("told")).unwrap();
    let told: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events: Vec<&Value> = told.iter().map(|notice| &notice["event"]).collect();
    assert_eq!(events, [&json!("raised"), &json!("resolved")], "once each");
    let alert = &told[0]["alert"];
    assert_eq!(
        (&told[0]["agent"], &alert["code"]),
        (&json!("sql-a"), &json!("TW6021"))
    );
    assert_eq!(alert["resolved"], Value::Null);
    assert_eq!(told[1]["alert"]["resolved"]["by_hand"], false);
    assert_eq!(told[1]["alert"]["id"], alert["id"]);
}

#[test]
fn one_that_comes_and_goes_is_told_now_and_then() {
    let host = with_script(RPO, "cat >> \"$1\"; echo >> \"$1\"", "");
    for _ in 0..5 {
        host.world.json(&["alerts", "check"]).ended(3);
        let line = ["alerts", "resolve", "--code", "TW6021"];
        host.world.json(&line).ended(0);
    }
    host.world.json(&["alerts", "check"]).ended(3);
    let told = || -> Vec<Value> {
        let told = fs::read_to_string(host.world.path().join("told")).unwrap();
        let line = |line: &str| serde_json::from_str(line).unwrap();
        told.lines().map(line).collect()
    };
    assert_eq!(told().len(), 6, "{:#?}", told());
    assert_eq!(told()[5]["left_out"], Value::Null);
    passes(&host, 600);
    host.world.json(&["alerts", "check"]).ended(3);
    let all = told();
    assert_eq!(all.len(), 7, "{all:#?}");
    assert_eq!(all[6]["event"], "raised", "the newest: how it stands");
    assert_eq!(all[6]["left_out"], 4);
    // An hour later nothing is known of that any more.
    passes(&host, 3600);
    host.backup().ended(0);
    host.world.json(&["alerts", "check"]).ended(0);
    assert_eq!(told()[7]["event"], "resolved");
    assert_eq!(told()[7]["left_out"], Value::Null);
}

#[test]
fn an_address_gets_a_post_over_tls_with_its_token() {
    let web = Web::tls();
    let mut host = host(RPO, "");
    let folder = host.world.path().to_owned();
    fs::write(folder.join("ca.pem"), &web.certificate).unwrap();
    fs::write(folder.join("token"), TOKEN).unwrap();
    fs::set_permissions(folder.join("token"), fs::Permissions::from_mode(0o600)).unwrap();
    let port = web.port;
    let table = format!(
        "[alerts]\nwebhook = \"https://localhost:{port}/hook\"\nwebhook_ca_file = \"ca.pem\"\n\
         webhook_token_file = \"token\"\n"
    );
    host.world.configure(|media| media.tables = table.clone());
    let ran = host
        .world
        .json(&["--log-level", "trace", "alerts", "check"])
        .ended(3);
    let request = web.next();
    assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
    let head = request.to_lowercase();
    assert!(
        head.contains("content-type: application/json\r\n"),
        "{request}"
    );
    assert!(
        request.contains(&format!("Bearer {TOKEN}\r\n")),
        "{request}"
    );
    assert_eq!(body(&request)["event"], "raised");
    assert!(!ran.stderr.contains(TOKEN) && !ran.stdout.contains(TOKEN));
    // A certificate that nobody trusts here, and one for another name.
    let without = table.replace("webhook_ca_file = \"ca.pem\"\n", "");
    host.world.configure(|media| media.tables = without);
    let ran = host.world.json(&["alerts", "test"]).ended(1);
    let fault = ran.failed("TW6022");
    assert!(!fault["causes"][0].as_str().unwrap().is_empty());
    host.world
        .configure(|media| media.tables = table.replace("localhost", "127.0.0.1"));
    host.world
        .json(&["alerts", "test"])
        .ended(1)
        .failed("TW6022");
    web.is_quiet();
}

#[test]
fn a_receiver_that_is_down_is_told_later_and_in_order() {
    let web = Web::plain();
    let receivers = format!("webhook = \"http://127.0.0.1:{}/\"", web.port);
    let mut host = host("", &receivers);
    web.answers(503);
    break_devices(&mut host, true);
    host.backup().ended(1);
    let ran = host.world.json(&["alerts", "check"]).ended(1);
    assert_eq!(
        ran.failed("TW6022")["causes"][0],
        "the receiver answered 503 Service Unavailable"
    );
    assert_eq!(body(&web.next())["event"], "raised");
    break_devices(&mut host, false);
    host.backup().ended(0);
    web.answers(200);
    // Not before its pause is over: but what is new goes out meanwhile.
    host.world.json(&["alerts", "check"]).ended(0);
    assert_eq!(body(&web.next())["event"], "resolved");
    time_passes(&host);
    host.world.json(&["alerts", "check"]).ended(0);
    assert_eq!(body(&web.next())["event"], "raised");
    time_passes(&host);
    host.world.json(&["alerts", "check"]).ended(0);
    web.is_quiet();
}

#[test]
fn nobody_who_says_nothing_holds_the_agent_up() {
    let web = Web::plain();
    web.answers(SILENT);
    let more = format!(
        "webhook = \"http://127.0.0.1:{}/\"\ntimeout = \"1s\"",
        web.port
    );
    let host = with_script(RPO, "sleep 600 & wait", &more);
    let begin = Instant::now();
    let ran = host.world.json(&["alerts", "test"]).ended(1);
    assert!(begin.elapsed() < Duration::from_secs(30));
    let told = ran.result();
    let why = told[0]["failed"].as_str().unwrap();
    assert!(why.contains("took longer than 1 s and was ended"), "{why}");
    assert!(
        told[1]["failed"].as_str().unwrap().contains("timeout"),
        "{told}"
    );
}

#[test]
fn a_test_says_what_came_of_each_receiver() {
    let web = Web::plain();
    let more = format!("webhook = \"http://127.0.0.1:{}/\"", web.port);
    let host = with_script("", "echo 'no mail here' >&2; exit 7", &more);
    let ran = host.world.json(&["alerts", "test"]).ended(1);
    let told = ran.result();
    assert_eq!(told[1], json!({ "channel": "webhook", "failed": null }));
    let why = told[0]["failed"].as_str().unwrap();
    assert!(
        why.ends_with("tell.sh ended with exit status: 7: no mail here"),
        "{why}"
    );
    assert_eq!(body(&web.next())["event"], "test");
    // What stands behind a redirection was never agreed to.
    web.answers(302);
    let told = host.world.json(&["alerts", "test"]).ended(1).result();
    assert_eq!(told[1]["failed"], "the receiver answered 302 Found");
    let none = super::host("", "");
    let text = none.world.run(&["alerts", "test"]).ended(0).stdout;
    assert!(text.contains("no receiver is configured"), "{text}");
}

#[test]
fn an_address_that_is_a_secret_is_never_printed() {
    let mut host = host(RPO, "");
    let folder = host.world.path().to_owned();
    // Nobody listens on port 1.
    let address = format!("http://127.0.0.1:1/{TOKEN}");
    fs::write(folder.join("address"), &address).unwrap();
    fs::set_permissions(folder.join("address"), fs::Permissions::from_mode(0o600)).unwrap();
    let table = "[alerts]\nwebhook_file = \"address\"\n".to_owned();
    host.world.configure(|media| media.tables = table);
    let ran = host
        .world
        .json(&["--log-level", "trace", "alerts", "check"]);
    let ran = ran.ended(1);
    ran.failed("TW6022");
    assert!(
        !ran.stdout.contains(TOKEN) && !ran.stderr.contains(TOKEN),
        "{}",
        ran.stderr
    );
    let path = folder.join("state/catalog.sqlite");
    let book = fs::read(path).unwrap();
    assert!(!String::from_utf8_lossy(&book).contains(TOKEN));
}
