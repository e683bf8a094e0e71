//! Tapes through the front door: the real `twinset` with the real plugin and virtual tapes. The
//! plugin's own tests look at every fault of a drive; `make test-tape` uses the kernel's driver.
#![allow(clippy::unwrap_used, clippy::panic)]

mod changer;
mod foreign;
mod health;
mod kills;
mod one_drive;
pub(crate) mod spanning;
mod sql;
mod turns;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::World;

/// Bytes of a block on these tapes.
const BLOCK: u64 = 65_536;

/// The image at a place.
fn image(world: &World, mirror: u8, family: u16) -> PathBuf {
    world.path().join(format!("t/m{mirror}f{family}.tap"))
}

/// Puts every device of a world onto a virtual tape.
fn on_tapes(world: &mut World) {
    let folder = world.path().join("t");
    fs::create_dir_all(&folder).unwrap();
    let (families, mirrors) = (world.media.families, world.media.mirrors);
    world.configure(|media| {
        for mirror in 1..=mirrors {
            for family in 1..=families {
                let image = folder.join(format!("m{mirror}f{family}.tap"));
                let options = json!({ "image": image, "block_size": BLOCK });
                media.tapes.insert((mirror, family), options);
            }
        }
    });
}

/// A world whose media set lies on virtual tapes, never formatted.
fn blank(families: u16, mirrors: u8) -> World {
    let mut world = World::blank(families, mirrors);
    on_tapes(&mut world);
    world
}

/// The same, formatted.
fn formatted(families: u16, mirrors: u8) -> World {
    let world = blank(families, mirrors);
    world.json(&["media", "format", "payroll"]).ended(0);
    world
}

/// The tape files of an image by the rules of its form alone: what `dd` reads between filemarks.
fn files(image: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(image).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut files) = (0, vec![Vec::new()]);
    while at < bytes.len() {
        let length = word(at);
        at += 4;
        if length == 0 {
            files.push(Vec::new());
            continue;
        }
        files
            .last_mut()
            .unwrap()
            .extend_from_slice(&bytes[at..at + length]);
        at += length + length % 2;
        assert_eq!(word(at), length);
        at += 4;
    }
    assert_eq!(
        files.pop(),
        Some(Vec::new()),
        "the last tape file is closed"
    );
    files
}
