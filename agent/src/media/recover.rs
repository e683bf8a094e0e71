//! Sets right what a dead run left: never deletes what may be acknowledged, leaves nothing half.

mod heal;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use twinset_domain::recover::{PositionPlan, SetState, Step, plan};
use twinset_domain::{AgentId, Fault, MediaSetId, Moment, Position, RunId, Slot, code};
use twinset_format::manifest::{Manifest, Source};
use twinset_format::mtf::SetFacts;
use twinset_format::record::{self, Outcome, Record};
use twinset_plugin_api::SectionMode;

use super::holds;
use super::inventory::{self, SetOnMedia};
use super::matrix::Matrix;
use super::publish::{self, Chain, Statement};
use super::volume::Volume;
use crate::device::Handle;
use heal::{copy_data, is_sound, put_manifest};

/// What recovery works with.
pub struct Recovery<'a> {
    /// The volumes, opened for writing.
    pub matrix: &'a Matrix,
    /// The media set.
    pub media_set: MediaSetId,
    /// Who recovers.
    pub agent: AgentId,
    /// Now.
    pub now: Moment,
    /// End of the chain.
    pub chain: Chain,
    /// Positions that the catalog knows to be settled: whatever the media lack of them, nothing
    /// that is left of them is removed.
    pub settled: BTreeSet<u64>,
}

/// The word on a sealed set among all sets, where it can be had.
pub type Ask<'a> = dyn FnMut(&SetOnMedia, &[SetOnMedia]) -> Option<Word> + 'a;

/// What is proved of a sealed set.
pub enum Word {
    /// It is SQL Server's backup.
    Confirmed {
        /// What the verdict says.
        outcome: Outcome,
        /// What msdb says of the set.
        history: Option<Box<SetFacts>>,
        /// The proof, in words.
        note: Option<String>,
    },
    /// SQL Server never counted it, and why that is sure.
    NeverCounted(String),
}

/// What was found and done.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Positions that were not in order, with the steps taken.
    pub positions: Vec<PositionPlan>,
    /// Unfinished work that was removed.
    pub work_removed: Vec<String>,
    /// Sealed sets that still wait for SQL Server's word.
    pub unconfirmed: Vec<Position>,
    /// Sealed sets that were voided, each with the proof.
    pub disproved: Vec<String>,
    /// Sets that cannot be made whole from what is left; nothing of them was removed.
    pub lost: Vec<String>,
}

/// What recovery would do to each position that is not in order.
#[must_use]
pub fn planned(matrix: &Matrix) -> Vec<PositionPlan> {
    inventory::read(matrix)
        .iter()
        .map(|set| PositionPlan {
            position: set.position,
            state: set.state,
            steps: plan(set.state, &set.pieces),
        })
        .filter(|plan| !plan.steps.is_empty())
        .collect()
}

