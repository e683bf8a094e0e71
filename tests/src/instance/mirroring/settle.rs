//! Both sides of a session brought up to date: who has met whom, what has flowed, who is open.

use std::time::Instant;

use super::messages::{active, role_changes, terminated};
use super::{End, Link, Network, Pause, Side, WitnessRow};
use crate::instance::model::{Database, DbState};

/// What the three of a session can see of each other.
struct View {
    /// The partners talk.
    talk: bool,
    /// Each end's instance runs.
    runs: [bool; 2],
    /// Each end talks to the witness.
    sees: [bool; 2],
}

impl Network {
    /// The instance of this lab that is the session's witness.
    pub(super) fn witness_of(&self, link: &Link) -> Option<usize> {
        link.ends.iter().find_map(|end| {
            let state = self.instances[end.instance].state();
            let mut sessions = state.databases.iter().filter_map(|d| d.mirroring.as_ref());
            let session = sessions.find(|session| session.guid == link.guid)?;
            self.at(session.witness.as_deref()?)
        })
    }

    pub(super) fn is_alive(&self, link: &Link) -> bool {
        let mut sides = self.sides(link, 0);
        sides.iter_mut().any(|side| side.session().is_some())
    }

    fn view(&self, link: &Link) -> View {
        let witness = self.witness_of(link);
        // One outside of the lab is always there.
        let there = witness.is_none_or(|at| self.instances[at].is_running());
        let runs = link.ends.map(|end| self.runs(&end));
        let sees = |end: &End| self.runs(end) && there && !end.witness_cut;
        View {
            talk: self.partners_talk(link),
            runs,
            sees: [sees(&link.ends[0]), sees(&link.ends[1])],
        }
    }

    /// Draws every consequence of how things are.
    pub(super) fn settle_link(&self, link: &mut Link) {
        let view = self.view(link);
        let mut sides = self.sides(link, 0);
        if view.talk {
            meet(&mut sides);
        } else if link.pause == Some(Pause::Pending) {
            give_back(link, &mut sides);
        }
        for (at, side) in sides.iter_mut().enumerate() {
            if let Some(session) = side.session().filter(|_| view.runs[at]) {
                session.witness_connected = session.witness.is_some() && view.sees[at];
                if !view.talk {
                    session.state = 1;
                }
            }
        }
        if view.talk {
            flow(link, &mut sides);
        } else if link.whole {
            take_over(link, &view, &mut sides);
        }
        for (at, side) in sides.iter_mut().enumerate() {
            if view.runs[at] {
                quorum(side, view.talk || view.sees[at]);
            }
        }
        open_when_due(link, &mut sides);
        link.whole = view.talk
            && view.sees == [true; 2]
            && sides.iter_mut().all(|side| {
                let session = side.session();
                session.is_some_and(|s| s.state == 4 && s.safety_full && s.witness.is_some())
            });
    }

    /// What the instance at `at` knows as a witness.
    pub(super) fn note_witness(&self, links: &[Link], at: usize) {
        let mut rows = Vec::new();
        for link in links
            .iter()
            .filter(|link| self.witness_of(link) == Some(at))
        {
            let mut sides = self.sides(link, 0);
            let first = usize::from(!sides[0].is_principal());
            let names = [first, 1 - first].map(|at| sides[at].instance.server_name().to_owned());
            let [principal, mirror] = names;
            let Some(database) = sides[first].database() else {
                continue;
            };
            let Some(session) = &database.mirroring else {
                continue;
            };
            rows.push(WitnessRow {
                database: database.name.clone(),
                principal,
                mirror,
                safety_full: session.safety_full,
                safety_sequence: session.safety_sequence,
                role_sequence: session.role_sequence,
                guid: session.guid,
                family: database.family_guid,
                suspended: session.suspended,
                synchronized: session.state == 4,
            });
        }
        self.instances[at].state().witnessed = rows;
    }
}

