//! How a database stands after a restore, and how to go on when it did not come to its end.

use std::sync::atomic::{AtomicBool, Ordering};

use twinset_domain::restore::{Candidate, Goal, Plan};
use twinset_domain::{Fault, code};

use super::run::{Broken, Order};
use crate::sqlserver::statement::{quote_name, recover_sql};
use crate::sqlserver::{Session, facts};

/// How far a chain came.
pub(super) struct Reached {
    /// The last set that is in.
    pub(super) set: Option<Candidate>,
    /// Sets of the chain.
    pub(super) sets: usize,
}

/// State of a database, if it is there and the server says.
pub(super) fn of(control: &mut Session, name: &str) -> Option<String> {
    let told = facts::probe_database(control, name).ok()?;
    told.map(|database| database.state_desc)
}

/// The state at the end of a chain.
///
/// # Errors
/// 4329 and 4322 when the point was not in the sets after all: then the database is RESTORING.
pub(super) fn ended(
    control: &mut Session,
    order: &Order<'_>,
    plan: &Plan,
) -> Result<String, Fault> {
    let expected = if order.norecovery {
        "RESTORING"
    } else {
        "ONLINE"
    };
    let state = of(control, order.name).unwrap_or_else(|| "unknown".to_owned());
    if state == expected {
        return Ok(state);
    }
    let object = format!("database {}", order.name);
    if state == "RESTORING" {
        let (code, message) = match &plan.goal {
            Goal::Mark(mark) => (
                code::MARK_NOT_FOUND,
                format!("the mark {} is in none of the logs", mark.name),
            ),
            goal => (
                code::STOP_NOT_REACHED,
                format!("the logs end before {goal}"),
            ),
        };
        return Err(Fault::new(code, object, message));
    }
    let message = format!("every set was restored, and the database is {state}");
    Err(Fault::new(code::DATABASE_STATE, object, message))
}

/// The fault of a chain with what became of the database, and the next step.
pub(super) fn told(
    broken: Broken,
    order: &Order<'_>,
    reached: &Reached,
    control: &mut Session,
    stop: &AtomicBool,
) -> Fault {
    let mut fault = *broken.fault;
    if stop.load(Ordering::Relaxed) && fault.code != code::CANCELLED {
        let object = std::mem::take(&mut fault.object);
        fault = Fault::new(code::CANCELLED, object, "stopped by the operator");
    }
    let (name, instance) = (order.name, &order.settings.name);
    let (place, state) = (broken.place.to_string(), of(control, name));
    // A single set needs no place, and what was never begun needs no clearing up.
    let chain = reached.sets > 1;
    if chain && !fault.object.contains(&place) {
        fault.causes.push(format!("at {place}"));
    }
    let Some(state) = state else {
        if chain {
            fault.causes.push(format!(
                "there is no database {name} on {instance}: nothing is left behind"
            ));
        }
        let again = "start it again when it suits";
        return if fault.remedy.is_empty() {
            fault.remedy(again)
        } else {
            fault
        };
    };
    let far = reached.set.as_ref().map_or_else(String::new, |set| {
        format!(", restored to the end of {} ({})", set.named(), set.ended())
    });
    fault
        .causes
        .push(format!("database {name} on {instance} is {state}{far}"));
    let drop = format!("DROP DATABASE {}", quote_name(name));
    let next = match (&reached.set, state.as_str()) {
        (Some(_), "RESTORING") => format!(
            "to start anew: {drop}, then restore again; to open it as far as it came, where no set \
             broke off: {}",
            recover_sql(name)
        ),
        (None, "RESTORING") => format!("clean up before the next attempt: {drop}"),
        _ => format!("look at it before anything else; {drop} removes it"),
    };
    with(fault, &next)
}

fn with(mut fault: Fault, next: &str) -> Fault {
    if fault.remedy.is_empty() {
        fault.remedy = next.to_owned();
    } else if !next.is_empty() {
        fault.remedy = format!("{}; {next}", fault.remedy);
    }
    fault
}
