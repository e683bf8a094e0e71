//! What do people read? Every printed form, with paths, ids and times taken out.
#![allow(clippy::unwrap_used, clippy::panic)]

mod degrading;
mod devices;
mod formatting;
mod importing;
mod owning;
mod reading;
mod refusing;

use std::path::PathBuf;

use crate::support::{Ran, World, built};

/// Exit code and both outputs, without what changes from run to run.
pub(super) fn printed(world: &World, ran: &Ran) -> String {
    let text = format!("exit {}\n{}{}", ran.code, ran.stdout, ran.stderr);
    let text = text.replace(world.path().to_str().unwrap(), "~");
    let plugins = built("libtwinset_disk.so");
    let text = text.replace(plugins.parent().unwrap().to_str().unwrap(), "PLUGINS");
    let lines: Vec<String> = text
        .lines()
        .map(|line| without_ids(line.trim_end()))
        .collect();
    lines.join("\n")
}

/// Ids, hashes and times become words; shapes are those of the texts of Twinset.
fn without_ids(line: &str) -> String {
    let shapes = [
        ("hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh", "ID"),
        (
            "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh",
            "HASH",
        ),
        ("hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh", "RUN"),
        ("dddd-dd-dd dd:dd:dd UTC", "TIME"),
        ("ddddddddTddddddZ", "TIME"),
        ("dddd-dd-ddTdd:dd:dd.ddddddZ", "TIME"),
        ("faulty.rs:dd", "faulty.rs:LINE"),
    ];
    let mut rest = line;
    let mut text = String::new();
    while let Some(first) = rest.chars().next() {
        match shapes.iter().find(|(shape, _)| begins_like(rest, shape)) {
            Some((shape, word)) => {
                text.push_str(word);
                rest = &rest[shape.len()..];
            }
            None => {
                text.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    text
}

/// `h` stands for a hexadecimal digit, `d` for a decimal one.
fn begins_like(text: &str, shape: &str) -> bool {
    text.len() >= shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, like)| match like {
                b'h' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
                b'd' => byte.is_ascii_digit(),
                other => byte == other,
            })
}

pub(super) fn import(world: &World, files: &[PathBuf]) -> Ran {
    world.run(&World::import_line(files))
}
