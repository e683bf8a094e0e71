//! Orders to a lab that runs: one JSON object per line, answered by one per line.
//!
//! ```text
//! {"instance": "SQL-A", "faults": {"bytes_per_second": 1000000}}   turns the knobs
//! {"instance": "SQL-A", "database": "Payroll"}                     tells how a database stands
//! {"instance": "SQL-A", "advance_clock": 3600}                     moves its clock, in seconds
//! {"instance": "SQL-A"}                                           tells how many requests it had
//! {"instance": "SQL-A", "database": "Payroll", "write": ["a", "b"]} writes to it
//! {"instance": "SQL-A", "database": "Payroll", "roll_back": "39000000172000001"}   its machine
//! {"instance": "SQL-A", "database": "Payroll", "fork": true}       recovers it onto a new fork
//! {"instance": "SQL-A", "failover": "Payroll"}                     its mirroring roles switch
//! {"instance": "SQL-A", "force": "Payroll"}                        its mirror is forced into service
//! {"instance": "SQL-A", "session": {"database": "Payroll", "links": {"partner": false}}}   cut
//! {"instance": "SQL-A", "session": {"database": "Payroll", "fail_over_to": "pending"}}   half-way
//! {"instance": "SQL-A", "session": {"database": "Payroll", "partner": "OFF"}}   SET PARTNER
//! {"instance": "SQL-B", "group": {"name": "ag", "fail_over": true}}   it becomes primary
//! {"instance": "SQL-B", "group": {"name": "ag", "force": true}}   with what it has: a new fork
//! {"instance": "SQL-A", "group": {"name": "ag", "cut": true}}   it is RESOLVING; also suspend
//! {"instance": "SQL-A", "running": false}                          it crashes; true: comes back
//! {"instance": "SQL-A", "errorlog": true}                          tells its error log
//! {"instance": "SQL-A", "database": "Payroll", "state": "SUSPECT"} breaks or mends it
//! {"instance": "SQL-A", "received": true}         tells what RESTORE read, and who had sent that
//! {"instance": "SQL-A", "jobs": [{"name": "n", "schedule": true, "steps": [...]}]}   has these jobs
//! {"instance": "SQL-A", "database": "Payroll", "bad_pages": [[1, 77]]}  damages pages, or mends all
//! ```

mod mirroring;

use std::io::{self, BufRead, Read, Write};

use serde::Deserialize;
use serde_json::{Value, json};

use super::Lab;
use crate::instance::Instance;
use crate::instance::agent_jobs::{self, Job};
use crate::instance::availability;
use crate::instance::catalog::Table;
use crate::instance::catalog::msdb::BACKUPSET;
use crate::instance::faults::Faults;
use crate::instance::history::History;
use crate::instance::model::{Database, DbState, Lsn};
use crate::tds::types::Value as Cell;

/// Longest order, in bytes.
const MAX_ORDER: u64 = 64 << 10;

/// What a caller wants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    /// Server name, as in the scene.
    instance: String,
    /// The knobs from now on; those left out are off.
    #[serde(default)]
    faults: Option<Faults>,
    /// Seconds that its clock moves on.
    #[serde(default)]
    advance_clock: i64,
    /// A database to be told of.
    #[serde(default)]
    database: Option<String>,
    /// What is written to that database first, one transaction each.
    #[serde(default)]
    write: Vec<String>,
    /// The machine of the database is set back to when its next log started here.
    #[serde(default)]
    roll_back: Option<String>,
    /// The database was restored over itself: another recovery fork.
    #[serde(default)]
    fork: bool,
    /// The mirroring roles of this database switch, as planned.
    #[serde(default)]
    failover: Option<String>,
    /// The partners are cut apart, and the mirror of this database is forced into service.
    #[serde(default)]
    force: Option<String>,
    /// Anything else with a mirroring session.
    #[serde(default)]
    session: Option<mirroring::Session>,
    /// What happens to an availability group, here.
    #[serde(default)]
    group: Option<availability::Order>,
    /// The instance crashes, or comes back.
    #[serde(default)]
    running: Option<bool>,
    /// The error log is told.
    #[serde(default)]
    errorlog: bool,
    /// What RESTORE read to its end is told.
    #[serde(default)]
    received: bool,
    /// The jobs of SQL Server Agent from now on.
    #[serde(default)]
    jobs: Option<Vec<Job>>,
    /// Its state from now on: SUSPECT, as after a lost data file, ONLINE, ...
    #[serde(default)]
    state: Option<String>,
    /// Its damaged pages from now on: file and page.
    #[serde(default)]
    bad_pages: Option<Vec<(i32, i64)>>,
}

