//! `twinset group adopt`: other tools' jobs are named, and their chain goes on here.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::front::{Host, PASSWORD, SERVER, Setup};

/// A host whose databases others have backed up so far, into files of their own.
struct Taken {
    host: Host,
}

impl Taken {
    fn new(setup: &Setup) -> Self {
        Self {
            host: Host::formatted(setup),
        }
    }

    /// A full, a log, a differential, and two logs behind.
    fn with_chain() -> Self {
        let taken = Self::new(&Setup::default());
        for (what, file, with) in [
            ("DATABASE", "full.bak", ""),
            ("LOG", "log1.trn", ""),
            ("DATABASE", "diff.bak", ", DIFFERENTIAL"),
            ("LOG", "log2.trn", ""),
            ("LOG", "log3.trn", ""),
        ] {
            taken.backs_up(what, file, with);
        }
        taken
    }

    fn folder(&self) -> &Path {
        self.host.world.path()
    }

    fn file(&self, name: &str) -> String {
        self.folder().join(name).display().to_string()
    }

    fn backs_up(&self, what: &str, file: &str, with: &str) {
        let file = self.file(file);
        self.host.foreign(&format!(
            "BACKUP {what} [Payroll] TO DISK = N'{file}' WITH FORMAT{with}"
        ));
    }

    fn jobs(&mut self, jobs: Value) {
        let order = json!({ "instance": SERVER, "jobs": jobs });
        self.host.lab.order(&order).unwrap();
    }

    #[track_caller]
    fn adopt(&self, more: &[&str], code: i32) -> Value {
        let line = [&["group", "adopt", "payroll"], more].concat();
        self.host.world.json(&line).ended(code).object()
    }
}

fn job(name: &str, schedule: Option<bool>, command: &str) -> Value {
    json!({ "name": name, "schedule": schedule, "steps": [{ "name": "do it", "command": command }] })
}

