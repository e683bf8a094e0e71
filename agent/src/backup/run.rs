//! What every run that writes a backup set shares.

mod back;
mod news;

use std::collections::BTreeSet;
use std::sync::Arc;

use twinset_domain::append::{self, AppendPlan, Behind, Expected};
use twinset_domain::{AgentId, BackupKind, FamilyNo, Fault, MirrorNo, RunId, code};
use twinset_format::manifest::Source;
use twinset_format::mtf::SetFacts;
use twinset_format::record::Outcome;
use twinset_format::sign::Signer;
use twinset_plugin_api::Access;

pub use super::content::Content;
use super::desk::{Desk, Target};
use super::finished::{Finished, LostMirror, bytes, set_guid, stored_bytes};
use super::{health, recover, remember};
use crate::catalog::{Catalog, Intent, KnownSet, RunEnd, RunState};
use crate::clock;
use crate::media::encoding::Recipe;
use crate::media::ledger::{Ledger, Opening};
use crate::media::matrix::{Matrix, chain_behind};
use crate::media::publish::{By, Chain, Statement};
use crate::media::writer::{FamilyWriter, RunFacts, Sealed, Watch};
use crate::media::{holds, kept};
use crate::state::{SetLock, StateDir};

/// A run whose media were checked and which may write.
pub struct OpenRun {
    _lock: SetLock,
    /// The volumes of the mirrors that take part, opened for writing.
    pub matrix: Matrix,
    /// Where the set goes.
    pub plan: AppendPlan,
    min_mirrors: u8,
    pub(super) key: String,
    pub(super) agent: AgentId,
    pub(super) signer: Option<Signer>,
    recipe: Recipe,
    /// Who writes; whoever needs the id before sets another one.
    pub(super) run: RunId,
    /// The media held more than the catalog knew.
    is_news: bool,
}

/// A run whose intent is in the catalog.
pub struct Reserved {
    open: OpenRun,
    /// What all families share.
    pub facts: RunFacts,
    ledger: Arc<Ledger>,
}

/// Locks, opens and checks the media of a run. Nothing is written, but what a dead run of this
/// agent left is set right first.
///
/// # Errors
/// Why nothing may be appended: see [`append::plan`].
pub fn open(
    desk: &mut Desk<'_>,
    target: &Target,
    kind: Option<BackupKind>,
) -> Result<OpenRun, Fault> {
    let lock = desk.state.lock_media_set(&target.key)?;
    let (agent, signer) = (desk.state.agent, desk.state.signer()?);
    let mut expected = expected(desk.state, desk.catalog, target, kind)?;
    let id = expected.media_set;
    let matrix = Matrix::open(&target.places, target.shape, agent, Access::Write, id)?;
    let mut seen = matrix.seen_behind(expected.behind);
    let mut planned = append::plan(&expected, &seen);
    if let Err(faults) = &planned
        && faults.iter().all(|fault| fault.code == code::UNRESOLVED)
    {
        desk.progress
            .note("a dead run left something unresolved: recovering first");
        recover::with_matrix(desk, &target.key, &matrix, &mut |_, _| None)?;
        expected.settled = desk.catalog.settled(&target.key)?;
        seen = matrix.seen();
        planned = append::plan(&expected, &seen);
    }
    let plan = planned.map_err(first_of)?;
    chain_behind(&seen, &target.key, signer.clone())?;
    let is_news = news::read(desk, &target.key, &matrix, (&plan, &expected))?;
    let (highest, sequence) = (plan.position.get() - 1, plan.sequence - 1);
    desk.catalog.attach(
        &target.key,
        &KnownSet {
            id: plan.media_set,
            highest,
            sequence,
        },
    )?;
    for fallen in &plan.fallen {
        let (mirror, why) = (fallen.mirror, &fallen.why);
        desk.progress.note(&format!(
            "{mirror} is out of step from now on: {}: {}",
            why.object, why.message
        ));
    }
    let mirrors: BTreeSet<MirrorNo> = plan.mirrors.iter().copied().collect();
    let standings = append::mirror_standings(target.shape, &seen);
    Ok(OpenRun {
        _lock: lock,
        matrix: matrix.only(&mirrors, &standings),
        plan,
        min_mirrors: expected.min_mirrors,
        key: target.key.clone(),
        agent,
        signer,
        recipe: target.recipe.clone(),
        run: RunId::random(),
        is_news,
    })
}

