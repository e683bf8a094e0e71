//! Over a database that is there: when, at which place, and what is never lost unsaid?

use serde_json::{Value, json};

use super::{Host, Setup, database, mirrored};
use crate::support::Ran;

/// A full of nothing, a log that holds `a`, and `b` in no backup.
fn begun() -> Host {
    let mut host = Host::usual();
    host.backup().ended(0);
    host.unsettle("Payroll", &json!({ "write": ["a"] }));
    host.take("log", &[]).ended(0);
    host.unsettle("Payroll", &json!({ "write": ["b"] }));
    host
}

fn over(host: &Host, more: &[&str]) -> Ran {
    host.restore_of("Payroll", "Payroll", more)
}

fn tail(host: &Host) {
    let line = ["--database", "Payroll", "--yes"];
    host.take("tail", &line).ended(0);
}

#[test]
fn with_its_tail_backed_up_nothing_is_lost() {
    let mut host = begun();
    tail(&host);
    let restored = over(&host, &["--replace"]).ended(0).result();
    assert_eq!(restored["state"], "ONLINE");
    let told = host.told("Payroll");
    assert_eq!(told["writes"], json!(["a", "b"]), "{told}");
    // The chain begins anew on the new fork.
    let result = host.take("log", &[]).ended(0).result();
    assert_eq!(result["sets"][0]["kind"], "full", "{result}");
}

#[test]
fn it_keeps_its_files_where_they_are() {
    let host = begun();
    tail(&host);
    let restored = over(&host, &["--replace"]).ended(0).result();
    let files = restored["files"].as_array().unwrap();
    assert!(!files.is_empty());
    for file in files {
        let path = file[1].as_str().unwrap();
        assert!(path.starts_with("/var/opt/mssql/data/"), "{file}");
        assert!(!path.contains("Payroll.Payroll"), "{file}: a new place");
    }
}

#[test]
fn without_its_tail_it_is_refused_and_untouched() {
    let mut host = begun();
    let before = host.told("Payroll");
    let fault = over(&host, &["--replace"]).ended(5).failed("3141");
    let text = fault.to_string();
    for told in ["3159", "--kind tail", "--no-tail"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    over(&host, &[]).ended(5).failed("3141");
    assert_eq!(host.told("Payroll"), before);
    // What is given up is said, and gone.
    over(&host, &["--replace", "--no-tail"]).ended(0);
    assert_eq!(host.told("Payroll")["writes"], json!(["a"]));
}

#[test]
fn a_suspect_database_needs_its_tail_too() {
    let mut host = begun();
    host.unsettle("Payroll", &json!({ "state": "SUSPECT" }));
    let fault = over(&host, &["--replace"]).ended(5).failed("3141");
    assert!(fault.to_string().contains("3159"), "{fault}");
    tail(&host);
    over(&host, &["--replace"]).ended(0);
    assert_eq!(host.told("Payroll")["writes"], json!(["a", "b"]));
}

#[test]
fn another_database_is_never_replaced() {
    let mut host = Host::formatted(&Setup {
        databases: database("Payroll", 1 << 20) + &database("Other", 1 << 20),
        ..Setup::default()
    });
    host.backup().ended(0);
    let before = host.told("Other");
    for more in [&["--replace"][..], &["--replace", "--no-tail"]] {
        let fault = host.restore_of("Payroll", "Other", more).ended(5);
        assert!(fault.failed("3141").to_string().contains("3154"));
        host.restore_of("Payroll", "master", more)
            .ended(5)
            .failed("3141");
    }
    assert_eq!(host.told("Other"), before);
    host.restore_of("Payroll", "Fresh", &["--no-tail"]).ended(2);
    // Nothing is there: nothing is replaced.
    host.restore_of("Payroll", "Fresh", &["--replace"]).ended(0);
}

#[test]
fn a_database_in_a_session_is_never_replaced() {
    let mut host = Host::formatted(&Setup {
        databases: mirrored("Payroll", "principal"),
        ..Setup::default()
    });
    host.backup().ended(0);
    let before = host.told("Payroll");
    for more in [&["--replace"][..], &["--replace", "--no-tail"]] {
        over(&host, more).ended(5).failed("3104");
    }
    assert_eq!(host.told("Payroll"), before);
    let copy: Value = host.restore("Copy").ended(0).result();
    assert_eq!(copy["state"], "ONLINE");
}
