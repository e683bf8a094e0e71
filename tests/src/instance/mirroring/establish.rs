//! A session is made of two copies of one database, and gets a witness.

use super::messages::{active, refused};
use super::settle::redo;
use super::side::Mirroring;
use super::switch::Done;
use super::{End, Link, Network};
use crate::instance::Instance;
use crate::instance::model::{Database, DbState, RecoveryModel};

impl Network {
    /// SET PARTNER = 'TCP://...': on the copy that restores first, then on the one that is open.
    pub(super) fn establish(&self, instance: &Instance, name: &str, address: &str) -> Done {
        let say = |number, what: &str| Err(refused(number, what));
        self.settle(instance);
        let at = self.place(instance);
        let partner = self.at(address);
        if partner.is_some() && partner == at {
            return say(1452, name);
        }
        let restoring = {
            let mut state = instance.state();
            let Some(database) = state.database_mut(name) else {
                return say(1416, name);
            };
            if database.mirroring.is_some() {
                return say(1405, name);
            }
            may_be_mirrored(database)?;
            if database.state == DbState::Restoring {
                database.partner_wanted = Some(address.to_owned());
            }
            database.state == DbState::Restoring
        };
        if restoring {
            return Ok(());
        }
        let reached = partner.filter(|partner| self.instances[*partner].is_running());
        let (Some(at), Some(partner)) = (at, reached) else {
            return say(1418, address);
        };
        let port = instance.mirroring_port();
        let mine = format!("TCP://{}:{port}", instance.machine());
        self.begin([at, partner], name, &[mine, address.to_owned()])
    }

    fn begin(&self, ends: [usize; 2], name: &str, addresses: &[String; 2]) -> Done {
        let mut links = self.links();
        let link = Link {
            guid: uuid::Uuid::nil(),
            ends: ends.map(|instance| End {
                instance,
                witness_cut: false,
            }),
            cut: false,
            held: false,
            pause: None,
            opens: None,
            whole: false,
        };
        let mut sides = self.sides(&link, 0);
        let guid = sides[0].state.ids.fresh();
        let names = ends.map(|at| self.instances[at].server_name().to_owned());
        let [principal, mirror] = &mut sides;
        let Some(from) = principal.state.database_mut(name) else {
            return Err(refused(1416, name));
        };
        let Some(to) = mirror.state.database_mut(name) else {
            return Err(refused(1448, name));
        };
        fits(from, to)?;
        let fresh = |principal: bool, other: usize| Mirroring {
            guid,
            principal,
            state: 2,
            role_sequence: 1,
            safety_full: true,
            safety_sequence: 1,
            timeout: 10,
            partner_address: addresses[other].clone(),
            partner_instance: names[other].clone(),
            witness: None,
            witness_connected: false,
            failover_lsn: from.log_end,
            suspended: false,
            closed: None,
            abandoned: false,
        };
        (from.mirroring, to.mirroring) = (Some(fresh(true, 1)), Some(fresh(false, 0)));
        to.partner_wanted = None;
        redo(from, to);
        principal.log(&active(name, true));
        mirror.log(&active(name, false));
        drop(sides);
        links.push(Link { guid, ..link });
        Ok(())
    }

    /// SET WITNESS, by the principal.
    pub(super) fn set_witness(
        &self,
        instance: &Instance,
        name: &str,
        address: Option<String>,
    ) -> Done {
        if let Some(address) = &address {
            self.ready(instance, name, true)?;
            let talk = self.change(instance, name, |network, link, _| {
                let at = network.at(address);
                let own = link.ends.iter().any(|end| at == Some(end.instance));
                let there = at.is_none_or(|at| network.instances[at].is_running());
                (network.partners_talk(link), own, there)
            });
            match talk {
                Some((_, true, _)) => return Err(refused(1429, name)),
                None | Some((false, ..)) => return Err(refused(1447, name)),
                Some((.., false)) => return Err(refused(1456, address)),
                Some(_) => {}
            }
        }
        self.set(instance, name, true, |side| {
            side.witness = address;
            Ok(())
        })
    }
}

fn may_be_mirrored(database: &Database) -> Done {
    let refuse = |number| Err(refused(number, &database.name));
    if database.is_system() || database.snapshot_of.is_some() {
        return refuse(1416);
    }
    if database.recovery != RecoveryModel::Full {
        return refuse(1465);
    }
    if database.read_only && database.state == DbState::Online {
        return refuse(1466);
    }
    match database.state {
        DbState::Online | DbState::Restoring => Ok(()),
        _ => refuse(1467),
    }
}

/// Whether the copy that restores can follow the open one.
fn fits(from: &Database, to: &Database) -> Done {
    let refuse = |number| Err(refused(number, &from.name));
    if to.mirroring.is_some() {
        return refuse(1405);
    }
    if to.state != DbState::Restoring {
        return refuse(1464);
    }
    if to.partner_wanted.is_none() {
        return refuse(1416);
    }
    if to.family_guid != from.family_guid || to.fork_guid != from.fork_guid {
        return refuse(1407);
    }
    if from.truncated_to.is_some_and(|kept| to.log_end < kept) {
        return refuse(1412);
    }
    if from
        .last_log_backup
        .is_some_and(|backed| to.log_end < backed)
    {
        return refuse(1478);
    }
    Ok(())
}
