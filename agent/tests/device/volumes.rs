//! Options, mounting and the lock of a volume.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use serde_json::json;
use twinset::device::{Access, Disposition, Mount, Outcome};
use twinset_domain::Fault;

use crate::plugins::{KEY, Place, disk, put};

const OTHER: &str = "6a1f7c1e-0000-4000-8000-000000000002";

#[test]
fn an_option_that_is_not_known_or_not_right_is_named() {
    for (options, text) in [
        (r#"{"pth":"/a"}"#, "pth: unknown option"),
        (r#"{}"#, "path: missing"),
        (r#"{"path":"a/b"}"#, "path: must be an absolute folder"),
        (r#"{"path":7}"#, "path: must be a text"),
        (r#"["path"]"#, "options: must be a table"),
        (r#"{"path"#, "options: not JSON"),
    ] {
        let fault = disk().open("d", options, "a", Access::Read).unwrap_err();
        assert_eq!(fault.outcome, Outcome::BAD_OPTION);
        assert!(fault.text.starts_with(text), "{fault}");
    }
}

#[test]
fn a_blank_volume_is_made_with_the_folders_above_it() {
    let place = Place::new();
    let path = place.path().join("deep/er");
    let options = json!({ "path": path }).to_string();
    let mut handle = disk().open("d", &options, "a", Access::Write).unwrap();
    handle.mount(Mount::Blank(KEY)).unwrap();
    assert!(path.join(KEY).join(".lock").is_file());
}

#[test]
fn a_blank_volume_that_nothing_was_written_to_goes_with_its_device() {
    let place = Place::new();
    drop(place.blank());
    assert!(!place.volume().exists());
    // What somebody else put there stays.
    let handle = place.blank();
    fs::write(place.volume().join("notes.txt"), "mine").unwrap();
    drop(handle);
    assert!(place.volume().join("notes.txt").exists());
}

#[test]
fn a_volume_with_sections_or_records_is_not_blank() {
    let place = Place::new();
    let mut handle = place.blank();
    put(&mut handle, 0, "header.mtf", b"h");
    handle.close().unwrap();
    let fault = place
        .open(Access::Write)
        .mount(Mount::Blank(KEY))
        .unwrap_err();
    assert_eq!(fault.outcome, Outcome::EXISTS);
    assert!(fault.text.contains("1 sections and 0 records"), "{fault}");
    // The refusal let go of the lock.
    place.existing(Access::Write);
}

#[test]
fn a_missing_folder_is_no_volume_and_nothing_is_made() {
    let place = Place::new();
    let path = place.path().join("unmounted");
    let options = json!({ "path": path }).to_string();
    let mut handle = disk().open("d", &options, "a", Access::Write).unwrap();
    let fault = handle.mount(Mount::Existing(KEY)).unwrap_err();
    assert_eq!(fault.outcome, Outcome::NO_MEDIUM);
    assert!(
        fault.text.contains("is its share mounted?") && !path.exists(),
        "{fault}"
    );
    assert_eq!(Fault::from(fault).code.text(), "TW2011");
    let fault = place
        .open(Access::Write)
        .mount(Mount::Existing(KEY))
        .unwrap_err();
    assert_eq!(fault.outcome, Outcome::NO_MEDIUM);
}

#[test]
fn the_volume_of_another_media_set_is_named() {
    let place = Place::new();
    let mut handle = place.blank();
    put(&mut handle, 0, "header.mtf", b"h");
    drop(handle);
    let fault = place
        .open(Access::Read)
        .mount(Mount::Existing(OTHER))
        .unwrap_err();
    assert_eq!(fault.outcome, Outcome::WRONG_MEDIUM);
    assert!(fault.text.contains(KEY), "{fault}");
    assert_eq!(Fault::from(fault).code.text(), "3258");
}

#[test]
fn the_volumes_of_a_path_are_those_with_sections() {
    let place = Place::new();
    let mut handle = place.blank();
    put(&mut handle, 0, "header.mtf", b"h");
    put(&mut handle, 1, "a.bak", b"b");
    fs::create_dir(place.path().join("lost+found")).unwrap();
    fs::create_dir(place.path().join("empty")).unwrap();
    fs::write(place.path().join("file"), b"").unwrap();
    let volumes = handle.volumes().unwrap();
    let found: Vec<_> = volumes
        .iter()
        .map(|v| (v.key.as_str(), v.sections))
        .collect();
    assert_eq!(found, [(KEY, Some(2))]);
}

#[test]
fn a_key_that_leads_elsewhere_and_a_linked_volume_are_refused() {
    let place = Place::new();
    for key in ["..", "a/b", "", ".x"] {
        let fault = place
            .open(Access::Write)
            .mount(Mount::Blank(key))
            .unwrap_err();
        assert_eq!(fault.outcome, Outcome::PERMANENT, "{key}");
    }
    let other = Place::new();
    symlink(other.path(), place.volume()).unwrap();
    let fault = place
        .open(Access::Write)
        .mount(Mount::Existing(KEY))
        .unwrap_err();
    assert!(
        fault
            .text
            .contains("symbolic links in a volume are refused"),
        "{fault}"
    );
}

#[test]
fn a_second_writer_is_told_who_holds_the_volume_and_readers_are_not_held_up() {
    let place = Place::new();
    let mut first = place.blank();
    put(&mut first, 0, "header.mtf", b"h");
    let fault = place
        .open(Access::Write)
        .mount(Mount::Existing(KEY))
        .unwrap_err();
    assert_eq!(fault.outcome, Outcome::LOCKED);
    assert!(fault.text.starts_with("agent-1\t"), "{fault}");
    let fault = Fault::from(fault);
    assert!(
        fault.message.contains("held by agent agent-1 on host "),
        "{fault}"
    );
    place.existing(Access::Read).sections().unwrap();
    first.unmount(Disposition::Keep).unwrap();
    place.existing(Access::Write);
}

#[test]
fn a_reader_changes_nothing() {
    let place = Place::new();
    place.labelled();
    let mut reader = place.existing(Access::Read);
    assert_eq!(
        reader.put_record("r", b"x").unwrap_err().outcome,
        Outcome::WRITE_PROTECTED
    );
    assert_eq!(
        reader.truncate(0).unwrap_err().outcome,
        Outcome::WRITE_PROTECTED
    );
    let request = crate::plugins::section(1, "a");
    let fault = reader.begin_section(&request).unwrap_err();
    assert_eq!(fault.outcome, Outcome::WRITE_PROTECTED);
}

#[test]
fn a_take_over_gets_a_lock_that_another_holds_and_leaves_one_lock() {
    let place = Place::new();
    let _dead = place.blank();
    let mut heir = place.existing(Access::TakeOver);
    put(&mut heir, 1, "a.bak", b"x");
    assert_eq!(place.files(), ["0001.a.bak"]);
    let fault = place
        .open(Access::Write)
        .mount(Mount::Existing(KEY))
        .unwrap_err();
    assert_eq!(fault.outcome, Outcome::LOCKED);
}

/// Run as a process of its own by the test below.
#[test]
#[ignore = "the other process of the lock test"]
fn other_process_tries_the_lock() {
    let Some(path) = std::env::var_os("TWINSET_TEST_PLACE") else {
        return;
    };
    let mut handle = crate::plugins::open_disk(path.as_ref(), Access::Write);
    match handle.mount(Mount::Existing(KEY)) {
        Ok(()) => println!("mounted"),
        Err(fault) => println!("{:?}", fault.outcome),
    }
}

fn other_process(place: &Place) -> String {
    let name = "volumes::other_process_tries_the_lock";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", name, "--nocapture"])
        .env("TWINSET_TEST_PLACE", place.path())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_lock_holds_between_processes() {
    let place = Place::new();
    let mut handle = place.blank();
    put(&mut handle, 0, "header.mtf", b"h");
    assert!(other_process(&place).contains("LOCKED"));
    drop(handle);
    assert!(other_process(&place).contains("mounted"));
}
