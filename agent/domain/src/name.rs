//! Names of sections and records: for people; the number decides.

use crate::{BackupKind, Moment, Position, RunId};

/// Longest database part of a file name, in bytes.
const MAX_DATABASE: usize = 96;

/// The database name with everything but letters, digits and `_-` replaced.
#[must_use]
pub fn safe(name: &str) -> String {
    let keep = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            c
        } else {
            '_'
        }
    };
    let mut safe: String = name.chars().map(keep).take(MAX_DATABASE).collect();
    if safe.is_empty() {
        safe.push('_');
    }
    safe
}

/// `Payroll.full.20261121T010000Z.bak`, behind the section number that the device puts first.
#[must_use]
pub fn data_section(database: &str, kind: Option<BackupKind>, at: Moment) -> String {
    let (kind, ending) = match kind {
        Some(BackupKind::Log) => ("log", "trn"),
        Some(BackupKind::Differential) => ("diff", "bak"),
        Some(BackupKind::Full) => ("full", "bak"),
        None => ("set", "bak"),
    };
    format!("{}.{kind}.{}.{ending}", safe(database), at.compact())
}

/// Name of a manifest section.
pub const MANIFEST: &str = "manifest.json";
/// Name of a media header section.
pub const HEADER: &str = "header.mtf";

/// Name of a void, which stands in the manifest's place: `void.000007.json`.
#[must_use]
pub fn void(sequence: u64) -> String {
    format!("void.{sequence:06}.json")
}

/// The writing order that a void's name tells.
#[must_use]
pub fn parse_void(name: &str) -> Option<u64> {
    let sequence = name
        .strip_prefix("void.")?
        .strip_suffix(".json")?
        .parse()
        .ok()?;
    (void(sequence) == name).then_some(sequence)
}

/// Name of the record that publishes a set: `verdict.000007.0001.<run id>`.
#[must_use]
pub fn verdict(sequence: u64, position: Position, run: RunId) -> String {
    format!(
        "verdict.{sequence:06}.{:04}.{}",
        position.get(),
        run.0.simple()
    )
}

/// Writing order, position and run that a verdict record's name tells.
#[must_use]
pub fn parse_verdict(name: &str) -> Option<(u64, Position, RunId)> {
    let mut parts = name.strip_prefix("verdict.")?.splitn(3, '.');
    let sequence = parts.next()?.parse().ok()?;
    let position = Position::new(parts.next()?.parse().ok()?)?;
    let run = parts.next()?.parse().ok()?;
    (verdict(sequence, position, run) == name).then_some((sequence, position, run))
}
