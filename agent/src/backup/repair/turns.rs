//! The turns of a repair: each under the locks of the media set and of its volumes, so that what
//! is written here and what a run writes never mix.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use twinset_domain::repair::{self, Deed, Plan, Scope, Step, Unhealed};
use twinset_domain::standing::Standing;
use twinset_domain::{Fault, MirrorNo, Position, RunId, Slot, code};
use twinset_format::record::Outcome;

use super::replace::open_for_writing;
use super::{Advance, Report, blank};
use crate::backup::desk::{Desk, Target};
use crate::catalog::KnownSet;
use crate::clock;
use crate::media::matrix::Matrix;
use crate::media::publish::{By, Chain, Statement, put_record};
use crate::media::repair::{Mended, Mender, Survey};

/// A turn that is over sooner goes on with the next section; what comes later waits at most so
/// long, and for one section.
const SHORT_TURN: Duration = Duration::from_millis(500);
/// How often the last comparison is made while it still finds something to do: what runs wrote
/// meanwhile.
const LAST_LOOKS: u32 = 3;

/// A repair that was planned.
pub(super) struct Turns<'a> {
    pub(super) target: &'a Target,
    pub(super) scope: Scope,
    pub(super) survey: Survey,
}

/// What goes wrong on the way.
#[derive(Default)]
struct Trouble {
    /// Volumes that are left alone from now on.
    volumes: BTreeSet<Slot>,
    /// What stays undone.
    undone: Vec<Unhealed>,
}

