//! What happens when a family is longer than its media?
#![allow(clippy::unwrap_used, clippy::panic)]

mod broken;
mod operator;
mod whole;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use twinset_format::manifest::{Manifest, Part};
use twinset_format::note::Note;

use crate::support::{World, generated};

/// Bytes of a small medium.
const SMALL: u64 = 1 << 20;

/// A medium without room behind its warning.
fn medium(bytes: u64) -> Value {
    json!({ "medium_bytes": bytes })
}

/// A world of rows with a medium of each mirror, formatted.
fn rows(media: &[Value]) -> World {
    let mut world = World::blank(1, u8::try_from(media.len()).unwrap());
    world.configure(|config| {
        for (mirror, medium) in (1..).zip(media) {
            config.rows.insert((mirror, 1), medium.clone());
        }
    });
    world.json(&["media", "format", "payroll"]).ended(0);
    world
}

/// Imports so many bytes as a set; gives the file.
#[track_caller]
fn import(world: &World, seed: u64, bytes: u64) -> Vec<PathBuf> {
    let files = generated(world.path(), seed, bytes, 1);
    world.import(&files).ended(0);
    files
}

/// The folders of a mirror's media, in order: one without a header is no medium yet.
fn media(world: &World, mirror: u8) -> Vec<PathBuf> {
    let device = world.device(mirror, 1);
    let medium = |number: u32| {
        let folder = device.join(number.to_string());
        let volume = fs::read_dir(folder).ok()?.next()?.unwrap();
        Some(volume.path()).filter(|volume| file(volume, "0000.").is_some())
    };
    (1..).map_while(medium).collect()
}

/// The file of a medium whose name begins like this.
fn file(medium: &PathBuf, begins: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(medium).unwrap().map(|entry| entry.unwrap());
    let mut named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(begins));
    named.next().map(|entry| entry.path())
}

/// How the manifest of a position says that its data lie.
fn parts(world: &World, mirror: u8, position: u32) -> Vec<Part> {
    let section = format!("{:04}.manifest", position * 2);
    let media = media(world, mirror);
    let manifest = media.iter().find_map(|medium| file(medium, &section));
    let bytes = fs::read(manifest.unwrap()).unwrap();
    Manifest::parse(&bytes).unwrap().facts.parts
}

/// Lengths of the parts, and the numbers of their media one after the other.
#[track_caller]
fn lengths(world: &World, mirror: u8, position: u32) -> Vec<u64> {
    let parts = parts(world, mirror, position);
    let first = parts.first().map_or(1, |part| part.media_sequence);
    for (sequence, part) in (first..).zip(&parts) {
        assert_eq!(part.media_sequence, sequence, "{parts:?}");
    }
    parts.iter().map(|part| part.length).collect()
}

/// The notes on a mirror's media that a section goes on, in order.
fn notes(world: &World, mirror: u8) -> Vec<Note> {
    let media = media(world, mirror);
    let note = |medium: &PathBuf| {
        let entries = fs::read_dir(medium)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut notes = entries.filter(|path| path.to_string_lossy().ends_with(".note.record"));
        let bytes = fs::read(notes.next()?).unwrap();
        Some(Note::parse(&bytes).unwrap())
    };
    media.iter().filter_map(note).collect()
}
