//! `media expire`: lock, open, read, plan; then for each set that goes a drop record on every
//! volume, the plan once more, and only then the data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use serde::Serialize;
use twinset_domain::name::HoldName;
use twinset_domain::recover::SetState;
use twinset_domain::retention::{self, Accepted, Plan, Policy, Question, Subject};
use twinset_domain::{Fault, Moment, Position, code};

use super::desk::{Desk, Target};
use super::remember;
use super::run::{self, OpenRun};
use super::subjects::{Scope, is_half_dropped, subjects};
use crate::catalog::KnownSet;
use crate::clock;
use crate::media::expire::{Removal, can_remove, locked};
use crate::media::holds;
use crate::media::inventory::{self, SetOnMedia};
use crate::media::matrix::Matrix;
use crate::media::publish::Chain;

/// What the groups say, and what the operator agreed to.
pub struct Order<'a> {
    /// Who speaks for which database.
    pub scope: Scope<'a>,
    /// What the groups say.
    pub policies: &'a [Policy],
    /// Sets of other media sets whose chains run through this one.
    pub others: &'a [Subject],
    /// More than one run's part may go.
    pub yes: bool,
    /// The clock is right, whatever it looks like.
    pub now_is_right: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Expired {
    /// The plan that was carried out.
    pub plan: Plan,
    /// Sets that went in this run.
    pub dropped: Vec<Position>,
    /// Sets that an earlier run had dropped and whose data went now.
    pub finished: Vec<Position>,
    /// Dropped sets whose data stays for now: somebody may be reading them.
    pub waiting: Vec<Position>,
    /// Dropped sets whose data stays until its storage lets go of it.
    pub locked: Vec<Position>,
    /// Bytes that became free over all volumes.
    pub freed: u64,
    /// Holds that had ended and were removed.
    pub holds_removed: usize,
}

/// What a plan is made from besides the order.
pub struct Ground<'a> {
    /// The volumes; what their storage locks is asked of those sets alone that would go.
    pub matrix: &'a Matrix,
    /// The sets that may be dropped.
    pub ours: &'a [Subject],
    /// Readers.
    pub holds: &'a [HoldName],
    /// Now.
    pub now: Moment,
    /// When it was last agreed that the clock was right.
    pub accepted: Option<Accepted>,
}

/// Makes the plan of a media set from what was read of it. What its storage locks stays, with
/// what it stands on.
///
/// # Errors
/// The first device's that could not say what it locks.
pub fn plan(order: &Order<'_>, ground: &Ground<'_>) -> Result<Plan, Fault> {
    let sets: Vec<Subject> = ground.ours.iter().chain(order.others).cloned().collect();
    let mut locks = BTreeMap::new();
    let made = |locks: &BTreeMap<Position, Moment>| {
        retention::plan(&Question {
            media_set: order.scope.key,
            sets: &sets,
            policies: order.policies,
            holds: ground.holds,
            locks,
            now: ground.now,
            accepted: ground.accepted,
        })
    };
    let first = made(&locks);
    for position in first.drops() {
        if let Some(until) = locked(ground.matrix, position, ground.now)? {
            locks.insert(position, until);
        }
    }
    Ok(if locks.is_empty() {
        first
    } else {
        made(&locks)
    })
}

/// Drops what retention lets go.
///
/// # Errors
/// Why nothing may be written ([`run::open`]'s); [`code::CANNOT_REMOVE`], [`code::CLOCK`] and
/// [`code::MAX_DROP`] before anything is dropped; the first device's: then the next run goes on.
pub fn expire(desk: &mut Desk<'_>, target: &Target, order: &Order<'_>) -> Result<Expired, Fault> {
    let open = run::open(desk, target, None)?;
    if let Some(fallen) = open.plan.fallen.first() {
        // A mirror that knows nothing of a drop would bring the set back.
        return Err(fallen.why.clone());
    }
    let now = clock::now();
    can_remove(&open.matrix)?;
    let holds_removed = holds::remove_ended(&open.matrix, now)?;
    let sets = inventory::read(&open.matrix);
    let accepted = desk.catalog.accepted(&target.key)?;
    let ours = subjects(&order.scope, target.shape, &sets);
    let live = holds::live(&open.matrix, now)?;
    let ground = Ground {
        matrix: &open.matrix,
        ours: &ours,
        holds: &live,
        now,
        accepted,
    };
    let plan = plan(order, &ground)?;
    may_drop(order, &plan)?;
    let mut run = Run {
        open: &open,
        order,
        accepted,
        removal: Removal {
            matrix: &open.matrix,
            media_set: open.plan.media_set,
            agent: open.agent,
            now,
            chain: Chain {
                tail: open.plan.previous.clone(),
                signer: open.signer.clone(),
            },
        },
    };
    let mut expired = Expired {
        plan,
        dropped: Vec::new(),
        finished: Vec::new(),
        waiting: Vec::new(),
        locked: Vec::new(),
        freed: 0,
        holds_removed,
    };
    let said = run.say(desk, &sets, &mut expired);
    let removed = said.and_then(|()| run.remove(desk, &mut expired));
    let sequence = run.removal.chain.sequence();
    settle(desk, &open, &expired.plan, sequence)?;
    removed.map(|()| expired)
}

