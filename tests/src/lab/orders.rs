//! Orders to a lab that runs: one JSON object per line, answered by one per line.
//!
//! ```text
//! {"instance": "SQL-A", "faults": {"bytes_per_second": 1000000}}   turns the knobs
//! {"instance": "SQL-A", "database": "Payroll"}                     tells how a database stands
//! ```

use std::io::{self, BufRead, Read, Write};

use serde::Deserialize;
use serde_json::{Value, json};

use super::Lab;
use crate::instance::Instance;
use crate::instance::catalog::Table;
use crate::instance::catalog::msdb::BACKUPSET;
use crate::instance::faults::Faults;
use crate::instance::history::History;
use crate::instance::model::{Database, Lsn};
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
    /// A database to be told of.
    #[serde(default)]
    database: Option<String>,
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
    let mut told = json!({ "instance": order.instance });
    if let Some(faults) = order.faults {
        running.instance.set_faults(faults);
        told["turned"] = true.into();
    }
    if let Some(name) = order.database {
        told["database"] = describe(&running.instance, &name)?;
    }
    Ok(told)
}

/// How a database stands, with what a wrong success would have moved.
fn describe(instance: &Instance, name: &str) -> Result<Value, String> {
    let state = instance.state();
    let Some(database) = state.database(name) else {
        return Err(format!("no database {name}"));
    };
    let working = state.sessions.values().filter(|row| row.request.is_some());
    Ok(json!({
        "name": database.name,
        "state": database.state.describe().1,
        "truncated_to": shown(database.truncated_to),
        "last_log_backup": shown(database.last_log_backup),
        "differential_base": base(database),
        "busy": database.busy.is_some(),
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

fn shown(lsn: Option<Lsn>) -> Option<String> {
    lsn.map(|lsn| lsn.0.to_string())
}
