//! One more group; and what is refused before anything is written.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{PAYROLL, Site, mode};

#[test]
fn a_group_is_added_without_touching_a_line() {
    let site = Site::new();
    site.init(&PAYROLL, 0);
    let mine = site
        .read("agent.toml")
        .replace("[agent]", "# mine\n[agent]  # and this");
    // Without an end of its last line, as some editors leave it.
    fs::write(site.config(), mine.trim_end()).unwrap();
    fs::set_permissions(site.config(), fs::Permissions::from_mode(0o600)).unwrap();
    let more = [
        "--instance",
        "sql-a",
        "--database",
        "Stock's",
        "--group",
        "stock",
    ];
    let line = |rest: &[&'static str]| [&["init", "--add"], &more[..], rest].concat();
    // A media set of its own is appended; one that is there is used.
    let told = site.json(&line(&["--mirror", "/srv/x", "--mirror", "/srv/y"]), 0)["result"].clone();
    assert_eq!(told["files"][0]["added_to"], true, "{told}");
    let after = site.read("agent.toml");
    let added = told["files"][0]["text"].as_str().unwrap();
    assert_eq!(after, format!("{}\n{added}", mine.trim_end()));
    assert!(added.contains("[media_sets.stock]"), "{added}");
    assert_eq!(mode(&site.config()), 0o600, "rights stay as they are");
    let more = [
        "init",
        "--add",
        "--instance",
        "sql-a",
        "--database",
        "Hr",
        "--media-set",
        "stock",
    ];
    let told = site.json(&more, 0)["result"].clone();
    assert_eq!(told["files"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(site.read("agent.toml"), after);
    assert!(
        site.read("groups.d/hr.toml")
            .contains("media_set = \"stock\"")
    );
    let checked = site.json(&["config", "check"], 0);
    assert_eq!(
        checked["result"]["groups"].as_array().map_or(3, Vec::len),
        3,
        "{checked}"
    );
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let site = Site::new();
    let rows: [(&[&str], i32, &str); 6] = [
        (&["init", "--host", "h", "--database", "P"], 2, "TW1007"),
        (
            &[
                "init",
                "--host",
                "h",
                "--database",
                "P",
                "--mirror",
                "a",
                "--group",
                "../x",
            ],
            2,
            "TW1002",
        ),
        (
            &[
                "init",
                "--host",
                "h",
                "--database",
                "P",
                "--mirror",
                "a",
                "--mirror",
                "a",
            ],
            2,
            "",
        ),
        (
            &["init", "--host", "h", "--database", "-P", "--mirror", "a"],
            2,
            "",
        ),
        (
            &[
                "init",
                "--add",
                "--instance",
                "x",
                "--database",
                "P",
                "--media-set",
                "m",
            ],
            2,
            "TW1003",
        ),
        (
            &[
                "init",
                "--instance",
                "a b",
                "--host",
                "h",
                "--database",
                "P",
                "--mirror",
                "a",
            ],
            2,
            "",
        ),
    ];
    for (line, code, says) in rows {
        let refused = site.json(line, code);
        assert!(
            refused["error"]["code"].as_str().unwrap().contains(says),
            "{line:?}: {refused}"
        );
        assert_ne!(refused["error"]["remedy"], "", "{line:?}: {refused}");
        assert_eq!(fs::read_dir(&site.folder).unwrap().count(), 0, "{line:?}");
    }
    let lacks = site.json(&["init"], 2)["error"]["message"].to_string();
    for flag in ["--host", "--database", "--mirror"] {
        assert!(lacks.contains(flag), "{lacks}");
    }
    site.init(&PAYROLL, 0);
    let there = [&["init", "--add", "--instance", "sql-a", "--group", "two"][..]].concat();
    let rows: [(&[&str], &str); 4] = [
        (
            &["--database", "P", "--media-set", "nix"],
            "it is not in the file yet",
        ),
        (
            &["--database", "P", "--media-set", "payroll", "--mirror", "z"],
            "it is in the file already",
        ),
        (
            &["--database", "P", "--media-set", "payroll", "--host", "h"],
            "it is in the file already",
        ),
        (
            &[
                "--database",
                "P",
                "--media-set",
                "payroll",
                "--partner",
                "q",
            ],
            "it is not in the file yet",
        ),
    ];
    let before = site.read("agent.toml");
    for (more, says) in rows {
        let refused = site.json(&[&there[..], more].concat(), 2);
        assert!(
            refused["error"]["message"].as_str().unwrap().contains(says),
            "{refused}"
        );
    }
    assert_eq!(site.read("agent.toml"), before);
    assert!(!site.folder.join("groups.d/two.toml").exists());
}
