//! One family's way to all mirrors: every buffer is lent to all lanes at once and hashed while
//! they write; the seal makes data and manifest durable on every mirror (promise P1).

use std::sync::Arc;

use twinset_domain::wrapping::{self, Wrapping};
use twinset_domain::{FamilyNo, Fault, Position, name};
use twinset_format::manifest::{self, Encoded, Manifest, Parameters};
use twinset_format::mtf::{Container, StreamFacts, StreamReader};
use twinset_format::tree::TreeHasher;
use twinset_plugin_api::{SectionMode, SectionRequest};

use super::encoding::Zstd;
use super::encoding::encoder::{Encoder, Outlet};
use super::kept;
use super::ledger::Ledger;
pub use super::run_facts::RunFacts;
use super::volume::{SmallSection, Volume};
use crate::device::Pending;
use crate::payload::Lease;

mod mirrors;
mod row;
mod watch;

use row::Row;
pub use watch::{Onlooker, Watch, cancelled};

/// Writes one family to all its mirrors.
pub struct FamilyWriter<'a> {
    facts: RunFacts,
    family: FamilyNo,
    ledger: Arc<Ledger>,
    /// The family's volumes on all mirrors that took part when it began.
    mirrors: Vec<Arc<Volume>>,
    /// Hashes what is stored.
    hasher: TreeHasher,
    reader: StreamReader,
    /// Nothing where the bytes are stored as they come.
    encoder: Option<Encoder>,
    /// A set that is kept, until this one was compared with it.
    beside: Option<(Position, Wrapping)>,
    /// The media, where the devices go on on further ones.
    row: Option<Row>,
    watch: Watch<'a>,
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

impl<'a> FamilyWriter<'a> {
    /// Begins the data section on every mirror of the family.
    ///
    /// # Errors
    /// A device's, when too few mirrors remain without it; what was begun elsewhere is given up
    /// again.
    pub fn begin(
        facts: &RunFacts,
        family: FamilyNo,
        ledger: &Arc<Ledger>,
        mirrors: Vec<Arc<Volume>>,
        expected: Option<u64>,
        watch: Watch<'a>,
    ) -> Result<Self, Fault> {
        let spans = mirrors.iter().any(|volume| volume.lane().spans());
        let row = spans.then(|| Row::of(&mirrors)).transpose()?;
        let mut writer = Self {
            facts: facts.clone(),
            family,
            ledger: Arc::clone(ledger),
            mirrors,
            hasher: TreeHasher::new(),
            reader: StreamReader::new(),
            encoder: Encoder::new(&facts.recipe)?,
            beside: facts.beside,
            row,
            watch,
        };
        for volume in &writer.mirrors {
            volume.lane().count_from(0);
        }
        ledger.begun(family);
        // How long an encoded section gets, nobody knows before its end.
        let expected = expected.filter(|_| writer.encoder.is_none());
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
        match begun.and_then(|()| writer.level()) {
            Ok(()) => Ok(writer),
            Err(fault) => {
                writer.abort();
                Err(fault)
            }
        }
    }

    /// Takes a buffer of the source. Raw, it is lent to every mirror as it is; else what the
    /// encoder makes of it is.
    ///
    /// # Errors
    /// A fault that a mirror met earlier, when too few remain without it, or the encoder's.
    pub fn write(&mut self, lease: &Lease) -> Result<(), Fault> {
        self.reader.feed(lease);
        self.judge()?;
        let Some(mut encoder) = self.encoder.take() else {
            return self.store(lease.clone());
        };
        let pushed = encoder.push(lease, self);
        self.encoder = Some(encoder);
        pushed
    }

    /// Compressed or not by the server's own default: the first bytes tell, and nothing of them is
    /// stored where such a set may not lie.
    fn judge(&mut self) -> Result<(), Fault> {
        let (Some(beside), Some(container)) = (self.beside, self.reader.container()) else {
            return Ok(());
        };
        self.beside = None;
        let asked = self.facts.circumstances.asked.as_ref();
        let container = kept::container(container, self.facts.source, asked);
        let wrapping = Wrapping::of(self.facts.recipe.name(), container);
        wrapping::may_join(&self.facts.label, beside, wrapping)
    }

