//! What docs/signing.md shows with standard tools must work as it stands there.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{findings, signed, signing_world};
use crate::support::{World, generated, skip};

/// Whether a program is there; the gate installs those that it lacks.
fn there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        skip(&format!("no {program}"));
    }
    found
}

/// Runs shell lines in a folder; they must end well.
#[track_caller]
fn sh(folder: &Path, lines: &str) -> String {
    let ran = Command::new("bash")
        .args(["-euo", "pipefail", "-c", lines])
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{lines}\n{text}\n{wrong}");
    text
}

/// The lines of the first shell block behind a mark in docs/signing.md.
fn recipe(mark: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/signing.md");
    let page = fs::read_to_string(path).unwrap();
    let (_, behind) = page.split_once(mark).unwrap_or_else(|| panic!("no {mark}"));
    let (_, block) = behind.split_once("```sh\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
fn openssl_proves_a_record_and_a_manifest_as_the_page_says() {
    if !there("openssl") || !there("b3sum") || !there("jq") {
        return;
    }
    let (world, _, _) = signed();
    let shown = world.json(&["key", "show"]).ended(0).result();
    fs::write(world.path().join("key.pem"), shown["pem"].as_str().unwrap()).unwrap();
    let check = recipe("## Proof without Twinset");
    for (begins, kind) in [("verdict.000002.", "record"), ("0004.manifest", "manifest")] {
        let from = world.file(2, 1, begins);
        fs::copy(from, world.path().join("FILE")).unwrap();
        let check = format!("KIND={kind}\n{check}");
        let told = sh(world.path(), &check);
        assert!(told.contains("Signature Verified Successfully"), "{told}");
        // One altered digit of the date, and nothing is proved.
        let mut bytes = fs::read(world.path().join("FILE")).unwrap();
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let at = String::from_utf8_lossy(&bytes[..end])
            .rfind("\"written\":\"2")
            .unwrap();
        bytes[at + 11] = b'3';
        fs::write(world.path().join("FILE"), bytes).unwrap();
        let refused = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &check])
            .current_dir(world.path())
            .output()
            .unwrap();
        assert!(!refused.status.success());
    }
}

#[test]
fn a_key_that_openssl_made_signs() {
    if !there("openssl") {
        return;
    }
    let (mut world, _) = signing_world();
    let made = recipe("## A key of your own").replace("/etc/twinset/secrets/", "");
    sh(world.path(), &made);
    world.configure(|media| {
        media.extra = "signing_key_file = \"signing-key\"".into();
        media.name = "by openssl".into();
        media.elsewhere.insert((1, 1), "n1".into());
        media.elsewhere.insert((2, 1), "n2".into());
        media.state_dir = "new".into();
    });
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 1 << 16, 1);
    world.json(&World::import_line(&files)).ended(0);
    let line = [
        "media",
        "verify",
        "payroll",
        "--public-key",
        "signing-key.pub",
    ];
    let report = world.json(&line).ended(0).result();
    assert_eq!(findings(&report), "");
}