/// Answers orders until the other side closes.
///
/// # Errors
/// Those of the two ends.
pub fn serve(lab: &Lab, input: &mut impl BufRead, out: &mut impl Write) -> io::Result<()> {
    loop {
        let mut line = String::new();
        if input.by_ref().take(MAX_ORDER).read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.trim().is_empty() {
            continue;
        }
        let answer = answer(lab, &line).unwrap_or_else(|why| json!({ "error": why }));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
}

fn answer(lab: &Lab, line: &str) -> Result<Value, String> {
    let order: Order = serde_json::from_str(line).map_err(|fault| fault.to_string())?;
    let known = lab
        .instances
        .iter()
        .find(|known| known.name == order.instance);
    let Some(running) = known else {
        return Err(format!("no instance {}", order.instance));
    };
    let requests = running.instance.state().requests;
    let mut told = json!({ "instance": order.instance, "requests": requests });
    if let Some(faults) = order.faults {
        running.instance.set_faults(faults);
        told["turned"] = true.into();
    }
    if let Some(jobs) = order.jobs {
        let now = running.instance.clock.now();
        let mut guard = running.instance.state();
        let state = &mut *guard;
        agent_jobs::put(&mut state.msdb, &jobs, &mut state.ids, now);
    }
    running.instance.clock.advance(order.advance_clock);
    if order.received {
        told["received"] = json!(running.instance.state().received);
    }
    let roles = mirroring::Orders {
        failover: order.failover,
        force: order.force,
        session: order.session,
        group: order.group,
        running: order.running,
        errorlog: order.errorlog,
    };
    mirroring::run(lab, running, roles, &mut told)?;
    if let Some(name) = order.database {
        for note in &order.write {
            let written = running.instance.write(&name, note);
            written.map_err(|message| message.text)?;
        }
        if let Some(state) = order.state {
            let state = DbState::named(&state).ok_or_else(|| format!("no state {state}"))?;
            let mut guard = running.instance.state();
            let database = guard.database_mut(&name).ok_or("no such database")?;
            database.state = state;
        }
        if let Some(pages) = order.bad_pages {
            let mut guard = running.instance.state();
            let database = guard.database_mut(&name).ok_or("no such database")?;
            database.bad_pages = pages;
        }
        unsettle(
            &running.instance,
            &name,
            order.roll_back.as_deref(),
            order.fork,
        )?;
        told["database"] = describe(&running.instance, &name)?;
    }
    Ok(told)
}

/// Sets a database back as a snapshot of its machine does, or onto another fork.
fn unsettle(
    instance: &Instance,
    name: &str,
    roll_back: Option<&str>,
    fork: bool,
) -> Result<(), String> {
    let mut guard = instance.state();
    let state = &mut *guard;
    let fresh = state.ids.fresh();
    let Some(database) = state.database_mut(name) else {
        return Err(format!("no database {name}"));
    };
    if let Some(lsn) = roll_back {
        let lsn = Lsn(lsn.parse().map_err(|_| format!("no LSN: {lsn}"))?);
        (database.last_log_backup, database.truncated_to) = (Some(lsn), Some(lsn));
        database.log_end = lsn.plus_blocks(1);
        database.writes.retain(|write| write.lsn < lsn);
        database.released.retain(|released| released.last <= lsn);
    }
    if fork {
        database.first_fork_guid = database.fork_guid;
        database.fork_guid = fresh;
        database.fork_point = Some(database.log_end);
    }
    Ok(())
}

/// How a database stands, with what a wrong success would have moved.
fn describe(instance: &Instance, name: &str) -> Result<Value, String> {
    instance.settle();
    let state = instance.state();
    let Some(database) = state.database(name) else {
        return Err(format!("no database {name}"));
    };
    let working = state.sessions.values().filter(|row| row.request.is_some());
    Ok(json!({
        "name": database.name,
        "state": database.state.describe().1,
        "recovery_model": database.recovery.describe().1,
        "family_guid": database.family_guid,
        "recovery_fork": database.fork_guid,
        "log_end": shown(Some(database.log_end)),
        "writes": database.writes.iter().map(|write| write.note.clone()).collect::<Vec<_>>(),
        "released": released(database),
        "truncated_to": shown(database.truncated_to),
        "last_log_backup": shown(database.last_log_backup),
        "differential_base": base(database),
        "mirroring": mirroring::describe(database),
        "busy": database.is_busy(),
        "working_sessions": working.count(),
        "backups": backups(&state.msdb, name),
    }))
}

/// msdb's backup sets of a database, oldest first: every column that is not NULL, as text.
fn backups(msdb: &History, database: &str) -> Vec<Value> {
    let table = Table::parse("backupset", BACKUPSET);
    let of_it = |row: &&Vec<Cell>| {
        let at = table.position("database_name");
        at.and_then(|at| row.get(at))
            .is_some_and(|cell| cell.text() == database)
    };
    let told = |row: &Vec<Cell>| {
        let cells = table.columns.iter().zip(row);
        let known = cells.filter(|(_, cell)| **cell != Cell::Null);
        known
            .map(|(column, cell)| (column.name.clone(), cell.text().into()))
            .collect()
    };
    msdb.backupset
        .iter()
        .filter(of_it)
        .map(told)
        .map(Value::Object)
        .collect()
}

fn base(database: &Database) -> Option<String> {
    database.base.map(|base| base.set.to_string())
}

/// The log that exists in backups alone: what is lost with each of them.
fn released(database: &Database) -> Vec<Value> {
    let told = database.released.iter().map(|range| {
        let held = |lsn: Lsn| lsn >= range.first && lsn < range.last;
        let writes = database.writes.iter().filter(|write| held(write.lsn));
        json!({
            "set": range.set,
            "first_lsn": shown(Some(range.first)),
            "last_lsn": shown(Some(range.last)),
            "writes": writes.map(|write| write.note.clone()).collect::<Vec<_>>(),
        })
    });
    told.collect()
}

fn shown(lsn: Option<Lsn>) -> Option<String> {
    lsn.map(|lsn| lsn.0.to_string())
}
