//! The roles of a group move: planned, forced, or because its cluster lost somebody.

use serde::Deserialize;

use super::messages::role_changes;
use super::settle::{there, two};
use super::{Group, Preference, Role};
use crate::instance::Instance;
use crate::instance::mirroring::Network;
use crate::tds::reply::Stop;

/// SUSPEND_FROM_PARTNER: a forced failover elsewhere.
const BY_PARTNER: u8 = 1;
/// SUSPEND_FROM_USER.
const BY_USER: u8 = 0;

/// What shall happen to a group, seen from one of its instances, in this order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Order {
    /// Its name.
    pub name: String,
    /// This instance can no longer talk to the others, or can again.
    pub cut: Option<bool>,
    /// ALTER DATABASE ... SET HADR SUSPEND here, for every database; false: RESUME.
    pub suspend: Option<bool>,
    /// ALTER AVAILABILITY GROUP ... FAILOVER, here: on the secondary that becomes primary.
    pub fail_over: bool,
    /// ALTER AVAILABILITY GROUP ... FORCE_FAILOVER_ALLOW_DATA_LOSS, here.
    pub force: bool,
    /// The preference from now on.
    pub preference: Option<Preference>,
    /// backup_priority of this replica from now on.
    pub priority: Option<i32>,
}

impl Network {
    /// Carries an order out.
    ///
    /// # Errors
    /// The instance has no such group, or SQL Server would refuse it, with its number.
    pub fn order_group(&self, instance: &Instance, order: &Order) -> Result<(), String> {
        let place = self.place(instance);
        let mut groups = self.groups();
        let mut named = groups.iter_mut().filter(|group| group.name == order.name);
        let found = named.find_map(|group| {
            let mut replicas = group.replicas.iter();
            let at = replicas.position(|replica| Some(replica.instance) == place)?;
            Some((group, at))
        });
        let (group, at) = found.ok_or_else(|| format!("no group {} here", order.name))?;
        self.settle_group(group);
        if let Some(cut) = order.cut {
            group.replicas[at].cut = cut;
            self.settle_group(group);
        }
        if let Some(suspend) = order.suspend {
            group.replicas[at].suspended = suspend.then_some(BY_USER);
        }
        if let Some(preference) = order.preference {
            group.preference = preference;
        }
        if let Some(priority) = order.priority {
            group.replicas[at].priority = priority;
        }
        if order.fail_over {
            if at == group.primary || group.sync_of(at) != 2 {
                return Err("41142: not a synchronized secondary".to_owned());
            }
            self.promote(group, at);
        }
        if order.force {
            if at == group.primary && group.live_primary().is_some() {
                return Err("41122: it is the primary".to_owned());
            }
            self.force_group(group, at);
        }
        self.settle_group(group);
        Ok(())
    }

    /// A secondary becomes primary; whoever was is secondary, and its clients are gone.
    pub(super) fn promote(&self, group: &mut Group, next: usize) {
        let old = group.primary;
        self.hand_over(group, old, next);
        group.primary = next;
        self.change_roles(group, old, next);
    }

    /// A secondary is made primary with what it has: a new recovery fork begins there, and all
    /// others wait for RESUME.
    fn force_group(&self, group: &mut Group, next: usize) {
        let old = group.primary;
        let instance = &self.instances()[group.replicas[next].instance];
        {
            let mut guard = instance.state();
            let state = &mut *guard;
            for (name, _) in &group.databases {
                let fork = state.ids.fresh();
                if let Some(database) = state.database_mut(name) {
                    database.first_fork_guid = database.fork_guid;
                    database.fork_guid = fork;
                    database.fork_point = Some(database.log_end);
                }
            }
        }
        for (at, replica) in group.replicas.iter_mut().enumerate() {
            replica.suspended = (at != next).then_some(BY_PARTNER);
        }
        group.replicas[next].cut = false;
        group.primary = next;
        self.change_roles(group, old, next);
    }

    /// Everything that the old primary acknowledged is on the new one.
    fn hand_over(&self, group: &Group, old: usize, next: usize) {
        let place = |at: usize| &self.instances()[group.replicas[at].instance];
        let (low, high) = (old.min(next), old.max(next));
        let mut states = [place(low).state(), place(high).state()];
        let (from, to) = if old < next { (0, 1) } else { (1, 0) };
        for (name, _) in &group.databases {
            if let Some((from, to)) = two(&mut states, from, to, name) {
                crate::instance::mirroring::redo(from, to);
            }
        }
    }

    fn change_roles(&self, group: &mut Group, old: usize, next: usize) {
        for at in [old, next] {
            let instance = &self.instances()[group.replicas[at].instance];
            let mut guard = instance.state();
            let now = instance.clock.now();
            for (name, _) in &group.databases {
                let message = role_changes(name, at == next);
                guard.errorlog.add(now, &message);
            }
            let names = group.databases.iter().map(|(name, _)| name);
            let mut hit = Vec::new();
            for name in names {
                if let Some(database) = guard.database_mut(name) {
                    hit.push((
                        database.id,
                        [database.busy.take(), database.busy_log.take()],
                    ));
                }
            }
            for row in guard.sessions.values() {
                let cut = |(id, busy): &(i32, [Option<i16>; 2])| {
                    row.database_id == *id || busy.contains(&Some(row.spid))
                };
                if hit.iter().any(cut) {
                    row.interrupt.raise(Stop::Cut);
                }
            }
        }
        let lost = !there(group, next);
        for (at, replica) in group.replicas.iter_mut().enumerate() {
            replica.role = match (at == next, lost) {
                (true, false) => Role::Primary,
                (false, false) if !replica.cut && replica.runs => Role::Secondary,
                _ => Role::Resolving,
            };
        }
    }
}
