//! The device through its trait, with images as tapes.
#![allow(clippy::unwrap_used, clippy::panic)]

mod faults;
mod foreign;
mod hands;
mod health;
mod layout;
mod library;
mod rows;
mod turns;
mod whole;
mod worn;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use twinset_plugin_api::{
    Access, Device, DeviceError, Host, Mount, OpenRequest, Outcome, Plugin, SectionMode,
    SectionRequest,
};

use super::TapePlugin;

const KEY: &str = "6a1f7c1e-0000-4000-8000-000000000001.m1.f1";
const NEW: SectionMode = SectionMode::New;
const REPAIR: SectionMode = SectionMode::Repair;
/// Bytes of a block in these tests.
const BLOCK: usize = 4096;

/// A folder with one image.
struct Shelf {
    folder: TempDir,
}

impl Shelf {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("a.tap")
    }

    /// Puts another cartridge into the drive, whoever has that open: first the one in it is taken
    /// away, for not every system puts a file in the place of an open one.
    fn put_in(&self, other: &Path) {
        fs::rename(self.image(), self.folder.path().join("taken-out")).unwrap();
        fs::rename(other, self.image()).unwrap();
    }

    fn sidecar(&self, meta: &Value) {
        let path = self.folder.path().join("a.tap.meta");
        fs::write(path, meta.to_string()).unwrap();
    }

    fn open(&self, access: Access) -> Box<dyn Device> {
        open(&self.image(), access)
    }

    fn blank(&self) -> Box<dyn Device> {
        let mut device = self.open(Access::Write);
        device.mount(Mount::Blank(KEY)).unwrap();
        device
    }

    fn mounted(&self) -> Box<dyn Device> {
        let mut device = self.open(Access::Write);
        device.mount(Mount::Existing(KEY)).unwrap();
        device
    }

    /// A tape with a header, one set and its verdict.
    fn with_set(&self, length: usize) -> Vec<u8> {
        let mut device = self.blank();
        put(&mut *device, 0, "header.mtf", NEW, b"TAPE header");
        let data = bytes(length);
        put(&mut *device, 1, "p.full.bak", NEW, &data);
        put(&mut *device, 2, "manifest.json", NEW, b"{manifest}");
        device.put_record("verdict.1", b"{verdict}").unwrap();
        data
    }
}

fn open(image: &Path, access: Access) -> Box<dyn Device> {
    let options = json!({ "image": image, "block_size": BLOCK }).to_string();
    let request = OpenRequest {
        options: &options,
        agent_id: "an-agent",
        access,
    };
    TapePlugin::open(&request, Host::silent()).unwrap()
}

/// Bytes unlike zeros, and unlike from block to block.
fn bytes(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at % 251 + at / BLOCK) as u8)
        .collect()
}

fn section(index: u64, name: &str, mode: SectionMode) -> SectionRequest<'_> {
    SectionRequest {
        index,
        name,
        run_id: [0x5a; 16],
        expected_length: None,
        mode,
    }
}

fn put(device: &mut dyn Device, index: u64, name: &str, mode: SectionMode, bytes: &[u8]) {
    device.begin_section(&section(index, name, mode)).unwrap();
    for piece in bytes.chunks(10_000) {
        device.write(piece).unwrap();
    }
    device.end_section().unwrap();
}

fn get(device: &mut dyn Device, index: u64) -> Vec<u8> {
    let length = device.open_section(index).unwrap();
    let mut whole = Vec::new();
    let mut buffer = vec![0; 7000];
    loop {
        match device.read(&mut buffer).unwrap() {
            0 => break,
            got => whole.extend_from_slice(&buffer[..got]),
        }
    }
    assert_eq!(whole.len() as u64, length);
    whole
}

fn listed(device: &mut dyn Device) -> Vec<(u64, u64, String)> {
    let sections = device.sections(None, 1000).unwrap();
    let told = sections.into_iter();
    told.map(|s| (s.index, s.length, s.name)).collect()
}

fn records(device: &mut dyn Device) -> Vec<String> {
    let records = device.list_records("", 1000).unwrap();
    records.into_iter().map(|record| record.name).collect()
}

fn left(device: &mut dyn Device) -> Vec<String> {
    let left = device.leftovers("", 1000).unwrap();
    left.into_iter().map(|left| left.name).collect()
}

fn outcome<T: std::fmt::Debug>(result: Result<T, DeviceError>) -> Outcome {
    result.unwrap_err().outcome
}

/// What an image holds, read by the rules of its form alone: blocks, and 0 bytes for a filemark.
fn objects(image: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(image).unwrap();
    let (mut at, mut found) = (0, Vec::new());
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    while at < bytes.len() {
        let length = word(at);
        let block = bytes[at + 4..at + 4 + length].to_vec();
        at += 4;
        if length > 0 {
            at += length + length % 2;
            assert_eq!(word(at), length);
            at += 4;
        }
        found.push(block);
    }
    found
}

/// The tape files of an image: what `dd` reads between filemarks.
fn files(image: &Path) -> Vec<Vec<u8>> {
    let objects = objects(image);
    objects
        .split(Vec::is_empty)
        .map(<[Vec<u8>]>::concat)
        .collect()
}
