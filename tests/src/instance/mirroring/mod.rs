//! Database mirroring between two instances of one lab (facts: sqlserver.md 1.5 to 1.8).
//!
//! `side` is what one instance believes of a session, [`Network`] knows which instances can talk
//! and keeps both sides of each session in step: `settle` lets the log flow and draws the
//! consequences of what was cut or joined, `switch` moves the roles, `statement` runs
//! `ALTER DATABASE ... SET PARTNER`, `establish` makes a session of two copies.
//!
//! Nothing here waits: the log flows before anybody looks or anything changes, and a switch is done
//! when its order returns, unless it was told to stand still half-way.

pub mod establish;
pub mod knobs;
pub mod messages;
mod settle;
pub mod side;
pub mod statement;
mod switch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use uuid::Uuid;

use super::availability::Group;
use super::model::Database;
use super::{Instance, State};
use crate::tds::reply::Stop;
use crate::tds::tokens::ServerMessage;
use knobs::SwitchEnd;
pub(in crate::instance) use settle::redo;
use side::Mirroring;
pub use side::WitnessRow;

/// Where a switch stands still until it is told to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pause {
    /// The principal is PENDING_FAILOVER: its clients are cut, nobody has the role anew.
    Pending,
    /// The new principal is RECOVERING.
    Recovering,
    /// The new principal is there and not ready: 956.
    NotReady,
}

/// One copy of a mirrored database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    /// Place of its instance in the scene.
    instance: usize,
    /// Whether it can talk to the witness, as far as the network goes.
    witness_cut: bool,
}

/// A session between two instances, as the network sees it.
#[derive(Debug)]
struct Link {
    guid: Uuid,
    ends: [End; 2],
    /// The partners cannot talk.
    cut: bool,
    /// They talk, and no log is sent.
    held: bool,
    /// A switch under way, with the place where it stands still.
    pause: Option<Pause>,
    /// When the new principal has recovered.
    opens: Option<Instant>,
    /// All three were linked and the copies equal: the mirror may take over by itself.
    whole: bool,
}

/// What of a session is cut or joined, held or released; `None` = as it was.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Links {
    /// Whether the partners can talk.
    pub partner: Option<bool>,
    /// Whether this instance can talk to the witness.
    pub witness: Option<bool>,
    /// Whether log is sent (the session stays SYNCHRONIZING without).
    pub log: Option<bool>,
}

impl Links {
    /// Whether anything is to change.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        self.partner.is_some() || self.witness.is_some() || self.log.is_some()
    }
}

/// The instances of a lab, and the sessions between them.
#[derive(Debug)]
pub struct Network {
    instances: Vec<Arc<Instance>>,
    links: Mutex<Vec<Link>>,
    groups: Mutex<Vec<Group>>,
}

impl Network {
    /// Links every two databases of different instances that carry one session's GUID; the
    /// availability groups are as they are given.
    #[must_use]
    pub fn new(instances: Vec<Arc<Instance>>, groups: Vec<Group>) -> Arc<Self> {
        let network = Arc::new(Self {
            links: Mutex::new(found(&instances)),
            groups: Mutex::new(groups),
            instances,
        });
        for instance in &network.instances {
            instance.join(&network);
        }
        for instance in &network.instances {
            network.settle(instance);
        }
        network
    }

    /// Its instances, in the order of the scene.
    #[must_use]
    pub fn instances(&self) -> &[Arc<Instance>] {
        &self.instances
    }

