//! What stands in the way, and is it named without anything lost or half published?
#![allow(clippy::unwrap_used, clippy::panic)]

mod broken;
mod configuration;
mod full;
mod hanging;
mod plugins;

use std::path::PathBuf;

use serde_json::json;

use crate::support::{World, work_files};

/// The set at position 1 is as it was, nothing at position 2 is published, and nothing unfinished
/// stays in the folders.
#[track_caller]
pub(crate) fn nothing_published(world: &World, files: &[PathBuf]) {
    assert_eq!(work_files(world.path()), Vec::<PathBuf>::new());
    let sets = world.sets();
    assert_eq!(sets[0]["state"], "published");
    assert!(
        sets[1..].iter().all(|set| set["state"] == "void"),
        "{sets:?}"
    );
    let report = world.verify(0);
    assert_eq!(
        (&report["damage"], &report["notes"]),
        (&json!([]), &json!([]))
    );
    world.exports(1, 0, files);
}

/// After the cause is gone, recover leaves order and the next import works.
#[track_caller]
pub(crate) fn goes_on(world: &mut World, files: &[PathBuf]) {
    world.heal_devices();
    world.json(&["media", "recover", "payroll"]).ended(0);
    assert_eq!(work_files(world.path()), Vec::<PathBuf>::new());
    world.exports(1, 0, files);
    world.import(files).ended(0);
    let report = world.verify(0);
    assert_eq!(
        (&report["damage"], &report["notes"]),
        (&json!([]), &json!([]))
    );
    let all = u64::from(world.media.families) * u64::from(world.media.mirrors);
    for set in world.sets() {
        let whole = set["state"] == "published" && set["volumes"] == all;
        assert!(whole || set["state"] == "void", "{set}");
    }
}
