//! A media set that outlives its writer, or goes on with fewer mirrors: one record says so on every
//! mirror that is left.

use std::sync::Arc;

use serde::Serialize;
use twinset_domain::owner::{self, Closing, DropWish, MirrorDrop};
use twinset_domain::{AgentId, Fault, MirrorNo, RunId, Slot, code};
use twinset_format::record::{Outcome, Record};
use twinset_plugin_api::Access;

use super::desk::{Desk, Target};
use crate::catalog::KnownSet;
use crate::clock;
use crate::media::matrix::Matrix;
use crate::media::publish::{self, By, Chain, Statement};
use crate::media::volume::Volume;

/// What closing came to.
#[derive(Debug, Serialize)]
pub struct Closed {
    /// What was decided.
    pub plan: Closing,
    /// The lost agent's name, as the headers tell it.
    pub writer_name: String,
    /// Whether this agent wrote the media set itself.
    pub own: bool,
    /// False where nothing was touched.
    pub done: bool,
}

/// Closes a media set on the volumes that answer; without `confirmed` nothing is touched.
///
/// # Errors
/// [`code::LOCKED`] while its writer works, [`code::SIGNER`] when a signed media set would get an
/// unsigned record, and the devices' own. It may be run again.
pub fn close(desk: &mut Desk<'_>, target: &Target, confirmed: bool) -> Result<Closed, Fault> {
    let _lock = desk.state.lock_media_set(&target.key)?;
    let (agent, signer) = (desk.state.agent, desk.state.signer()?);
    let known = desk.catalog.media_set(&target.key)?.map(|known| known.id);
    // The lock of the devices tells whether the writer is at work, also for a plan.
    let matrix = Matrix::open(&target.places, target.shape, agent, Access::Write, known)?;
    let plan = owner::closing(&target.key, matrix.media_set, &matrix.seen())?;
    let header = matrix.any_header();
    let writer_name = header.map_or_else(String::new, |header| header.agent_name.clone());
    let mut closed = Closed {
        own: plan.writer == agent,
        plan,
        writer_name,
        done: false,
    };
    if !confirmed {
        return Ok(closed);
    }
    if signer.is_none() && matrix.is_signed() {
        let message = "the media set is signed, and this agent has no key to sign with";
        return Err(
            Fault::new(code::SIGNER, format!("media set {}", target.key), message).remedy(
                "make one with `twinset key make --out FILE` and name it in [agent] signing_key_file",
            ),
        );
    }
    let mut sequence = matrix.newest_tail().map_or(0, |tail| tail.sequence);
    if let Some(record) = existing(&matrix, Outcome::Closed) {
        publish::put_record(&volumes(&matrix, &closed.plan.copies), &record)?;
    }
    for branch in &closed.plan.branches {
        let volumes = volumes(&matrix, &branch.volumes);
        let chain = Chain {
            tail: branch.previous.clone(),
            signer: signer.clone(),
        };
        let note = closing_note(&closed, &desk.state.agent);
        let (id, position) = (closed.plan.media_set, closed.plan.position);
        let statement =
            Statement::of_mirrors(id, Outcome::Closed, position, decided(agent), Some(note));
        let record = chain.next(&statement, publish::mirrors(&volumes));
        publish::put_record(&volumes, &record)?;
        sequence = sequence.max(record.sequence);
    }
    let (id, highest) = (closed.plan.media_set, closed.plan.position.get() - 1);
    attach(desk, target, id, highest, sequence)?;
    closed.done = true;
    Ok(closed)
}

fn closing_note(closed: &Closed, by: &AgentId) -> String {
    if closed.own {
        return "closed by its own agent".to_owned();
    }
    let (name, writer) = (&closed.writer_name, closed.plan.writer);
    format!("agent {name} ({writer}) is lost; adopted by agent {by}")
}

/// What the operator decided, said by this agent.
fn decided(by: AgentId) -> By {
    By {
        agent: by,
        run: RunId::random(),
        written: clock::now(),
    }
}

/// What giving a mirror up came to.
#[derive(Debug, Serialize)]
pub struct Dropped {
    /// What was decided.
    pub plan: MirrorDrop,
    /// False where nothing was touched.
    pub done: bool,
}

/// Gives a mirror up for good; without `confirmed` nothing is touched.
///
/// # Errors
/// [`owner::drop_mirror`]'s, locks, and the devices' own. It may be run again.
pub fn drop_mirror(
    desk: &mut Desk<'_>,
    target: &Target,
    mirror: MirrorNo,
    confirmed: bool,
) -> Result<Dropped, Fault> {
    let _lock = desk.state.lock_media_set(&target.key)?;
    let (agent, signer) = (desk.state.agent, desk.state.signer()?);
    let known = desk.catalog.media_set(&target.key)?;
    let id = known.as_ref().map(|known| known.id);
    let matrix = Matrix::open(&target.places, target.shape, agent, Access::Write, id)?;
    let wish = DropWish {
        label: &target.key,
        agent,
        media_set: matrix.media_set,
        shape: target.shape,
        min_mirrors: target.min_mirrors.of_any(None),
        sequence_known: known.map_or(0, |known| known.sequence),
        mirror,
    };
    let plan = owner::drop_mirror(&wish, &matrix.seen())?;
    if !confirmed {
        return Ok(Dropped { plan, done: false });
    }
    let mut chain = matrix.chain(&target.key, signer)?;
    chain.tail.clone_from(&plan.previous);
    let volumes = volumes(&matrix, &plan.volumes);
    let earlier = existing(&matrix, Outcome::MirrorDropped)
        .filter(|record| plan.said && record.mirrors.contains(&mirror));
    let record = earlier.unwrap_or_else(|| {
        let (id, position) = (plan.media_set, plan.position);
        let note = Some("given up by the operator".to_owned());
        let statement =
            Statement::of_mirrors(id, Outcome::MirrorDropped, position, decided(agent), note);
        chain.next(&statement, vec![mirror])
    });
    publish::put_record(&volumes, &record)?;
    let (id, highest) = (plan.media_set, plan.position.get() - 1);
    attach(desk, target, id, highest, record.sequence)?;
    Ok(Dropped { plan, done: true })
}

fn attach(
    desk: &mut Desk<'_>,
    target: &Target,
    id: twinset_domain::MediaSetId,
    highest: u64,
    sequence: u64,
) -> Result<(), Fault> {
    let known = KnownSet {
        id,
        highest,
        sequence,
    };
    desk.catalog.attach(&target.key, &known)
}

fn volumes(matrix: &Matrix, slots: &[Slot]) -> Vec<Arc<Volume>> {
    let volumes = slots.iter().filter_map(|slot| matrix.volume(*slot));
    volumes.cloned().collect()
}

/// The last record of this kind, from whichever volume has it: what a killed process began is
/// finished, not said twice.
fn existing(matrix: &Matrix, outcome: Outcome) -> Option<Record> {
    let records = matrix.volumes().flat_map(|volume| {
        let names = volume.records().unwrap_or_default().into_iter();
        names.filter_map(|entry| {
            let named = twinset_domain::name::RecordName::parse(&entry.name)?;
            if Some(named.kind) != outcome.kind() {
                return None;
            }
            let record = Record::parse(&volume.record(&entry.name).ok()?).ok()?;
            (record.name() == Some(named)).then_some(record)
        })
    });
    records.max_by_key(|record| record.sequence)
}
