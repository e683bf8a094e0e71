//! `media repair`: brings mirrors back to what their twins hold, and in step again (design 4.4).
//!
//! Look, plan, then take the steps turn by turn: the lock of the media set is let go between two
//! turns, so that a run waits for one section at most. The last turn compares everything once more
//! and declares the mirror in step.

mod after;
mod replace;
mod turns;

use serde::Serialize;
use twinset_domain::repair::{self, Lost, Plan, Presence, Scope, Step, Turn, Unhealed};
use twinset_domain::standing::Standing;
use twinset_domain::{Exit, Fault, MediaSetId, MirrorNo, Position, Slot, code};
use twinset_plugin_api::Access;

use super::desk::{Desk, Target};
use super::recover;
use crate::clock;
use crate::media::holds;
use crate::media::matrix::Matrix;
use crate::media::repair::{Depth, Survey, Watch, planned_bytes, scan};
use crate::report::Progress;
use turns::Turns;

pub use after::after_run;

/// What is wanted of a repair.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// What may be touched.
    pub scope: Scope,
    /// Which data are read to find what is bad.
    pub depth: Depth,
}

/// What a repair came to.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The media set.
    pub media_set: Option<MediaSetId>,
    /// The steps that were taken.
    pub steps: Vec<Step>,
    /// Data bytes written.
    pub bytes: u64,
    /// Mirrors that are in step again.
    pub in_step: Vec<MirrorNo>,
    /// Mirrors that are still out of step.
    pub out_of_step: Vec<MirrorNo>,
    /// What stays as it is, and why.
    pub unhealed: Vec<Unhealed>,
    /// Chunks that no mirror has sound.
    pub lost: Vec<Lost>,
    /// Positions that a dead run left unresolved.
    pub unsealed: Vec<Position>,
}

/// Progress of reading and writing.
struct Advance<'a>(&'a dyn Progress);

impl Watch for Advance<'_> {
    fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }
}

/// Repairs a media set.
///
/// # Errors
/// [`code::NEEDS_FORMAT`], [`code::OTHER_WRITER`], [`code::MIRROR_DIVERGED`], locks,
/// [`code::CANCELLED`]. It may be stopped, killed and run again at any time. A volume that fails on
/// the way is no error: it is named in the report, and the others are repaired.
pub fn repair(desk: &mut Desk<'_>, target: &Target, wish: Wish) -> Result<Report, Fault> {
    let _right = desk.state.lock_repair(&target.key)?;
    let (mut survey, mut plan) = look(desk, target, wish)?;
    if survey.truth.unsealed().next().is_some() {
        settle(desk, target)?;
        (survey, plan) = look(desk, target, wish)?;
    }
    let turns = Turns {
        target,
        scope: wish.scope,
        survey,
    };
    turns.take(desk, plan)
}

/// What [`repair()`] would do; nothing is touched.
///
/// # Errors
/// As [`repair()`].
pub fn dry_run(desk: &mut Desk<'_>, target: &Target, wish: Wish) -> Result<Plan, Fault> {
    Ok(look(desk, target, wish)?.1)
}

/// What a dead run left is recovery's; SQL Server is not asked, as before a backup.
fn settle(desk: &mut Desk<'_>, target: &Target) -> Result<(), Fault> {
    let _lock = desk.state.lock_turn(&target.key, desk.stop)?;
    let known = desk.catalog.media_set(&target.key)?.map(|known| known.id);
    let matrix = replace::open_for_writing(target, desk.state.agent, known, &[])?;
    desk.progress
        .note("a dead run left something unresolved: recovering first");
    let settled = recover::with_matrix(desk, &target.key, &matrix, &mut |_, _| None);
    matrix.close();
    settled.map(drop)
}

