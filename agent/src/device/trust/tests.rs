//! Owners and modes of plugin files. What Windows has in their place is tested in `twinset-win32`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::check;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("libdevice.so");
    fs::write(&file, b"x").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    (folder, file)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_of_ours_in_a_closed_folder_is_trusted() {
    let (_folder, file) = place();
    assert_eq!(check(&file).unwrap(), file.canonicalize().unwrap());
}

#[test]
fn a_relative_path_is_refused() {
    let fault = check(Path::new("libdevice.so")).unwrap_err();
    assert_eq!(fault.code.text(), "TW2001");
    assert!(fault.message.contains("absolute"), "{fault}");
}

#[test]
fn a_missing_file_is_named_with_the_systems_reason() {
    let fault = check(Path::new("/nowhere/libdevice.so")).unwrap_err();
    assert_eq!(
        (fault.code.text(), fault.object.as_str()),
        ("TW2001", "/nowhere/libdevice.so")
    );
    assert!(fault.causes[0].contains("No such file"), "{fault}");
}

#[test]
fn a_folder_is_not_a_plugin() {
    let (folder, _file) = place();
    assert!(
        check(folder.path())
            .unwrap_err()
            .message
            .contains("regular file")
    );
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let (_folder, file) = place();
    mode(&file, 0o666);
    let fault = check(&file).unwrap_err();
    assert_eq!(fault.code.text(), "TW2002");
    assert!(fault.message.contains("mode 0666"), "{fault}");
    assert!(fault.remedy.contains("chmod go-w"), "{fault}");
}

#[test]
fn a_folder_that_others_may_write_is_refused_unless_it_is_sticky() {
    let (folder, file) = place();
    mode(folder.path(), 0o777);
    assert_eq!(check(&file).unwrap_err().code.text(), "TW2002");
    mode(folder.path(), 0o1777);
    assert!(check(&file).is_ok());
}

#[test]
fn a_link_in_an_open_folder_is_refused_although_its_target_is_safe() {
    let (folder, file) = place();
    let open = folder.path().join("open");
    fs::create_dir(&open).unwrap();
    mode(&open, 0o777);
    let link = open.join("link.so");
    symlink(&file, &link).unwrap();
    assert_eq!(check(&link).unwrap_err().code.text(), "TW2002");
    mode(&open, 0o755);
    assert_eq!(check(&link).unwrap(), file.canonicalize().unwrap());
}
