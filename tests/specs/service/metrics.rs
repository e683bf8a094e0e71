//! Metrics and status page of a running service, over the wire.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::fast;
use crate::support::Running;
use crate::support::pair::{A, Pair, Setup};

/// A group with a schedule, so that each kind is wanted, and a rule of age.
fn scheduled() -> Setup {
    Setup {
        group: "[failover]\npoll = \"1s\"\n[schedule]\nfull = \"0 1 * * *\"\nlog = \"0 2 1 1 *\"\n\
                [alerts]\nrpo = { full = \"8d\" }\n",
        ..fast()
    }
}

/// Puts a line into an agent's `[agent]` table.
fn says(pair: &Pair, agent: &str, line: &str) {
    let file = pair.config_file(agent);
    let text = fs::read_to_string(&file).unwrap();
    let kept: Vec<&str> = text
        .lines()
        .filter(|one| !one.starts_with("metrics"))
        .collect();
    let text = kept
        .join("\n")
        .replacen("[agent]", &format!("[agent]\n{line}"), 1);
    fs::write(file, text + "\n").unwrap();
}

/// Where the service says that it serves.
#[track_caller]
fn address(service: &mut Running) -> String {
    let line = service.line_with("status page and metrics are served");
    let at = line.find("127.0.0.1:").unwrap_or_else(|| panic!("{line}"));
    let address = line[at..].chars();
    let port = |c: &char| c.is_ascii_digit() || *c == '.' || *c == ':';
    address.take_while(port).collect()
}

#[track_caller]
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    body.to_owned()
}

/// The value of a metric, by its name with its labels.
fn sample(text: &str, of: &str) -> Option<f64> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(of)?.strip_prefix(' '))?;
    Some(value.parse().unwrap())
}

/// Scrapes until a metric has a value that will do.
#[track_caller]
fn becomes(address: &str, of: &str, will_do: impl Fn(f64) -> bool) -> String {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let text = get(address, "/metrics");
        if sample(&text, of).is_some_and(&will_do) {
            return text;
        }
        assert!(Instant::now() < until, "{of}:\n{text}");
        std::thread::yield_now();
    }
}

const OF: &str = "{group=\"payroll\",database=\"Payroll\"";

#[test]
fn what_the_service_did_stands_in_the_metrics_and_on_the_page() {
    let pair = Pair::of(&scheduled());
    says(&pair, A, "metrics = \"127.0.0.1:0\"");
    let mut a = pair.serve(A);
    let at = address(&mut a);
    let full = format!("twinset_backup_last_success_timestamp_seconds{OF},kind=\"full\"}}");
    becomes(&at, &full, |when| when > 1.7e9);
    // Judged before there was one, the rule was broken until the service heard of the end.
    let rule = format!("twinset_rpo_breached{OF},kind=\"full\"}}");
    let text = becomes(&at, &rule, |breached| breached == 0.0);
    let value = |of: String| sample(&text, &of).unwrap_or_else(|| panic!("{of}:\n{text}"));
    let named = |name: &str, more: &str| value(format!("{name}{OF}{more}}}"));
    assert_eq!(value("twinset_up".into()), 1.0);
    assert!(named("twinset_backup_last_size_bytes", ",kind=\"full\"") > 1e6);
    assert!(named("twinset_backup_last_duration_seconds", ",kind=\"full\"") >= 0.0);
    let log = "twinset_backup_last_success_timestamp_seconds";
    assert_eq!(named(log, ",kind=\"log\""), 0.0, "wanted, and none yet");
    assert_eq!(named("twinset_database_state", ",state=\"protected\""), 1.0);
    assert_eq!(
        named("twinset_database_state", ",state=\"not-principal\""),
        0.0
    );
    for metric in [
        "twinset_media_set_mirrors",
        "twinset_media_set_mirrors_in_step",
    ] {
        assert_eq!(value(format!("{metric}{{media_set=\"payroll\"}}")), 2.0);
    }
    for instance in ["sql-a", "sql-b"] {
        let of = format!("{{sql_instance=\"{instance}\"}}");
        assert_eq!(value(format!("twinset_instance_up{of}")), 1.0);
        assert!(value(format!("twinset_poll_duration_seconds{of}")) < 60.0);
    }
    assert_eq!(value("twinset_alerts_open{severity=\"error\"}".into()), 0.0);
    assert!(
        !text.contains("differential\""),
        "neither asked for nor there"
    );

    let status: Value = serde_json::from_str(&get(&at, "/status.json")).unwrap();
    assert_eq!(status["databases"][0]["protection"]["state"], "protected");
    assert_eq!(status["agent"], "sql-a");
    let page = get(&at, "/");
    assert!(page.contains("<td>Payroll<td class=\"good\">"), "{page}");
    assert_eq!(get(&at, "/healthz"), "ok\n");
    a.stop().ended(0);
    assert!(
        TcpStream::connect(&at).is_err(),
        "nobody serves behind the end"
    );
}

#[test]
fn a_port_that_is_taken_is_an_alert_and_stops_nothing() {
    let pair = Pair::of(&scheduled());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    says(&pair, A, &format!("metrics = \"127.0.0.1:{port}\""));
    let mut a = pair.serve(A);
    assert!(a.says("TW6041"));
    assert!(a.says("Backup(Full)"), "backups go on");
    let listed = pair.json(A, &["alerts", "list"]).ended(0).result();
    let open = listed["open"].as_array().unwrap();
    let alert = open.iter().find(|alert| alert["code"] == "TW6041").unwrap();
    assert_eq!(alert["severity"], "warning");
    // Another address is taken in while it runs, and ends the alert.
    says(&pair, A, "metrics = \"127.0.0.1:0\"");
    let at = address(&mut a);
    becomes(&at, "twinset_up", |up| up == 1.0);
    let listed = pair.json(A, &["alerts", "list"]).ended(0).result();
    assert!(!listed["open"].to_string().contains("TW6041"), "{listed}");
    a.stop().ended(0);
}

#[test]
fn only_an_address_of_this_host_is_allowed_unless_it_is_meant() {
    let pair = Pair::of(&fast());
    let rows = [
        ("metrics = \"127.0.0.1:9742\"", None),
        ("metrics = \"[::1]:9742\"", None),
        ("metrics = \"0.0.0.0:9742\"\nmetrics_remote = true", None),
        ("metrics = \"0.0.0.0:9742\"", Some("other hosts")),
        (
            "metrics = \"10.0.0.7:9742\"\nmetrics_remote = false",
            Some("other hosts"),
        ),
        ("metrics = \"localhost\"", Some("no address with a port")),
        (
            "metrics = \"127.0.0.1:70000\"",
            Some("no address with a port"),
        ),
        ("metrics_remote = true", Some("without `metrics`")),
    ];
    for (line, refused) in rows {
        says(&pair, A, line);
        let ran = pair.json(A, &["config", "check"]);
        match refused {
            None => drop(ran.ended(0)),
            Some(why) => {
                let fault = ran.ended(2).failed("TW1002");
                assert!(
                    fault["message"].as_str().unwrap().contains(why),
                    "{line}: {fault}"
                );
            }
        }
    }
}