/// Reads the media without any lock: runs go on meanwhile.
fn look(desk: &mut Desk<'_>, target: &Target, wish: Wish) -> Result<(Survey, Plan), Fault> {
    let known = desk.catalog.media_set(&target.key)?.map(|known| known.id);
    let agent = desk.state.agent;
    let matrix = Matrix::open(&target.places, target.shape, agent, Access::Read, known)?;
    may_write(desk, target, &matrix)?;
    let mut survey = Survey::take(&target.key, &matrix)?;
    if let Scope::Only(only) = wish.scope {
        known_mirror(target, &survey, only)?;
    }
    let total = planned_bytes(&survey, wish.scope, wish.depth);
    desk.progress
        .begin(&format!("look at {}", target.key), Some(total));
    let watch = Advance(desk.progress);
    scan(
        &matrix,
        &mut survey,
        wish.scope,
        wish.depth,
        &watch,
        desk.stop,
    );
    desk.progress.end();
    if desk.stop.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(
            Fault::new(code::CANCELLED, &target.key, "stopped by the operator")
                .remedy("nothing was changed; start it again when it suits"),
        );
    }
    let plan = plan(&matrix, &survey, wish.scope)?;
    matrix.close();
    Ok((survey, plan))
}

/// What is to be done now: holds of readers are honoured.
fn plan(matrix: &Matrix, survey: &Survey, scope: Scope) -> Result<Plan, Fault> {
    let plan = repair::plan(&survey.view, scope);
    let held = !holds::live(matrix, clock::now())?.is_empty();
    Ok(if held { plan.without_leavings() } else { plan })
}

fn known_mirror(target: &Target, survey: &Survey, only: MirrorNo) -> Result<(), Fault> {
    let object = format!("media set {}", target.key);
    if !(1..=target.shape.mirrors).contains(&only.0) {
        let message = format!("it has no mirror {}", only.0);
        let remedy = format!("mirrors 1 to {} are configured", target.shape.mirrors);
        return Err(Fault::new(code::USAGE, object, message).remedy(remedy));
    }
    if survey.view.standings.get(&only) == Some(&Standing::Dropped) {
        let message = format!("{only} was given up for good");
        return Err(Fault::new(code::MIRROR_DIVERGED, object, message)
            .remedy("format a new media set; a mirror that was given up never comes back"));
    }
    Ok(())
}

/// Only the agent that writes the media set repairs it.
fn may_write(desk: &Desk<'_>, target: &Target, matrix: &Matrix) -> Result<(), Fault> {
    let object = format!("media set {}", target.key);
    if matrix.any_header().is_none() {
        return Err(Fault::new(
            code::NEEDS_FORMAT,
            object,
            "no volume of it has a sound header",
        )
        .remedy(format!(
            "bring a sound volume back; or run: twinset media format {}",
            target.key
        )));
    }
    matrix.may_maintain(&target.key, desk.state.agent)
}

impl Report {
    fn add_lost(&mut self, step: &Step, chunks: &[u64]) {
        if let Turn::Set(position) = step.deed.turn() {
            self.lost.extend(chunks.iter().map(|chunk| Lost {
                position,
                family: step.slot.family,
                chunk: *chunk,
            }));
        }
    }

    /// What the last look found.
    fn tell_rest(&mut self, survey: &Survey, plan: Plan) {
        (self.lost, self.unhealed) = (plan.lost, plan.unhealed);
        self.media_set = survey.truth.media_set();
        self.unsealed = survey.truth.unsealed().collect();
        let standings = &survey.view.standings;
        let out = |mirror: &MirrorNo| {
            matches!(standings.get(mirror), Some(Standing::OutOfStep { .. }))
                && !self.in_step.contains(mirror)
        };
        self.out_of_step = survey.view.shape.mirrors().filter(out).collect();
    }

    /// How a run ends that did nothing but this repair.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let clean =
            self.unhealed.is_empty() && self.unsealed.is_empty() && self.out_of_step.is_empty();
        match (self.lost.is_empty(), clean) {
            (false, _) => Exit::Lost,
            (true, false) => Exit::Degraded,
            (true, true) => Exit::Done,
        }
    }
}

/// Places of a blank device that an operator named.
fn blank(survey: &Survey, scope: Scope) -> Vec<Slot> {
    let volumes = survey.view.volumes.iter();
    volumes
        .filter(|volume| volume.presence == Presence::Blank && scope.replaces(volume.slot.mirror))
        .map(|volume| volume.slot)
        .collect()
}
