//! Plugin files that cannot be used.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{World, built};

/// What an import says when the disk plugin is this file.
fn refused(code: &str, plugin: impl FnOnce(&World) -> PathBuf) -> Value {
    let (mut world, files) = World::with_set(1, 2, 1 << 16);
    let plugin = plugin(&world);
    world.configure(|media| media.disk = plugin);
    let fault = world.import(&files).ended(1).failed(code);
    world
        .json(&["media", "verify", "payroll"])
        .ended(1)
        .failed(code);
    world.configure(|media| media.disk = built("libtwinset_disk.so"));
    assert_eq!(world.sets().len(), 1);
    fault
}

#[test]
fn a_missing_plugin_is_named() {
    let fault = refused("TW2001", |world| world.path().join("libnothing.so"));
    assert!(
        fault["object"].as_str().unwrap().ends_with("libnothing.so"),
        "{fault}"
    );
}

#[test]
fn a_plugin_that_is_no_library_is_refused() {
    refused("TW2001", |world| {
        let path = world.path().join("libtext.so");
        fs::write(&path, "#!/bin/sh\n").unwrap();
        path
    });
}

#[test]
fn a_library_that_was_cut_off_is_refused() {
    refused("TW2001", |world| {
        let whole = fs::read(built("libtwinset_disk.so")).unwrap();
        let path = world.path().join("libcut.so");
        fs::write(&path, &whole[..4000]).unwrap();
        path
    });
}

#[test]
fn a_plugin_of_another_revision_is_refused_in_one_line() {
    let fault = refused("TW2003", |_| built("libtwinset_alien_device.so"));
    assert!(
        !fault["message"].as_str().unwrap().contains('\n'),
        "{fault}"
    );
}

#[test]
fn a_plugin_that_others_may_write_is_refused() {
    let fault = refused("TW2002", |world| {
        let path = world.path().join("libopen.so");
        fs::copy(built("libtwinset_disk.so"), &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        path
    });
    assert!(
        fault["remedy"].as_str().unwrap().contains("chmod go-w"),
        "{fault}"
    );
}
