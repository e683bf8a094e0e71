//! The log flows, what a secondary backed up comes home, and every instance is told.

use std::sync::MutexGuard;

use super::{Group, Joined, Role, View};
use crate::instance::mirroring::{Network, redo};
use crate::instance::model::Database;
use crate::instance::{Instance, State};

impl Network {
    /// Brings the groups of an instance up to date.
    pub(in crate::instance) fn settle_groups(&self, instance: &Instance) {
        let Some(at) = self.place(instance) else {
            return;
        };
        let mut groups = self.groups();
        for group in groups.iter_mut() {
            if group.replicas.iter().any(|replica| replica.instance == at) {
                self.settle_group(group);
            }
        }
    }

    /// Draws every consequence of how things are.
    pub(super) fn settle_group(&self, group: &mut Group) {
        for replica in &mut group.replicas {
            replica.runs = self.instances()[replica.instance].is_running();
        }
        self.take_over(group);
        let lost = !there(group, group.primary);
        let primary = group.primary;
        for (at, replica) in group.replicas.iter_mut().enumerate() {
            replica.role = match (at == primary, lost || replica.cut || !replica.runs) {
                (_, true) => Role::Resolving,
                (true, false) => Role::Primary,
                (false, false) => Role::Secondary,
            };
        }
        self.flow(group);
        self.tell(group);
    }

    /// The primary was lost: a secondary that has everything takes over by itself.
    fn take_over(&self, group: &mut Group) {
        if there(group, group.primary) {
            return;
        }
        let ready = |at: &usize| {
            let replica = &group.replicas[*at];
            there(group, *at)
                && replica.synchronous
                && replica.automatic
                && replica.suspended.is_none()
                && replica.role == Role::Secondary
        };
        let places = 0..group.replicas.len();
        let able = group.replicas[group.primary].automatic;
        if let Some(next) = places.into_iter().find(ready).filter(|_| able) {
            self.promote(group, next);
        }
    }

    /// Everybody's state at once, in the order of the scene.
    fn states<'a>(&'a self, group: &Group) -> Vec<MutexGuard<'a, State>> {
        // Replicas stand in the order of the scene: two groups never wait for each other.
        let replicas = group.replicas.iter();
        replicas
            .map(|replica| self.instances()[replica.instance].state())
            .collect()
    }

    /// What secondaries backed up is known to the primary; then its log reaches them.
    fn flow(&self, group: &Group) {
        let Some(primary) = group.live_primary() else {
            return;
        };
        let mut states = self.states(group);
        let moves = |at: &usize| *at != primary && group.sync_of(*at) > 0;
        let followers: Vec<usize> = (0..group.replicas.len()).filter(moves).collect();
        for (name, _) in &group.databases {
            for at in &followers {
                if let Some((from, to)) = two(&mut states, *at, primary, name) {
                    home(from, to);
                }
            }
            for at in &followers {
                if let Some((from, to)) = two(&mut states, primary, *at, name) {
                    redo(from, to);
                }
            }
        }
    }

    /// Each instance that runs learns how its databases and the group stand.
    fn tell(&self, group: &Group) {
        let mut states = self.states(group);
        let held = (0..group.replicas.len())
            .any(|at| group.replicas[at].role != Role::Primary && group.sync_of(at) == 0);
        for (at, state) in states.iter_mut().enumerate() {
            let replica = &group.replicas[at];
            for (name, id) in &group.databases {
                if let Some(database) = state.database_mut(name) {
                    database.joined = Some(Joined {
                        database: *id,
                        replica: replica.id,
                        role: replica.role,
                        sync: group.sync_of(at),
                        suspended: replica.suspended,
                        connections: replica.connections,
                        held: held && replica.role == Role::Primary,
                    });
                }
            }
            let view = View {
                group: group.clone(),
                local: at,
            };
            state.groups.retain(|known| known.group.id != group.id);
            state.groups.push(view);
        }
    }
}

/// Whether a replica runs and talks to the others.
pub(super) fn there(group: &Group, at: usize) -> bool {
    let replica = &group.replicas[at];
    replica.runs && !replica.cut
}

/// A database on two replicas.
pub(super) fn two<'a>(
    states: &'a mut [MutexGuard<'_, State>],
    from: usize,
    to: usize,
    name: &str,
) -> Option<(&'a mut Database, &'a mut Database)> {
    let [from, to] = states.get_disjoint_mut([from, to]).ok()?;
    Some((from.database_mut(name)?, to.database_mut(name)?))
}

/// A log backup of a secondary moves the backup point of all: the primary knows it at its end.
fn home(secondary: &Database, primary: &mut Database) {
    if secondary.fork_guid != primary.fork_guid {
        return;
    }
    // What is written from now on lies behind a backup that runs there.
    primary.log_end = primary.log_end.max(secondary.log_end);
    if secondary.last_log_backup <= primary.last_log_backup {
        return;
    }
    primary.last_log_backup = secondary.last_log_backup;
    primary.released.clone_from(&secondary.released);
    primary.chain_begun = secondary.chain_begun;
    primary.bulk_changes = secondary.bulk_changes;
    primary.first_fork_guid = secondary.first_fork_guid;
    primary.fork_point = secondary.fork_point;
    if !primary.is_held() {
        primary.truncated_to = secondary.last_log_backup;
    }
}
