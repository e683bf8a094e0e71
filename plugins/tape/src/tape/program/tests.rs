#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use twinset_plugin_api::{Host, Outcome};

use super::Program;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A program that leaves a trace when it runs, in a folder of its own.
fn made(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let made = folder.join("made");
    fs::write(&made, "#!/bin/sh\necho > \"${0%/*}/ran\"\n").unwrap();
    mode(&made, 0o755);
    fs::rename(made, folder.join("mtx")).unwrap();
}

fn run(path: &Path) -> Result<Vec<u8>, (Outcome, String)> {
    let program = Program {
        path,
        key: "mtx",
        package: "mtx",
    };
    let done = program.run(
        &[],
        Stdio::null(),
        (Duration::from_secs(60), &Host::silent()),
    );
    done.map_err(|error| (error.outcome, error.text))
}

#[test]
fn a_program_that_others_may_change_is_never_run() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let (program, link) = (home.join("mtx"), folder.path().join("link"));
    made(&home);
    symlink(&program, &link).unwrap();
    run(&program).unwrap();
    fs::remove_file(home.join("ran")).unwrap();
    let rows = [
        (&program, &program, &program, 0o775, 0o755),
        (&program, &program, &program, 0o757, 0o755),
        (&program, &home, &home, 0o777, 0o755),
        // Also by another name.
        (&link, &program, &program, 0o777, 0o755),
        (&link, &home, &home, 0o775, 0o755),
    ];
    for (named, changed, blamed, wrong, right) in rows {
        mode(changed, wrong);
        let (outcome, text) = run(named).unwrap_err();
        assert_eq!(outcome, Outcome::BAD_OPTION);
        let begins = format!("mtx: others may change the program {}: ", named.display());
        let step = blamed.display();
        assert!(text.starts_with(&begins), "{text}");
        assert!(text.contains(&format!("{step} belongs to uid ")), "{text}");
        assert!(text.contains(&format!("with mode {wrong:04o}; ")), "{text}");
        assert!(text.ends_with(&format!("chmod go-w {step}")), "{text}");
        assert!(!home.join("ran").exists());
        mode(changed, right);
    }
    run(&link).unwrap();
}

#[test]
fn in_a_sticky_folder_the_entry_counts() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    made(&home);
    mode(&home, 0o1777);
    run(&home.join("mtx")).unwrap();
}

#[test]
fn a_program_that_hangs_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made");
    fs::write(&made, "#!/bin/sh\nwhile :; do :; done\n").unwrap();
    mode(&made, 0o755);
    let path = folder.path().join("sg_logs");
    fs::rename(made, &path).unwrap();
    let program = Program {
        path: &path,
        key: "sg_logs",
        package: "sg3-utils",
    };
    let order = (Duration::from_millis(1), &Host::silent());
    let error = program.run(&[], Stdio::null(), order).unwrap_err();
    assert_eq!(error.outcome, Outcome::TRANSIENT);
    assert!(error.text.contains("had not ended"), "{error:?}");
}
