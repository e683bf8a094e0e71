//! Is the house in order? Lengths, floors, unsafe rooms, papers. Rules nobody needs to remember.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest file.
const LINES: usize = 400;
/// Rooms where `unsafe` may live: raw calls and shared memory, nothing else.
const UNSAFE: &[&str] = &[
    "plugin-api/src",
    "win32/src",
    "agent/src/device",
    "agent/src/payload",
    "agent/src/sqlserver/vdi",
    "plugins/tape/src/tape/os/st/ioctl.rs",
    "tests/sqlvdi",
    "tests/alien-device",
    "plugin-api/tests",
    "agent/tests/device",
];
/// What each room of the agent may import of the others. The rooms stand in the order of floors.
const EDGES: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("trust", &[]),
    ("folder", &[]),
    ("payload", &[]),
    ("age", &[]),
    ("state", &["folder"]),
    // When something was written down for others is said by the clock, never decided by it.
    ("catalog", &["clock"]),
    ("report", &[]),
    ("device", &["payload", "trust"]),
    ("sqlserver", &["payload", "trust"]),
    // Settings and secrets of an instance are what the configuration leads to.
    ("config", &["age", "folder", "sqlserver", "trust"]),
    // How long a program may take is measured, never decided by the time of day.
    ("alerts", &["catalog", "clock", "config", "trust"]),
    // The shared catalog is told what the own one wrote down for it.
    ("fleet", &["catalog", "clock", "config"]),
    ("media", &["age", "device", "payload"]),
    (
        "backup",
        &[
            "catalog",
            "clock",
            "folder",
            "media",
            "payload",
            "report",
            "sqlserver",
            "state",
        ],
    ),
    // A restore begins at the same desk as a backup: media set, devices.
    (
        "restore",
        &["backup", "folder", "media", "report", "sqlserver"],
    ),
    // The service decides and starts processes: it takes no backup by itself.
    (
        "service",
        &[
            "alerts",
            "catalog",
            "clock",
            "config",
            "report",
            "sqlserver",
            "state",
            "web",
        ],
    ),
    // Shows what it is given: it asks nobody by itself.
    ("web", &[]),
];

