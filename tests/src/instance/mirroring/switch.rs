//! The roles move: planned, forced, or at a moment of a backup.

use super::knobs::How;
use super::messages::{refused, suspended};
use super::settle::{demote, flow, promote};
use super::{Link, Links, Network, Pause};
use crate::instance::Instance;
use crate::instance::model::DbState;
use crate::tds::tokens::ServerMessage;

/// How a step of a session went.
pub(super) type Done = Result<(), ServerMessage>;

impl Network {
    /// SET PARTNER FAILOVER, by the principal; stands still where it is told to.
    ///
    /// # Errors
    /// The session cannot be switched now.
    pub fn fail_over(&self, instance: &Instance, name: &str, pause: Option<Pause>) -> Done {
        let say = |number| Err(refused(number, name));
        let done = self.change(instance, name, |network, link, end| {
            if !network.partners_talk(link) {
                return say(1447);
            }
            let mut sides = network.sides(link, end);
            match sides[0].session() {
                None => return say(1416),
                Some(session) if !session.principal => return say(1470),
                Some(session) if !session.safety_full => return say(1477),
                Some(session) if session.state != 4 => return say(1422),
                Some(_) => {}
            }
            link.pause = pause;
            if pause == Some(Pause::Pending) {
                sides[0].cut_clients();
                return Ok(());
            }
            drop(sides);
            network.exchange(link, end);
            Ok(())
        });
        // Whoever is a partner of nobody here has lost it.
        done.unwrap_or_else(|| say(1447))
    }

    /// A switch that stands still goes on.
    ///
    /// # Errors
    /// There is none.
    pub fn go_on(&self, instance: &Instance, name: &str) -> Result<(), String> {
        let done = self.change(instance, name, |network, link, _| {
            match link.pause.take() {
                None => return false,
                Some(Pause::Pending) => {
                    let mut sides = network.sides(link, 0);
                    let principal = usize::from(!sides[0].is_principal());
                    drop(sides);
                    network.exchange(link, principal);
                }
                Some(Pause::Recovering | Pause::NotReady) => {
                    for mut side in network.sides(link, 0) {
                        if let Some(session) = side.session() {
                            session.closed = session.closed.filter(|number| *number == 955);
                        }
                    }
                }
            }
            true
        });
        match done {
            Some(true) => Ok(()),
            _ => Err(format!("no switch of {name} stands still")),
        }
    }

    /// The principal at `end` and its mirror exchange their roles.
    fn exchange(&self, link: &mut Link, end: usize) {
        let mut sides = self.sides(link, end);
        flow(link, &mut sides);
        let [old, new] = &mut sides;
        promote(link, new, "Failover from partner");
        let sequence = new.session().map_or(0, |session| session.role_sequence);
        demote(old, sequence, "Failover");
        if link.pause == Some(Pause::NotReady)
            && let Some(database) = new.database()
        {
            database.state = DbState::Online;
            if let Some(session) = database.mirroring.as_mut() {
                session.closed = Some(956);
            }
        }
    }

    /// SET PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS, by the mirror: a new recovery fork begins here.
    ///
    /// # Errors
    /// The mirror may not be forced now.
    pub fn force(&self, instance: &Instance, name: &str) -> Done {
        let say = |number| Err(refused(number, name));
        let done = self.change(instance, name, |network, link, end| {
            let talk = network.partners_talk(link);
            let mut sides = network.sides(link, end);
            let knobs = sides[0].instance.faults().mirroring;
            match sides[0].session() {
                None => return say(1416),
                Some(session) if session.abandoned => return say(1406),
                Some(session) => {
                    let witnessed = session.witness.is_none()
                        || (knobs.force_with_witness && session.witness_connected);
                    if session.principal || talk || !witnessed {
                        return say(1455);
                    }
                }
            }
            let fork = sides[0].state.ids.fresh();
            if let Some(database) = sides[0].database() {
                database.first_fork_guid = database.fork_guid;
                database.fork_guid = fork;
                database.fork_point = Some(database.log_end);
            }
            promote(link, &mut sides[0], "Force Service");
            Ok(())
        });
        done.unwrap_or_else(|| say(1455))
    }

    /// The partners are cut apart, and the one that is mirror is forced into service.
    ///
    /// # Errors
    /// As [`Self::force`].
    pub fn split(&self, instance: &Instance, name: &str) -> Done {
        let links = Links {
            partner: Some(false),
            ..Links::default()
        };
        let mirror = self.mirror_of(instance, name);
        let mirror = mirror.ok_or_else(|| refused(1416, name))?;
        let cut = self.relink(instance, name, links);
        cut.map_err(|_| refused(1416, name))?;
        self.force(&self.instances[mirror], name)
    }

    fn mirror_of(&self, instance: &Instance, name: &str) -> Option<usize> {
        self.change(instance, name, |network, link, _| {
            let mut sides = network.sides(link, 0);
            let mirror = sides.iter_mut().position(|side| !side.is_principal());
            mirror.map(|at| link.ends[at].instance)
        })?
    }

    /// The mirror cannot redo: the session is suspended on both sides, 1454 and 1453.
    ///
    /// # Errors
    /// The database is in no session of two instances.
    pub fn redo_fails(&self, instance: &Instance, name: &str) -> Result<(), String> {
        let done = self.change(instance, name, |network, link, _| {
            for mut side in network.sides(link, 0) {
                let own = !side.is_principal();
                side.log(&suspended(name, own));
                if let Some(session) = side.session() {
                    session.suspended = true;
                }
            }
        });
        done.ok_or_else(|| format!("no session of {name} with another instance"))
    }

    /// What a knob asks for in the middle of a backup; true = it came to pass.
    #[must_use]
    pub fn strike(&self, instance: &Instance, name: &str, how: How) -> bool {
        match how {
            How::Failover => self.fail_over(instance, name, None).is_ok(),
            How::Force => self.split(instance, name).is_ok(),
            How::Overthrow => {
                let links = Links {
                    partner: Some(true),
                    ..Links::default()
                };
                self.split(instance, name).is_ok() && self.relink(instance, name, links).is_ok()
            }
            How::Twice => {
                let there = self.mirror_of(instance, name);
                self.fail_over(instance, name, None).is_ok()
                    && there.is_some_and(|there| {
                        self.fail_over(&self.instances[there], name, None).is_ok()
                    })
            }
            How::Isolate => {
                let links = Links {
                    partner: Some(false),
                    witness: Some(false),
                    log: None,
                };
                self.relink(instance, name, links).is_ok()
            }
        }
    }
}
