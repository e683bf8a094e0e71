//! Verdicts and voids on every volume. A verdict record is the publication of a set.

use std::collections::BTreeSet;
use std::sync::Arc;

use twinset_domain::append::Tail;
use twinset_domain::{AgentId, Fault, MediaSetId, MirrorNo, Moment, Position, RunId, name};
use twinset_format::mtf::SetFacts;
use twinset_format::record::{self, Outcome, Record};
use twinset_format::sign::Signer;
use twinset_plugin_api::{SectionEntry, SectionMode};

use super::volume::{SmallSection, Volume};

/// What stands in a record or void, but for its place in the chain.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The media set.
    pub media_set: MediaSetId,
    /// What it says.
    pub outcome: Outcome,
    /// The set.
    pub position: Position,
    /// The run that wrote the set.
    pub run: RunId,
    /// BLAKE3 of each family's manifest, in order.
    pub manifests: Vec<String>,
    /// What msdb says.
    pub history: Option<SetFacts>,
    /// The writing agent.
    pub agent: AgentId,
    /// When.
    pub written: Moment,
    /// Why, in words.
    pub note: Option<String>,
}

/// Who says something, and when.
#[derive(Clone, Copy, Debug)]
pub struct By {
    /// The agent.
    pub agent: AgentId,
    /// Its run.
    pub run: RunId,
    /// When.
    pub written: Moment,
}

impl Statement {
    /// A statement about mirrors or about the media set as a whole: it names no manifests.
    #[must_use]
    pub const fn of_mirrors(
        media_set: MediaSetId,
        outcome: Outcome,
        position: Position,
        by: By,
        note: Option<String>,
    ) -> Self {
        Self {
            media_set,
            outcome,
            position,
            run: by.run,
            manifests: Vec::new(),
            history: None,
            agent: by.agent,
            written: by.written,
            note,
        }
    }
}

/// End of the chain of verdicts and voids, moved on by each one written.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// The last one.
    pub tail: Option<Tail>,
    /// What signs the next ones.
    pub signer: Option<Signer>,
}

impl Chain {
    /// Writing order of the last one; 0 if there is none.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.tail.as_ref().map_or(0, |tail| tail.sequence)
    }

    /// The record that comes next, naming the one before it.
    #[must_use]
    pub fn next(&self, statement: &Statement, mirrors: Vec<MirrorNo>) -> Record {
        Record::new(record::Draft {
            media_set: statement.media_set,
            sequence: self.sequence() + 1,
            previous: self.tail.as_ref().map(|tail| tail.hash.clone()),
            outcome: statement.outcome,
            position: statement.position,
            run: statement.run,
            mirrors,
            manifests: statement.manifests.clone(),
            history: statement.history.clone(),
            agent: statement.agent,
            written: statement.written,
            note: statement.note.clone(),
        })
        .signed(self.signer.as_ref())
    }

    /// Moves on behind a record that was written.
    pub fn follow(&mut self, record: &Record) {
        self.tail = Some(Tail {
            sequence: record.sequence,
            hash: record.hash(),
        });
    }
}

/// The mirrors that these volumes belong to, in order.
#[must_use]
pub fn mirrors(volumes: &[Arc<Volume>]) -> Vec<MirrorNo> {
    let mirrors: BTreeSet<_> = volumes.iter().map(|volume| volume.slot.mirror).collect();
    mirrors.into_iter().collect()
}

/// Publishes a set: the verdict is durable on every volume when this returns.
///
/// # Errors
/// The first device's. The set is then published on some mirrors only; `media recover` copies the
/// record to the others.
pub fn publish(
    chain: &mut Chain,
    volumes: &[Arc<Volume>],
    statement: &Statement,
) -> Result<Record, Fault> {
    let record = chain.next(statement, mirrors(volumes));
    put_record(volumes, &record)?;
    chain.follow(&record);
    Ok(record)
}

/// Puts a record of the chain on the given volumes under its own name, one after the other: a kill
/// in between leaves it on the first of them. A void has none and is left to [`put_void`].
///
/// # Errors
/// The first device's.
pub fn put_record(volumes: &[Arc<Volume>], record: &Record) -> Result<(), Fault> {
    if let Some(name) = record.name() {
        let (name, bytes) = (name.to_string(), record.to_bytes());
        for volume in volumes {
            volume.put_record(&name, &bytes)?;
        }
    }
    Ok(())
}

/// Puts a record of the chain on the given volumes side by side, where their order is no matter, and
/// tells how each ended.
pub fn put_record_on_each(volumes: &[&Arc<Volume>], record: &Record) -> Vec<Result<(), Fault>> {
    let Some(name) = record.name() else {
        return volumes.iter().map(|_| Ok(())).collect();
    };
    let (name, bytes) = (name.to_string(), record.to_bytes());
    let begun: Vec<_> = volumes
        .iter()
        .map(|volume| volume.begin_record(&name, &bytes))
        .collect();
    let ends = begun.into_iter().map(|pending| pending.wait());
    ends.map(|end| Ok(end.and_then(|outcome| outcome)?))
        .collect()
}

/// Writes the void of a position on the given volumes, one record for all of them.
///
/// # Errors
/// The first device's.
pub fn void(
    chain: &mut Chain,
    volumes: &[Arc<Volume>],
    statement: &Statement,
) -> Result<Record, Fault> {
    let record = chain.next(statement, mirrors(volumes));
    put_void(volumes, &record)?;
    chain.follow(&record);
    Ok(record)
}

/// Puts a void into the manifest's place on the given volumes.
///
/// # Errors
/// The first device's.
pub fn put_void(volumes: &[Arc<Volume>], record: &Record) -> Result<(), Fault> {
    let bytes = Arc::new(record.to_bytes());
    for volume in volumes {
        let index = record.position.manifest_section();
        // A manifest that could not be taken out of its place is replaced by the void.
        let sections = if volume.can_remove() {
            Vec::new()
        } else {
            volume.sections()?
        };
        let stands =
            |found: &&SectionEntry| found.index == index && name::parse_void(&found.name).is_none();
        let mode = match sections.iter().find(stands) {
            Some(_) => SectionMode::Repair,
            None => SectionMode::New,
        };
        volume.put_section(SmallSection {
            index,
            name: name::void(record.sequence),
            run: *record.run.0.as_bytes(),
            bytes: Arc::clone(&bytes),
            mode,
        })?;
    }
    Ok(())
}
