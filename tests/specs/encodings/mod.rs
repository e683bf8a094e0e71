//! Encodings: does everything come back, do the standard tools read it, and what never mixes?
#![allow(clippy::unwrap_used, clippy::panic)]

mod damage;
mod keys;
mod mixing;
mod server;
mod tools;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{World, generated, hex_of};

/// An identity made by age-keygen for these tests alone.
pub(super) const IDENTITY: &str =
    "AGE-SECRET-KEY-1NC7L74X49PRL0KMAVQEVD26WT7VPA0LN9LUG7WDV5QA00KGL9WTQ5QRVXL";
/// Its recipient.
const RECIPIENT: &str = "age1qntduavsd4xlc8rqpj52espu34he5e4qquqhkrfhjj52pf8vw3kqz3zsrl";
/// A passphrase.
pub(super) const PASSPHRASE: &str = "niemand-weiss-das-4711";

/// Every way to store a set: the encoding's name, and whether a passphrase seals it.
pub(crate) const WAYS: [(&str, bool); 6] = [
    ("raw", false),
    ("zstd", false),
    ("age", false),
    ("zstd+age", false),
    ("age", true),
    ("zstd+age", true),
];

/// Writes a secret as an administrator would.
pub(super) fn secret(world: &World, name: &str, text: &str) {
    let path = world.path().join(name);
    fs::write(&path, format!("{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Configures the encoding, with the keys beside.
pub(crate) fn configure(world: &mut World, encoding: &str, passphrase: bool) {
    secret(world, "key.txt", IDENTITY);
    secret(world, "phrase.txt", PASSPHRASE);
    world.configure(|media| {
        media.set = if encoding.contains("zstd") {
            "encoding = \"zstd\"\n".into()
        } else {
            String::new()
        };
        media.age = match (encoding.contains("age"), passphrase) {
            (false, _) => String::new(),
            (true, false) => format!(
                "[media_sets.payroll.age]\nrecipients = [{RECIPIENT:?}]\n\
                 identity_file = \"key.txt\"\n"
            ),
            (true, true) => {
                "[media_sets.payroll.age]\npassphrase_file = \"phrase.txt\"\n".to_owned()
            }
        };
    });
}

/// A formatted world with this encoding.
pub(super) fn world(encoding: &str, passphrase: bool, families: u16, mirrors: u8) -> World {
    let mut world = World::blank(families, mirrors);
    configure(&mut world, encoding, passphrase);
    world.json(&["media", "format", "payroll"]).ended(0);
    world
}

/// The JSON part of a manifest.
pub(super) fn manifest(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap();
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    serde_json::from_slice(&bytes[..end]).unwrap()
}

/// Verified, decoded and exported without damage.
#[track_caller]
fn sound(world: &World, position: u64, files: &[PathBuf]) {
    let line = ["media", "verify", "payroll", "--decode"];
    let report = world.json(&line).ended(0).result();
    assert_eq!(report["damage"], serde_json::json!([]));
    world.exports(position, 0, files);
}

#[test]
fn encodings_give_back_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    for (encoding, passphrase) in WAYS {
        for (families, size) in [(1, 1), (2, 17 << 20)] {
            let world = world(encoding, passphrase, families, 2);
            let files = generated(folder.path(), 5, size, families);
            let told = world.import(&files).ended(0).result();
            let plain: u64 = files.iter().map(|f| fs::metadata(f).unwrap().len()).sum();
            assert_eq!(told["bytes"], plain, "{encoding}");
            sound(&world, 1, &files);
            for (family, file) in (1..).zip(&files) {
                let data = world.file(2, family, "0001.");
                let ending = match encoding {
                    "raw" => ".bak",
                    "zstd" => ".bak.zst",
                    "age" => ".bak.age",
                    _ => ".bak.zst.age",
                };
                assert!(data.to_str().unwrap().ends_with(ending), "{data:?}");
                let facts = manifest(&world.file(1, family, "0002."));
                assert_eq!(facts["encoding"], encoding);
                assert_eq!(facts["plain_blake3"], hex_of(file));
                assert_eq!(facts["plain_length"], fs::metadata(file).unwrap().len());
                assert_eq!(facts["stored_blake3"], hex_of(&data));
                assert_eq!(facts["stored_length"], fs::metadata(&data).unwrap().len());
            }
        }
    }
}

#[test]
fn the_header_and_show_name_the_encoding() {
    let world = world("zstd+age", false, 1, 2);
    let shown = world.run(&["media", "show", "payroll"]).ended(0);
    assert!(shown.stdout.contains("zstd+age"), "{}", shown.stdout);
    let options = format!("{{\"path\": {:?}}}", world.device(1, 1));
    let line = ["media", "show", "--plugin", "disk", "--device", &options];
    let header = world.json(&line).ended(0).result()["header"].clone();
    assert_eq!(header["encoding"], "zstd+age");
}

#[test]
fn zstd_makes_sets_smaller_and_says_so() {
    let world = world("zstd", false, 1, 2);
    let files = generated(world.path(), 5, 8 << 20, 1);
    let told = world.import(&files).ended(0).result();
    let (plain, stored) = (told["bytes"].as_u64(), told["stored_bytes"].as_u64());
    assert!(stored.unwrap() * 10 < plain.unwrap() * 9, "{told}");
    assert_eq!(
        stored.unwrap(),
        fs::metadata(world.file(1, 1, "0001.")).unwrap().len()
    );
}

#[test]
fn four_families_of_zstd_work_within_the_memory_limit() {
    let mut world = World::blank(4, 2);
    configure(&mut world, "zstd", false);
    let files = generated(world.path(), 5, 24 << 20, 4);
    world.configure(|media| media.extra = "memory_limit = \"96MiB\"\n".into());
    world.json(&["media", "format", "payroll"]).ended(0);
    let peak = peak_of_import(&world, &files);
    assert!(peak < 96 << 20, "{peak} bytes at most");
    sound(&world, 1, &files);

    world.configure(|media| media.set.push_str("zstd_level = 19\n"));
    let fault = world.import(&files).ended(2).failed("TW1002");
    assert_eq!(fault["object"], "memory_limit", "{fault}");
    assert!(
        fault["remedy"].as_str().unwrap().contains("zstd_level"),
        "{fault}"
    );
    assert_eq!(world.sets().len(), 1);
}

/// Imports under `time -v`-like measurement: the largest resident set of the process in bytes.
fn peak_of_import(world: &World, files: &[PathBuf]) -> u64 {
    let line = World::import_line(files);
    let mut running = world.start(&line);
    let status = format!("/proc/{}/status", running.id());
    let mut peak = 0;
    while running.runs_for(std::time::Duration::from_millis(2)) {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or_default() << 10);
    }
    running.end().ended(0);
    peak
}
