//! Unfinished work, and what is not ours.

use twinset_plugin_api::{DeviceError, Leftover};

use super::index::{Begun, Index};
use super::label::Kind;
use super::medium::Medium;

/// What unfinished tape files are called: `tape-file-000007`.
const FILE: &str = "tape-file-";
/// What a section is called that goes on from the tapes before and was not ended: `begun-3`.
const BEGUN: &str = "begun-";

fn run_of(begun: &Begun) -> [u8; 16] {
    u128::from_str_radix(&begun.run, 16).map_or([0; 16], u128::to_be_bytes)
}

/// What on the last tape no label speaks for, and what goes on without an end, by name.
pub(super) fn of(index: &Index) -> Vec<Leftover> {
    let begun = index.begun.as_ref();
    let next = begun.map_or_else(|| index.next_data(), |begun| begun.index);
    let run_id = begun.map_or([0; 16], run_of);
    let left = |name: String, length| Leftover {
        name,
        run_id: Some(run_id),
        index: Some(next),
        length,
    };
    let mut found = Vec::new();
    if let Some(begun) = begun.filter(|_| index.goes_on.is_none()) {
        found.push(left(format!("{BEGUN}{}", begun.index), begun.upto()));
    }
    let files = index.loose.iter();
    found.extend(files.map(|file| left(format!("{FILE}{file:06}"), 0)));
    found
}

/// A tape that is not ours, before any is mounted.
pub(super) fn stranger(what: &str) -> Leftover {
    Leftover {
        name: format!("the tape: {what}"),
        run_id: None,
        index: None,
        length: 0,
    }
}

/// Whether a name is one of unfinished work.
pub(super) fn is_ours(name: &str) -> bool {
    file_of(name).is_some() || name.starts_with(BEGUN)
}

fn file_of(name: &str) -> Option<u32> {
    name.strip_prefix(FILE)?.parse().ok()
}

/// Gives unfinished work up. One that was given up took those behind it along.
pub(super) fn remove(medium: &mut Medium, name: &str) -> Result<(), DeviceError> {
    match file_of(name) {
        Some(file) if medium.index.loose.contains(&file) => medium.give_up(file),
        None if medium.index.begun.is_some() => {
            // Nothing of it lies on this tape alone: a word that may be written over is enough,
            // for whatever comes behind gives it up as well.
            let loose = medium.index.loose.first().copied();
            match loose {
                Some(file) => medium.give_up(file),
                None => {
                    let file = medium.go_to_end()?;
                    medium.append(Kind::Gap, &[], |label| label.data = Some(file))
                }
            }
        }
        _ => Ok(()),
    }
}
