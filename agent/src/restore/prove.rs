//! Proves that encoded sets decode: what comes out has the hash of what SQL Server wrote.

use std::sync::atomic::{AtomicBool, Ordering};

use twinset_domain::{Fault, Position, code};

use super::open::OpenSet;
use crate::media::encoding::decoder::PlainReader;
use crate::report::Progress;

/// What decoding came to.
#[derive(Debug, Default)]
pub struct Proved {
    /// Encoded sets that gave back what went in.
    pub decoded: u64,
    /// Sets whose stored bytes are sound and do not decode, with the reason.
    pub undecodable: Vec<String>,
}

/// Positions of kept sets that are stored encoded and have a manifest, oldest first.
#[must_use]
pub fn encoded(open: &OpenSet, only: Option<Position>) -> Vec<Position> {
    open.sets
        .iter()
        .filter(|set| set.is_kept() && only.is_none_or(|position| set.position == position))
        .filter(|set| {
            set.any_manifest()
                .is_some_and(|manifest| manifest.facts.encoding != "raw")
        })
        .map(|set| set.position)
        .collect()
}

/// Proves the keys with one set, before hours are spent on reading.
///
/// # Errors
/// [`code::NO_KEY`].
pub fn keys(open: &OpenSet, positions: &[Position]) -> Result<(), Fault> {
    let Some(newest) = positions.last() else {
        return Ok(());
    };
    match open.plain_readers(*newest) {
        // Damage is for the pass itself to find.
        Err(fault) if ![code::LOST, code::UNDECODABLE].contains(&fault.code) => Err(fault),
        _ => Ok(()),
    }
}

/// Decodes sets to their ends. Sets with lost chunks are known as lost already.
///
/// # Errors
/// [`code::NO_KEY`], and that the operator stopped it.
pub fn decode(
    open: &OpenSet,
    positions: &[Position],
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Proved, Fault> {
    let mut proved = Proved::default();
    for position in positions {
        let outcome = open.plain_readers(*position).and_then(|readers| {
            readers
                .into_iter()
                .try_for_each(|reader| drain(reader, progress, stop))
        });
        match outcome {
            Ok(()) => proved.decoded += 1,
            Err(fault) if fault.code == code::LOST => {}
            Err(fault) if fault.code == code::UNDECODABLE => {
                let why = fault.causes.join(", ");
                proved
                    .undecodable
                    .push(format!("{}: {} ({why})", fault.object, fault.message));
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(proved)
}

fn drain(mut reader: PlainReader, progress: &dyn Progress, stop: &AtomicBool) -> Result<(), Fault> {
    while let Some(block) = reader.next_block()? {
        if stop.load(Ordering::Relaxed) {
            return Err(
                Fault::new(code::CANCELLED, "decode", "stopped by the operator")
                    .remedy("nothing was changed; start it again when it suits"),
            );
        }
        progress.advance(block.len() as u64);
        reader.reuse(block);
    }
    Ok(())
}
