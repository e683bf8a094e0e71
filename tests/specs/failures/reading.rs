//! Rows of restores and of files.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::{RESTORE, host, told};
use crate::front::{Host, Setup};
use crate::support::{World, generated};

#[test]
fn row_18_a_truncated_stream_is_found_before_the_restore() {
    let mut host = host(1, &json!({}));
    host.backup().ended(0);
    for mirror in [1, 2] {
        let path = host.world.file(mirror, 1, "0001.");
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(1_000_000).unwrap();
    }
    told("row_18", &host, RESTORE);
    host.lab.database("SQL-A", "Copy").unwrap_err();
}

/// `media import` of these files, as people type it.
fn import(row: &str, host: &Host, files: &[PathBuf]) {
    told(row, host, &World::import_line(files));
    host.media_are_clean();
}

#[test]
fn row_19_what_is_no_backup_is_refused() {
    let host = host(1, &json!({}));
    let path = host.world.path().join("twice.bak.gz");
    fs::write(&path, [&[0x1f, 0x8b, 8][..], &[7; 5000]].concat()).unwrap();
    import("row_19", &host, &[path]);
}

#[test]
fn row_20_missing_surplus_foreign_and_double_stripes() {
    let host = host(2, &json!({}));
    let two = generated(host.world.path(), 1, 1 << 20, 2);
    let other = {
        let folder = host.world.path().join("other");
        fs::create_dir(&folder).unwrap();
        generated(&folder, 2, 1 << 20, 2)
    };
    import("row_20_missing", &host, &two[..1]);
    let surplus = [&two[..], &other[..1]].concat();
    import("row_20_surplus", &host, &surplus);
    import("row_20_foreign", &host, &[two[0].clone(), other[1].clone()]);
    let again = host.world.path().join("again.bak");
    fs::copy(&two[0], &again).unwrap();
    import("row_20_double", &host, &[two[0].clone(), again]);
}

#[test]
fn row_21_a_restore_uses_the_sizes_of_the_backup() {
    let mut host = Host::formatted(&Setup {
        backup: "block_size = 4096\nmax_transfer_size = \"4MiB\"",
        ..Setup::default()
    });
    host.backup().ended(0);
    let path = host.world.path().join("groups.d/payroll.toml");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace("4096", "512").replace("4MiB", "64KiB");
    fs::write(&path, text).unwrap();
    host.restores("Payroll", 1, "Copy");
    let bytes = fs::read(host.world.file(1, 1, "0002.")).unwrap();
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap();
    let facts: serde_json::Value = serde_json::from_slice(line).unwrap();
    assert_eq!(
        (&facts["block_size"], &facts["max_transfer_size"]),
        (&json!(4096), &json!(4 << 20))
    );
}

#[test]
fn row_29_exported_files_are_what_others_restore() {
    let host = host(1, &json!({}));
    host.backup().ended(0);
    let to = host.world.path().join("out");
    let to = to.to_str().unwrap();
    let line = ["media", "export", "payroll", "--position", "1", "--to", to];
    let exported = host.world.json(&line).ended(0).result();
    let statement = exported["statement"].as_str().unwrap();
    assert!(statement.contains("FROM DISK = N'"), "{statement}");
    let file = exported["files"][0].as_str().unwrap();
    assert_eq!(
        fs::read(file).unwrap(),
        fs::read(host.world.file(1, 1, "0001.")).unwrap()
    );
}
