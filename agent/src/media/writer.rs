//! One family's way to all mirrors: every buffer is lent to all lanes at once and hashed while
//! they write; the seal makes data and manifest durable on every mirror (promise P1).

use std::sync::Arc;

use twinset_domain::{AgentId, BackupKind, FamilyNo, Fault, MediaSetId, Moment, Position, RunId};
use twinset_domain::{Shape, code, name};
use twinset_format::manifest::{self, Manifest, Source};
use twinset_format::mtf::{StreamFacts, StreamReader};
use twinset_format::tree::TreeHasher;
use twinset_plugin_api::{SectionMode, SectionRequest};

use super::volume::{SmallSection, Volume};
use crate::device::{DeviceFault, Pending};
use crate::payload::Lease;

/// What all families of a run share.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// The media set.
    pub media_set: MediaSetId,
    /// Its shape.
    pub shape: Shape,
    /// Where the set goes.
    pub position: Position,
    /// The run.
    pub run: RunId,
    /// Where the bytes come from.
    pub source: Source,
    /// The database.
    pub database: String,
    /// Kind, as it was asked for or read.
    pub kind: Option<BackupKind>,
    /// BLOCKSIZE asked for.
    pub block_size: Option<u32>,
    /// MAXTRANSFERSIZE asked for.
    pub max_transfer_size: Option<u32>,
    /// The writing agent.
    pub agent: AgentId,
    /// When the run began.
    pub started: Moment,
}

impl RunFacts {
    /// Name of the data sections.
    #[must_use]
    pub fn data_name(&self) -> String {
        name::data_section(&self.database, self.kind, self.started)
    }
}

/// Writes one family to all its mirrors.
pub struct FamilyWriter {
    facts: RunFacts,
    family: FamilyNo,
    mirrors: Vec<Arc<Volume>>,
    hasher: TreeHasher,
    reader: StreamReader,
}

/// A family that is durable on all its mirrors.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Which one.
    pub family: FamilyNo,
    /// Its manifest.
    pub manifest: Manifest,
    /// What its stream told.
    pub stream: StreamFacts,
}

impl FamilyWriter {
    /// Begins the data section on every mirror of the family.
    ///
    /// # Errors
    /// The first device's; what was begun elsewhere is given up again.
    pub fn begin(
        facts: &RunFacts,
        family: FamilyNo,
        mirrors: Vec<Arc<Volume>>,
        expected: Option<u64>,
    ) -> Result<Self, Fault> {
        let writer = Self {
            facts: facts.clone(),
            family,
            mirrors,
            hasher: TreeHasher::new(),
            reader: StreamReader::new(),
        };
        let (index, run_id) = (facts.position.data_section(), *facts.run.0.as_bytes());
        let begun = writer.on_all(|| {
            let name = facts.data_name();
            move |handle: &mut crate::device::Handle| {
                handle.begin_section(&SectionRequest {
                    index,
                    name: &name,
                    run_id,
                    expected_length: expected,
                    mode: SectionMode::New,
                })
            }
        });
        match begun {
            Ok(()) => Ok(writer),
            Err(fault) => {
                writer.abort();
                Err(fault)
            }
        }
    }

    /// Lends a buffer to every mirror and hashes it while they write. Returns when it is queued;
    /// blocks while a lane's queue is full, so mirrors stay within one window.
    ///
    /// # Errors
    /// A fault that a mirror met earlier.
    pub fn write(&mut self, lease: &Lease) -> Result<(), Fault> {
        self.check()?;
        for volume in &self.mirrors {
            volume.lane().write(lease.clone());
        }
        self.hasher.update(lease);
        self.reader.feed(lease);
        Ok(())
    }

    /// Whether every mirror is still well.
    ///
    /// # Errors
    /// The first fault that a mirror met.
    pub fn check(&self) -> Result<(), Fault> {
        match self.mirrors.iter().find_map(|volume| volume.lane().fault()) {
            Some(fault) => Err(self.mirror_fault(fault)),
            None => Ok(()),
        }
    }

