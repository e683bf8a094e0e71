#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use crate::config::tests::rooted;
use crate::config::{Config, load};

/// A configuration with these media sets, and one group with these lines.
fn config(sets: &str, group: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[agent]\nname = \"sql-a\"\n[plugins.disk]\npath = \"/disk.so\"\n\
         [instances.sql-a]\nhost = \"localhost\"\nuser = \"u\"\npassword_env = \"P\"\n{sets}"
    );
    fs::write(folder.path().join("agent.toml"), text).unwrap();
    fs::create_dir(folder.path().join("groups.d")).unwrap();
    let text = format!(
        "[group]\nname = \"g\"\npartners = [\"sql-a\"]\ndatabases = [\"P\"]\n\
         media_set = \"pay\"\n{group}"
    );
    fs::write(folder.path().join("groups.d/g.toml"), text).unwrap();
    load(&folder.path().join("agent.toml")).unwrap()
}

const PAY: &str = "[media_sets.pay]\nname = \"Pay\"\ndisk_mirrors = [\"/a/pay\", \"/b/pay/\"]\n";

fn paths(config: &Config, key: &str) -> Vec<String> {
    let devices = config.media_set(key).unwrap().devices("sql-a", None);
    let all = devices.unwrap().into_iter().flatten();
    all.map(|device| rooted(&device.options)).collect()
}

#[test]
fn a_media_set_for_logs_lies_beside() {
    let config = config(PAY, "");
    let group = config.group("g").unwrap();
    assert_eq!(group.media_sets(), ["pay", "pay-log"]);
    assert_eq!(config.media_set("pay-log").unwrap().name, "Pay-log");
    assert_eq!(
        paths(&config, "pay-log"),
        [r#"{"path":"/a/pay-log"}"#, r#"{"path":"/b/pay-log"}"#]
    );
    assert_eq!(paths(&config, "pay")[0], r#"{"path":"/a/pay"}"#);
}

#[test]
fn the_one_that_is_named_is_taken() {
    let logs = "[media_sets.logs]\ndisk_mirrors = [\"/c/logs\"]\n";
    let config = config(&format!("{PAY}{logs}"), "log_media_set = \"logs\"");
    assert_eq!(config.group("g").unwrap().media_sets(), ["pay", "logs"]);
    assert!(!config.media_sets.contains_key("pay-log"));
}

#[test]
fn one_for_both_can_be_asked_for() {
    let config = config(PAY, "log_media_set = \"pay\"");
    assert_eq!(config.group("g").unwrap().media_sets(), ["pay"]);
}

#[test]
fn a_place_that_is_taken_is_said() {
    let logs = "[media_sets.other]\ndisk_mirrors = [\"/b/pay-log\"]\n";
    let config = config(&format!("{PAY}{logs}"), "");
    assert_eq!(config.group("g").unwrap().media_sets(), ["pay"]);
    assert!(
        config
            .notes
            .iter()
            .any(|note| note.text.contains("\"other\""))
    );
}

#[test]
fn devices_without_a_path_take_logs_themselves() {
    let set = "[media_sets.pay]\nfamilies = 1\n[[media_sets.pay.mirrors]]\n\
               devices = [{ plugin = \"disk\", options = { bucket = \"b\" } }]\n";
    let config = config(set, "");
    assert_eq!(config.group("g").unwrap().media_sets(), ["pay"]);
}
