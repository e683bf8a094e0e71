//! Backups through files of a stage folder: is what SQL Server acknowledged always somewhere, in
//! the folder or on the media, whatever dies, breaks or is stopped?
#![allow(clippy::unwrap_used, clippy::panic)]

mod adopt;
mod doctor;
mod kills;
mod messages;
mod plain;
mod rights;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::front::{Host, Setup};

/// The folder on the host.
pub(crate) fn folder(host: &Host) -> PathBuf {
    host.world.path().join("stage")
}

/// Sets the folder's permissions.
pub(crate) fn mode(host: &Host, mode: u32) {
    fs::set_permissions(folder(host), fs::Permissions::from_mode(mode)).unwrap();
}

/// What lies in the stage folder.
pub(crate) fn staged(host: &Host) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder(host))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A host whose group takes its backups through the folder `stage`.
pub(crate) fn host(setup: &Setup) -> Host {
    let host = Host::formatted(setup);
    fs::create_dir(folder(&host)).unwrap();
    mode(&host, 0o2770);
    let dir = folder(&host);
    group(&host, &format!("source = \"stage\"\nstage_dir = {dir:?}"));
    host
}

/// Rewrites the source of the group.
pub(crate) fn group(host: &Host, source: &str) {
    let path = host.world.path().join("groups.d/payroll.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (head, tail) = text.split_once("source = ").unwrap();
    let tail = &tail[tail.find("[backup]").unwrap()..];
    fs::write(&path, format!("{head}{source}\n{tail}")).unwrap();
}

/// The usual host of these specs: two families, two mirrors.
pub(crate) fn usual() -> Host {
    host(&Setup {
        families: 2,
        ..Setup::default()
    })
}

/// A GUID in one spelling.
pub(crate) fn guid(value: &Value) -> String {
    value.as_str().unwrap().to_lowercase()
}
