//! Reads data sections chunk by chunk and notes which chunks are not as they were written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use twinset_domain::repair::{Data, Presence, Scope, Volume, Wanted};
use twinset_domain::standing::Standing;
use twinset_domain::{MirrorNo, Position, Slot};
use twinset_format::manifest::Manifest;

use super::survey::Survey;
use super::truth::Truth;
use crate::media::matrix::Matrix;
use crate::media::reader::FamilyReader;

pub use crate::media::verify::Watch;

/// Which data sections are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// All of them: whatever rots is found.
    Everything,
    /// Those from the position on at which a mirror fell out of step; nothing of mirrors in step.
    SinceLost,
}

/// One section that is to be read.
struct Task<'a> {
    slot: Slot,
    position: Position,
    manifest: &'a Arc<Manifest>,
}

/// Bytes that a scan will read.
#[must_use]
pub fn planned_bytes(survey: &Survey, scope: Scope, depth: Depth) -> u64 {
    tasks(survey, scope, depth)
        .iter()
        .map(|task| task.manifest.facts.stored_length)
        .sum()
}

/// Reads the data of the mirrors in scope and writes what is bad into the survey. When `stop` is
/// set it ends early; what it found so far is noted.
pub fn scan(
    matrix: &Matrix,
    survey: &mut Survey,
    scope: Scope,
    depth: Depth,
    watch: &dyn Watch,
    stop: &AtomicBool,
) {
    let tasks = tasks(survey, scope, depth);
    let mut lanes: BTreeMap<Slot, Vec<Task<'_>>> = BTreeMap::new();
    for task in tasks {
        lanes.entry(task.slot).or_default().push(task);
    }
    let found: Vec<(Slot, Position, BTreeSet<u64>)> = std::thread::scope(|threads| {
        let running: Vec<_> = lanes
            .into_iter()
            .map(|(slot, tasks)| threads.spawn(move || read(matrix, slot, &tasks, watch, stop)))
            .collect();
        running
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .flatten()
            .collect()
    });
    for (slot, position, chunks) in found {
        let volume = survey.view.volumes.iter_mut().find(|v| v.slot == slot);
        let held = volume.and_then(|volume| volume.sets.get_mut(&position));
        if let Some(Data::There { bad, .. }) = held.map(|held| &mut held.data) {
            bad.extend(chunks);
        }
    }
}

fn tasks(survey: &Survey, scope: Scope, depth: Depth) -> Vec<Task<'_>> {
    let mut tasks = Vec::new();
    let view = &survey.view;
    let wanted = |volume: &&Volume| {
        volume.presence == Presence::Answers && scope.holds(volume.slot.mirror, view)
    };
    for volume in survey.view.volumes.iter().filter(wanted) {
        let first = match depth {
            Depth::Everything => Some(Position::FIRST),
            Depth::SinceLost => since(&view.standings, volume.slot.mirror),
        };
        let Some(first) = first else { continue };
        for (position, held) in volume.sets.range(first..) {
            let kept = matches!(survey.view.sets.get(position), Some(Wanted::Set(_)));
            let there = matches!(held.data, Data::There { .. });
            if let Some(manifest) = manifest(&survey.truth, volume.slot, *position)
                && kept
                && there
            {
                tasks.push(Task {
                    slot: volume.slot,
                    position: *position,
                    manifest,
                });
            }
        }
    }
    tasks
}

fn since(standings: &BTreeMap<MirrorNo, Standing>, mirror: MirrorNo) -> Option<Position> {
    match standings.get(&mirror)? {
        Standing::OutOfStep { since, .. } => Some(*since),
        Standing::InStep | Standing::Dropped => None,
    }
}

fn manifest(truth: &Truth, slot: Slot, position: Position) -> Option<&Arc<Manifest>> {
    truth.manifests.get(&(position, slot.family))
}

fn read(
    matrix: &Matrix,
    slot: Slot,
    tasks: &[Task<'_>],
    watch: &dyn Watch,
    stop: &AtomicBool,
) -> Vec<(Slot, Position, BTreeSet<u64>)> {
    let Some(volume) = matrix.volume(slot) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for task in tasks {
        let manifest = Manifest::clone(task.manifest);
        let mut reader = FamilyReader::new(manifest, vec![Arc::clone(volume)]);
        let mut bad = BTreeSet::new();
        for number in 0.. {
            if stop.load(Ordering::Relaxed) {
                return found;
            }
            match reader.next_chunk() {
                Ok(Some(chunk)) => {
                    watch.advance(chunk.len() as u64);
                    reader.reuse(chunk);
                }
                Ok(None) => break,
                Err(_) => {
                    bad.insert(number);
                }
            }
        }
        if !bad.is_empty() {
            found.push((slot, task.position, bad));
        }
    }
    found
}