    /// Bytes taken so far.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.hasher.length()
    }

    /// Whether the stream ended where a backup set ends. Before the seal.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.reader.is_complete()
    }

    /// Where and why the stream's structure was lost, if it was.
    #[must_use]
    pub fn lost(&self) -> Option<String> {
        self.reader
            .lost()
            .map(|(at, why)| format!("at byte {at}: {why}"))
    }

    /// Looks whether a mirror has outlived its deadline, and gives it up if so.
    ///
    /// # Errors
    /// The mirror's fault.
    pub fn enforce_deadlines(&self) -> Result<(), Fault> {
        for volume in &self.mirrors {
            volume.lane().enforce_deadline();
        }
        self.check()
    }

    /// Makes all bytes so far durable on every mirror; the section stays open.
    ///
    /// # Errors
    /// The first device's.
    pub fn sync(&self) -> Result<(), Fault> {
        self.on_all(|| crate::device::Handle::sync)
    }

    /// Data durable and in its place on every mirror, then the manifest on every mirror.
    ///
    /// # Errors
    /// The first device's. Then nothing of this family may be acknowledged.
    pub fn seal(self) -> Result<Sealed, Fault> {
        let ended = self
            .check()
            .and_then(|()| self.on_all(|| crate::device::Handle::end_section));
        if let Err(fault) = ended {
            // A section that stayed open would bar its device from what sets the run right.
            self.abort();
            return Err(fault);
        }
        let Self {
            facts,
            family,
            mirrors,
            hasher,
            reader,
        } = self;
        let stream = reader.finish();
        let kind = facts
            .kind
            .or_else(|| stream.sets.first().and_then(|set| set.kind));
        let draft = manifest::Draft {
            media_set: facts.media_set,
            position: facts.position,
            run: facts.run,
            family,
            shape: facts.shape,
            source: facts.source,
            database: facts.database.clone(),
            kind,
            container: stream.container,
            sets: stream.sets.clone(),
            data_name: facts.data_name(),
            block_size: facts
                .block_size
                .or(stream.media.as_ref().map(|media| media.block_size)),
            max_transfer_size: facts.max_transfer_size,
            agent: facts.agent,
            written: facts.started,
        };
        let manifest = Manifest::raw(draft, hasher.finish());
        let bytes = Arc::new(manifest.to_bytes());
        for volume in &mirrors {
            let section = SmallSection {
                index: facts.position.manifest_section(),
                name: name::MANIFEST.to_owned(),
                run: *facts.run.0.as_bytes(),
                bytes: Arc::clone(&bytes),
                mode: SectionMode::New,
            };
            volume.put_section(section)?;
        }
        Ok(Sealed {
            family,
            manifest,
            stream,
        })
    }

    /// Gives the open section up on every mirror. What cannot be removed now is a leftover that
    /// `media recover` finds by its run id.
    pub fn abort(self) {
        let pending: Vec<Pending<_>> = self
            .mirrors
            .iter()
            .map(|volume| volume.lane().submit(crate::device::Handle::abort_section))
            .collect();
        for (volume, pending) in self.mirrors.iter().zip(pending) {
            if let Err(fault) = pending.wait().and_then(|outcome| outcome) {
                tracing::debug!(volume = %volume.place(), %fault, "abort");
            }
            volume.lane().clear_fault();
        }
    }

    /// Runs a call on all mirrors side by side and waits for all of them.
    fn on_all<J>(&self, job: impl Fn() -> J) -> Result<(), Fault>
    where
        J: FnOnce(&mut crate::device::Handle) -> Result<(), DeviceFault> + Send + 'static,
    {
        let pending: Vec<Pending<_>> = self
            .mirrors
            .iter()
            .map(|volume| volume.lane().submit(job()))
            .collect();
        let mut first = None;
        for pending in pending {
            if let Err(fault) = pending.wait().and_then(|outcome| outcome) {
                first.get_or_insert(fault);
            }
        }
        first.map_or(Ok(()), |fault| Err(self.mirror_fault(fault)))
    }

    /// A mirror's fault fails the whole backup, and says how far it came.
    fn mirror_fault(&self, fault: DeviceFault) -> Fault {
        let full = fault.is_full();
        let written = self.hasher.length();
        let fault = Fault::from(fault);
        if full && fault.code == code::MEDIUM_FULL {
            let database = &self.facts.database;
            fault.cause(format!(
                "{written} bytes of {}, {database}, were taken",
                self.family
            ))
        } else {
            fault
        }
    }
}
