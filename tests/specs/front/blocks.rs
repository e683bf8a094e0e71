//! BLOCKSIZE from 512 to 65536, end to end: virtual devices, the stage folder, files of SQL Server that
//! are imported, and the statement that goes with an export.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{Host, Setup};
use crate::stage;

/// What the manifest of a position says of the block size.
fn recorded(host: &Host, position: u64) -> Value {
    let path = host.world.file(1, 1, &format!("{:04}.", position * 2));
    let bytes = fs::read(path).unwrap();
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap();
    let facts: Value = serde_json::from_slice(line).unwrap();
    facts["block_size"].clone()
}

/// The exported files of a position, once SQL Server has read them as the printed statement says.
#[track_caller]
fn exported(host: &Host, position: u64, block: u32) -> Vec<PathBuf> {
    let to = host.world.path().join(format!("out-{position}"));
    let (position, to) = (position.to_string(), to.to_str().unwrap().to_owned());
    let line = [
        "media",
        "export",
        "payroll",
        "--position",
        &position,
        "--to",
        &to,
    ];
    let told = host.world.json(&line).ended(0).result();
    let statement = told["statement"].as_str().unwrap();
    assert!(
        statement.contains(&format!("BLOCKSIZE = {block}")),
        "{statement}"
    );
    let (_, media) = statement.split_once(" FROM ").unwrap();
    let (media, _) = media.split_once(" WITH ").unwrap();
    host.foreign(&format!(
        "RESTORE VERIFYONLY FROM {media} WITH BLOCKSIZE = {block}"
    ));
    let files = told["files"].as_array().unwrap().iter();
    files.map(|file| file.as_str().unwrap().into()).collect()
}

#[track_caller]
fn goes_the_whole_way(mut host: Host, block: u32) {
    host.backup().ended(0);
    assert_eq!(recorded(&host, 1), block);
    host.restores("Payroll", 1, "Copy");
    for file in exported(&host, 1, block) {
        assert_eq!(fs::metadata(file).unwrap().len() % u64::from(block), 0);
    }
}

#[test]
fn virtual_devices_write_and_read_every_block_size() {
    for (block, backup) in [
        (512, "block_size = 512"),
        (8192, "block_size = \"8KiB\""),
        (
            65_536,
            "block_size = \"64KiB\"\nmax_transfer_size = \"192KiB\"",
        ),
    ] {
        let setup = Setup {
            backup,
            ..Setup::default()
        };
        goes_the_whole_way(Host::formatted(&setup), block);
    }
}

#[test]
fn staged_files_keep_their_block_size() {
    let host = stage::host(&Setup {
        families: 2,
        backup: "block_size = \"64KiB\"",
        ..Setup::default()
    });
    goes_the_whole_way(host, 65_536);
}

#[test]
fn imported_files_say_their_block_size_themselves() {
    for block in [512, 16_384, 65_536] {
        let host = Host::usual();
        let path = host.world.path().join("theirs.bak");
        let to = format!(
            "BACKUP DATABASE Payroll TO DISK = N'{}' WITH COPY_ONLY",
            path.display()
        );
        host.foreign(&format!("{to}, BLOCKSIZE = {block}"));
        host.world.import(std::slice::from_ref(&path)).ended(0);
        assert_eq!(recorded(&host, 1), block);
        let files = exported(&host, 1, block);
        assert!(fs::read(&files[0]).unwrap() == fs::read(&path).unwrap());
    }
}
