#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use twinset_domain::alert::{Entry, Severity};
use twinset_domain::protection::Shown;
use twinset_domain::{BackupKind, Moment};

use super::{
    Database, Instance, Jobs, Kind, Last, MediaSet, Overview, SharedCatalog, Web, listen, metrics,
    page,
};

fn alert(severity: Severity, message: &str) -> Entry {
    Entry {
        id: 1,
        code: "TW6021".to_owned(),
        object: "payroll/Payroll log".to_owned(),
        severity,
        message: message.to_owned(),
        remedy: "look".to_owned(),
        group: None,
        database: None,
        first: Moment(1_790_000_000),
        last: Moment(1_790_000_060),
        times: 2,
        resolved: None,
    }
}

fn overview() -> Overview {
    let kind = |kind, last, rpo_breached| Kind {
        kind,
        media_sets: vec!["payroll".to_owned()],
        last,
        rpo_breached,
        wanted: true,
    };
    let last = Last {
        began: Moment(1_789_999_000),
        seconds: Some(12),
        bytes: 2_097_152,
    };
    Overview {
        agent: "sql-a".to_owned(),
        version: "0.1.0",
        now: Moment(1_790_000_100),
        started: Moment(1_789_000_000),
        databases: vec![Database {
            group: "payroll".to_owned(),
            database: "Pay\"roll\\<b>".to_owned(),
            protection: Shown::Protected,
            text: "protected".to_owned(),
            exposed: false,
            kinds: vec![
                kind(BackupKind::Full, Some(last), Some(false)),
                kind(BackupKind::Log, None, Some(true)),
            ],
        }],
        instances: vec![Instance {
            instance: "sql-a".to_owned(),
            answers: true,
            asked: Moment(1_790_000_098),
            seconds: 0.25,
        }],
        media_sets: vec![
            MediaSet {
                media_set: "payroll".to_owned(),
                mirrors: 2,
                in_step: Some(1),
            },
            MediaSet {
                media_set: "payroll-log".to_owned(),
                mirrors: 2,
                in_step: None,
            },
        ],
        jobs: Jobs {
            running: 1,
            waiting: 3,
        },
        shared_catalog: Some(SharedCatalog {
            answers: true,
            told: Some(Moment(1_795_305_600)),
            waiting: Some(3),
        }),
        alerts: vec![
            alert(Severity::Error, "<script>alert(1)</script>"),
            alert(Severity::Warning, "x"),
        ],
    }
}

#[test]
fn every_metric_has_its_help_its_type_and_its_samples() {
    let text = metrics::text(&overview());
    for (name, help) in metrics::METRICS {
        let head = format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name}");
        assert!(text.contains(&head), "{name}:\n{text}");
    }
    let families = text.matches("# TYPE ").count();
    assert_eq!(families, metrics::METRICS.len());
    let of = "group=\"payroll\",database=\"Pay\\\"roll\\\\<b>\"";
    let lines = [
        "twinset_build_info{version=\"0.1.0\",agent=\"sql-a\"} 1".to_owned(),
        format!("twinset_database_state{{{of},state=\"protected\"}} 1"),
        format!("twinset_database_state{{{of},state=\"split\"}} 0"),
        format!("twinset_backup_last_success_timestamp_seconds{{{of},kind=\"full\"}} 1789999000"),
        format!("twinset_backup_last_success_timestamp_seconds{{{of},kind=\"log\"}} 0"),
        format!("twinset_backup_last_duration_seconds{{{of},kind=\"full\"}} 12"),
        format!("twinset_backup_last_size_bytes{{{of},kind=\"full\"}} 2097152"),
        format!("twinset_rpo_breached{{{of},kind=\"log\"}} 1"),
        format!("twinset_rpo_breached{{{of},kind=\"full\"}} 0"),
        "twinset_media_set_mirrors{media_set=\"payroll\"} 2".to_owned(),
        "twinset_media_set_mirrors_in_step{media_set=\"payroll\"} 1".to_owned(),
        "twinset_alerts_open{severity=\"error\"} 1".to_owned(),
        "twinset_alerts_open{severity=\"critical\"} 0".to_owned(),
        "twinset_jobs_waiting 3".to_owned(),
        "twinset_poll_duration_seconds{sql_instance=\"sql-a\"} 0.25".to_owned(),
    ];
    for line in lines {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    assert!(!text.contains("in_step{media_set=\"payroll-log\"}"));
    let states = text.matches("twinset_database_state{").count();
    assert_eq!(states, Shown::WORDS.len());
}

#[test]
fn the_book_lists_every_metric() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    for (name, _) in metrics::METRICS {
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/metrics.md lacks {name}"
        );
    }
    let listed = page.lines().filter(|line| line.starts_with("| `twinset_"));
    let listed: usize = listed.map(|line| line.matches("`twinset_").count()).sum();
    assert_eq!(listed, metrics::METRICS.len());
}

#[test]
fn the_page_runs_nothing_that_a_name_or_a_message_says() {
    let page = page::html(&overview());
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("Pay&quot;roll\\&lt;b&gt;"));
    assert!(page.contains("1 of 2") && page.contains("- of 2"));
}

fn served(source: impl Fn() -> Option<Overview> + Send + Sync + 'static) -> Web {
    listen("127.0.0.1:0".parse().unwrap(), Arc::new(source)).unwrap()
}

fn ask(web: &Web, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(web.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // Turned away in the middle, the rest is not taken.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn what_is_asked_decides_the_answer() {
    let web = served(|| Some(overview()));
    let long = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    let rows = [
        (
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "200",
            "twinset_up 1",
        ),
        (
            "GET /metrics?x=1 HTTP/1.1\r\nHost: 127.0.0.1:99\r\n\r\n",
            "200",
            "twinset_up 1",
        ),
        (
            "GET /status.json HTTP/1.1\r\nHost: [::1]:99\r\n\r\n",
            "200",
            "\"agent\":\"sql-a\"",
        ),
        (
            "GET / HTTP/1.1\r\nhost: LOCALHOST\r\n\r\n",
            "200",
            "<!doctype html>",
        ),
        (
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "200",
            "ok",
        ),
        (
            "GET /../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "404",
            "there are",
        ),
        (
            "POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "405",
            "Allow: GET, HEAD",
        ),
        (
            "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            "421",
            "localhost",
        ),
        ("GET / HTTP/1.1\r\n\r\n", "421", "localhost"),
        ("\x16\x03\x01\x02 that is TLS\r\n\r\n", "400", "no HTTP"),
        (long.as_str(), "431", "too long"),
    ];
    for (request, status, says) in rows {
        let answer = ask(&web, request.as_bytes());
        let line = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&line), "{request:.60}: {answer:.200}");
        assert!(answer.contains(says), "{request:.60}: {answer}");
        assert!(answer.contains("Connection: close\r\n"));
    }
    let head = ask(&web, b"HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
}

#[test]
fn a_service_that_does_not_answer_is_down() {
    let web = served(|| None);
    for path in ["/metrics", "/healthz", "/", "/status.json"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let answer = ask(&web, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    }
}

#[test]
fn idle_connections_are_bounded_and_the_port_is_free_again_behind_it() {
    let web = served(|| Some(overview()));
    let address = web.address;
    let idle: Vec<TcpStream> = (0..super::MAX_CONNECTIONS)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let answer = ask(&web, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    drop(idle);
    // Those that went make room.
    while !ask(&web, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").contains("200 OK") {
        std::thread::yield_now();
    }
    drop(web);
    while std::net::TcpListener::bind(address).is_err() {
        std::thread::yield_now();
    }
}
