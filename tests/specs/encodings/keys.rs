//! Keys: proved before anything is written, and never shown.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{IDENTITY, PASSPHRASE, WAYS, secret, world};
use crate::support::{World, generated};

/// Another identity.
const OTHER: &str = "AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSQ6UUWE";

/// An export that must be refused before its folder is made.
#[track_caller]
fn refused(world: &World, exit: i32, code: &str) -> serde_json::Value {
    let folder = world.path().join("never");
    let to = folder.to_str().unwrap();
    let line = ["media", "export", "payroll", "--position", "1", "--to", to];
    let fault = world.json(&line).ended(exit).failed(code);
    assert!(!folder.exists(), "something was written");
    let text = fault.to_string();
    assert!(
        !text.contains(&IDENTITY[..30]) && !text.contains(PASSPHRASE),
        "{text}"
    );
    fault
}

#[test]
fn a_wrong_or_missing_key_is_told_before_anything_is_written() {
    let mut world = world("zstd+age", false, 2, 2);
    let files = generated(world.path(), 5, 1 << 20, 2);
    world.import(&files).ended(0);
    secret(&world, "key.txt", &other());
    let fault = refused(&world, 1, "TW3020");
    assert_eq!(fault["causes"][0], "it is sealed for other recipients");
    secret(&world, "key.txt", "nonsense");
    let fault = refused(&world, 1, "TW3020");
    assert_eq!(fault["object"], "identity_file", "{fault}");
    fs::remove_file(world.path().join("key.txt")).unwrap();
    refused(&world, 2, "TW1005");
    world.configure(|media| {
        media.age = media.age.replace("identity_file = \"key.txt\"\n", "");
    });
    let fault = refused(&world, 1, "TW3020");
    assert_eq!(fault["causes"][0], "no identity_file is configured");
    // Writing and verifying need no private key: a host that only writes can do without.
    world.import(&files).ended(0);
    world.verify(0);
    let line = ["media", "verify", "payroll", "--decode"];
    world.json(&line).ended(1).failed("TW3020");
}

/// A key that opens nothing, made from the test's own.
fn other() -> String {
    match std::process::Command::new("age-keygen").output() {
        Ok(made) => {
            let text = String::from_utf8(made.stdout).unwrap();
            text.lines().last().unwrap().to_owned()
        }
        Err(_) => OTHER.to_owned(),
    }
}

#[test]
fn another_passphrase_opens_nothing() {
    let world = world("age", true, 1, 1);
    let files = generated(world.path(), 5, 1 << 16, 1);
    world.import(&files).ended(0);
    secret(&world, "phrase.txt", "another");
    let fault = refused(&world, 1, "TW3020");
    assert_eq!(fault["causes"][0], "the passphrase is another one");
    fs::remove_file(world.path().join("phrase.txt")).unwrap();
    refused(&world, 2, "TW1005");
    let before = world.sets().len();
    let fault = world.import(&files).ended(2).failed("TW1005");
    assert!(
        fault["message"].as_str().unwrap().contains("passphrase"),
        "{fault}"
    );
    assert_eq!(world.sets().len(), before, "a position was taken");
}

#[test]
fn keys_that_others_may_read_are_refused() {
    let world = world("age", false, 1, 1);
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(world.path().join("key.txt"), open).unwrap();
    let ran = world.json(&["config", "check"]).ended(2);
    assert!(ran.stdout.contains("TW1004"), "{}", ran.stdout);
}

#[test]
fn no_verb_ever_shows_a_key_or_a_passphrase() {
    for (encoding, passphrase) in WAYS.into_iter().filter(|way| way.0.contains("age")) {
        let world = world(encoding, passphrase, 1, 1);
        let files = generated(world.path(), 5, 1 << 16, 1);
        let imported = World::import_line(&files);
        let out = world.path().join("out");
        let lines: Vec<Vec<&str>> = vec![
            vec!["config", "check"],
            imported,
            vec!["media", "show", "payroll"],
            vec!["media", "verify", "payroll", "--decode"],
            vec![
                "media",
                "export",
                "payroll",
                "--position",
                "1",
                "--to",
                out.to_str().unwrap(),
            ],
            vec!["status"],
        ];
        for line in lines {
            let traced = [&["--log-level", "trace"], line.as_slice()].concat();
            let ran = world.json(&traced).ended(0);
            for text in [&ran.stdout, &ran.stderr] {
                assert!(!text.contains(&IDENTITY[..30]), "{line:?}");
                assert!(!text.contains(PASSPHRASE), "{line:?}");
            }
        }
    }
}

#[test]
fn impossible_encodings_are_told_by_config_check() {
    let rows = [
        (
            "zstd_level = 3\n",
            "",
            "`zstd_level` goes with `encoding = \"zstd\"` alone",
        ),
        (
            "encoding = \"zstd\"\nzstd_level = 20\n",
            "",
            "`zstd_level` cannot be 20",
        ),
        (
            "encoding = \"zstd\"\nzstd_threads = 0\n",
            "",
            "`zstd_threads` cannot be 0",
        ),
        (
            "",
            "",
            "`age` needs either `recipients` or `passphrase_file`",
        ),
        ("", "recipients = []\n", "`recipients` names 0 keys"),
        (
            "",
            "recipients = [\"ssh-ed25519 AAAA\"]\n",
            "keys of ssh are not taken",
        ),
        (
            "",
            "recipients = [\"AGE-SECRET-KEY-1NC7L74X49PRL0KMAVQEVD26WT7VPA0LN9LUG7WDV5QA00KGL9WTQ5QRVXL\"]\n",
            "this is a private key; a recipient begins with age1",
        ),
        (
            "",
            "passphrase_file = \"phrase.txt\"\nidentity_file = \"key.txt\"\n",
            "`identity_file` goes with `recipients`",
        ),
    ];
    for (set, age, message) in rows {
        let mut world = World::blank(1, 1);
        secret(&world, "key.txt", IDENTITY);
        secret(&world, "phrase.txt", PASSPHRASE);
        let none = set.starts_with("zstd") || set.starts_with("encoding");
        world.configure(|media| {
            media.set = set.to_owned();
            media.age = match none {
                true => String::new(),
                false => format!("[media_sets.payroll.age]\n{age}"),
            };
        });
        let ran = world.json(&["config", "check"]).ended(2);
        let said = ran.object().to_string().replace("\\\"", "\"");
        assert!(said.contains(message), "{message}: {said}");
        assert!(
            !said.contains("NC7L74X49"),
            "a private key is repeated: {said}"
        );
    }
}
