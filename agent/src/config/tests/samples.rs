use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::config::{Encrypt, reference};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Copies a sample folder to where only this user may write, and loads one file of it.
fn load_sample(folder: &str, file: &str) -> Result<Config, Vec<Fault>> {
    let target = Folder::new(&[]);
    copy(
        &Path::new(ROOT).join("../config").join(folder),
        target.0.path(),
    );
    load(&target.path(file))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            fs::write(target, fs::read(entry).unwrap()).unwrap();
        }
    }
}

#[test]
fn the_annotated_sample_means_what_it_says() {
    let config = load_sample("", "agent.toml").unwrap();
    let set = config.media_set("payroll").unwrap();
    assert_eq!(
        (set.families, set.mirrors.len(), set.min_mirrors.full),
        (2, 2, 2)
    );
    assert_eq!(set.device_deadline, Duration::from_secs(60));
    assert_eq!((set.name.as_str(), set.block_size), ("Payroll media", 4096));
    let devices = set.devices("sql-a", None).unwrap();
    assert_eq!(
        rooted(&devices[1][0].options),
        r#"{"path":"/backup/b/sql-a/payroll-f1"}"#
    );
    let instance = config.instance("sql-b").unwrap();
    assert_eq!(instance.encrypt, Encrypt::Required);
    let group = config.group("payroll").unwrap();
    assert_eq!(group.partners, ["sql-a", "sql-b"]);
    assert!(group.databases.select("HR_2026") && !group.databases.select("HR_Scratch"));
    assert_eq!(
        (group.backup.block_size, group.backup.max_transfer_size),
        (4096, 1 << 20)
    );
    assert_eq!(config.agent.serves, ["sql-a"]);
    // Nothing of it waits for a later release.
    let told: Vec<&str> = config.notes.iter().map(|note| note.text.as_str()).collect();
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn every_example_loads() {
    let examples = Path::new(ROOT).join("../config/examples");
    let mut seen = 0;
    for entry in fs::read_dir(examples).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let config = load_sample(&format!("examples/{name}"), "agent.toml").unwrap();
        assert!(!config.groups.is_empty(), "{name}");
        seen += 1;
    }
    assert!(seen >= 2);
}

#[test]
fn the_minimal_sample_is_enough() {
    let config = load_sample("", "minimal.toml").unwrap();
    let set = config.media_set("payroll").unwrap();
    assert_eq!((set.families, set.mirrors.len()), (1, 2));
    assert_eq!(config.agent.serves, ["sql-a"]);
    assert_eq!((config.groups.len(), config.notes.len()), (1, 0));
}

#[test]
fn the_reference_page_lists_every_key() {
    let page = Path::new(ROOT).join("../docs/reference-configuration.md");
    let tables = reference::markdown();
    let marker = "<!-- tables: written from the list of keys in agent/src/config/raw -->\n\n";
    let text = fs::read_to_string(&page).unwrap_or_default();
    let (intro, found) = text.split_once(marker).unwrap_or((&text, ""));
    if found != tables && std::env::var_os("TWINSET_WRITE_DOCS").is_some() {
        fs::write(&page, format!("{intro}{marker}{tables}")).unwrap();
        return;
    }
    assert_eq!(
        found, tables,
        "run this test with TWINSET_WRITE_DOCS=1 to write the page anew"
    );
}

#[test]
fn relative_paths_start_at_their_file_and_placeholders_are_filled_late() {
    let folder = Folder::new(&[("agent.toml", AGENT), ("groups.d/p.toml", GROUP)]);
    let config = folder.load().unwrap();
    assert_eq!(
        config.plugin("disk").unwrap().path,
        folder.path("libtwinset_disk.so")
    );
    let set = config.media_set("payroll").unwrap();
    assert!(set.per_database());
    let fault = set.devices("sql-a", None).unwrap_err();
    assert_eq!(fault.code.text(), "TW1002");
    let devices = set.devices("sql-a", Some("HR/1")).unwrap();
    let path = format!("{}/sql-a/HR%2F1", folder.path("a").display());
    assert_eq!(
        devices[0][0].options,
        serde_json::json!({ "path": path }).to_string()
    );
    assert_eq!(rooted(&devices[1][0].options), r#"{"path":"/b/sql-a"}"#);
}

#[test]
fn options_become_canonical_json() {
    let agent = AGENT.to_owned()
        + r#"
[media_sets.other]
[[media_sets.other.mirrors]]
devices = [{ plugin = "disk" }]
[media_sets.third]
[[media_sets.third.mirrors]]
[[media_sets.third.mirrors.devices]]
plugin = "disk"
options = { z = [1, { y = true, b = "{{x}}" }], a = 0.5, d = 1979-05-27 }
"#;
    let config = Folder::new(&[("agent.toml", &agent)]).load().unwrap();
    let devices = config
        .media_set("third")
        .unwrap()
        .devices("sql-a", None)
        .unwrap();
    let expected = r#"{"a":0.5,"d":"1979-05-27","z":[1,{"b":"{x}","y":true}]}"#;
    assert_eq!(devices[0][0].options, expected);
}