impl Turns<'_> {
    /// Takes every step, compares, and declares in step what is whole again.
    pub(super) fn take(mut self, desk: &mut Desk<'_>, plan: Plan) -> Result<Report, Fault> {
        let mut report = Report::default();
        let mut trouble = Trouble::default();
        let total = self.bytes_of(&plan);
        desk.progress
            .begin(&format!("repair {}", self.target.key), Some(total));
        let mut rest = plan.steps.as_slice();
        while !rest.is_empty() {
            let taken = self.turn(desk, rest, &mut report, &mut trouble)?;
            rest = rest.get(taken..).unwrap_or_default();
        }
        let mut plan = plan;
        if !plan.steps.is_empty() || self.anyone_out() {
            let lost = plan.lost;
            plan = self.last_turn(desk, &mut report, &mut trouble)?;
            plan.lost.extend(lost);
        }
        desk.progress.end();
        plan.lost.append(&mut report.lost);
        plan.lost.sort_unstable();
        plan.lost.dedup();
        plan.unhealed.append(&mut trouble.undone);
        plan.unhealed.sort();
        plan.unhealed.dedup();
        report.tell_rest(&self.survey, plan);
        Ok(report)
    }

    fn anyone_out(&self) -> bool {
        let view = &self.survey.view;
        view.standings.iter().any(|(mirror, standing)| {
            matches!(standing, Standing::OutOfStep { .. }) && self.scope.holds(*mirror, view)
        })
    }

    /// Bytes that the steps will write, for the progress bar.
    fn bytes_of(&self, plan: &Plan) -> u64 {
        let length = |step: &Step| match &step.deed {
            Deed::PutData { position } | Deed::RewriteData { position, .. } => {
                self.survey.truth.length(*position, step.slot.family)
            }
            _ => 0,
        };
        plan.steps.iter().map(length).sum()
    }

    fn open(&self, desk: &Desk<'_>) -> Result<Matrix, Fault> {
        let id = self.survey.truth.media_set();
        let blank = blank(&self.survey, self.scope);
        open_for_writing(self.target, desk.state.agent, id, &blank)
    }

    /// One turn: at least the next section, more while it is short. Gives the steps taken.
    fn turn(
        &self,
        desk: &mut Desk<'_>,
        steps: &[Step],
        report: &mut Report,
        trouble: &mut Trouble,
    ) -> Result<usize, Fault> {
        let _lock = desk.state.lock_turn(&self.target.key, desk.stop)?;
        let matrix = self.open(desk)?;
        let watch = Advance(desk.progress);
        let mender = Mender::new(&matrix, &self.survey.truth, &watch, desk.stop);
        let begun = Instant::now();
        let mut taken = 0;
        for group in steps.chunk_by(|a, b| a.deed.turn() == b.deed.turn()) {
            if taken > 0 && begun.elapsed() >= SHORT_TURN {
                break;
            }
            for next in group {
                step(&mender, next, report, trouble)?;
            }
            taken += group.len();
        }
        matrix.close();
        Ok(taken)
    }

    /// Compares all positions and records once more, copies what runs wrote meanwhile, and declares
    /// in step what lacks nothing. No run can write between the comparison and the record.
    fn last_turn(
        &mut self,
        desk: &mut Desk<'_>,
        report: &mut Report,
        trouble: &mut Trouble,
    ) -> Result<Plan, Fault> {
        let _lock = desk.state.lock_turn(&self.target.key, desk.stop)?;
        let matrix = self.open(desk)?;
        let watch = Advance(desk.progress);
        let mut plan = Plan::default();
        for _ in 0..LAST_LOOKS {
            self.survey = Survey::take(&self.target.key, &matrix)?;
            plan = super::plan(&matrix, &self.survey, self.scope)?;
            plan.steps
                .retain(|step| !trouble.volumes.contains(&step.slot));
            if plan.steps.is_empty() {
                break;
            }
            let mender = Mender::new(&matrix, &self.survey.truth, &watch, desk.stop);
            for next in &plan.steps {
                step(&mender, next, report, trouble)?;
            }
        }
        let troubled: BTreeSet<MirrorNo> = trouble.undone.iter().map(|t| t.slot.mirror).collect();
        let mut back = repair::returning(&self.survey.view, self.scope, &plan);
        back.retain(|mirror| !troubled.contains(mirror));
        if !back.is_empty() {
            self.declare(desk, &matrix, &back)?;
            report.in_step = back;
        }
        matrix.close();
        Ok(plan)
    }

    /// Writes the record that says so: on the mirrors in step first, then on those that return.
    fn declare(
        &self,
        desk: &mut Desk<'_>,
        matrix: &Matrix,
        back: &[MirrorNo],
    ) -> Result<(), Fault> {
        let truth = &self.survey.truth;
        let key = &self.target.key;
        let tail = truth.tail();
        let known = desk
            .catalog
            .media_set(key)?
            .map_or(0, |known| known.sequence);
        let last = tail.as_ref().map_or(0, |tail| tail.sequence);
        if known > last {
            let message = format!("the media end at record {last}, the catalog knows {known}");
            return Err(
                Fault::new(code::MIRROR_DIVERGED, format!("media set {key}"), message)
                    .cause("the volumes were set back to an older state, or records were removed")
                    .remedy("bring the newest volumes back, then repair again"),
            );
        }
        let since = back
            .iter()
            .filter_map(|mirror| match truth.standings.get(mirror) {
                Some(Standing::OutOfStep { since, .. }) => Some(*since),
                _ => None,
            });
        let Some(media_set) = truth.media_set() else {
            return Ok(());
        };
        let chain = Chain {
            tail,
            signer: desk.state.signer()?,
        };
        let by = By {
            agent: desk.state.agent,
            run: RunId::random(),
            written: clock::now(),
        };
        let position = since.min().unwrap_or(Position::FIRST);
        let statement = Statement::of_mirrors(media_set, Outcome::InStep, position, by, None);
        let record = chain.next(&statement, back.to_vec());
        let in_step = |mirror: MirrorNo| truth.standings.get(&mirror) == Some(&Standing::InStep);
        let mut volumes: Vec<_> = matrix
            .volumes()
            .filter(|volume| in_step(volume.slot.mirror) || back.contains(&volume.slot.mirror))
            .cloned()
            .collect();
        volumes.sort_by_key(|volume| back.contains(&volume.slot.mirror));
        put_record(&volumes, &record)?;
        drop(volumes);
        desk.catalog.attach(
            key,
            &KnownSet {
                id: media_set,
                highest: truth.highest(),
                sequence: record.sequence,
            },
        )
    }
}

/// Takes a step. A fault costs the volume, not the repair; a lost section costs itself alone.
fn step(
    mender: &Mender<'_>,
    step: &Step,
    report: &mut Report,
    trouble: &mut Trouble,
) -> Result<(), Fault> {
    if trouble.volumes.contains(&step.slot) {
        return Ok(());
    }
    tracing::info!("repair step {step}");
    match mender.take(step) {
        Ok(Mended { bytes, lost }) => {
            report.bytes += bytes;
            report.add_lost(step, &lost);
            report.steps.push(step.clone());
            Ok(())
        }
        Err(fault) if fault.code == code::CANCELLED => Err(fault),
        Err(fault) => {
            // The report tells it.
            tracing::info!(%step, %fault, "not repaired");
            if fault.code != code::LOST {
                trouble.volumes.insert(step.slot);
            }
            trouble.undone.push(Unhealed {
                slot: step.slot,
                what: format!("{}: {}: {}", fault.code, fault.object, fault.message),
            });
            Ok(())
        }
    }
}