/// The workspace.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no sources");
    let name = |path: &Path| {
        let relative = path.strip_prefix(root()).unwrap();
        relative.to_string_lossy().into_owned()
    };
    found
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            walk(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn all() -> Vec<(String, String)> {
    ["agent", "plugin-api", "plugins", "tests", "win32"]
        .iter()
        .flat_map(|folder| sources(folder))
        .collect()
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<String> = all()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > LINES)
        .map(|(name, text)| format!("{name}: {}", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "split along the story: {long:#?}");
}

#[test]
fn unsafe_code_lives_in_its_rooms_alone() {
    let word = format!("unsafe{}", " ");
    let strays: Vec<String> = all()
        .into_iter()
        .filter(|(name, _)| !UNSAFE.iter().any(|room| name.starts_with(room)))
        .filter(|(_, text)| {
            text.lines().any(|line| {
                let code = line.split("//").next().unwrap_or_default();
                code.trim_start().starts_with(&word)
                    || code.contains(&format!(" {word}{{"))
                    || code.contains(&format!(" {word}fn"))
            })
        })
        .map(|(name, _)| name)
        .collect();
    assert!(strays.is_empty(), "{strays:?}");
}

/// Files that may ask which system they are built for: a room's one module of the system, and what
/// lies below it. Tests may, where a system cannot do what they look at.
fn is_of_the_system(name: &str) -> bool {
    let named = |part: &str| matches!(part, "os" | "os.rs" | "platform" | "platform.rs" | "win32");
    let parts = || name.split('/');
    parts().any(named) || parts().any(|part| part.starts_with("tests") || part == "specs")
}

#[test]
fn systems_are_told_apart_in_their_rooms_alone() {
    let words = ["unix", "windows", "target_os"].map(|system| {
        [
            format!("cfg({system}"),
            format!("cfg(not({system}"),
            format!("cfg(all({system}"),
            format!("cfg(any({system}"),
            format!("std::os::{system}"),
        ]
    });
    let strays: Vec<String> = all()
        .into_iter()
        .filter(|(name, _)| !is_of_the_system(name))
        .filter(|(_, text)| {
            words
                .iter()
                .flatten()
                .any(|word| text.contains(word.as_str()))
        })
        .map(|(name, _)| name)
        .collect();
    assert!(
        strays.is_empty(),
        "move it into the room's os.rs: {strays:#?}"
    );
}

#[test]
fn rooms_of_the_agent_import_downwards() {
    let mut strays = Vec::new();
    for (room, allowed) in EDGES {
        let inside = format!("agent/src/{room}/");
        let alone = format!("agent/src/{room}.rs");
        for (name, text) in sources("agent/src") {
            if !(name.starts_with(&inside) || name == alone) || name.contains("tests") {
                continue;
            }
            for part in text.split("crate::").skip(1) {
                let other: String = part
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                let known = EDGES.iter().any(|(known, _)| *known == other) || other == "cli";
                if known && other != *room && !allowed.contains(&other.as_str()) {
                    strays.push(format!("{name} -> {other}"));
                }
            }
        }
    }
    strays.dedup();
    assert!(
        strays.is_empty(),
        "imports that run up or aside: {strays:#?}"
    );
}

#[test]
fn crates_of_the_ground_floor_know_no_other() {
    let rows: [(&str, &[&str]); 6] = [
        ("agent/domain", &[]),
        ("agent/format", &["twinset-domain"]),
        ("plugin-api", &[]),
        // What calls the system for Windows is nobody's privilege.
        ("plugins/disk", &["twinset-plugin-api", "twinset-win32"]),
        (
            "plugins/object-store",
            &["twinset-plugin-api", "twinset-win32"],
        ),
        ("plugins/tape", &["twinset-plugin-api"]),
    ];
    for (package, allowed) in rows {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for line in dependencies
            .lines()
            .filter(|line| line.starts_with("twinset"))
        {
            let name = line.split(['.', ' ', '=']).next().unwrap();
            assert!(allowed.contains(&name), "{package} depends on {name}");
        }
    }
}

#[test]
fn there_is_one_stack_of_cryptography() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = std::process::Command::new(cargo)
        .current_dir(root())
        .args([
            "tree",
            "--offline",
            "--locked",
            "--workspace",
            "--prefix=none",
        ])
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    let uses = |name: &str| {
        tree.lines()
            .any(|line| line.starts_with(&format!("{name} v")))
    };
    assert!(uses("aws-lc-rs"), "{tree}");
    for other in ["ring", "openssl", "openssl-sys", "native-tls"] {
        assert!(!uses(other), "{other} came in: see `cargo tree -i {other}`");
    }
}

#[test]
fn no_process_times_the_processor_for_random_numbers() {
    // What the build scripts were given, not what the file says: see `.cargo/config.toml`.
    let given = option_env!("AWS_LC_SYS_NO_JITTER_ENTROPY");
    assert_eq!(given, Some("1"), "build from the project's folder");
}

#[test]
fn every_code_stands_in_the_book_with_a_remedy() {
    let book = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    for code in twinset_domain::code::ALL {
        let head = format!("| {} | {} |", code.text(), code.exit().code());
        let line = book.lines().find(|line| line.starts_with(&head));
        let line = line.unwrap_or_else(|| panic!("docs/errors.md lacks {head}"));
        let remedy = line
            .trim_end_matches('|')
            .rsplit('|')
            .next()
            .unwrap_or_default();
        assert!(!remedy.trim().is_empty(), "{code} has no remedy");
    }
}

#[test]
fn no_code_is_given_twice() {
    let mut codes: Vec<&str> = twinset_domain::code::ALL
        .iter()
        .map(|code| code.text())
        .collect();
    codes.sort_unstable();
    let before = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), before);
}
