//! What lies on the files already, and whether BACKUP may write there (facts: sqlserver.md 3.1,
//! "When media gets formatted").

use std::fs::File;
use std::io::Read;
use std::path::Path;

use uuid::Uuid;

use crate::instance::catalog::Table;
use crate::instance::catalog::msdb::{BACKUPMEDIASET, BACKUPSET};
use crate::instance::session::Session;
use crate::instance::transfer::messages::numbered;
use crate::instance::transfer::{DeviceKind, Plan};
use crate::stream::{StreamCheck, StreamFacts, SumPolicy};
use crate::tds::tokens::ServerMessage;
use crate::tds::types::Value;

/// Bytes in which a media header must show.
const HEAD: u64 = 64 << 10;

/// Refuses to write over or behind what lies there, in the order 3241, 3231, 3240, 4037, 4030.
pub fn before_write(session: &Session, plan: &Plan, folder: &Path) -> Result<(), ServerMessage> {
    if plan.kind != DeviceKind::Disk || plan.has("FORMAT") {
        return Ok(());
    }
    let mirrors = plan.mirrors.iter().flat_map(|(names, _)| names);
    for name in plan.devices.iter().chain(mirrors) {
        match look(&folder.join(name)) {
            None => {}
            // Where sets shall be overwritten, no header is as good as none of ours.
            Some(Err(_)) if plan.has("INIT") => {}
            Some(Err(number)) => return Err(numbered(number, name)),
            Some(Ok(facts)) => header(session, plan, name, &facts)?,
        }
    }
    Ok(())
}

/// The media header of a file: `None` for absent and empty ones, a number for foreign ones.
fn look(path: &Path) -> Option<Result<StreamFacts, i32>> {
    let mut head = Vec::new();
    File::open(path)
        .ok()?
        .take(HEAD)
        .read_to_end(&mut head)
        .ok()?;
    if head.is_empty() {
        return None;
    }
    let mut check = StreamCheck::new(SumPolicy::Ignore);
    let fed = check.feed(&head);
    let facts = check.facts().clone();
    if facts.is_opaque {
        // Whose it is cannot be told: only FORMAT takes it.
        return Some(Err(3241));
    }
    Some(match fed {
        Err(fault) if facts.families == 0 => Err(i32::try_from(fault.number).unwrap_or(3241)),
        _ if facts.families == 0 => Err(3241),
        _ => Ok(facts),
    })
}

fn header(
    session: &Session,
    plan: &Plan,
    name: &str,
    facts: &StreamFacts,
) -> Result<(), ServerMessage> {
    let (families, given) = (usize::from(facts.families), plan.devices.len());
    if families < given {
        return Err(numbered(3231, name));
    }
    if families > given {
        return Err(numbered(3132, name));
    }
    if usize::from(facts.mirrors) > plan.mirrors.len() + 1 {
        return Err(numbered(3240, name));
    }
    let skip = plan.has("SKIP");
    let wanted = plan.text("MEDIANAME");
    if !skip && wanted.is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&facts.media_name)) {
        return Err(numbered(4037, name));
    }
    if plan.has("INIT") {
        let unexpired = !skip && unexpired(session, facts.media_set_guid);
        return if unexpired {
            Err(numbered(4030, name))
        } else {
            Ok(())
        };
    }
    Err(crate::instance::query::unsupported(
        "appending to a medium (NOINIT on a file with a valid header)",
    ))
}

/// Whether msdb knows a set on these media that may not be overwritten yet.
fn unexpired(session: &Session, media: Uuid) -> bool {
    let now = session.instance.clock.now();
    let state = session.instance.state();
    let (sets, media_sets) = (
        Table::parse("backupset", BACKUPSET),
        Table::parse("backupmediaset", BACKUPMEDIASET),
    );
    let cell = |table: &Table, row: &[Value], name: &str| {
        let at = table.position(name);
        at.and_then(|at| row.get(at).cloned())
            .unwrap_or(Value::Null)
    };
    let ids: Vec<Value> = state
        .msdb
        .backupmediaset
        .iter()
        .filter(|row| cell(&media_sets, row, "media_uuid") == Value::Guid(media))
        .map(|row| cell(&media_sets, row, "media_set_id"))
        .collect();
    let later = |value: Value| matches!(value, Value::Moment(at) if at > now);
    state.msdb.backupset.iter().any(|row| {
        ids.contains(&cell(&sets, row, "media_set_id"))
            && later(cell(&sets, row, "expiration_date"))
    })
}
