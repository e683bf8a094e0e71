//! What `twinset grants` prints: the double takes it as it stands, a login with exactly these
//! rights can do its job, and one that lacks any of them is told which.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twinset::sqlserver::history::{SetKey, find_set};
use twinset::sqlserver::{
    Auth, Connector, Endpoint, InstanceSettings, Param, Purpose, Secret, Session, StatementEnd,
    facts, rights,
};
use twinset_domain::grants::{
    self, Feature, Grant, PASSWORD as NEW_PASSWORD, RELEASES, Release, Right,
};
use twinset_domain::{Fault, code};

use crate::front::{Host, PASSWORD, Setup};

const LIMIT: Duration = Duration::from_secs(30);
/// The login that is to get the rights; a name that needs its quotes.
pub(crate) const LOGIN: &str = "two]set";
const DATABASE: &str = "Payroll";

fn host(major: u16) -> Host {
    let mut host = Host::blank(&Setup {
        server: format!(
            "[instances.version]\nmajor = {major}\n[instances.faults]\nmsdb_is_private = true"
        ),
        ..Setup::default()
    });
    host.reach(|client| client.user = LOGIN.into());
    host
}

fn printed(host: &Host, more: &[&str]) -> Value {
    let line = [&["grants", "sql-a"], more].concat();
    host.world.json(&line).ended(0).result()
}

/// A session of a login.
pub(crate) fn open(host: &Host, user: &str, password: &str) -> Result<Session, Fault> {
    let listening = &host.lab.instances[0];
    let auth = Auth::Sql {
        user: user.into(),
        password: Secret::new(password),
    };
    let endpoint = Endpoint::Port(listening.port);
    let mut settings = InstanceSettings::new("sql-a", "localhost", endpoint, auth);
    settings.ca_file = Some(listening.ca_file.clone());
    settings.connect_retry = Duration::ZERO;
    Connector::new(settings, "grants").open(Purpose::Work)
}

/// Runs a script as sqlcmd does: batch by batch.
#[track_caller]
pub(crate) fn run(admin: &mut Session, script: &str) {
    for batch in script.split("GO\n") {
        if let Err(fault) = admin.query(batch, &[]) {
            panic!("{fault}\nin\n{batch}");
        }
    }
}

fn statement(host: &Host, sql: &str) -> Result<(), Fault> {
    let session = open(host, LOGIN, NEW_PASSWORD)?;
    let end = session.start(sql)?.wait(LIMIT).unwrap();
    end.fault(DATABASE).map_or(Ok(()), Err)
}

/// Everything that source `stage` and a restore from files ask of the server.
fn job(host: &Host, wanted: &[Grant]) -> Result<(), Fault> {
    let mut control = open(host, LOGIN, NEW_PASSWORD)?;
    let lacking = rights::missing(&mut control, wanted)?;
    let folder = host.world.path().join("staged.bak");
    let file = folder.display();
    let backup = format!("BACKUP DATABASE [{DATABASE}] TO DISK = N'{file}' WITH CHECKSUM");
    statement(host, &backup)?;
    let found = control.query(
        "SELECT TOP (1) backup_set_uuid FROM msdb.dbo.backupset ORDER BY backup_set_id DESC",
        &[],
    )?;
    let set = found.one()?.need_guid("backup_set_uuid")?;
    assert!(find_set(&mut control, SetKey::Guid(set))?.is_some());
    if wanted.iter().any(|grant| grant.right == Right::DbCreator) {
        statement(host, &format!("RESTORE VERIFYONLY FROM DISK = N'{file}'"))?;
    }
    // What is hidden does not fail; it would be believed not to be there.
    let database = facts::probe_database(&mut control, DATABASE)?.unwrap();
    let files = facts::differential_bases(&mut control, database.database_id)?;
    assert_eq!(
        files.is_empty(),
        lacking_any(&lacking, "VIEW ANY DEFINITION")
    );
    let other = open(host, LOGIN, NEW_PASSWORD)?;
    let number = Param::Int(i32::try_from(other.spid()).unwrap());
    let sql = "SELECT session_id FROM sys.dm_exec_sessions WHERE session_id = @P1";
    let seen = control.query(sql, &[number])?.first().is_some();
    assert_eq!(seen, !lacking_any(&lacking, "STATE"));
    control.query(&format!("KILL {}", other.spid()), &[])?;
    match lacking.first() {
        None => Ok(()),
        Some(grant) => Err(Fault::new(code::SQL_ERROR, "rights", &grant.why)),
    }
}

