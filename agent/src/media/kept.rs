//! How the sets that are kept are wrapped. All are alike (3098, 3095), so one manifest tells, and
//! the cost does not grow with their number.

use twinset_domain::wrapping::{self, Container as Wrapped, Wrapping};
use twinset_domain::{Fault, Position};
use twinset_format::manifest::{self, Asked, Facts, Manifest, Source};
use twinset_format::mtf::Container;

use super::encoding::Recipe;
use super::matrix::Matrix;

/// Positions looked at one by one, newest first, before the sections are listed.
const TRIES: u64 = 16;

/// The encoding must be that of the media, and the set like those that are kept; gives one of them.
///
/// # Errors
/// [`code::COMPRESSION_MIX`](twinset_domain::code::COMPRESSION_MIX) and
/// [`code::ENCRYPTION_MIX`](twinset_domain::code::ENCRYPTION_MIX).
pub fn beside(
    matrix: &Matrix,
    highest: u64,
    label: &str,
    recipe: &Recipe,
    container: Wrapped,
) -> Result<Option<(Position, Wrapping)>, Fault> {
    if let Some(header) = matrix.any_header() {
        wrapping::same_encoding(label, &header.encoding, recipe.name())?;
    }
    let kept = newest(matrix, highest);
    if let Some(kept) = kept {
        wrapping::may_join(label, kept, Wrapping::of(recipe.name(), container))?;
    }
    Ok(kept)
}

/// How the newest set with a readable manifest is wrapped, up to a position.
#[must_use]
fn newest(matrix: &Matrix, highest: u64) -> Option<(Position, Wrapping)> {
    let oldest = highest.saturating_sub(TRIES);
    let near = (oldest + 1..=highest).rev().filter_map(Position::new);
    let mut found = near.into_iter().find_map(|position| at(matrix, position));
    if found.is_none() && oldest > 0 {
        // Many voids in a row: rare, and worth one listing.
        let sections = matrix.volumes().find_map(|volume| volume.sections().ok());
        let even = |index: u64| (index > 0 && index.is_multiple_of(2)).then_some(index / 2);
        found = sections
            .unwrap_or_default()
            .iter()
            .rev()
            .filter(|section| section.name == twinset_domain::name::MANIFEST)
            .filter_map(|section| Position::new(even(section.index)?))
            .find_map(|position| at(matrix, position));
    }
    found
}

/// The set at a position, from the first volume that has its manifest sound.
fn at(matrix: &Matrix, position: Position) -> Option<(Position, Wrapping)> {
    matrix.volumes().find_map(|volume| {
        let index = position.manifest_section();
        let bytes = volume.read_section(index, manifest::MAX_BYTES).ok()?;
        let facts = Manifest::parse(&bytes).ok()?.facts;
        Some((position, wrapping(&facts)))
    })
}

fn wrapping(facts: &Facts) -> Wrapping {
    let container = container(facts.container, facts.source, facts.asked.as_ref());
    Wrapping::of(&facts.encoding, container)
}

/// What a stream's first bytes and the order tell of how SQL Server wrapped it.
#[must_use]
pub fn container(container: Container, source: Source, asked: Option<&Asked>) -> Wrapped {
    match (container, source) {
        (Container::Mtf, _) => Wrapped::Plain,
        (Container::Mssqlbak, Source::Import) => Wrapped::Packed,
        // What comes packed and was not asked to be encrypted is compressed.
        (Container::Mssqlbak, Source::Vdi | Source::Stage) => match asked {
            Some(asked) if asked.encryption.is_some() => ordered(asked),
            _ => Wrapped::Compressed,
        },
        (Container::Opaque, _) => Wrapped::Unknown,
    }
}

/// What an order will make of a stream, as far as SQL Server's own defaults let it be known before
/// the first byte.
#[must_use]
pub fn ordered(asked: &Asked) -> Wrapped {
    match (asked.compression, asked.encryption.is_some()) {
        (Some(true), true) => Wrapped::Both,
        (Some(true), false) => Wrapped::Compressed,
        (Some(false), true) => Wrapped::Encrypted,
        (Some(false), false) => Wrapped::Plain,
        (None, true) => Wrapped::PerhapsBoth,
        // The server's default decides: the first bytes will tell.
        (None, false) => Wrapped::Unknown,
    }
}