/// Nothing goes while the clock is doubted, or more than one run's part would go.
fn may_drop(order: &Order<'_>, plan: &Plan) -> Result<(), Fault> {
    let key = order.scope.key;
    let object = format!("media set {key}");
    if plan.drops().is_empty() {
        return Ok(());
    }
    if let Some(doubt) = plan.doubt.as_ref().filter(|_| !order.now_is_right) {
        let message = "the clock is not believed, so nothing is dropped";
        return Err(Fault::new(code::CLOCK, object, message)
            .cause(doubt)
            .remedy(format!(
                "correct the clock; if the time is right: twinset media expire {key} --now-is-right"
            )));
    }
    let mut excess = plan.excess().peekable();
    if order.yes || excess.peek().is_none() {
        return Ok(());
    }
    let message = "more sets would be dropped than one run may; nothing was dropped";
    let fault = Fault::new(code::MAX_DROP, object, message);
    Err(excess
        .fold(fault, |fault, share| {
            fault.cause(format!(
                "group {}: {} of {} sets would go, {} may (max_drop)",
                share.group, share.drops, share.sets, share.allowed
            ))
        })
        .remedy(format!(
            "look: twinset media plan-retention {key}; agree: twinset media expire {key} --yes"
        )))
}

struct Run<'a> {
    open: &'a OpenRun,
    order: &'a Order<'a>,
    accepted: Option<Accepted>,
    removal: Removal<'a>,
}

impl Run<'_> {
    /// Says of every set that goes that it goes: what stands on others first.
    fn say(
        &mut self,
        desk: &Desk<'_>,
        sets: &[SetOnMedia],
        expired: &mut Expired,
    ) -> Result<(), Fault> {
        for position in expired.plan.drops() {
            stop(desk, self.order.scope.key)?;
            let Some(set) = sets.iter().find(|set| set.position == position) else {
                continue;
            };
            let judged = expired.plan.of(position);
            let groups = judged.map_or_else(String::new, |judged| judged.groups.join(", "));
            let why = format!("older than the window and in no count (group {groups})");
            self.removal.say(set, why)?;
            expired.dropped.push(position);
        }
        Ok(())
    }

    /// Reads the media once more: readers that came meanwhile left holds before they read. What
    /// nobody holds, of this run and of earlier ones, goes.
    fn remove(&self, desk: &mut Desk<'_>, expired: &mut Expired) -> Result<(), Fault> {
        let sets = inventory::read(&self.open.matrix);
        let now = self.removal.now;
        let live = holds::live(&self.open.matrix, now)?;
        let said: BTreeSet<Position> = expired.dropped.iter().copied().collect();
        let mut ours = subjects(&self.order.scope, self.open.matrix.shape, &sets);
        for subject in &mut ours {
            if said.contains(&subject.place.position) {
                subject.state = SetState::Published;
            }
        }
        let again = plan(
            self.order,
            &Ground {
                matrix: &self.open.matrix,
                ours: &ours,
                holds: &live,
                now,
                accepted: self.accepted,
            },
        )?;
        let half: Vec<&SetOnMedia> = sets.iter().filter(|set| is_half_dropped(set)).collect();
        let place = (self.order.scope.key, self.removal.media_set);
        remember::read(desk, place, &sets)?;
        desk.progress.begin("remove", Some(half.len() as u64));
        for set in half.iter().rev() {
            stop(desk, self.order.scope.key)?;
            let ours = said.contains(&set.position);
            let still = again.of(set.position).is_some_and(|judged| judged.drop);
            if !live.is_empty() || (ours && !still) {
                expired.waiting.push(set.position);
                continue;
            }
            // Somebody may have locked what an earlier run had dropped.
            if locked(&self.open.matrix, set.position, now)?.is_some() {
                expired.locked.push(set.position);
                continue;
            }
            expired.freed += self.removal.remove(set)?;
            if !ours {
                expired.finished.push(set.position);
            }
            desk.progress.advance(1);
        }
        desk.progress.end();
        Ok(())
    }
}

fn stop(desk: &Desk<'_>, key: &str) -> Result<(), Fault> {
    if desk.stop.load(Ordering::Relaxed) {
        let message = "stopped by the operator";
        return Err(Fault::new(code::CANCELLED, key, message)
            .remedy("what was dropped so far is told on the media; the next run goes on"));
    }
    Ok(())
}

/// Writes down how far the chain of records came, and that the clock was agreed to be right.
fn settle(desk: &mut Desk<'_>, open: &OpenRun, plan: &Plan, sequence: u64) -> Result<(), Fault> {
    let highest = open.plan.position.get() - 1;
    let (id, at) = (open.plan.media_set, plan.now);
    desk.catalog.attach(
        &open.key,
        &KnownSet {
            id,
            highest,
            sequence,
        },
    )?;
    desk.catalog.accept(
        &open.key,
        Accepted {
            at,
            position: highest,
        },
    )
}
