#![allow(clippy::unwrap_used, clippy::panic)]

use twinset_domain::{AgentId, BackupKind, Moment, RunId};

use super::*;

fn intent(started: i64) -> Intent {
    Intent {
        format: FORMAT,
        agent: AgentId::random(),
        run: RunId::random(),
        media_set: "payroll".to_owned(),
        instance: "sql-a".to_owned(),
        database: "Payroll".to_owned(),
        kind: BackupKind::Full,
        circumstances: Default::default(),
        block_size: Some(4096),
        max_transfer_size: None,
        families: 2,
        started: Moment(started),
        statement: "BACKUP".to_owned(),
    }
}

fn folder() -> (tempfile::TempDir, Folder) {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder {
        dir: dir.path().to_owned(),
        server: dir.path().display().to_string(),
    };
    (dir, folder)
}

#[test]
fn paths_are_told_as_the_server_writes_them() {
    let (_, mut folder) = folder();
    for (server, told) in [
        ("/var/opt/stage", "/var/opt/stage/a.bak"),
        ("/var/opt/stage/", "/var/opt/stage/a.bak"),
        ("D:\\Stage", "D:\\Stage\\a.bak"),
        ("\\\\filer\\stage\\", "\\\\filer\\stage\\a.bak"),
    ] {
        folder.server = server.to_owned();
        assert_eq!(folder.told("a.bak"), told);
    }
}

#[test]
fn intents_come_back_oldest_first_and_strangers_are_left_alone() {
    let (dir, folder) = folder();
    let (late, early) = (intent(20), intent(10));
    folder.begin(&late).unwrap();
    folder.begin(&early).unwrap();
    fs::write(folder.path(&early.file(2)), b"12345").unwrap();
    fs::write(dir.path().join("other.bak"), b"x").unwrap();
    fs::write(dir.path().join("twinset-x.intent.json"), b"{}").unwrap();
    let found = folder.intents().unwrap();
    let intents: Vec<_> = found.iter().map(|found| &found.intent).collect();
    assert_eq!(intents, [&early, &late]);
    assert_eq!((found[0].bytes, found[0].done), (5, false));
    folder.discard(&early).unwrap();
    folder.discard(&late).unwrap();
    let mut left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["other.bak", "twinset-x.intent.json"]);
}

#[test]
fn a_kill_between_two_removals_is_known_to_be_done() {
    let (dir, folder) = folder();
    let intent = intent(1);
    folder.begin(&intent).unwrap();
    // As `finish` leaves it when it dies behind its first step.
    fs::rename(
        folder.intent_path(&intent, INTENT),
        folder.intent_path(&intent, DONE),
    )
    .unwrap();
    fs::write(folder.path(&intent.file(1)), b"1").unwrap();
    let found = folder.intents().unwrap();
    assert!(found[0].done && folder.still(&found[0]));
    folder.finish(&found[0].intent).unwrap();
    assert!(!folder.still(&found[0]));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_run_never_takes_the_place_of_another_intent() {
    let (_dir, folder) = folder();
    let mut intent = intent(1);
    intent.format = FORMAT + 1;
    folder.begin(&intent).unwrap();
    assert!(
        folder.intents().unwrap().is_empty(),
        "a newer format is not ours to judge"
    );
}
