//! What does the agent take when the chain is not as it left it? (design 7.3, chain part)

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{Host, Setup, database};
use crate::support::copy;

/// A full and a log of Payroll are held.
fn begun(backup: &'static str) -> Host {
    let host = Host::formatted(&Setup {
        backup,
        ..Setup::default()
    });
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    host
}

/// Somebody else takes the log from under the agent.
fn foreign_log(host: &Host) {
    host.foreign(
        "BACKUP LOG [Payroll] TO DISK = N'foreign.trn' WITH FORMAT, NAME = N'Nightly job'",
    );
}

fn kinds(result: &Value) -> Vec<String> {
    let sets = result["sets"].as_array().unwrap();
    sets.iter()
        .map(|set| set["kind"].as_str().unwrap().to_owned())
        .collect()
}

/// The backup was taken as this kind, and the fault of code TW4022 names these.
#[track_caller]
fn bridged(host: &Host, kind: &str, as_kind: &str, names: &[&str]) -> Value {
    let ran = host.take(kind, &[]).ended(3);
    let fault = ran.failed("TW4022").to_string();
    for name in names {
        assert!(fault.contains(name), "{name}: {fault}");
    }
    let result = ran.object()["result"].clone();
    assert_eq!(kinds(&result), [as_kind], "{result}");
    assert_eq!(
        result["guard"][0]["decision"]["wanted"]["kind"],
        kind_word(kind)
    );
    result
}

fn kind_word(kind: &str) -> &str {
    if kind == "diff" { "differential" } else { kind }
}

#[test]
fn a_foreign_log_is_named_and_bridged_by_a_differential() {
    let host = begun("");
    foreign_log(&host);
    let names = [
        "foreign.trn",
        "Nightly job",
        "twinset",
        "restores to times from",
    ];
    let result = bridged(&host, "log", "differential", &names);
    let foreign = &result["guard"][0]["foreign"][0]["by"];
    assert_eq!(
        (&foreign["kind"], &foreign["copy_only"]),
        (&json!("log"), &json!(false))
    );
    // From the bridge on logs follow again, and nobody is warned twice.
    let result = host.take("log", &[]).ended(0).result();
    assert_eq!(kinds(&result), ["log"]);
    // What is at risk stays to be seen.
    let status = host.world.json(&["status", "payroll"]).ended(0).result();
    let seen = &status[0]["foreign"][0];
    assert_eq!(seen["database"], "Payroll");
    assert_eq!(seen["by"]["name"], "Nightly job");
    let text = host.world.run(&["status"]).ended(0).stdout;
    assert!(
        text.contains("foreign log backup in") && text.contains("foreign.trn"),
        "{text}"
    );
}

#[test]
fn a_foreign_log_is_bridged_by_a_full_where_the_group_wants_it() {
    let host = begun("on_broken_chain = \"full\"");
    foreign_log(&host);
    bridged(&host, "log", "full", &["foreign.trn"]);
    let result = host.take("log", &[]).ended(0).result();
    assert_eq!(kinds(&result), ["log"]);
}

#[test]
fn a_broken_chain_is_refused_where_the_group_wants_it() {
    let host = begun("on_broken_chain = \"refuse\"");
    foreign_log(&host);
    let before = host.sets_of("payroll-log").len();
    let fault = host.take("log", &[]).ended(5).failed("TW4020");
    assert!(fault.to_string().contains("foreign.trn"), "{fault}");
    assert_eq!(host.sets_of("payroll-log").len(), before);
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
}

#[test]
fn a_foreign_full_takes_the_base_of_differentials_away() {
    let host = begun("");
    host.take("diff", &[]).ended(0);
    host.foreign("BACKUP DATABASE [Payroll] TO DISK = N'other.bak' WITH FORMAT");
    // Logs go on all the same; the full is named.
    let ran = host.take("log", &[]).ended(3);
    assert!(ran.failed("TW4022").to_string().contains("other.bak"));
    assert_eq!(kinds(&ran.object()["result"]), ["log"]);
    // Nobody is told every quarter of an hour.
    host.take("log", &[]).ended(0);
    bridged(&host, "diff", "full", &["other.bak"]);
    let result = host.take("diff", &[]).ended(0).result();
    assert_eq!(kinds(&result), ["differential"]);
}

