//! Restores: what the planner says, applied by a SQL Server that refuses what SQL Server refuses,
//! and what could be reached at all, found by trying everything.

use std::collections::{BTreeMap, BTreeSet};

use twinset_domain::recover::SetState;
use twinset_domain::restore::{Candidate, Goal, Place, Plan, Stop, Wanted, number_branches, plan};
use twinset_domain::{BackupKind, Fault, Moment, Position, RunId};
use uuid::Uuid;

use super::lab::Lab;
use super::set::Shared;
use super::truth::{Node, Tree};

/// Everything that lies on media that answer.
pub(crate) struct Holdings {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) sets: Vec<(Place, SetState, Shared)>,
    /// Marks of a rolled back machine before each of the sets: never joined across one.
    branches: Vec<u32>,
}

impl Lab {
    /// What the media of these agents hold.
    pub(crate) fn holdings(&self, agents: &[usize]) -> Holdings {
        let mut held = Holdings {
            candidates: Vec::new(),
            sets: Vec::new(),
            branches: Vec::new(),
        };
        for media in agents.iter().flat_map(|agent| &self.media[*agent]) {
            let standings = media.standings();
            for read in media.read() {
                let kept = matches!(read.state, SetState::Published | SetState::Unconfirmed);
                let Some(manifest) = read.manifest.as_ref().filter(|_| kept) else {
                    continue;
                };
                let place = Place {
                    media_set: media.key.clone(),
                    position: Position::new(read.position).unwrap(),
                };
                let sources = media.copies(&standings, read.position);
                if !sources.is_empty() {
                    let set = manifest.set.clone();
                    held.sets.push((place.clone(), read.state, set));
                }
                held.candidates.push(candidate(
                    place,
                    read.state,
                    manifest,
                    (sources, media.volumes.len()),
                ));
            }
        }
        number_branches(&mut held.candidates);
        let branches: BTreeMap<&Place, u32> = held
            .candidates
            .iter()
            .map(|set| (&set.place, set.branch))
            .collect();
        held.branches = held
            .sets
            .iter()
            .map(|(place, ..)| branches[place])
            .collect();
        held
    }
}

fn candidate(
    place: Place,
    state: SetState,
    manifest: &super::media::Manifest,
    (sources, mirrors): (Vec<twinset_domain::Slot>, usize),
) -> Candidate {
    let set = &manifest.set;
    Candidate {
        place,
        run: RunId(manifest.run.0),
        state,
        database: "Payroll".to_owned(),
        kind: Some(set.kind),
        at: manifest.written,
        finished: Some(Moment(set.finished)),
        offset: 0,
        offset_is_guessed: false,
        bytes: 100,
        sets: 1,
        link: Some(set.link()),
        new_branch: manifest.new_branch,
        branch: 0,
        container: false,
        over_damage: false,
        encryptor: None,
        sources: vec![sources],
        mirrors: u8::try_from(mirrors).unwrap(),
    }
}

impl Holdings {
    pub(crate) fn plan(&self, goal: Goal, fork: Option<Uuid>, now: i64) -> Result<Plan, Fault> {
        let wanted = Wanted {
            database: "Payroll".to_owned(),
            goal,
            fork,
            without: Vec::new(),
            lost: Vec::new(),
            now: Moment(now),
        };
        plan(&wanted, &self.candidates)
    }

    /// Whether no mark lies between two sets.
    pub(crate) fn joins(&self, one: usize, other: usize) -> bool {
        self.branches[one] == self.branches[other]
    }

    fn set(&self, place: &Place) -> Option<&Shared> {
        let found = self.sets.iter().find(|(at, ..)| at == place);
        found.map(|(_, _, set)| set)
    }

    /// Restores: the database that comes of it, or SQL Server's number.
    pub(crate) fn apply(&self, tree: &Tree, plan: &Plan) -> Result<Node, String> {
        let mut at: Option<(Node, u64)> = None;
        let mut full = None;
        for step in &plan.steps {
            let place = &step.set.place;
            let Some(set) = self.set(place) else {
                return Err(format!("{place}: nothing sound is there"));
            };
            let named = format!("{place} ({})", set.kind);
            let node = match (set.kind, at) {
                (BackupKind::Full, None) => {
                    full = Some(set.guid);
                    set.head
                }
                (BackupKind::Full, Some(_)) => return Err(format!("{named}: 3159")),
                (_, None) => return Err(format!("{named}: 3118")),
                (BackupKind::Differential, Some((node, _))) => {
                    if set.base.map(|(guid, _)| guid) != full {
                        return Err(format!("{named}: 3136"));
                    }
                    if !tree.leads_to(node, set.head) {
                        return Err(format!("{named}: stands on another branch"));
                    }
                    set.head
                }
                (BackupKind::Log, Some((_, next))) if set.first > next => {
                    return Err(format!("{named}: 4305"));
                }
                (BackupKind::Log, Some((_, next))) if set.last <= next => {
                    return Err(format!("{named}: 4326"));
                }
                (BackupKind::Log, Some((node, _))) => {
                    if !tree.leads_to(node, set.head) {
                        return Err(format!("{named}: 4330, another branch"));
                    }
                    if step.stops {
                        stopped(tree, (node, set.head), plan.stop.as_ref())?
                    } else {
                        set.head
                    }
                }
            };
            at = Some((node, set.last));
        }
        at.map(|(node, _)| node).ok_or_else(|| "no step".to_owned())
    }

    /// Databases that some row of sets leads to, at the ends of sets; each with its last set.
    pub(crate) fn reach(&self, tree: &Tree, unconfirmed: bool) -> Vec<(Node, usize)> {
        let usable = |state: SetState| unconfirmed || state == SetState::Published;
        let mut found: BTreeSet<(Node, usize)> = BTreeSet::new();
        let mut open: Vec<(Node, u64, usize)> = Vec::new();
        let data = |kind| {
            let all = self.sets.iter().enumerate();
            all.filter(move |(_, (_, state, set))| set.kind == kind && usable(*state))
        };
        for (at, (_, _, set)) in data(BackupKind::Full) {
            open.push((set.head, set.last, at));
        }
        for (at, (_, _, set)) in data(BackupKind::Differential) {
            let base = set.base.map(|(guid, _)| guid);
            if data(BackupKind::Full).any(|(_, (_, _, full))| Some(full.guid) == base) {
                open.push((set.head, set.last, at));
            }
        }
        while let Some((node, next, last)) = open.pop() {
            if !found.insert((node, last)) {
                continue;
            }
            for (at, (_, _, log)) in data(BackupKind::Log) {
                if self.joins(last, at)
                    && log.first <= next
                    && log.last > next
                    && tree.leads_to(node, log.head)
                {
                    open.push((log.head, log.last, at));
                }
            }
        }
        found.into_iter().collect()
    }
}

/// Where RESTORE LOG stops between two records.
fn stopped(tree: &Tree, (from, to): (Node, Node), stop: Option<&Stop>) -> Result<Node, String> {
    match stop {
        Some(Stop::Lsn(lsn)) => {
            let lsn = u64::try_from(lsn.0).map_err(|error| error.to_string())?;
            let reached = tree.below(to, lsn + 1);
            if tree.leads_to(from, reached) {
                Ok(reached)
            } else {
                // The point lies in a log before this one: all of it was applied already.
                Ok(from)
            }
        }
        Some(Stop::At(time)) => {
            let at = time.at(0).ok_or("no time")?;
            Ok(tree.until(from, to, at.0))
        }
        _ => Err("no such stop".to_owned()),
    }
}
