//! Which plugin files are taken, and what is said of those that are not.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use twinset::device::{Access, DeviceClass, LoadPolicy, Outcome, PluginFile};
use twinset_domain::Fault;

use crate::plugins::{
    Place, alien_file, disk, disk_file, example_file, fault_file, faulty, policy,
};

fn refused(path: &Path) -> Fault {
    refused_with(path, &policy())
}

fn refused_with(path: &Path, policy: &LoadPolicy) -> Fault {
    let fault = PluginFile::load(path, policy).map(|_| ()).unwrap_err();
    assert!(
        !fault.remedy.is_empty() && !fault.message.contains('\n'),
        "{fault}"
    );
    fault
}

#[test]
fn two_plugin_files_live_side_by_side() {
    assert_eq!(disk().description().product, "Disk");
    assert_eq!(faulty().description().product, "Fault");
    assert_eq!(disk().description().class, DeviceClass::DISK);
    assert_ne!(disk().blake3(), faulty().blake3());
}

#[test]
fn the_same_file_twice_is_the_same_plugin() {
    let again = PluginFile::load(&disk_file(), &policy()).unwrap();
    assert_eq!(again.description(), disk().description());
    assert_eq!(
        (again.blake3(), again.path()),
        (disk().blake3(), disk().path())
    );
}

#[test]
fn a_relative_or_missing_path_says_what_to_correct() {
    let fault = refused(Path::new("libtwinset_disk.so"));
    assert!(fault.message.contains("must be absolute"), "{fault}");
    let fault = refused(Path::new("/usr/lib/twinset/plugins/libnone.so"));
    assert_eq!(fault.code.text(), "TW2001");
    assert!(fault.message.contains("cannot be opened"), "{fault}");
}

#[test]
fn a_plugin_that_others_may_write_is_never_loaded() {
    let place = Place::new();
    let copy = place.path().join("libcopy.so");
    fs::copy(disk_file(), &copy).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o757)).unwrap();
    let fault = refused(&copy);
    assert_eq!(fault.code.text(), "TW2002");
    assert!(fault.message.contains("mode 0757"), "{fault}");
    fs::set_permissions(&copy, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        PluginFile::load(&copy, &policy())
            .unwrap()
            .description()
            .product,
        "Disk"
    );
}

#[test]
fn a_file_that_is_no_library_is_refused_with_the_loaders_reason() {
    let place = Place::new();
    let file = place.path().join("libtext.so");
    fs::write(
        &file,
        "this is not a library, only a text that is long enough to be one",
    )
    .unwrap();
    let fault = refused(&file);
    assert!(
        fault.message.contains("cannot be loaded as a library"),
        "{fault}"
    );
    assert_eq!(fault.causes.len(), 1, "{fault}");
}

#[test]
fn a_library_that_is_no_plugin_is_refused() {
    let fault = refused(&example_file("not_a_device"));
    assert_eq!(
        fault.message,
        "the file is a library, but not a Twinset plugin"
    );
}

#[test]
fn another_layout_is_refused_in_one_line_and_explained_in_a_file() {
    let place = Place::new();
    let policy = LoadPolicy {
        report_dir: Some(place.path().to_path_buf()),
        ..policy()
    };
    let fault = refused_with(&alien_file(), &policy);
    assert_eq!(fault.code.text(), "TW2003");
    assert_eq!(
        fault.message,
        "the plugin was built for another layout of the plugin API"
    );
    let report = place.path().join("libtwinset_alien_device.so.refused.txt");
    assert!(
        fault.causes[0].contains(report.to_str().unwrap()),
        "{fault}"
    );
    assert!(fs::read_to_string(report).unwrap().lines().count() > 10);
}

#[test]
fn another_version_of_the_plugin_api_is_named() {
    let fault = refused(&example_file("newer_device"));
    assert_eq!(fault.code.text(), "TW2003");
    assert!(
        fault.message.contains("version 9.0.0 of the plugin API"),
        "{fault}"
    );
    assert!(fault.message.contains(env!("CARGO_PKG_VERSION")), "{fault}");
}

#[test]
fn the_c_door_leads_to_the_same_calls() {
    let plugin: Arc<PluginFile> = PluginFile::load(&example_file("c_device"), &policy()).unwrap();
    assert_eq!(plugin.description().product, "C device");
    let fault = plugin
        .open("c", "{\"a\":1}", "agent-1", Access::Read)
        .unwrap_err();
    assert_eq!(fault.outcome, Outcome::BAD_OPTION);
    assert_eq!(fault.text, "options: {\"a\":1} refused");
}

#[test]
fn a_c_table_of_a_later_revision_is_refused() {
    let fault = refused(&example_file("future_c_device"));
    assert_eq!(fault.code.text(), "TW2003");
    assert_eq!(fault.message, "the plugin speaks revision 2, this agent 1");
}

#[test]
fn a_plugin_that_panics_when_asked_what_it_is_costs_nothing_else() {
    let fault = refused(&example_file("panicking_device"));
    assert_eq!(fault.code.text(), "TW2005");
    assert!(fault.causes[0].starts_with("who am I ("), "{fault}");
}

#[test]
fn a_pinned_hash_is_compared_before_anything_runs() {
    let wrong = LoadPolicy {
        sha256: Some("0".repeat(64)),
        ..policy()
    };
    let fault = refused_with(&fault_file(), &wrong);
    assert_eq!(fault.code.text(), "TW2004");
    let found = fault
        .message
        .split_whitespace()
        .nth(4)
        .unwrap()
        .trim_end_matches(',');
    let right = LoadPolicy {
        sha256: Some(found.to_uppercase()),
        ..policy()
    };
    assert!(PluginFile::load(&fault_file(), &right).is_ok());
}
