//! What a successful RESTORE leaves behind: the database and its history.

use super::head::{self, FileRecord};
use super::judge::target;
use crate::instance::State;
use crate::instance::backup::record::from_set;
use crate::instance::backup::source::from_lsn;
use crate::instance::history::{RestoreFacts, SetFacts};
use crate::instance::model::{Database, DbFile, DbState, DiffBase};
use crate::instance::moment::Moment;
use crate::instance::session::{Session, missing};
use crate::instance::transfer::{DeviceKind, Plan};
use crate::stream::{self, Kind, StreamFacts};
use crate::tds::tokens::ServerMessage;

/// RESTORE DATABASE ... WITH RECOVERY, without media.
pub fn recover_only(session: &Session, plan: &Plan) -> Result<(), Vec<ServerMessage>> {
    let mut guard = session.instance.state();
    let state = &mut *guard;
    let fork = state.ids.fresh();
    let Some(database) = state.database_mut(&plan.database) else {
        return Err(vec![missing(&plan.database)]);
    };
    database.busy = None;
    if database.state != DbState::Restoring && !database.standby {
        let text = "The database is already fully recovered.";
        return Err(vec![ServerMessage::new(3153, 16, text)]);
    }
    finish_state(database, plan, fork);
    Ok(())
}

/// Recovered, left restoring, or standby.
fn finish_state(database: &mut Database, plan: &Plan, fork: uuid::Uuid) {
    database.standby = plan.text("STANDBY").is_some();
    database.read_only = database.standby;
    if plan.has("NORECOVERY") {
        database.state = DbState::Restoring;
    } else {
        database.state = DbState::Online;
        if !database.standby {
            // Recovery begins a new fork at the point it stopped at.
            database.first_fork_guid = database.fork_guid;
            database.fork_guid = fork;
            database.fork_point = Some(database.log_end);
        }
    }
}

/// Makes or changes the database and writes history. Returns the logical file names.
pub fn apply(session: &Session, plan: &Plan, facts: &[StreamFacts], head: &[u8]) -> Vec<String> {
    let now = session.instance.clock.now();
    let listed = head::files(head);
    let first = facts.first();
    let set = first.and_then(|media| media.sets.first());
    let mut guard = session.instance.state();
    let state = &mut *guard;
    let fork = state.ids.fresh();
    let id = target_id(state, plan, now);
    let guids: Vec<_> = listed.iter().map(|_| state.ids.fresh()).collect();
    let Some(database) = state
        .databases
        .iter_mut()
        .find(|database| database.id == id)
    else {
        return Vec::new();
    };
    if let Some(set) = set {
        take_over(database, set);
    }
    let whole = set.is_none_or(|set| set.kind == Some(Kind::Full));
    if whole && !listed.is_empty() {
        let files = listed
            .iter()
            .zip(guids)
            .map(|(file, guid)| placed(plan, file, guid));
        database.files = files.collect();
    }
    finish_state(database, plan, fork);
    let files = database
        .files
        .iter()
        .map(|file| file.logical.clone())
        .collect();
    let kind = set.map_or('D', |set| char::from(set.kind_letter));
    let template = template(session, plan, database, facts, now);
    let described = match (first, set) {
        (Some(media), Some(set)) => from_set(template, media, set, now),
        _ => template,
    };
    let known = state.msdb.find_set(described.set);
    let set_id = known.unwrap_or_else(|| {
        let device_type = if plan.kind == DeviceKind::Virtual {
            7
        } else {
            2
        };
        state.msdb.add_set(&described, &plan.devices, device_type)
    });
    state.msdb.add_restore(&RestoreFacts {
        at: now,
        database: &plan.database,
        user: &session.login.name,
        set_id,
        kind,
        replace: plan.has("REPLACE"),
        recovery: !plan.has("NORECOVERY"),
        devices: plan.devices.len(),
    });
    files
}

/// Id of the database to restore into; it is made if it does not exist.
fn target_id(state: &mut State, plan: &Plan, now: Moment) -> i32 {
    if let Some(database) = state.database(&plan.database) {
        return database.id;
    }
    let id = state
        .databases
        .iter()
        .map(|known| known.id)
        .max()
        .unwrap_or(4)
        + 1;
    let folder = "/var/opt/mssql/data";
    let made = Database::new(id, &plan.database, &mut state.ids, now, folder);
    state.databases.push(made);
    id
}

/// What the set says about the database's identity and position.
fn take_over(database: &mut Database, set: &stream::SetFacts) {
    let last = from_lsn(set.lsns.last);
    database.log_end = last;
    database.family_guid = set.family_guid;
    database.fork_guid = set.fork_guid;
    if set.kind == Some(Kind::Full) {
        let at = crate::instance::backup::source::from_stream(set.finished);
        let checkpoint = from_lsn(set.lsns.checkpoint);
        database.full_checkpoint = Some(checkpoint);
        database.last_log_backup = None;
        database.truncated_to = None;
        database.base = at.map(|at| DiffBase {
            lsn: checkpoint,
            set: set.set_guid,
            at,
        });
    }
}

fn placed(plan: &Plan, file: &FileRecord, guid: uuid::Uuid) -> DbFile {
    DbFile {
        id: i32::try_from(file.id).unwrap_or(1),
        guid,
        is_log: file.is_log,
        logical: file.logical.clone(),
        physical: target(plan, file),
        pages: i64::try_from(file.size / 8192).unwrap_or(0),
    }
}

/// History of a set that came from elsewhere, before its own words are filled in.
fn template(
    session: &Session,
    plan: &Plan,
    database: &Database,
    facts: &[StreamFacts],
    now: Moment,
) -> SetFacts {
    let set = facts.first().and_then(|media| media.sets.first());
    SetFacts {
        set: uuid::Uuid::nil(),
        media_set: uuid::Uuid::nil(),
        family_ids: facts.iter().map(|family| family.family_id).collect(),
        kind: 'D',
        database: set.map_or_else(|| plan.database.clone(), |set| set.database.clone()),
        server: session.instance.server_name().to_owned(),
        machine: session.instance.machine().to_owned(),
        user: set.map_or_else(String::new, |set| set.user.clone()),
        name: set
            .map(|set| set.name.clone())
            .filter(|name| !name.is_empty()),
        description: None,
        media_name: None,
        lsns: [database.log_end; 4],
        base: None,
        times: (now, now),
        created: database.created,
        size: facts.iter().map(|family| family.length).sum(),
        guids: (database.database_guid, database.family_guid),
        forks: (database.first_fork_guid, database.fork_guid),
        fork_point: None,
        recovery: "FULL",
        version: (session.instance.version().major, 0, 0),
        database_version: session.instance.version().database_version(),
        copy_only: false,
        checksums: false,
        compressed: facts.iter().any(|family| family.is_container),
        begins_chain: false,
        read_only: false,
        block: 512,
    }
}