impl Recovery<'_> {
    /// Recovers every position.
    ///
    /// # Errors
    /// The first device's; running it again goes on where it stopped.
    pub fn run(&mut self, confirm: &mut Ask<'_>) -> Result<Report, Fault> {
        let mut report = Report {
            work_removed: self.remove_work()?,
            ..Report::default()
        };
        let held = !holds::live(self.matrix, self.now)?.is_empty();
        let sets = inventory::read(self.matrix);
        for set in &sets {
            let state = set.state;
            let mut steps = plan(state, &set.pieces);
            if held && state == SetState::Dropped {
                // Somebody may be reading it still.
                steps.retain(|step| !matches!(step, Step::RemoveData(_)));
            }
            if steps.is_empty() {
                continue;
            }
            if state == SetState::Unsealed && self.settled.contains(&set.position.get()) {
                let message = "its manifests are gone from every mirror; its data is kept";
                report
                    .lost
                    .push(format!("position {}: {message}", set.position));
                continue;
            }
            let mut ask = |set: &SetOnMedia| confirm(set, &sets);
            for step in &steps {
                self.take(step, set, &mut ask, &mut report)?;
            }
            report.positions.push(PositionPlan {
                position: set.position,
                state,
                steps,
            });
        }
        // Every mirror that lacks a lost chunk names it once.
        report.lost.dedup();
        Ok(report)
    }

    /// Takes a run back that SQL Server was never answered for: nothing of it stays.
    ///
    /// # Errors
    /// The first device's; `media recover` goes on.
    pub fn take_back(&mut self, position: Position) -> Result<(), Fault> {
        self.remove_work()?;
        let Some(set) = inventory::read(self.matrix)
            .into_iter()
            .find(|set| set.position == position)
        else {
            return Ok(());
        };
        for step in plan(SetState::Unsealed, &set.pieces) {
            self.take(&step, &set, &mut |_| None, &mut Report::default())?;
        }
        Ok(())
    }

    fn remove_work(&self) -> Result<Vec<String>, Fault> {
        let mut removed = Vec::new();
        for volume in self.matrix.volumes() {
            for left in volume
                .leftovers()?
                .into_iter()
                .filter(|left| left.run_id.is_some())
            {
                let file = left.name.clone();
                volume.call(move |handle: &mut Handle| handle.remove_leftover(&file))?;
                removed.push(format!("{}: {}", volume.place(), left.name));
            }
        }
        Ok(removed)
    }

    fn take(
        &mut self,
        step: &Step,
        set: &SetOnMedia,
        confirm: &mut dyn FnMut(&SetOnMedia) -> Option<Word>,
        report: &mut Report,
    ) -> Result<(), Fault> {
        let position = set.position;
        match *step {
            Step::Heal(slot) => match self.heal(set, slot) {
                // One old set that is lost must not keep all others from being set right.
                Err(fault) if fault.code == code::LOST => {
                    report
                        .lost
                        .push(format!("{}: {}", fault.object, fault.message));
                    Ok(())
                }
                other => other,
            },
            Step::Confirm => self.confirm(set, confirm, report),
            Step::CopyVerdict(slot) => self.copy_record(set.verdict.as_ref(), slot),
            Step::CopyDrop(slot) => self.copy_record(set.drop.as_ref(), slot),
            Step::CopyManifest(slot) => self.copy_manifest(set, slot),
            Step::PutVoid(slot) => self.put_void(set, slot),
            Step::RemoveManifest(slot) => match self.matrix.volume(slot) {
                Some(volume) => Ok(volume.remove_section(position.manifest_section())?),
                None => Ok(()),
            },
            Step::RemoveData(slot) => match self.matrix.volume(slot) {
                Some(volume) => Ok(volume.remove_section(position.data_section())?),
                None => Ok(()),
            },
        }
    }

    /// Copies what a mirror lacks of a set from its twins.
    fn heal(&self, set: &SetOnMedia, slot: Slot) -> Result<(), Fault> {
        let Some(volume) = self.matrix.volume(slot) else {
            return Ok(());
        };
        let Some(manifest) = set.manifests.get(&slot.family) else {
            let object = format!("position {}, {}", set.position, slot.family);
            let message = "its manifest is on no mirror; what is left is kept";
            return Err(Fault::new(code::LOST, object, message));
        };
        let twins: Vec<Arc<Volume>> = set
            .pieces
            .iter()
            .filter(|piece| piece.slot.family == slot.family && piece.slot != slot && piece.data)
            .filter_map(|piece| self.matrix.volume(piece.slot).cloned())
            .collect();
        let has_data = set
            .pieces
            .iter()
            .any(|piece| piece.slot == slot && piece.data);
        if !(has_data && is_sound(manifest, volume)) {
            let mode = if has_data {
                SectionMode::Repair
            } else {
                SectionMode::New
            };
            copy_data(manifest, twins, volume, mode)?;
        }
        put_manifest(volume, manifest)
    }

    /// A dropped set keeps its manifest on every mirror.
    fn copy_manifest(&self, set: &SetOnMedia, slot: Slot) -> Result<(), Fault> {
        match (self.matrix.volume(slot), set.manifests.get(&slot.family)) {
            (Some(volume), Some(manifest)) => put_manifest(volume, manifest),
            _ => Ok(()),
        }
    }

    /// A set from files needs nobody else's word; one from SQL Server needs msdb's.
    fn confirm(
        &mut self,
        set: &SetOnMedia,
        ask: &mut dyn FnMut(&SetOnMedia) -> Option<Word>,
        report: &mut Report,
    ) -> Result<(), Fault> {
        let Some(facts) = set.any_manifest().map(|manifest| &manifest.facts) else {
            // Its manifests may lie on a volume that does not answer.
            report.unconfirmed.push(set.position);
            return Ok(());
        };
        let confirmed = match facts.source {
            Source::Import => Some(Word::Confirmed {
                outcome: Outcome::Success,
                history: None,
                note: None,
            }),
            Source::Vdi | Source::Stage => ask(set),
        };
        let (outcome, history, note) = match confirmed {
            Some(Word::Confirmed {
                outcome,
                history,
                note,
            }) => (outcome, history.map(|facts| *facts), note),
            Some(Word::NeverCounted(why)) => return self.disprove(set, why, report),
            None => {
                report.unconfirmed.push(set.position);
                return Ok(());
            }
        };
        let manifests = set.manifests.values().map(Manifest::hash).collect();
        let mut statement = self.statement(outcome, set.position, facts.run, manifests, history);
        statement.note = note;
        let volumes: Vec<_> = self.matrix.volumes().cloned().collect();
        publish::publish(&mut self.chain, &volumes, &statement).map(drop)
    }

    /// Takes a sealed set back of which it is proved that SQL Server never counted it.
    fn disprove(
        &mut self,
        set: &SetOnMedia,
        why: String,
        report: &mut Report,
    ) -> Result<(), Fault> {
        for step in plan(SetState::Unsealed, &set.pieces) {
            self.take(&step, set, &mut |_| None, report)?;
        }
        report
            .disproved
            .push(format!("position {}: {why}", set.position));
        Ok(())
    }

    fn copy_record(&self, record: Option<&Record>, slot: Slot) -> Result<(), Fault> {
        match (record, self.matrix.volume(slot)) {
            (Some(record), Some(volume)) => publish::put_record(&[Arc::clone(volume)], record),
            _ => Ok(()),
        }
    }

    /// The void of a position is one record on all its volumes.
    fn put_void(&mut self, set: &SetOnMedia, slot: Slot) -> Result<(), Fault> {
        let Some(volume) = self.matrix.volume(slot).cloned() else {
            return Ok(());
        };
        if let Some(record) = self.existing_void(set.position) {
            return publish::put_void(&[volume], &record);
        }
        let run = set
            .any_manifest()
            .map_or_else(RunId::random, |manifest| manifest.facts.run);
        let statement = self.statement(Outcome::Void, set.position, run, Vec::new(), None);
        let volumes = [volume];
        publish::void(&mut self.chain, &volumes, &statement).map(drop)
    }

    fn existing_void(&self, position: Position) -> Option<Record> {
        self.matrix.volumes().find_map(|volume| {
            let index = position.manifest_section();
            let bytes = volume.read_section(index, record::MAX_BYTES).ok()?;
            let record = Record::parse(&bytes).ok()?;
            (record.outcome == Outcome::Void && record.position == position).then_some(record)
        })
    }

    fn statement(
        &self,
        outcome: Outcome,
        position: Position,
        run: RunId,
        manifests: Vec<String>,
        history: Option<SetFacts>,
    ) -> Statement {
        let (media_set, agent, written) = (self.media_set, self.agent, self.now);
        Statement {
            media_set,
            outcome,
            position,
            run,
            manifests,
            history,
            agent,
            written,
            note: None,
        }
    }
}