#[test]
fn foreign_copies_disturb_nobody() {
    let host = begun("");
    host.foreign("BACKUP DATABASE [Payroll] TO DISK = N'c.bak' WITH FORMAT, COPY_ONLY");
    host.foreign("BACKUP LOG [Payroll] TO DISK = N'c.trn' WITH FORMAT, COPY_ONLY");
    for (kind, word) in [("log", "log"), ("diff", "differential")] {
        let result = host.take(kind, &[]).ended(0).result();
        assert_eq!(kinds(&result), [word]);
        assert_eq!(result["guard"], Value::Null);
    }
}

#[test]
fn a_machine_that_was_rolled_back_begins_a_new_branch_with_a_full() {
    let mut host = begun("");
    let then = host.told("Payroll")["last_log_backup"].clone();
    host.take("log", &[]).ended(0);
    host.take("log", &[]).ended(0);
    host.unsettle("Payroll", &json!({ "roll_back": then }));
    for kind in ["log", "diff"] {
        let fault = host.take(kind, &[]).ended(5).failed("TW4021");
        assert!(
            fault["remedy"].as_str().unwrap().contains("--kind full"),
            "{fault}"
        );
    }
    // Times on the media are whole seconds: the branch begins behind the one of the last log.
    let second = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs()
    };
    let before = second();
    while second() == before {
        std::thread::yield_now();
    }
    let ran = host.backup().ended(3);
    assert!(ran.failed("TW4022").to_string().contains("rolled back"));
    let data = host.world.file(1, 1, "0004.");
    let bytes = fs::read(data).unwrap();
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap();
    let facts: Value = serde_json::from_slice(line).unwrap();
    assert_eq!(facts["new_branch"], true, "{facts}");
    // The branch goes on by itself, and nobody is told again.
    for kind in ["log", "diff", "log", "full"] {
        let result = host.take(kind, &[]).ended(0).result();
        assert_eq!(kinds(&result), [kind_word(kind)]);
    }
}

#[test]
fn a_machine_that_was_rolled_back_with_its_catalog_learns_from_the_media_first() {
    let mut host = begun("");
    let then = host.told("Payroll")["last_log_backup"].clone();
    let (state, kept) = (
        host.world.path().join("state"),
        host.world.path().join("kept"),
    );
    copy(&state, &kept);
    host.take("log", &[]).ended(0);
    host.unsettle("Payroll", &json!({ "roll_back": then }));
    copy(&kept, &state);
    // By the catalog alone nothing was rolled back: the media know the log behind it.
    let before = host.sets_of("payroll-log").len();
    host.take("log", &[]).ended(5).failed("TW4021");
    assert_eq!(host.sets_of("payroll-log").len(), before);
}

#[test]
fn a_catalog_that_was_set_back_alone_costs_one_try() {
    let host = begun("");
    let (state, kept) = (
        host.world.path().join("state"),
        host.world.path().join("kept"),
    );
    copy(&state, &kept);
    host.take("log", &[]).ended(0);
    copy(&kept, &state);
    // A gap by the catalog alone: the media are looked at, and there is none.
    host.take("log", &[]).ended(1).failed("TW5007");
    let result = host.take("log", &[]).ended(0).result();
    assert_eq!(kinds(&result), ["log"]);
    let plan = ["restore", "plan", "Payroll", "--group", "payroll"];
    let steps = host.world.json(&plan).ended(0).result()["steps"].clone();
    assert_eq!(steps.as_array().unwrap().len(), 4, "{steps}");
}

#[test]
fn another_fork_begins_with_a_full() {
    let mut host = begun("");
    host.unsettle("Payroll", &json!({ "fork": true }));
    let result = host.take("log", &[]).ended(0).result();
    assert_eq!(kinds(&result), ["full"]);
    assert_eq!(
        result["guard"][0]["decision"]["reason"]["because"],
        "other-fork"
    );
    let result = host.take("log", &[]).ended(0).result();
    assert_eq!(kinds(&result), ["log"]);
}

#[test]
fn the_first_log_becomes_a_full_and_so_does_the_first_differential() {
    for kind in ["log", "diff"] {
        let host = Host::usual();
        let result = host.take(kind, &[]).ended(0).result();
        assert_eq!(kinds(&result), ["full"]);
        assert_eq!(
            result["guard"][0]["decision"]["reason"]["because"],
            "no-base"
        );
        let result = host.take(kind, &[]).ended(0).result();
        assert_eq!(kinds(&result), [kind_word(kind)]);
    }
    let host = Host::usual();
    host.take("log", &["--copy-only"]).ended(1).failed("4214");
    host.media_are_clean();
}