/// The partners talk: a session that one of them ended is over, a principal of the past yields.
fn meet(sides: &mut [Side<'_>; 2]) {
    let [one, other] = sides;
    let (Some(mine), Some(theirs)) = (one.session(), other.session()) else {
        end(one);
        end(other);
        return;
    };
    let both = mine.principal && theirs.principal;
    let (mine, theirs) = (mine.role_sequence, theirs.role_sequence);
    if !both || mine == theirs {
        return;
    }
    let (winner, loser) = if mine > theirs {
        (one, other)
    } else {
        (other, one)
    };
    let fork = winner.database().map(|database| database.fork_guid);
    let forked = loser.database().map(|database| database.fork_guid) != fork;
    demote(loser, mine.max(theirs), "Role Synchronization");
    for side in [&mut *winner, &mut *loser] {
        if let Some(session) = side.session() {
            session.suspended |= forked;
        }
    }
    if let Some(database) = loser.database().filter(|_| forked) {
        // What it wrote alone is rolled back when the session resumes.
        database.state = DbState::Recovering;
        if let Some(session) = database.mirroring.as_mut() {
            session.abandoned = true;
        }
    }
}

/// This side's session is over.
pub(super) fn end(side: &mut Side<'_>) {
    let name = side.name();
    let Some(database) = side.database() else {
        return;
    };
    let mirror = database
        .mirroring
        .take()
        .is_some_and(|session| !session.principal);
    if mirror {
        database.state = DbState::Restoring;
    }
    side.log(&terminated(&name));
}

/// A switch that was pending when the partners lost each other does not take place.
fn give_back(link: &mut Link, sides: &mut [Side<'_>; 2]) {
    link.pause = None;
    for side in sides {
        if let Some(session) = side.session().filter(|session| session.principal) {
            session.closed = None;
        }
    }
}

/// The principal's log reaches the mirror.
pub(super) fn flow(link: &Link, sides: &mut [Side<'_>; 2]) {
    let first = usize::from(!sides[0].is_principal());
    let [one, other] = sides;
    let (principal, mirror) = if first == 0 {
        (one, other)
    } else {
        (other, one)
    };
    let synchronizing = principal
        .instance
        .faults()
        .mirroring
        .pending_shows_synchronizing;
    let (Some(from), Some(to)) = (principal.database(), mirror.database()) else {
        return;
    };
    let (Some(said), Some(heard)) = (from.mirroring.as_mut(), to.mirroring.as_mut()) else {
        return;
    };
    if !said.principal || heard.principal {
        return;
    }
    let suspended = said.suspended || heard.suspended;
    (said.suspended, heard.suspended) = (suspended, suspended);
    let sequence = said.role_sequence.max(heard.role_sequence);
    (said.role_sequence, heard.role_sequence) = (sequence, sequence);
    (heard.safety_full, heard.safety_sequence) = (said.safety_full, said.safety_sequence);
    (heard.witness, heard.timeout) = (said.witness.clone(), said.timeout);
    let state = match (suspended, link.held || link.pause.is_some()) {
        (true, _) => 0,
        (false, true) => 2,
        (false, false) => 4,
    };
    (said.state, heard.state) = (state, state);
    if link.pause == Some(Pause::Pending) {
        said.state = if synchronizing { 2 } else { 3 };
        said.closed = Some(952);
    }
    if !suspended && !link.held {
        (said.failover_lsn, heard.failover_lsn) = (from.log_end, from.log_end);
        redo(from, to);
    }
}

/// What travels with the log: all that a database says of its data, nothing that a server says.
pub(in crate::instance) fn redo(from: &mut Database, to: &mut Database) {
    if from.chain_begun {
        // Sent log no longer holds back what a log backup has released.
        from.truncated_to = from.truncated_to.max(from.last_log_backup);
    }
    to.recovery = from.recovery;
    to.family_guid = from.family_guid;
    to.broker_guid = from.broker_guid;
    to.fork_guid = from.fork_guid;
    to.first_fork_guid = from.first_fork_guid;
    to.fork_point = from.fork_point;
    to.log_end = from.log_end;
    to.full_checkpoint = from.full_checkpoint;
    to.last_log_backup = from.last_log_backup;
    to.truncated_to = from.truncated_to;
    to.released.clone_from(&from.released);
    to.chain_begun = from.chain_begun;
    to.writes.clone_from(&from.writes);
    to.bulk_changes = from.bulk_changes;
    to.base = from.base;
    to.last_good_check = from.last_good_check;
    to.source = from.source.clone();
}

/// The principal was lost while everything was linked and equal: the mirror takes over, where the
/// witness sees it and does not see the principal.
fn take_over(link: &mut Link, view: &View, sides: &mut [Side<'_>; 2]) {
    let Some(mirror) = (0..2).find(|at| !sides[*at].is_principal()) else {
        return;
    };
    let lost = !view.sees[1 - mirror];
    if !view.sees[mirror] || !lost || sides[mirror].session().is_none() {
        return;
    }
    // Every acknowledged write was hardened here: safety is FULL.
    let [one, other] = sides;
    let (principal, mirror) = if mirror == 1 {
        (one, other)
    } else {
        (other, one)
    };
    if let (Some(from), Some(to)) = (principal.database(), mirror.database()) {
        redo(from, to);
    }
    promote(link, mirror, "Automatic Failover");
}

/// Whether a principal may serve its database.
fn quorum(side: &mut Side<'_>, company: bool) {
    let Some(session) = side.session().filter(|session| session.principal) else {
        return;
    };
    let served = session.witness.is_none() || company;
    match (served, session.closed) {
        (true, Some(955)) => session.closed = None,
        (false, None) => {
            session.closed = Some(955);
            side.cut_clients();
        }
        _ => {}
    }
}

fn open_when_due(link: &mut Link, sides: &mut [Side<'_>; 2]) {
    if link.pause.is_some() || link.opens.is_some_and(|due| due > Instant::now()) {
        return;
    }
    if link.opens.take().is_some() {
        for side in sides.iter_mut().filter_map(|side| {
            let principal = side.is_principal();
            side.database().filter(|_| principal)
        }) {
            side.state = DbState::Online;
        }
    }
}

/// A mirror becomes principal.
pub(super) fn promote(link: &mut Link, side: &mut Side<'_>, why: &str) {
    let knobs = side.instance.faults().mirroring;
    let name = side.name();
    let Some(database) = side.database() else {
        return;
    };
    database.state = DbState::Recovering;
    if knobs.base_stays_behind {
        database.base = None;
    }
    let end_of_log = database.log_end;
    if let Some(session) = database.mirroring.as_mut() {
        session.principal = true;
        session.role_sequence += 1;
        session.closed = None;
        session.abandoned = false;
        session.failover_lsn = end_of_log;
    }
    link.opens = Some(Instant::now() + std::time::Duration::from_millis(knobs.recovery_ms));
    side.log(&role_changes(&name, true, why));
    side.log(&active(&name, true));
}

/// A principal becomes mirror, with everybody thrown out.
pub(super) fn demote(side: &mut Side<'_>, sequence: i32, why: &str) {
    let name = side.name();
    side.cut_clients();
    let Some(database) = side.database() else {
        return;
    };
    database.state = DbState::Restoring;
    if let Some(session) = database.mirroring.as_mut() {
        session.principal = false;
        session.closed = None;
        session.role_sequence = sequence;
    }
    side.log(&role_changes(&name, false, why));
    side.log(&active(&name, false));
}
