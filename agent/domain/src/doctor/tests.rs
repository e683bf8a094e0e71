#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::grants::{self, Feature, Release};
use crate::system::LINUX;
use crate::{FamilyNo, MirrorNo, Shape, Slot, code};

fn levels(findings: &[Finding]) -> Vec<Level> {
    findings.iter().map(|found| found.level).collect()
}

fn worst(findings: &[Finding]) -> Level {
    levels(findings).into_iter().max().unwrap_or(Level::Ok)
}

#[test]
fn the_verdict_ends_as_the_worst_finding_says() {
    let ok = Finding::ok("a", "b");
    let note = Finding::note("a", "b");
    let warning = Finding::warning("a", "b");
    let server = Finding::failure(code::SQL_LOGIN, "a", "b");
    let typed = Finding::failure(code::SECRET, "a", "b");
    let lost = Finding::failure(code::LOST, "a", "b");
    for (findings, code) in [
        (vec![], 0),
        (vec![ok.clone(), note.clone()], 0),
        (vec![ok, warning.clone()], 3),
        (vec![warning.clone(), server.clone()], 1),
        (vec![warning, typed.clone()], 2),
        (vec![typed, server], 1),
        (vec![note, lost], 1),
    ] {
        assert_eq!(
            Verdict::of(findings.clone()).exit().code(),
            code,
            "{findings:?}"
        );
    }
}

fn sound() -> Host {
    Host {
        shared_memory: "/dev/shm".into(),
        space: Some((1 << 30, 1 << 30)),
        needed: 8 << 20,
        writable: true,
        same_as_server: Some(true),
        is_root: false,
        user: "twinset".into(),
        in_group: Some(true),
        server_in_group: Some(true),
        umask: Some(0o022),
        leftovers: 0,
    }
}

#[test]
fn the_host_is_judged_by_what_virtual_devices_need() {
    assert!(worst(&sound().findings()) <= Level::Note);
    type Change = fn(&mut Host);
    let changes: [(Change, &str); 6] = [
        (|host| host.space = None, "no shared memory"),
        (|host| host.writable = false, "may not make files"),
        (|host| host.space = Some((64 << 20, 1 << 20)), "8 MiB"),
        (
            |host| host.same_as_server = Some(false),
            "another shared memory",
        ),
        (|host| host.in_group = Some(false), "usermod -aG mssql"),
        (
            |host| host.server_in_group = Some(false),
            "usermod -aG twinset",
        ),
    ];
    for (change, said) in changes {
        let mut host = sound();
        change(&mut host);
        let found = host.findings();
        let failing = found.iter().find(|found| found.level == Level::Failure);
        let failing = failing.unwrap_or_else(|| panic!("{said}: {found:?}"));
        let text = format!("{} {}", failing.message, failing.remedy);
        assert!(text.contains(said), "{text}");
        assert!(!failing.remedy.is_empty());
    }
    // What root may open needs no group.
    let host = Host {
        is_root: true,
        in_group: Some(false),
        ..sound()
    };
    assert!(worst(&host.findings()) <= Level::Note);
}

fn server(major: u16, ahead: i64) -> Server {
    Server {
        name: "sql-a".into(),
        version: format!("{major}.0.1.1"),
        major,
        edition: "Standard Edition".into(),
        login: "twinset".into(),
        features: vec![Feature::Vdi],
        lacking: Vec::new(),
        ahead_seconds: Some(ahead),
        is_here: Some(true),
        computer: "SQL-A".into(),
        orphans: Vec::new(),
    }
}

#[test]
fn an_instance_is_judged_by_version_rights_clock_and_place() {
    assert_eq!(worst(&server(16, 3).findings()), Level::Ok);
    assert_eq!(worst(&server(10, 0).findings()), Level::Failure);
    assert_eq!(worst(&server(16, -3600).findings()), Level::Warning);
    let elsewhere = Server {
        is_here: Some(false),
        ..server(16, 0)
    };
    assert_eq!(worst(&elsewhere.findings()), Level::Failure);
    let files = Server {
        features: vec![Feature::Stage],
        ..elsewhere
    };
    assert_eq!(worst(&files.findings()), Level::Ok);

    let features = [Feature::Stage, Feature::Restore].into();
    let all = grants::grants(&grants::Wanted {
        login: "twinset",
        features: &features,
        release: Some(Release::Sql2022),
        databases: &["Payroll".to_owned()],
    });
    for grant in all {
        let expected = match grant.right {
            grants::Right::ServerState | grants::Right::AnyConnection => Level::Warning,
            _ => Level::Failure,
        };
        let lacks = Server {
            lacking: vec![grant.clone()],
            ..server(16, 0)
        };
        let found = lacks.findings();
        assert_eq!(worst(&found), expected, "{grant:?}");
        assert!(
            found
                .iter()
                .any(|found| found.remedy == grant.sql.join(" "))
        );
    }
}

fn database() -> Database {
    Database {
        instance: "sql-a".into(),
        major: 16,
        name: "Payroll".into(),
        exists: true,
        state: "ONLINE".into(),
        recovery_model: "FULL".into(),
        vdi: true,
        ..Database::default()
    }
}

