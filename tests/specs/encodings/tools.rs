//! Without Twinset: the commands of docs/restore-without-twinset.md, run as they stand there.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{PASSPHRASE, world};
use crate::support::{generated, skip};

/// Whether the tools are there; the gate always has them.
fn have(tools: &[&str]) -> bool {
    for tool in tools {
        if Command::new(tool).arg("--version").output().is_err() {
            let gate = std::env::var_os("TWINSET_CI").is_some();
            assert!(!gate, "the gate needs {tool}");
            skip(&format!("{tool} is not installed"));
            return false;
        }
    }
    true
}

/// The commands of the page under a mark.
fn commands(mark: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/restore-without-twinset.md");
    let page = fs::read_to_string(page).unwrap();
    let mark = format!("<!-- run: {mark} -->\n```sh\n");
    let (_, rest) = page
        .split_once(&mark)
        .unwrap_or_else(|| panic!("no {mark}"));
    rest.split_once("\n```").unwrap().0.to_owned()
}

/// Runs a shell script in a folder; it must succeed.
#[track_caller]
fn shell(folder: &Path, script: &str) -> String {
    let out = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{script}\n{said}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The page's commands turn what lies on mirror 2 into the native file.
fn restores_by_the_page(encoding: &str) {
    if !have(&["zstd", "age", "b3sum", "jq"]) {
        return;
    }
    let world = world(encoding, false, 1, 2);
    let files = generated(world.path(), 5, 9 << 20, 1);
    world.import(&files).ended(0);
    let volume = world.volume(2, 1);
    fs::copy(world.path().join("key.txt"), volume.join("key.txt")).unwrap();
    let proved = shell(&volume, &commands("prove"));
    assert!(proved.contains(": OK"), "{proved}");
    shell(&volume, &commands(encoding));
    let proved = shell(&volume, &commands("prove plain"));
    assert_eq!(proved, "Payroll.bak: OK\n");
    assert!(fs::read(volume.join("Payroll.bak")).unwrap() == fs::read(&files[0]).unwrap());
    // A flipped bit of what is stored is found by the same command.
    let data = world.file(2, 1, "0001.");
    crate::support::damage_bit(&data, 800_001);
    let out = Command::new("bash")
        .args(["-c", &commands("prove")])
        .current_dir(&volume)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains(": FAILED"));
}

#[test]
fn raw_sets_are_native_files_and_b3sum_checks_them() {
    restores_by_the_page("raw");
}

#[test]
fn zstd_d_gives_native_bytes_back() {
    restores_by_the_page("zstd");
}

#[test]
fn age_d_gives_native_bytes_back() {
    restores_by_the_page("age");
}

#[test]
fn age_d_and_zstd_d_give_native_bytes_back() {
    restores_by_the_page("zstd+age");
}

#[test]
fn age_d_asks_for_the_passphrase_and_gives_native_bytes_back() {
    // `script` gives age the terminal that it insists upon.
    if !have(&["age", "script"]) {
        return;
    }
    let world = world("age", true, 1, 1);
    let files = generated(world.path(), 5, 1 << 20, 1);
    world.import(&files).ended(0);
    let volume = world.volume(1, 1);
    let line = format!(
        "printf '{PASSPHRASE}\\n' | script -qec 'age -d -o Payroll.bak 0001.*.bak.age' /dev/null"
    );
    shell(&volume, &line);
    assert!(fs::read(volume.join("Payroll.bak")).unwrap() == fs::read(&files[0]).unwrap());
}

#[test]
fn zstd_itself_finds_the_checksum_in_the_frame() {
    if !have(&["zstd"]) {
        return;
    }
    let world = world("zstd", false, 1, 1);
    let files = generated(world.path(), 5, 1 << 20, 1);
    world.import(&files).ended(0);
    let told = shell(&world.volume(1, 1), "zstd -lv 0001.*.zst 2>&1");
    assert!(
        told.contains("Number of Zstandard Frames: 1") || told.contains("# Zstandard Frames: 1"),
        "{told}"
    );
    assert!(told.contains("XXH64"), "{told}");
}
