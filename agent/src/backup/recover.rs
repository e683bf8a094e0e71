//! `media recover`: sets a media set right after a dead run, and asks SQL Server about sets whose
//! verdict is missing.

use twinset_domain::recover::{PositionPlan, SetState};
use twinset_domain::{Fault, code};
use twinset_plugin_api::Access;

use super::desk::{Desk, Target};
use super::remember;
use crate::catalog::{KnownSet, RunEnd, RunState};
use crate::clock;
use crate::media::inventory::{self, SetOnMedia};
use crate::media::matrix::Matrix;
use crate::media::recover::{Ask, Recovery, Report};
use crate::sqlserver::vdi::{remove_leftovers, set_name};

/// Opens a media set and recovers it.
///
/// # Errors
/// [`code::NEEDS_FORMAT`], locks, and the devices' own. It may be run again at any time.
pub fn recover(desk: &mut Desk<'_>, target: &Target, ask: &mut Ask<'_>) -> Result<Report, Fault> {
    let _lock = desk.state.lock_media_set(&target.key)?;
    let known = desk.catalog.media_set(&target.key)?;
    let agent = desk.state.agent;
    let id = known.map(|known| known.id);
    let matrix = Matrix::open(&target.places, target.shape, agent, Access::Write, id)?;
    with_matrix(desk, &target.key, &matrix, ask)
}

/// What [`recover`] would do; nothing is touched.
///
/// # Errors
/// As [`recover`].
pub fn dry_run(desk: &mut Desk<'_>, target: &Target) -> Result<Vec<PositionPlan>, Fault> {
    let known = desk.catalog.media_set(&target.key)?.map(|known| known.id);
    let agent = desk.state.agent;
    let matrix = Matrix::open(&target.places, target.shape, agent, Access::Read, known)?;
    Ok(crate::media::recover::planned(&matrix.in_step()))
}

/// Recovers over volumes that are open already.
///
/// # Errors
/// As [`recover`].
pub(super) fn with_matrix(
    desk: &mut Desk<'_>,
    key: &str,
    matrix: &Matrix,
    ask: &mut Ask<'_>,
) -> Result<Report, Fault> {
    let object = format!("media set {key}");
    let Some(header) = matrix.any_header() else {
        return Err(Fault::new(
            code::NEEDS_FORMAT,
            object,
            "no volume of it has a sound header",
        )
        .remedy(format!("run: twinset media format {key}")));
    };
    matrix.may_maintain(key, desk.state.agent)?;
    // Mirrors that are out of step are brought back by repair, not by recovery.
    let matrix = &matrix.in_step();
    let mut recovery = Recovery {
        matrix,
        media_set: header.media_set,
        agent: desk.state.agent,
        now: clock::now(),
        chain: matrix.chain(key, desk.state.signer()?)?,
        settled: desk.catalog.settled(key)?,
    };
    let report = recovery.run(ask)?;
    let sequence = recovery.chain.sequence();
    let sets = inventory::read(matrix);
    let highest = sets.last().map_or(0, |set| set.position.get());
    let id = header.media_set;
    desk.catalog.attach(
        key,
        &KnownSet {
            id,
            highest,
            sequence,
        },
    )?;
    if matrix.is_whole() {
        remember::read(desk, (key, id), &sets)?;
    }
    settle_runs(desk, key, &sets, sequence)?;
    Ok(report)
}

/// Writes the ends of dead runs into the catalog, as the media tell them now.
fn settle_runs(
    desk: &mut Desk<'_>,
    key: &str,
    sets: &[SetOnMedia],
    sequence: u64,
) -> Result<(), Fault> {
    for run in desk.catalog.unfinished(key)? {
        let set = sets.iter().find(|set| set.position.get() == run.position);
        let state = match set.map(|set| set.state) {
            Some(SetState::Published | SetState::Dropped) => RunState::Published,
            Some(SetState::Unconfirmed) => RunState::Unconfirmed,
            _ => RunState::Failed,
        };
        let Ok(id) = run.run.parse() else { continue };
        // A killed VDI client leaves its shared memory behind; nobody else may use its name.
        let memory = remove_leftovers(&set_name(id));
        tracing::debug!(run = %id, memory, "shared memory of a dead run removed");
        let (at, bytes) = (clock::now(), set.map_or(0, SetOnMedia::bytes));
        let note = Some("ended by recover");
        desk.catalog.end(
            id,
            &RunEnd {
                state,
                at,
                bytes,
                sequence,
                note,
            },
        )?;
    }
    Ok(())
}
