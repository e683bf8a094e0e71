//! Names of sections and records: for people; the number decides.

use std::fmt;

use crate::{AgentId, BackupKind, Moment, Position, RunId};

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

/// Writing orders below this have six digits, so that names sort as they were written.
const SORTED_BELOW: u64 = 1_000_000;

/// What a record in the chain of a media set is about; the first word of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A set was published.
    Verdict,
    /// A published set was removed lawfully (retention).
    Drop,
    /// Mirrors fell out of step.
    OutOfStep,
    /// Mirrors are in step again.
    InStep,
    /// Mirrors were given up for good.
    MirrorDropped,
    /// The media set takes no more sets.
    Closed,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Verdict,
        Self::Drop,
        Self::OutOfStep,
        Self::InStep,
        Self::MirrorDropped,
        Self::Closed,
    ];

    /// The word in names.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Drop => "drop",
            Self::OutOfStep => "out-of-step",
            Self::InStep => "in-step",
            Self::MirrorDropped => "mirror-dropped",
            Self::Closed => "closed",
        }
    }

    /// What the names of this kind begin with, and what sorts right before the first of a place in
    /// the writing order. `None` where names do not sort by it any more.
    #[must_use]
    pub fn names_from(self, sequence: u64) -> Option<(String, String)> {
        let word = self.word();
        let sorted = sequence < SORTED_BELOW;
        sorted.then(|| (format!("{word}."), format!("{word}.{sequence:06}")))
    }
}

/// What the name of a record in the chain tells: `verdict.000007.0001.<run id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordName {
    /// What it is about.
    pub kind: RecordKind,
    /// Place in the writing order of the media set, from 1; voids count too.
    pub sequence: u64,
    /// The set; for records about mirrors, the first position that they may lack.
    pub position: Position,
    /// The run that wrote the set, or the record.
    pub run: RunId,
}

impl fmt::Display for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, run) = (self.kind.word(), self.run.0.simple());
        let (sequence, position) = (self.sequence, self.position.get());
        write!(f, "{word}.{sequence:06}.{position:04}.{run}")
    }
}

impl RecordName {
    /// Reads a name; `None` for all that is not exactly one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.splitn(4, '.');
        let word = parts.next()?;
        let kind = RecordKind::ALL
            .into_iter()
            .find(|kind| kind.word() == word)?;
        let sequence = parts.next()?.parse().ok()?;
        let position = Position::new(parts.next()?.parse().ok()?)?;
        let run = parts.next()?.parse().ok()?;
        let parsed = Self {
            kind,
            sequence,
            position,
            run,
        };
        (parsed.to_string() == name).then_some(parsed)
    }

    /// Reads the name of a verdict.
    #[must_use]
    pub fn verdict(name: &str) -> Option<Self> {
        Self::parse(name).filter(|name| name.kind == RecordKind::Verdict)
    }
}

/// A reader's promise of time: nothing that it may be reading is removed before it has passed.
/// `hold.20261121T010000Z.<agent id>.<run id>`. Holds are no part of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldName {
    /// Until when.
    pub until: Moment,
    /// Who reads.
    pub agent: AgentId,
    /// Its run.
    pub run: RunId,
}

impl fmt::Display for HoldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (until, agent, run) = (
            self.until.compact(),
            self.agent.0.simple(),
            self.run.0.simple(),
        );
        write!(f, "hold.{until}.{agent}.{run}")
    }
}

impl HoldName {
    /// Reads a name; `None` for all that is not exactly one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix("hold.")?.splitn(3, '.');
        let until = Moment::from_compact(parts.next()?)?;
        let agent = parts.next()?.parse().ok()?;
        let run = parts.next()?.parse().ok()?;
        let parsed = Self { until, agent, run };
        (parsed.to_string() == name).then_some(parsed)
    }
}