#[test]
fn a_database_is_judged_by_state_and_features() {
    type Change = fn(&mut Database);
    let table: [(Change, Level); 11] = [
        (|_| {}, Level::Ok),
        (|database| database.exists = false, Level::Failure),
        (|database| database.state = "OFFLINE".into(), Level::Failure),
        (|database| database.is_snapshot = true, Level::Failure),
        (
            |database| database.mirror_of = Some("SQL-B".into()),
            Level::Note,
        ),
        (
            |database| database.recovery_model = "SIMPLE".into(),
            Level::Note,
        ),
        (|database| database.filestream = true, Level::Warning),
        (
            |database| {
                database.filestream = true;
                database.vdi = false;
            },
            Level::Ok,
        ),
        (
            |database| {
                database.express = true;
                database.native.compression = true;
            },
            Level::Failure,
        ),
        (
            |database| {
                database.encrypted = true;
                database.native.compression = true;
                database.native.max_transfer_size = 65_536;
            },
            Level::Warning,
        ),
        (
            |database| {
                database.encrypted = true;
                database.native.compression = true;
            },
            Level::Ok,
        ),
    ];
    for (change, level) in table {
        let mut database = database();
        change(&mut database);
        let found = database.findings();
        assert_eq!(worst(&found), level, "{database:?}");
        for found in found {
            assert!(found.level < Level::Warning || !found.remedy.is_empty());
        }
    }
    let mut old = database();
    (old.major, old.encrypted, old.native.compression) = (11, true, true);
    assert_eq!(worst(&old.findings()), Level::Warning);
}

fn media(mirrors: u8) -> Media {
    let shape = Shape {
        families: 1,
        mirrors,
    };
    let device = |slot: Slot| Device {
        slot,
        label: format!("/m{}", slot.mirror.0),
        fault: None,
        free: Some(1 << 30),
        alerts: Vec::new(),
        observed: Vec::new(),
    };
    Media {
        key: "payroll".into(),
        shape,
        vdi_on_linux: true,
        min_mirrors: mirrors,
        fault: None,
        formatted: true,
        devices: shape.slots().map(device).collect(),
        out_of_step: Vec::new(),
        last_full: Some(1 << 20),
        raw: true,
    }
}

#[test]
fn media_are_judged_by_what_the_next_run_needs() {
    assert_eq!(worst(&media(2).findings()), Level::Ok);
    let mut blank = media(2);
    blank.formatted = false;
    blank.devices[0].fault = Some(Fault::new(code::NO_VOLUME, "/m1", "no volume"));
    assert_eq!(blank.findings()[0].code, Some(code::NEEDS_FORMAT));

    let mut behind = media(2);
    behind.out_of_step = vec![MirrorNo(2)];
    assert_eq!(worst(&behind.findings()), Level::Warning);

    let mut missing = media(2);
    missing.devices[1].fault = Some(Fault::new(code::DEVICE, "/m2", "not mounted"));
    assert_eq!(worst(&missing.findings()), Level::Failure);
    // With fewer mirrors required, the run goes on without it.
    missing.min_mirrors = 1;
    assert_eq!(worst(&missing.findings()), Level::Warning);

    let mut full = media(1);
    full.last_full = Some(2 << 30);
    assert_eq!(worst(&full.findings()), Level::Failure);
    full.raw = false;
    assert_eq!(worst(&full.findings()), Level::Warning);

    let mut striped = media(1);
    striped.shape.families = 2;
    striped.devices.push(Device {
        slot: Slot {
            mirror: MirrorNo(1),
            family: FamilyNo(2),
        },
        ..striped.devices[0].clone()
    });
    assert_eq!(worst(&striped.findings()), Level::Warning);
    striped.vdi_on_linux = false;
    assert_eq!(worst(&striped.findings()), Level::Ok);
}

fn stage(change: impl FnOnce(&mut Stage)) -> Vec<(Level, String)> {
    let mut seen = Stage {
        dir: "/stage".to_owned(),
        group: "payroll".to_owned(),
        writable: true,
        mode: Some(0o42770),
        free: Some(4 << 30),
        last_full: Some(1 << 30),
        ..Stage::default()
    };
    change(&mut seen);
    let found = seen.findings(&LINUX).into_iter();
    found.map(|found| (found.level, found.message)).collect()
}

/// What is wrong with it, how grave that is, and what is said.
type Wrong = (fn(&mut Stage), Level, &'static str);

#[test]
fn a_stage_folder_serves_two_users_and_one_backup() {
    let sound = (
        Level::Ok,
        "this agent may write there, 4096 MiB free".to_owned(),
    );
    assert_eq!(stage(|_| {}), std::slice::from_ref(&sound));
    let wrong: [Wrong; 6] = [
        (
            |seen| seen.fault = Some("it is no folder".to_owned()),
            Level::Failure,
            "group payroll stages there: it is no folder",
        ),
        (
            |seen| seen.writable = false,
            Level::Failure,
            "this agent may not write there",
        ),
        (
            |seen| seen.mode = Some(0o40755),
            Level::Warning,
            "its owner alone may write there, and SQL Server is another user",
        ),
        (
            |seen| seen.mode = Some(0o40770),
            Level::Warning,
            "files that SQL Server makes there get SQL Server's own group, and this agent may not \
             be able to read them",
        ),
        (
            |seen| seen.last_full = Some(5 << 30),
            Level::Warning,
            "4096 MiB are free, and the last full backup of one database of group payroll had 5120 \
             MiB",
        ),
        (
            |seen| seen.waiting = 2,
            Level::Note,
            "2 backups wait there to be taken in",
        ),
    ];
    for (change, level, message) in wrong {
        let found = stage(change);
        assert_eq!(found.last(), Some(&(level, message.to_owned())));
    }
    // Where there are no such permissions, nothing is said of them.
    assert_eq!(stage(|seen| seen.mode = None), [sound]);
}
