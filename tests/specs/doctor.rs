//! Does `twinset doctor` find what would stop a run, before the run does? Each row breaks one thing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::front::{Host, Setup, database};
use crate::support::{built, snapshot};

fn host() -> Host {
    let mut host = Host::blank(&Setup::default());
    // It is what breaks that is looked for, not how long it is tried.
    host.reach(|client| client.more = "connect_retry = \"0s\"".into());
    host.world.json(&["media", "format", "payroll"]).ended(0);
    host
}

fn look(host: &Host, code: i32) -> Value {
    host.world.json(&["doctor"]).ended(code).result()
}

/// The gravest finding of this level with this code; it says what to do.
#[track_caller]
fn finding<'a>(told: &'a Value, level: &str, code: &str) -> &'a Value {
    let findings = told["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|found| found["level"] == level && (code.is_empty() || found["code"] == code));
    let found = found.unwrap_or_else(|| panic!("no {level} {code} in {told:#}"));
    assert!(
        found["remedy"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{found}"
    );
    found
}

#[test]
fn on_a_sound_host_all_is_in_order_and_nothing_is_written() {
    let host = host();
    host.backup().ended(0);
    let before = snapshot(host.world.path());
    let told = look(&host, 0);
    assert_eq!(
        (&told["failures"], &told["warnings"]),
        (&json!(0), &json!(0))
    );
    let ran = host.world.run(&["doctor", "payroll"]).ended(0);
    assert!(ran.stdout.contains("verdict: all is in order"), "{ran:?}");
    for seen in [
        "SQL Server 2022",
        "VDI library is loaded",
        "has the rights",
        "reachable",
        "FULL",
    ] {
        assert!(ran.stdout.contains(seen), "{seen}: {}", ran.stdout);
    }
    assert_eq!(snapshot(host.world.path()), before);
}

#[test]
fn it_makes_no_state_folder() {
    let host = Host::blank(&Setup::default());
    let told = look(&host, 1);
    finding(&told, "failure", "3215");
    assert!(!host.world.path().join("state").exists());
}

/// Breaks something of a host.
type Break = fn(&mut Host);

#[test]
fn what_would_stop_a_run_is_found_before_it() {
    let table: [(&str, Break, i32, &str, &str); 11] = [
        (
            "a password file that is gone",
            |host| {
                fs::remove_file(host.world.path().join("password")).unwrap();
            },
            2,
            "failure",
            "TW1005",
        ),
        (
            "a password that others may read",
            |host| {
                let mode = fs::Permissions::from_mode(0o644);
                fs::set_permissions(host.world.path().join("password"), mode).unwrap();
            },
            2,
            "failure",
            "TW1004",
        ),
        (
            "a CA file that is gone",
            |host| {
                host.reach(|client| client.ca_file = Some("gone.pem".into()));
            },
            2,
            "failure",
            "TW1003",
        ),
        (
            "another authority",
            |host| {
                host.reach(|client| client.ca_file = None);
            },
            1,
            "failure",
            "TW4002",
        ),
        (
            "a server that does not answer",
            |host| {
                host.lab.kill().unwrap();
            },
            1,
            "failure",
            "TW4001",
        ),
        (
            "an unknown login",
            |host| {
                host.reach(|client| client.user = "nobody".into());
            },
            1,
            "failure",
            "18456",
        ),
        (
            "a login that is no sysadmin",
            |host| {
                host.reach(|client| client.user = "reader".into());
            },
            1,
            "failure",
            "3265",
        ),
        (
            "no VDI library",
            |host| {
                host.reach(|client| client.vdi_library = "/nowhere/libsqlvdi.so".into());
            },
            1,
            "failure",
            "TW4004",
        ),
        (
            "a plugin file that is no plugin",
            |host| {
                host.world
                    .configure(|media| media.disk = built("libsqlvdi.so"));
            },
            1,
            "failure",
            "",
        ),
        (
            "a signing key that is gone",
            |host| {
                host.world.configure(|media| {
                    media.extra = format!("signing_key_file = \"gone\"\n{}", media.extra);
                });
            },
            2,
            "failure",
            "TW1005",
        ),
        (
            "a mirror that is not there",
            |host| {
                let device = host.world.device(2, 1);
                fs::rename(&device, device.with_extension("away")).unwrap();
            },
            1,
            "failure",
            "TW2011",
        ),
    ];
    for (what, breaks, code, level, fault) in table {
        let mut host = host();
        breaks(&mut host);
        let before = snapshot(host.world.path());
        let begun = Instant::now();
        let ran = host.world.json(&["doctor"]).ended(code);
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        let told = ran.result();
        if told.is_null() {
            // The configuration itself is refused, before anything is looked at.
            ran.failed(fault);
        } else {
            finding(&told, level, fault);
        }
        assert_eq!(snapshot(host.world.path()), before, "{what}");
        // And the run would have met it.
        assert_ne!(host.backup().code, 0, "{what}");
    }
}

#[test]
fn the_right_that_lacks_comes_with_the_statement_that_gives_it() {
    let mut host = host();
    host.reach(|client| client.user = "reader".into());
    let told = look(&host, 1);
    let remedy = finding(&told, "failure", "3265")["remedy"].clone();
    assert_eq!(remedy, "ALTER SERVER ROLE [sysadmin] ADD MEMBER [reader];");
}

#[test]
fn databases_that_cannot_be_backed_up_are_named() {
    let databases = "[[instances.databases]]\nname = \"Payroll\"\nstate = \"OFFLINE\"\n\
                     [[instances.databases]]\nname = \"Simple\"\nsize = 65536\nrecovery = \"SIMPLE\"\n";
    let host = Host::formatted(&Setup {
        databases: databases.into(),
        names: vec!["Payroll", "Simple", "Gone"],
        ..Setup::default()
    });
    let told = look(&host, 1);
    let offline = finding(&told, "failure", "TW4010");
    assert!(
        offline["object"]
            .as_str()
            .unwrap()
            .ends_with("database Payroll")
    );
    let gone = finding(&told, "failure", "911");
    assert!(gone["object"].as_str().unwrap().ends_with("database Gone"));
    assert!(
        told.to_string().contains("no log backups (4208)"),
        "{told:#}"
    );
}

#[test]
fn what_a_run_can_do_without_is_a_warning() {
    let mut host = host();
    let device = host.world.device(2, 1);
    fs::rename(&device, device.with_extension("away")).unwrap();
    host.world
        .configure(|media| media.set = "min_mirrors = 1".into());
    let told = look(&host, 3);
    finding(&told, "warning", "TW2011");
    host.backup().ended(3);
    // The mirror comes back and is behind; repair is what it needs, and is not done here.
    fs::rename(device.with_extension("away"), &device).unwrap();
    let told = look(&host, 3);
    let behind = finding(&told, "warning", "");
    assert!(
        behind["remedy"].as_str().unwrap().contains("media repair"),
        "{behind}"
    );
}

#[test]
fn several_families_are_warned_of() {
    let host = Host::formatted(&Setup {
        families: 2,
        ..Setup::default()
    });
    let told = look(&host, 3);
    let warned = finding(&told, "warning", "").to_string();
    assert!(warned.contains("families = 1"), "{warned}");
}

#[test]
fn a_statement_of_a_dead_run_is_named_and_left_alone() {
    let mut host = host();
    host.turn(&json!({ "never_open": true, "ignores_disconnect": true }));
    let running = host.world.start(&["backup", "payroll"]);
    let until = Instant::now() + Duration::from_secs(60);
    while host.told("Payroll")["busy"] != true {
        assert!(Instant::now() < until, "no BACKUP began");
        std::thread::sleep(Duration::from_millis(20));
    }
    running.kill();
    let told = look(&host, 3);
    let orphan = finding(&told, "warning", "").to_string();
    assert!(
        orphan.contains("left by a dead run of this agent"),
        "{orphan}"
    );
    assert_eq!(host.told("Payroll")["busy"], true);
}

#[test]
fn one_group_or_one_instance_is_looked_at_alone() {
    let host = host();
    let told = host
        .world
        .json(&["doctor", "--instance", "sql-a"])
        .ended(0)
        .result();
    assert!(!told.to_string().contains("/m1/"), "{told:#}");
    host.world
        .json(&["doctor", "nobody"])
        .ended(2)
        .failed("TW1006");
    host.world
        .json(&["doctor", "--instance", "sql-z"])
        .ended(2)
        .failed("TW1006");
    host.world
        .json(&["doctor", "payroll", "--instance", "sql-a"])
        .ended(2);
}

#[test]
fn media_sets_of_each_database_are_looked_at_also_where_a_pattern_names_them() {
    let mut host = Host::blank(&Setup {
        databases: database("Payroll", 1 << 20) + &database("Payments", 1 << 20),
        names: vec!["Pay*"],
        ..Setup::default()
    });
    host.world.configure(|media| {
        for mirror in 1..=2 {
            let path = format!("m{mirror}/{{database}}").into();
            media.elsewhere.insert((mirror, 1), path);
        }
    });
    let line = ["media", "format", "payroll", "--database", "Payroll"];
    host.world.json(&line).ended(0);
    let told = look(&host, 1);
    let about = |name: &str| {
        let findings = told["findings"].as_array().unwrap().iter();
        let about = findings.filter(|found| found["object"].as_str().unwrap().contains(name));
        about
            .map(|found| found["level"].clone())
            .collect::<Vec<_>>()
    };
    assert!(about("m1/Payroll").contains(&json!("ok")), "{told:#}");
    let failed = finding(&told, "failure", "3215");
    assert!(
        failed["object"].as_str().unwrap().contains("Payments"),
        "{failed}"
    );
}