    fn links(&self) -> MutexGuard<'_, Vec<Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::instance) fn groups(&self) -> MutexGuard<'_, Vec<Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::instance) fn place(&self, instance: &Instance) -> Option<usize> {
        self.instances
            .iter()
            .position(|known| std::ptr::eq(&**known, instance))
    }

    /// The instance whose mirroring endpoint has this address.
    fn at(&self, address: &str) -> Option<usize> {
        let (host, port) = messages::parts(address)?;
        self.instances.iter().position(|known| {
            known.machine().eq_ignore_ascii_case(&host) && known.mirroring_port() == port
        })
    }

    /// Both sides of a session are brought up to date for a look at this instance.
    pub fn settle(&self, instance: &Instance) {
        let Some(at) = self.place(instance) else {
            return;
        };
        let mut links = self.links();
        for link in links.iter_mut() {
            let witnessed = self.witness_of(link) == Some(at);
            if witnessed || link.ends.iter().any(|end| end.instance == at) {
                self.settle_link(link);
            }
        }
        links.retain(|link| self.is_alive(link));
        self.note_witness(&links, at);
        drop(links);
        self.settle_groups(instance);
    }

    /// A change to the session of a database, with what follows from it.
    fn change<R>(
        &self,
        instance: &Instance,
        database: &str,
        change: impl FnOnce(&Self, &mut Link, usize) -> R,
    ) -> Option<R> {
        let at = self.place(instance)?;
        let guid = instance
            .state()
            .database(database)?
            .mirroring
            .as_ref()?
            .guid;
        let mut links = self.links();
        let link = links
            .iter_mut()
            .find(|link| link.guid == guid && link.ends.iter().any(|end| end.instance == at))?;
        let end = usize::from(link.ends[1].instance == at);
        self.settle_link(link);
        let changed = change(self, link, end);
        self.settle_link(link);
        Some(changed)
    }

    /// Cuts or joins, holds or releases.
    ///
    /// # Errors
    /// The database is in no session of two instances.
    pub fn relink(&self, instance: &Instance, name: &str, links: Links) -> Result<(), String> {
        let done = self.change(instance, name, |_, link, end| {
            link.cut = links.partner.map_or(link.cut, |up| !up);
            link.held = links.log.map_or(link.held, |sent| !sent);
            let witness = &mut link.ends[end].witness_cut;
            *witness = links.witness.map_or(*witness, |up| !up);
        });
        done.ok_or_else(|| format!("no session of {name} with another instance"))
    }

    /// Both sides at once, `end` first.
    fn sides(&self, link: &Link, end: usize) -> [Side<'_>; 2] {
        let side = |end: &End| Side {
            instance: &self.instances[end.instance],
            state: self.instances[end.instance].state(),
            guid: link.guid,
        };
        // Always in one order: two switches at once must not wait for each other.
        let [first, second] = &link.ends;
        let (mine, other) = if first.instance < second.instance {
            let low = side(first);
            (low, side(second))
        } else {
            let low = side(second);
            (side(first), low)
        };
        if end == 0 {
            [mine, other]
        } else {
            [other, mine]
        }
    }

    fn runs(&self, end: &End) -> bool {
        self.instances[end.instance].is_running()
    }

    fn partners_talk(&self, link: &Link) -> bool {
        !link.cut && link.ends.iter().all(|end| self.runs(end))
    }
}

/// One side of a session, with its instance's state in hand.
struct Side<'a> {
    instance: &'a Instance,
    state: MutexGuard<'a, State>,
    guid: Uuid,
}

impl Side<'_> {
    fn database(&mut self) -> Option<&mut Database> {
        let guid = self.guid;
        let held = |database: &&mut Database| {
            let session = database.mirroring.as_ref();
            session.is_some_and(|session| session.guid == guid)
        };
        self.state.databases.iter_mut().find(held)
    }

    fn session(&mut self) -> Option<&mut Mirroring> {
        self.database()?.mirroring.as_mut()
    }

    fn is_principal(&mut self) -> bool {
        self.session().is_some_and(|session| session.principal)
    }

    fn name(&mut self) -> String {
        self.database()
            .map(|found| found.name.clone())
            .unwrap_or_default()
    }

    fn log(&mut self, message: &ServerMessage) {
        let now = self.instance.clock.now();
        self.state.errorlog.add(now, message);
    }

    /// Everybody in the database is thrown out, and whoever backs it up.
    fn cut_clients(&mut self) {
        let end = self.instance.faults().mirroring.switch_ends;
        let Some(database) = self.database() else {
            return;
        };
        let id = database.id;
        let busy = [database.busy.take(), database.busy_log.take()];
        for row in self.state.sessions.values() {
            let backs_up = busy.contains(&Some(row.spid));
            if backs_up || row.database_id == id {
                row.interrupt.raise(match end {
                    SwitchEnd::Error if backs_up => Stop::Switched,
                    SwitchEnd::Killed => Stop::Killed,
                    _ => Stop::Cut,
                });
            }
        }
    }
}

fn found(instances: &[Arc<Instance>]) -> Vec<Link> {
    let mut known: Vec<(Uuid, usize, bool)> = Vec::new();
    let mut links = Vec::new();
    for (at, instance) in instances.iter().enumerate() {
        for database in &mut instance.state().databases {
            let Some(session) = database.mirroring.as_mut() else {
                continue;
            };
            let twin = known
                .iter()
                .find(|(guid, other, _)| *guid == session.guid && *other != at)
                .copied();
            if let Some((guid, other, principal)) = twin {
                let state = session.state;
                links.push(Link {
                    guid,
                    ends: [other, at].map(|instance| End {
                        instance,
                        witness_cut: false,
                    }),
                    // Two that both believe in themselves cannot have met.
                    cut: state == 1 || principal == session.principal,
                    held: state == 2,
                    pause: None,
                    opens: None,
                    whole: false,
                });
            }
            session.suspended = session.state == 0;
            known.push((session.guid, at, session.principal));
        }
    }
    links
}