    /// Bytes of the source taken so far.
    #[must_use]
    pub const fn length(&self) -> u64 {
        match &self.encoder {
            Some(encoder) => encoder.length(),
            None => self.hasher.length(),
        }
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

    /// Makes all bytes so far durable on every mirror; the section stays open.
    ///
    /// # Errors
    /// A device's, when too few mirrors remain without it.
    pub fn sync(&mut self) -> Result<(), Fault> {
        self.write_out()?;
        self.on_all(|| crate::device::Handle::sync)
    }

    /// Data durable and in its place on every mirror, then the manifest on every mirror; then it
    /// is said on all of them which mirrors were lost.
    ///
    /// # Errors
    /// A device's, when too few mirrors remain without it. Then nothing of this family may be
    /// acknowledged.
    pub fn seal(mut self) -> Result<Sealed, Fault> {
        let plain = match self.end_data() {
            Ok(plain) => plain,
            Err(fault) => {
                // A section that stayed open would bar its device from what sets the run right.
                self.abort();
                return Err(fault);
            }
        };
        let Self {
            facts,
            family,
            ledger,
            mirrors,
            hasher,
            reader,
            row,
            ..
        } = self;
        ledger.closed(family);
        let stream = reader.finish();
        let kind = facts
            .kind
            .or_else(|| stream.sets.first().and_then(|set| set.kind));
        let parts = row.map(|row| row.into_parts(hasher.length()));
        let draft = manifest::Draft {
            parts: parts.unwrap_or_default(),
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
            circumstances: facts.circumstances.clone(),
            incomplete: stream.container == Container::Mtf && !stream.complete,
        };
        let hashes = hasher.finish();
        let manifest = match plain {
            Some(plain) => Manifest::encoded(draft, plain, hashes),
            None => Manifest::raw(draft, hashes),
        }
        .signed(facts.signer.as_ref());
        let section = SmallSection {
            index: facts.position.manifest_section(),
            name: name::MANIFEST.to_owned(),
            run: *facts.run.0.as_bytes(),
            bytes: Arc::new(manifest.to_bytes()),
            mode: SectionMode::New,
        };
        let live = ledger.live();
        let taking_part = mirrors.iter().filter(|v| live.contains(&v.slot.mirror));
        let begun: Vec<(&Arc<Volume>, Pending<_>)> = taking_part
            .map(|volume| (volume, volume.begin_small(section.clone())))
            .collect();
        let mut first = Ok(());
        for (volume, pending) in begun {
            if let Err(fault) = pending.wait().and_then(|outcome| outcome) {
                first = first.and(ledger.lose(volume.slot.mirror, Fault::from(fault)));
            }
        }
        first?;
        ledger.settle()?;
        Ok(Sealed {
            family,
            manifest,
            stream,
        })
    }

    /// Ends the encoding, and the data section on every mirror.
    fn end_data(&mut self) -> Result<Option<Encoded>, Fault> {
        let recipe = self.facts.recipe.clone();
        let plain = match self.encoder.take() {
            Some(encoder) => {
                let plain = encoder.finish(self)?;
                Some(Encoded {
                    encoding: recipe.name().to_owned(),
                    parameters: recipe
                        .zstd
                        .map(|Zstd { level, .. }| Parameters { zstd_level: level }),
                    plain_length: plain.length,
                    plain_blake3: plain.blake3,
                })
            }
            None => None,
        };
        self.check()?;
        self.write_out()?;
        self.on_all(|| crate::device::Handle::end_section)?;
        Ok(plain)
    }

    /// Gives the open section up on every mirror. What cannot be removed now is a leftover that
    /// `media recover` finds by its run id.
    pub fn abort(self) {
        for volume in &self.mirrors {
            drop(volume.lane().take_held());
            volume.lane().go_on(0);
        }
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
        self.ledger.closed(self.family);
    }
}

impl Outlet for FamilyWriter<'_> {
    /// Lends stored bytes to every mirror and hashes them while they write. Returns when it is
    /// queued; blocks while a lane's queue is full, so mirrors stay within one window.
    fn store(&mut self, lease: Lease) -> Result<(), Fault> {
        self.check()?;
        self.follow()?;
        for volume in self.live() {
            volume.lane().write(lease.clone());
        }
        if let Some(row) = &mut self.row {
            row.sent += lease.len() as u64;
        }
        self.hasher.update(&lease);
        Ok(())
    }

    fn idle(&mut self) -> Result<(), Fault> {
        self.enforce_deadlines()
    }
}