/// What the catalog and the configuration expect of the volumes.
///
/// # Errors
/// [`code::CATALOG`].
pub fn expected(
    state: &StateDir,
    catalog: &Catalog,
    target: &Target,
    kind: Option<BackupKind>,
) -> Result<Expected, Fault> {
    let known = catalog.media_set(&target.key)?;
    let sequence = known.as_ref().map_or(0, |known| known.sequence);
    let published = catalog.last_published(&target.key)?;
    let behind = published.map(|(position, verdict)| Behind {
        position,
        verdict,
        sequence: sequence.max(verdict),
    });
    Ok(Expected {
        label: target.key.clone(),
        media_set: known.as_ref().map(|known| known.id),
        shape: target.shape,
        min_mirrors: target.min_mirrors.of_any(kind),
        agent: state.agent,
        highest_known: known.as_ref().map_or(0, |known| known.highest),
        sequence_known: sequence,
        settled: catalog.settled(&target.key)?,
        behind: behind.unwrap_or_default(),
    })
}

/// The first fault, with the others as causes.
pub(super) fn first_of(faults: Vec<Fault>) -> Fault {
    let mut faults = faults.into_iter();
    let Some(first) = faults.next() else {
        return Fault::new(code::INTERNAL, "quick check", "refused without a reason");
    };
    faults.fold(first, |first, other| {
        let text = format!("{} {}: {}", other.code, other.object, other.message);
        first.cause(text)
    })
}

impl OpenRun {
    /// Closes the volumes of a run that reserves nothing, and gives the media set free.
    pub(super) fn close(self) {
        self.matrix.close();
    }

    /// Reserves the position: the intent is durable when this returns, and so is what is to be said
    /// of mirrors that do not take part any more.
    ///
    /// # Errors
    /// [`code::COMPRESSION_MIX`] and [`code::ENCRYPTION_MIX`]; why the passphrase of the encoding
    /// cannot be read; [`code::CATALOG`]; a device's when too few mirrors remain.
    pub fn reserve(self, desk: &mut Desk<'_>, content: &Content<'_>) -> Result<Reserved, Fault> {
        let highest = self.plan.position.get() - 1;
        let beside = kept::beside(
            &self.matrix,
            highest,
            &self.key,
            &self.recipe,
            content.container,
        )?;
        self.recipe.prove()?;
        let facts = RunFacts {
            media_set: self.plan.media_set,
            shape: self.matrix.shape,
            position: self.plan.position,
            run: self.run,
            source: content.source,
            database: content.database.to_owned(),
            kind: content.kind,
            block_size: content.block_size,
            max_transfer_size: content.max_transfer_size,
            agent: self.agent,
            started: clock::now(),
            circumstances: content.circumstances.clone(),
            signer: self.signer.clone(),
            recipe: self.recipe.clone(),
            label: self.key.clone(),
            beside,
        };
        let source = match content.source {
            Source::Vdi => "vdi",
            Source::Import => "import",
            Source::Stage => "stage",
        };
        let what = match content.kind {
            Some(kind) => format!("{source} {kind}"),
            None => source.to_owned(),
        };
        desk.catalog.begin(&Intent {
            media_set: &self.key,
            run: facts.run,
            position: facts.position,
            database: content.database,
            what: &what,
            started: facts.started,
        })?;
        // What killed readers left; a device that fails at this fails at more, and says so then.
        if let Err(fault) = holds::remove_ended(&self.matrix, facts.started) {
            tracing::warn!(%fault, "ended holds are left");
        }
        let ledger = self.ledger(&facts);
        ledger.settle()?;
        Ok(Reserved {
            open: self,
            facts,
            ledger: Arc::new(ledger),
        })
    }

    fn ledger(&self, facts: &RunFacts) -> Ledger {
        let fallen = self.plan.fallen.iter();
        Ledger::open(Opening {
            statement: Statement::of_mirrors(
                facts.media_set,
                Outcome::OutOfStep,
                facts.position,
                By {
                    agent: facts.agent,
                    run: facts.run,
                    written: facts.started,
                },
                None,
            ),
            min_mirrors: self.min_mirrors,
            volumes: self.matrix.volumes().cloned().collect(),
            fallen: fallen.map(|f| (f.mirror, f.why.clone())).collect(),
            chain: Chain {
                tail: self.plan.previous.clone(),
                signer: self.signer.clone(),
            },
            now: clock::now,
        })
    }
}