fn lacking_any(lacking: &[Grant], text: &str) -> bool {
    let all = lacking.iter().flat_map(|grant| &grant.sql);
    all.into_iter().any(|line| line.contains(text))
}

/// Backups through files alone.
pub(crate) const STAGE: &[Feature] = &[Feature::Stage];
/// And restores from them.
const BOTH: &[Feature] = &[Feature::Stage, Feature::Restore];

pub(crate) fn wanted(release: Release, features: &[Feature]) -> Vec<Grant> {
    let features = features.iter().copied().collect();
    let databases = [DATABASE.to_owned()];
    grants::grants(&grants::Wanted {
        login: LOGIN,
        features: &features,
        release: Some(release),
        databases: &databases,
    })
}

pub(crate) fn script(grants: &[Grant]) -> String {
    let lines = grants.iter().flat_map(|grant| &grant.sql);
    lines.fold(String::new(), |text, line| {
        let batch = if line.starts_with("USE ") { "GO\n" } else { "" };
        format!("{text}{batch}{line}\n")
    })
}

#[test]
fn every_version_takes_what_is_printed_for_it_and_it_is_enough() {
    for (release, year, major) in RELEASES {
        let host = host(major);
        let year = year.to_string();
        let line = [
            "--feature",
            "stage",
            "--feature",
            "restore",
            "--version",
            &year,
        ];
        let told = printed(&host, &line);
        assert_eq!(told["databases"], json!([DATABASE]));
        let mut admin = open(&host, "twinset", PASSWORD).unwrap();
        run(&mut admin, told["script"].as_str().unwrap());
        if let Err(fault) = job(&host, &wanted(release, BOTH)) {
            panic!("{release}: {fault}");
        }
    }
}

#[test]
fn the_other_way_of_2022_does_the_same() {
    let host = host(16);
    let release = Release::Sql2022;
    let mut list = wanted(release, BOTH);
    for grant in &mut list {
        if let Some(or) = grant.or.take() {
            grant.sql = vec![or];
        }
    }
    run(
        &mut open(&host, "twinset", PASSWORD).unwrap(),
        &script(&list),
    );
    job(&host, &wanted(release, BOTH)).unwrap();
}

#[test]
fn a_server_takes_no_rights_that_it_does_not_know() {
    let host = host(15);
    let mut admin = open(&host, "twinset", PASSWORD).unwrap();
    let told = printed(&host, &["--feature", "stage", "--version", "2022"]);
    let script = told["script"].as_str().unwrap();
    let refused = script
        .split("GO\n")
        .find_map(|batch| admin.query(batch, &[]).err())
        .unwrap();
    assert!(
        refused.message.contains("VIEW SERVER PERFORMANCE STATE"),
        "{refused}"
    );
}

