//! What other tools left, and how their chain goes on here.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use twinset_domain::adopt::{Asked, Job, Outcome, Step, Theirs, Tool, find, take_over};
use twinset_domain::chain::Source;
use twinset_domain::{BackupKind, Lsn};
use uuid::Uuid;

use BackupKind::{Differential, Full, Log};

fn step(subsystem: &str, command: &str) -> Job {
    Job {
        name: "O'Hara".to_owned(),
        enabled: true,
        scheduled: true,
        steps: vec![Step {
            name: "one".to_owned(),
            subsystem: subsystem.to_owned(),
            command: command.to_owned(),
        }],
    }
}

/// Tool, kinds, and whether all of it are copies; nothing for a job that takes no backups.
type Expected = Option<(Tool, &'static [BackupKind], bool)>;

#[test]
fn commands_tell_tool_and_kinds() {
    let ola = Tool::Hallengren;
    let own = Tool::Statements;
    let rows: [(&str, &str, Expected); 17] = [
        (
            "TSQL",
            "EXECUTE [dbo].[DatabaseBackup] @Databases = 'USER_DATABASES', @BackupType = 'FULL'",
            Some((ola, &[Full], false)),
        ),
        (
            "TSQL",
            "exec master.dbo.DatabaseBackup @BackupType=N'LOG', @CopyOnly = 'N', @Verify='Y'",
            Some((ola, &[Log], false)),
        ),
        (
            "TSQL",
            "EXEC DatabaseBackup @BackupType = 'DIFF', @ChangeBackupType = 'Y'",
            Some((ola, &[Differential], false)),
        ),
        (
            "TSQL",
            "EXEC DatabaseBackup @BackupType = 'FULL', @CopyOnly = 'Y'",
            Some((ola, &[Full], true)),
        ),
        (
            "CmdExec",
            "sqlcmd -E -S . -d master -Q \"EXECUTE dbo.DatabaseBackup @BackupType = 'LOG'\" -b",
            Some((ola, &[Log], false)),
        ),
        (
            "SSIS",
            "/Server \"$(ESCAPE_NONE(SRVR))\" /SQL \"Maintenance Plans\\Nightly\" /set \"x\"",
            Some((Tool::MaintenancePlan, &[], false)),
        ),
        (
            "TSQL",
            "BACKUP DATABASE [Payroll] TO DISK = N'd:\\p.bak' WITH INIT",
            Some((own, &[Full], false)),
        ),
        (
            "TSQL",
            "backup\nlog Payroll to disk='x'",
            Some((own, &[Log], false)),
        ),
        (
            "TSQL",
            "BACKUP DATABASE a TO DISK='x' WITH DIFFERENTIAL; BACKUP LOG a TO DISK='y'",
            Some((own, &[Differential, Log], false)),
        ),
        (
            "TSQL",
            "BACKUP DATABASE a TO DISK='x' WITH DIFFERENTIAL\nBACKUP DATABASE b TO DISK='y'",
            Some((own, &[Full, Differential], false)),
        ),
        (
            "TSQL",
            "BACKUP DATABASE a TO DISK='x' WITH COPY_ONLY",
            Some((own, &[Full], true)),
        ),
        (
            "TSQL",
            "BACKUP DATABASE a TO DISK='x' WITH COPY_ONLY; BACKUP LOG a TO DISK='y'",
            Some((own, &[Full, Log], false)),
        ),
        (
            "PowerShell",
            "Backup-DbaDatabase -SqlInstance .",
            Some((Tool::Unknown, &[], false)),
        ),
        (
            "TSQL",
            "EXEC dbo.usp_NightlyBackups",
            Some((Tool::Unknown, &[], false)),
        ),
        (
            "TSQL",
            "-- BACKUP LOG a\nSELECT 1 /* BACKUP DATABASE a */",
            None,
        ),
        (
            "TSQL",
            "EXEC sp_delete_backuphistory @oldest_date = '2020-01-01'",
            None,
        ),
        ("CmdExec", "twinset backup payroll --kind log", None),
    ];
    for (subsystem, command, expected) in rows {
        let found = find(&[step(subsystem, command)]);
        let found = found.first().map(|one| {
            let kinds: Vec<BackupKind> = one.kinds.iter().copied().collect();
            (one.tool, kinds, one.copy_only)
        });
        let expected = expected.map(|(tool, kinds, copy)| (tool, kinds.to_vec(), copy));
        assert_eq!(found, expected, "{command}");
    }
}

#[test]
fn a_job_is_stopped_by_its_quoted_name_and_those_that_run_come_first() {
    let mut idle = step("TSQL", "BACKUP LOG a TO DISK='x'");
    idle.name = "A".to_owned();
    idle.scheduled = false;
    let found = find(&[
        idle,
        step("TSQL", "BACKUP DATABASE a TO DISK='x' WITH DIFFERENTIAL"),
    ]);
    assert_eq!(
        found[0].disable,
        "EXEC msdb.dbo.sp_update_job @job_name = N'O''Hara', @enabled = 0;"
    );
    assert!(found[0].active && !found[0].breaks());
    assert!(!found[1].active && found[1].breaks());
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn lsn(number: u128) -> Lsn {
    number.to_string().parse().unwrap()
}

fn theirs(set: u128, kind: BackupKind, first: u128, last: u128) -> Theirs {
    Theirs {
        set: id(set),
        kind,
        copy_only: false,
        first: Some(lsn(first)),
        last: Some(lsn(last)),
        base: (kind == Differential).then(|| id(1)),
        files: vec![format!("/b/{set}.bak")],
        unreachable: None,
    }
}

fn source(next: u128) -> Source {
    Source {
        next_log: Some(lsn(next)),
        bases: vec![Some(id(1)), Some(id(1))],
        ..Source::default()
    }
}

/// A full, a differential on it, and logs before and behind.
fn history() -> Vec<Theirs> {
    vec![
        theirs(5, Log, 40, 50),
        theirs(1, Full, 10, 12),
        theirs(2, Log, 5, 20),
        theirs(3, Log, 20, 40),
        theirs(4, Differential, 30, 33),
        theirs(9, Full, 1, 2),
    ]
}

fn asked(source: &Source, theirs: &[Theirs], held: &[u128]) -> (Vec<String>, Outcome) {
    let held: BTreeSet<Uuid> = held.iter().map(|one| id(*one)).collect();
    let taken = take_over(&Asked {
        database: "Payroll",
        source,
        theirs,
        held: &held,
        families: (1, 1),
    });
    let files = taken.imports.into_iter().map(|one| one.files.join(","));
    (files.collect(), taken.outcome)
}

#[track_caller]
fn refused(source: &Source, theirs: &[Theirs], says: &str) {
    let (files, outcome) = asked(source, theirs, &[]);
    let Outcome::NewBase { why } = outcome else {
        panic!("goes on with {files:?}");
    };
    assert!(why.contains(says), "{why}");
    assert!(files.is_empty());
}

#[test]
fn the_shortest_chain_up_to_the_next_log_is_taken_in() {
    let (files, outcome) = asked(&source(50), &history(), &[]);
    assert_eq!(files, ["/b/1.bak", "/b/4.bak", "/b/3.bak", "/b/5.bak"]);
    assert_eq!(outcome, Outcome::GoesOn);
    // What is held is not taken in again.
    let (files, _) = asked(&source(50), &history(), &[1, 4, 3]);
    assert_eq!(files, ["/b/5.bak"]);
    let (files, outcome) = asked(&source(50), &history(), &[1, 3, 4, 5]);
    assert!(files.is_empty());
    assert_eq!(outcome, Outcome::GoesOn);
}

#[test]
fn a_log_that_starts_before_the_full_ends_needs_nothing_between() {
    let (files, outcome) = asked(&source(11), &[theirs(1, Full, 10, 12)], &[]);
    assert_eq!((files.len(), outcome), (1, Outcome::GoesOn));
}

#[test]
fn several_sets_of_one_file_are_taken_in_together() {
    let mut sets = history();
    for set in &mut sets {
        set.files = vec!["/b/all.bak".to_owned()];
    }
    let (files, outcome) = asked(&source(50), &sets, &[]);
    assert_eq!(
        (files, outcome),
        (vec!["/b/all.bak".to_owned()], Outcome::GoesOn)
    );
}

#[test]
fn without_logs_the_base_is_enough() {
    let simple = Source {
        is_simple: true,
        ..source(50)
    };
    let (files, outcome) = asked(&simple, &history(), &[]);
    assert_eq!(files, ["/b/1.bak", "/b/4.bak"]);
    assert_eq!(outcome, Outcome::GoesOn);
}

#[test]
fn what_is_missing_needs_a_new_base_and_says_which() {
    let without = |gone: u128| -> Vec<Theirs> {
        history()
            .into_iter()
            .filter(|set| set.set != id(gone))
            .collect()
    };
    refused(&source(50), &without(1), "msdb does not know the full");
    refused(&source(50), &without(5), "no log backup from 40 to 50");
    refused(&source(60), &history(), "no log backup from 50 to 60");
    let mut far = history();
    far[0].unreachable = Some("no such file".to_owned());
    refused(
        &source(50),
        &far,
        "its log in /b/5.bak cannot be read: no such file",
    );
    let mut wide = history();
    wide[1].files.push("/b/1b.bak".to_owned());
    refused(&source(50), &wide, "has 2 files, the media set 1 families");
    let mut copies = history();
    copies[0].copy_only = true;
    refused(&source(50), &copies, "no log backup from 40 to 50");
    let many = Source {
        bases: vec![Some(id(1)), Some(id(9))],
        ..source(50)
    };
    refused(&many, &history(), "one and the same");
    let hidden = Source {
        bases: Vec::new(),
        ..source(50)
    };
    refused(&hidden, &history(), "may not see");
    let never = Source {
        next_log: None,
        ..source(50)
    };
    refused(&never, &history(), "never backed up");
}