#[test]
fn databases_without_logs_are_listed_not_failed() {
    let simple = database("Small", 1 << 20) + "recovery = \"SIMPLE\"\n";
    let host = Host::formatted(&Setup {
        databases: database("Payroll", 1 << 20) + &simple,
        names: vec!["Payroll", "Small", "master"],
        ..Setup::default()
    });
    host.backup().ended(0);
    let result = host.take("log", &[]).ended(0).result();
    assert_eq!(kinds(&result), ["log"]);
    let skipped = result["skipped"].as_array().unwrap();
    let names: Vec<_> = skipped.iter().map(|one| &one["database"]).collect();
    assert_eq!(names, ["Small", "master"]);
    assert!(skipped[0]["why"].as_str().unwrap().contains("simple"));
    assert_eq!(result["failed"], json!([]));
    let line = ["--database", "Small", "--yes"];
    host.take("tail", &line).ended(1).failed("4208");
    // Of master there is no differential.
    let result = host.take("diff", &[]).ended(0).result();
    assert_eq!(kinds(&result), ["differential", "differential", "full"]);
}

#[test]
fn a_lost_catalog_breaks_no_chain() {
    let host = begun("");
    host.take("diff", &[]).ended(0);
    for file in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = fs::remove_file(host.world.path().join("state").join(file));
    }
    for kind in ["log", "diff", "log"] {
        let result = host.take(kind, &[]).ended(0).result();
        assert_eq!(kinds(&result), [kind_word(kind)], "{result}");
    }
}

#[test]
fn a_dry_run_prints_decision_and_statement() {
    let mut host = begun("");
    foreign_log(&host);
    let before = host.told("Payroll");
    let planned = host.take("log", &["--dry-run"]).ended(0).result();
    let one = &planned[0];
    assert_eq!(
        (&one["kind"], &one["media_set"]),
        (&json!("differential"), &json!("payroll"))
    );
    let statement = one["statement"].as_str().unwrap();
    assert!(
        statement.starts_with("BACKUP DATABASE [Payroll] TO VIRTUAL_DEVICE"),
        "{statement}"
    );
    assert!(statement.contains("DIFFERENTIAL"), "{statement}");
    assert_eq!(one["decision"]["foreign"][0]["by"]["name"], "Nightly job");
    assert_eq!(host.told("Payroll"), before);
    let text = host
        .world
        .run(&["backup", "payroll", "--kind", "log", "--dry-run"]);
    let text = text.ended(0).stdout;
    assert!(
        text.contains("foreign.trn") && text.contains("BACKUP DATABASE"),
        "{text}"
    );
    assert_eq!(host.sets_of("payroll-log").len(), 1);
}

#[test]
fn mirrors_may_be_fewer_for_logs_than_for_fulls() {
    let mut host = begun("");
    host.world
        .configure(|media| media.set = "min_mirrors_log = 1".into());
    let (there, away) = ("m2", "away");
    let path = host.world.path().to_owned();
    fs::rename(path.join(there), path.join(away)).unwrap();
    host.backup().ended(1).failed("3240");
    let ran = host.take("log", &[]).ended(3);
    ran.failed("TW3010");
    assert_eq!(kinds(&ran.object()["result"]), ["log"]);
}

#[test]
fn mirrors_may_be_fewer_for_differentials_than_for_fulls() {
    let mut host = begun("");
    host.world
        .configure(|media| media.set = "min_mirrors_diff = 1".into());
    let path = host.world.path().to_owned();
    fs::rename(path.join("m2"), path.join("away")).unwrap();
    host.backup().ended(1).failed("3240");
    host.take("log", &[]).ended(1).failed("3240");
    let ran = host.take("diff", &[]).ended(3);
    ran.failed("TW3010");
    let result = ran.object()["result"].clone();
    assert_eq!(kinds(&result), ["differential"]);
    assert_eq!(result["sets"][0]["mirrors"], json!([1]), "{result}");
    let ran = host.restore_of("Payroll", "Copy", &["--position", "2"]);
    ran.ended(3);
    assert_eq!(host.told("Copy")["state"], "ONLINE");
}