/// Each right: what fails without it, by SQL Server's number where it refuses, and what the
/// message names.
#[test]
fn without_any_one_of_them_the_right_is_named() {
    let release = Release::Sql2022;
    let table = [
        (STAGE, "CREATE LOGIN", "18456"),
        (STAGE, "VIEW SERVER PERFORMANCE STATE", "progress of BACKUP"),
        (STAGE, "VIEW ANY DEFINITION", "sys.master_files"),
        (STAGE, "ALTER ANY CONNECTION", "GRANT ALTER ANY CONNECTION"),
        (STAGE, "[backupset]", "'backupset', database 'msdb'"),
        (
            STAGE,
            "[backupmediaset]",
            "'backupmediaset', database 'msdb'",
        ),
        (
            STAGE,
            "[backupmediafamily]",
            "'backupmediafamily', database 'msdb'",
        ),
        (
            STAGE,
            "[db_backupoperator]",
            "error 262: BACKUP DATABASE permission denied",
        ),
        (
            BOTH,
            "[dbcreator]",
            "error 262: CREATE DATABASE permission denied",
        ),
    ];
    let rows = table.iter().filter(|(features, ..)| *features == STAGE);
    assert_eq!(
        wanted(release, STAGE).len(),
        rows.count(),
        "a right without a row"
    );
    for (features, left_out, said) in table {
        let all = wanted(release, features);
        let host = host(16);
        let mut admin = open(&host, "twinset", PASSWORD).unwrap();
        let given: Vec<Grant> = all
            .iter()
            .cloned()
            .map(|mut grant| {
                grant.sql.retain(|line| !line.contains(left_out));
                grant
            })
            .collect();
        if left_out != "CREATE LOGIN" {
            run(&mut admin, &script(&given));
        }
        let fault = job(&host, &all).expect_err(left_out);
        assert!(fault.to_string().contains(said), "{left_out}: {fault}");
        if left_out == "CREATE LOGIN" {
            continue;
        }
        // And before anything fails, the login itself can be asked what it lacks.
        let mut session = open(&host, LOGIN, NEW_PASSWORD).unwrap();
        let lacking = rights::missing(&mut session, &all).unwrap();
        assert_eq!(lacking.len(), 1, "{left_out}: {lacking:#?}");
        assert!(lacking_any(&lacking, left_out), "{left_out}: {lacking:#?}");
    }
}

#[test]
fn virtual_devices_need_sysadmin_and_the_double_insists() {
    let mut host = host(16);
    host.world.json(&["media", "format", "payroll"]).ended(0);
    let mut admin = open(&host, "twinset", PASSWORD).unwrap();
    // All the lesser rights together do not replace it.
    run(&mut admin, &script(&wanted(Release::Sql2022, BOTH)));
    std::fs::write(host.world.path().join("password"), NEW_PASSWORD).unwrap();
    host.backup().ended(1).failed("3265");
    let told = printed(&host, &[]);
    assert_eq!(told["features"], json!(["vdi"]));
    assert_eq!(told["version"], 2022, "it was asked");
    let role = told["grants"][1]["sql"][0].as_str().unwrap();
    run(&mut admin, role);
    host.backup().ended(0);
    host.restores("Payroll", 1, "Copy");
}

#[test]
fn without_the_instance_the_forms_that_every_version_takes_are_printed() {
    let mut host = host(16);
    host.lab.kill().unwrap();
    let begun = Instant::now();
    let ran = host
        .world
        .run(&["grants", "sql-a", "--feature", "stage"])
        .ended(0);
    assert!(begun.elapsed() < LIMIT);
    assert!(
        ran.stdout
            .contains("GRANT VIEW SERVER STATE TO [two]]set];"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("--version names one"), "{ran:?}");
    host.world
        .json(&["grants", "sql-z"])
        .ended(2)
        .failed("TW1006");
    host.world
        .json(&["grants", "sql-a", "--version", "2010"])
        .ended(2);
}

#[test]
fn whoever_is_no_sysadmin_gives_nothing() {
    let host = host(16);
    let mut admin = open(&host, "twinset", PASSWORD).unwrap();
    run(&mut admin, &script(&wanted(Release::Sql2022, BOTH)));
    let mut lesser = open(&host, LOGIN, NEW_PASSWORD).unwrap();
    for line in [
        "ALTER SERVER ROLE [sysadmin] ADD MEMBER [two]]set]",
        "GRANT VIEW SERVER STATE TO [reader]",
    ] {
        assert!(
            lesser
                .query(line, &[])
                .unwrap_err()
                .message
                .contains("15247")
        );
    }
    let end = admin
        .start("ALTER SERVER ROLE [nobody] ADD MEMBER [reader]")
        .unwrap();
    let Some(StatementEnd::Error { number, .. }) = end.wait(LIMIT) else {
        panic!("no error")
    };
    assert_eq!(number, 15_151);
}
