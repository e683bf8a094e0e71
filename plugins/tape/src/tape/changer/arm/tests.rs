#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use twinset_plugin_api::{Host, Outcome};

use super::super::By;
use super::Arm;

/// A program in the place of `mtx`.
fn program(folder: &tempfile::TempDir, script: &str) -> By {
    let program = folder.path().join("mtx");
    let node = folder.path().join("sg9");
    fs::write(&node, "").unwrap();
    // Made under another name: a file that is still open for writing cannot be run.
    let text = format!("#!/bin/sh\n{script}\n");
    let made: PathBuf = folder.path().join("made");
    fs::write(&made, text).unwrap();
    fs::set_permissions(&made, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(made, &program).unwrap();
    By::Mtx { program, node }
}

#[test]
fn the_program_gets_plain_words_and_its_answer_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo \"$@\" >> \"${0%/*}/told\"
        [ \"$3\" = status ] || exit 0
        echo '  Storage Changer x:1 Drives, 1 Slots ( 0 Import/Export )'
        echo 'Data Transfer Element 0:Empty'
        echo '      Storage Element 1:Full :VolumeTag=A'";
    let by = program(&folder, script);
    let host = Host::silent();
    let arm = Arm::take(&by, &host).unwrap();
    assert_eq!(arm.inventory().unwrap().slots.len(), 1);
    arm.load(1, 0).unwrap();
    arm.unload(1, 0).unwrap();
    let node = folder.path().join("sg9").display().to_string();
    let told = fs::read_to_string(folder.path().join("told")).unwrap();
    let lines = ["status", "load 1 0", "unload 1 0"].map(|line| format!("-f {node} {line}\n"));
    assert_eq!(told, lines.concat());
}

#[test]
fn a_complaint_and_an_odd_answer_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let script = "[ \"$3\" = status ] && { echo nonsense; exit 0; }
        echo 'Drive 0 Full (Storage Element 1 loaded)' >&2; exit 1";
    let by = program(&folder, script);
    let host = Host::silent();
    let arm = Arm::take(&by, &host).unwrap();
    let odd = arm.inventory().unwrap_err();
    assert!(
        odd.text.contains("the line `nonsense` is not understood"),
        "{odd:?}"
    );
    let full = arm.load(1, 0).unwrap_err();
    assert_eq!(full.outcome, Outcome::PERMANENT);
    assert!(
        full.text.contains("load 1 0: exit status: 1: Drive 0 Full"),
        "{full:?}"
    );
}

#[test]
fn a_program_that_is_not_there_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let node = folder.path().to_owned();
    let by = By::Mtx {
        program: folder.path().join("none"),
        node,
    };
    let host = Host::silent();
    let error = Arm::take(&by, &host).unwrap().inventory().unwrap_err();
    assert!(error.text.contains("install mtx"), "{error:?}");
}

#[test]
fn nobody_moves_the_arm_while_a_killed_runs_program_does() {
    let folder = tempfile::tempdir().unwrap();
    let go_on = folder.path().join("go-on");
    // What goes on behind the program's end stands for the program behind the agent's.
    let script = "exec 3<&0
        (while [ ! -e \"${0%/*}/go-on\" ]; do :; done; echo > \"${0%/*}/gone\") <&3 >/dev/null 2>&1 &";
    let by = program(&folder, script);
    let host = Host::silent();
    let arm = Arm::take(&by, &host).unwrap();
    arm.load(1, 0).unwrap();
    drop(arm);
    let node = || File::open(folder.path().join("sg9")).unwrap();
    assert!(matches!(node().try_lock(), Err(TryLockError::WouldBlock)));
    fs::write(go_on, "").unwrap();
    // Waits for the lock.
    Arm::take(&by, &host).unwrap();
    assert!(folder.path().join("gone").exists());
}