#[test]
fn their_chain_goes_on_here_without_a_new_full() {
    let mut taken = Taken::with_chain();
    let planned = taken.adopt(&[], 0)["result"].clone();
    let database = &planned["databases"][0];
    assert_eq!(database["outcome"]["next"], "goes-on", "{planned}");
    let files: Vec<String> = database["imports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|import| import["files"][0].as_str().unwrap().to_owned())
        .collect();
    let wanted = ["full.bak", "diff.bak", "log2.trn", "log3.trn"].map(|name| taken.file(name));
    assert_eq!(files, wanted, "log1 lies before the differential");
    // Nothing was touched.
    assert!(taken.host.sets_of("payroll").is_empty());
    let done = taken.adopt(&["--yes"], 0)["result"].clone();
    assert_eq!(done["imported"].as_array().unwrap().len(), 4, "{done}");
    // The next log is a log, and a differential stands on their full.
    let log = taken.host.take("log", &[]).ended(0).result();
    assert_eq!(log["sets"][0]["kind"], "log", "{log}");
    let differential = taken.host.take("diff", &[]).ended(0).result();
    assert_eq!(
        differential["sets"][0]["kind"], "differential",
        "{differential}"
    );
    // Their files are not needed any more.
    for name in ["full.bak", "diff.bak", "log1.trn", "log2.trn", "log3.trn"] {
        fs::remove_file(taken.file(name)).unwrap();
    }
    let restored = [
        "restore", "run", "Payroll", "--group", "payroll", "--as", "Back", "--on", "sql-a",
    ];
    taken.host.world.json(&restored).ended(0);
    assert_eq!(taken.host.told("Back")["state"], "ONLINE");
    // Once more there is nothing to do.
    let again = taken.adopt(&["--yes"], 0)["result"].clone();
    assert_eq!(again["imported"], json!([]), "{again}");
}

#[test]
fn a_file_that_is_gone_needs_a_new_base_and_is_named() {
    let taken = Taken::with_chain();
    fs::remove_file(taken.file("log2.trn")).unwrap();
    let planned = taken.adopt(&["--yes"], 0)["result"].clone();
    let outcome = &planned["databases"][0]["outcome"];
    assert_eq!(outcome["next"], "new-base", "{planned}");
    assert!(
        outcome["why"].as_str().unwrap().contains("log2.trn"),
        "{outcome}"
    );
    assert!(
        taken.host.sets_of("payroll").is_empty(),
        "half a chain is worth nothing"
    );
}

#[test]
fn jobs_are_named_with_what_they_break_and_stop_an_adoption_that_they_would_break() {
    let mut taken = Taken::with_chain();
    let ola = "EXECUTE dbo.DatabaseBackup @Databases = 'USER_DATABASES', @BackupType = ";
    taken.jobs(json!([
        job("DatabaseBackup - LOG", Some(true), &format!("{ola}'LOG'")),
        job("DatabaseBackup - DIFF", Some(true), &format!("{ola}'DIFF'")),
        job(
            "O'Hara's own",
            Some(false),
            "BACKUP DATABASE Payroll TO DISK = 'x'"
        ),
        job("IndexOptimize", Some(true), "EXECUTE dbo.IndexOptimize"),
    ]));
    let planned = taken.adopt(&[], 0)["result"].clone();
    let jobs = planned["jobs"].as_array().unwrap();
    let names: Vec<&str> = jobs
        .iter()
        .map(|job| job["job"].as_str().unwrap())
        .collect();
    let wanted = [
        "DatabaseBackup - DIFF",
        "DatabaseBackup - LOG",
        "O'Hara's own",
    ];
    assert_eq!(names, wanted);
    assert_eq!(jobs[1]["tool"], "hallengren");
    assert_eq!(jobs[1]["kinds"], json!(["log"]));
    assert_eq!(jobs[2]["active"], false, "its schedule is disabled");
    assert_eq!(
        jobs[2]["disable"],
        "EXEC msdb.dbo.sp_update_job @job_name = N'O''Hara''s own', @enabled = 0;"
    );
    let refused = taken.adopt(&["--yes"], 5);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("DatabaseBackup - LOG"), "{message}");
    assert!(
        !message.contains("DIFF"),
        "its differentials stand beside: {message}"
    );
    assert!(taken.host.sets_of("payroll").is_empty());
    taken.jobs(json!([job(
        "DatabaseBackup - LOG",
        Some(false),
        &format!("{ola}'LOG'")
    )]));
    taken.adopt(&["--yes"], 0);
    assert_eq!(taken.host.sets_of("payroll").len(), 2);
}

#[test]
fn a_trial_takes_copies_beside_them() {
    let mut taken = Taken::with_chain();
    let before = taken.host.told("Payroll");
    let done = taken.adopt(&["--trial"], 0)["result"].clone();
    assert_eq!(done["sets"][0]["kind"], "full", "{done}");
    let after = taken.host.told("Payroll");
    for fact in ["differential_base", "last_log_backup"] {
        assert_eq!(before[fact], after[fact], "{fact} is theirs still");
    }
    let sets = taken.host.sets_of("payroll");
    assert_eq!(sets.len(), 1);
}

#[test]
fn a_login_that_may_not_see_jobs_is_told_and_sees_the_rest() {
    let mut taken = Taken::with_chain();
    for sql in [
        "USE [Payroll] CREATE USER [reader] FOR LOGIN [reader]",
        "USE [Payroll] ALTER ROLE db_backupoperator ADD MEMBER [reader]",
    ] {
        taken.host.foreign(sql);
    }
    taken.host.reach(|client| client.user = "reader".into());
    let planned = taken.adopt(&[], 0);
    let text = planned.to_string();
    assert!(!text.contains(PASSWORD));
    let unseen = &planned["result"]["unseen"];
    assert_eq!(unseen["code"], "TW4003", "{planned}");
    let why = &planned["result"]["databases"][0]["outcome"]["why"];
    assert!(why.as_str().unwrap().contains("may not see"), "{planned}");
    assert!(
        unseen["remedy"].as_str().unwrap().contains("sysjobs"),
        "{unseen}"
    );
}
