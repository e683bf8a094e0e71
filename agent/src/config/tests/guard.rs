//! Owners and modes of the files. What Windows has in their place is tested in `twinset-win32`.
#![cfg(unix)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn mode(folder: &Folder, name: &str, mode: u32) {
    fs::set_permissions(folder.path(name), Permissions::from_mode(mode)).unwrap();
}

fn files() -> Folder {
    let folder = Folder::new(&[
        ("agent.toml", AGENT),
        ("groups.d/p.toml", GROUP),
        ("secrets/sql-a", "hunter2\n"),
    ]);
    mode(&folder, "secrets/sql-a", 0o600);
    folder
}

#[test]
fn files_that_others_may_write_are_refused_with_the_command_that_helps() {
    let folder = files();
    mode(&folder, "agent.toml", 0o666);
    mode(&folder, "groups.d/p.toml", 0o664);
    mode(&folder, "groups.d", 0o777);
    let remedy = folder.0.path().display().to_string();
    insta::assert_snapshot!(folder.faults().replace(&remedy, ""), @r#"
    TW1004 agent.toml: this file or folder may be written by others (mode 0666)
      remedy: chmod go-w agent.toml
    TW1004 groups.d/p.toml: this file or folder may be written by others (mode 0664)
      remedy: chmod go-w groups.d/p.toml
    TW1004 groups.d: this file or folder may be written by others (mode 0777)
      remedy: chmod go-w groups.d
    "#);
}

#[test]
fn a_sticky_folder_is_safe_when_its_entry_is() {
    let folder = files();
    mode(&folder, "groups.d", 0o1777);
    assert!(folder.load().is_ok());
}

#[test]
fn a_secret_that_others_may_read_is_refused_at_load_and_at_use() {
    let folder = files();
    let config = folder.load().unwrap();
    let instance = config.instance("sql-a").unwrap();
    let auth = instance.settings().unwrap().auth;
    assert!(
        matches!(auth, crate::sqlserver::settings::Auth::Sql { password, .. } if password.expose() == "hunter2")
    );
    mode(&folder, "secrets/sql-a", 0o644);
    insta::assert_snapshot!(folder.faults(), @r#"
    TW1004 agent.toml:9:17: secrets/sql-a may be read by others (mode 0644)
      remedy: chmod o-rwx secrets/sql-a
    "#);
    assert_eq!(instance.settings().unwrap_err().code.text(), "TW1004");
}

#[test]
fn a_missing_or_empty_secret_is_found_when_it_is_needed() {
    let folder = files();
    let config = folder.load().unwrap();
    let instance = config.instance("sql-a").unwrap();
    fs::write(folder.path("secrets/sql-a"), "\n").unwrap();
    let fault = instance.settings().unwrap_err();
    assert_eq!(
        (fault.code.text(), fault.causes[0].as_str()),
        ("TW1005", "it is empty")
    );
    fs::remove_file(folder.path("secrets/sql-a")).unwrap();
    assert!(folder.load().is_ok());
    assert_eq!(instance.settings().unwrap_err().code.text(), "TW1005");
}
