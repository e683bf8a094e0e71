//! Orders about the roles of mirrored databases and availability groups, and about instances that go and come back.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::instance::availability;
use crate::instance::mirroring::{Links, Pause};
use crate::instance::model::Database;
use crate::lab::{Lab, RunningInstance};

/// What shall happen to the session of a database, in this order.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Session {
    /// Its name.
    pub database: String,
    /// What is cut or joined, held or released, seen from this instance.
    pub links: Links,
    /// A planned switch goes as far as this.
    pub fail_over_to: Option<Pause>,
    /// A switch that stands still goes on.
    pub go_on: bool,
    /// The mirror cannot redo: the session is suspended.
    pub redo_fails: bool,
    /// SET PARTNER, here: `OFF`, `RESUME`, or the address of a partner.
    pub partner: Option<String>,
}

/// All orders of this kind.
#[derive(Debug, Default)]
pub(super) struct Orders {
    /// The roles of this database are switched, as planned.
    pub failover: Option<String>,
    /// The partners are cut apart, and the mirror of this database is forced into service.
    pub force: Option<String>,
    /// Anything else with a session.
    pub session: Option<Session>,
    /// What happens to an availability group.
    pub group: Option<availability::Order>,
    /// The instance crashes, or comes back.
    pub running: Option<bool>,
    /// The error log is told.
    pub errorlog: bool,
}

/// Carries them out.
pub(super) fn run(
    lab: &Lab,
    running: &RunningInstance,
    orders: Orders,
    told: &mut Value,
) -> Result<(), String> {
    let instance = &running.instance;
    let network = instance.network().ok_or("the lab has ended")?;
    if let Some(on) = orders.running {
        lab.power(running, on).map_err(|fault| fault.to_string())?;
    }
    if let Some(order) = orders.group {
        network.order_group(instance, &order)?;
    }
    if let Some(name) = orders.failover {
        let done = network.fail_over(instance, &name, None);
        done.map_err(|message| format!("{}: {}", message.number, message.text))?;
    }
    if let Some(name) = orders.force {
        let done = network.split(instance, &name);
        done.map_err(|message| format!("{}: {}", message.number, message.text))?;
    }
    if let Some(session) = orders.session {
        let name = &session.database;
        if let Some(to) = session.partner {
            let done = network.set_partner(instance, name, &to);
            done.map_err(|message| format!("{}: {}", message.number, message.text))?;
        }
        if session.links.is_some() {
            network.relink(instance, name, session.links)?;
        }
        if session.fail_over_to.is_some() {
            let done = network.fail_over(instance, name, session.fail_over_to);
            done.map_err(|message| format!("{}: {}", message.number, message.text))?;
        }
        if session.go_on {
            network.go_on(instance, name)?;
        }
        if session.redo_fails {
            network.redo_fails(instance, name)?;
        }
    }
    if orders.errorlog {
        told["errorlog"] = instance.state().errorlog.told();
    }
    Ok(())
}

/// How the session of a database stands, as this side has it.
pub(super) fn describe(database: &Database) -> Value {
    let Some(session) = &database.mirroring else {
        return Value::Null;
    };
    json!({
        "guid": session.guid,
        "role": if session.principal { "principal" } else { "mirror" },
        "state": session.state,
        "role_sequence": session.role_sequence,
        "suspended": session.suspended,
        "closed": session.closed,
        "witness": session.witness,
    })
}