impl Reserved {
    /// How the set is stored.
    pub(super) const fn recipe(&self) -> &Recipe {
        &self.open.recipe
    }

    /// Begins a family on all its mirrors.
    ///
    /// # Errors
    /// A device's, when too few mirrors remain without it.
    pub fn writer<'a>(
        &self,
        family: FamilyNo,
        expected: Option<u64>,
        watch: Watch<'a>,
    ) -> Result<FamilyWriter<'a>, Fault> {
        let mirrors = self
            .open
            .matrix
            .volumes()
            .filter(|volume| volume.slot.family == family)
            .cloned();
        FamilyWriter::begin(
            &self.facts,
            family,
            &self.ledger,
            mirrors.collect(),
            expected,
            watch,
        )
    }

    /// Publishes: the verdict is durable on every mirror that is left before success is told.
    ///
    /// # Errors
    /// A device's, when too few mirrors remain; the set is then sealed and `media recover`
    /// publishes it.
    pub fn publish(
        self,
        desk: &mut Desk<'_>,
        sealed: &[Sealed],
        outcome: Outcome,
        history: Option<SetFacts>,
    ) -> Result<Finished, Fault> {
        let facts = &self.facts;
        let statement = Statement {
            media_set: facts.media_set,
            outcome,
            position: facts.position,
            run: facts.run,
            manifests: sealed.iter().map(|sealed| sealed.manifest.hash()).collect(),
            history,
            agent: facts.agent,
            written: clock::now(),
            note: None,
        };
        let record = self.ledger.publish(&statement)?;
        let bytes = bytes(sealed);
        tracing::debug!(bytes, copied = crate::payload::copied(), "payload");
        let end = RunEnd {
            state: RunState::Published,
            at: statement.written,
            bytes,
            sequence: self.ledger.chain().sequence(),
            note: None,
        };
        let place = (self.open.key.as_str(), facts.media_set);
        remember::sealed(desk, place, (facts, &end), sealed, Some(&record))?;
        let first = sealed.first().map(|sealed| &sealed.manifest);
        let mut finished = Finished {
            media_set: facts.media_set,
            position: facts.position,
            run: facts.run,
            database: facts.database.clone(),
            kind: first.and_then(|manifest| manifest.facts.kind),
            set: first.and_then(set_guid),
            bytes,
            stored_bytes: stored_bytes(sealed),
            shape: facts.shape,
            mirrors: self.ledger.live().into_iter().collect(),
            lost: self.lost_mirrors(),
            started: facts.started,
            published: statement.written,
            notes: Vec::new(),
        };
        finished.notes = self.leave(desk);
        Ok(finished)
    }

    /// Closes the volumes, for the next run; what their devices say of themselves is raised before.
    pub(super) fn leave(self, desk: &mut Desk<'_>) -> Vec<String> {
        let Self { open, ledger, .. } = self;
        drop(ledger);
        let notes = health::told(desk, &open.matrix);
        open.close();
        notes
    }

    /// Mirrors that were out of step before, and those lost since.
    fn lost_mirrors(&self) -> Vec<LostMirror> {
        let before = self.open.plan.out_of_step.iter().map(|mirror| LostMirror {
            mirror: *mirror,
            why: "it was out of step before this run".to_owned(),
        });
        let lost = self.ledger.lost().into_iter();
        let since = lost.map(|(mirror, fault)| {
            let said = format!("{} {}: {}", fault.code, fault.object, fault.message);
            // How far the mirror came stands among the causes.
            let why = fault
                .causes
                .into_iter()
                .fold(said, |said, cause| format!("{said}; {cause}"));
            LostMirror { mirror, why }
        });
        before.chain(since).collect()
    }

    /// Keeps a sealed set whose verdict is not known: restorable, named, resolved later.
    ///
    /// # Errors
    /// [`code::CATALOG`].
    pub fn keep_unconfirmed(
        self,
        desk: &mut Desk<'_>,
        sealed: &[Sealed],
        why: &Fault,
    ) -> Result<(), Fault> {
        let (state, at, bytes) = (RunState::Unconfirmed, clock::now(), bytes(sealed));
        let (note, sequence) = (Some(why.message.as_str()), self.ledger.chain().sequence());
        let place = (self.open.key.as_str(), self.facts.media_set);
        let end = RunEnd {
            state,
            at,
            bytes,
            sequence,
            note,
        };
        let told = remember::sealed(desk, place, (&self.facts, &end), sealed, None);
        self.leave(desk);
        told
    }
}
