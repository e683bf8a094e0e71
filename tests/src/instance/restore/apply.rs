//! What a successful RESTORE leaves behind: the database and its history.

use uuid::Uuid;

use super::head::{self, FileRecord};
use super::judge::{chosen, target};
use super::roll::{Rolled, roll, take_over};
use crate::instance::State;
use crate::instance::backup::record::from_set;
use crate::instance::history::{self, RestoreFacts};
use crate::instance::ledger::BLOCKS_PER_WRITE;
use crate::instance::model::{Access, Database, DbFile, DbState, RecoveryModel};
use crate::instance::moment::Moment;
use crate::instance::session::{Session, missing};
use crate::instance::transfer::messages::numbered;
use crate::instance::transfer::{DeviceKind, Plan};
use crate::stream::{Kind, StreamFacts};
use crate::tds::tokens::ServerMessage;

/// What a restore did.
pub struct Applied {
    /// Logical file names.
    pub files: Vec<String>,
    /// Informations to give, by number.
    pub notes: Vec<i32>,
}

/// RESTORE DATABASE ... WITH RECOVERY, NORECOVERY or STANDBY, without media.
pub fn recover_only(session: &Session, plan: &Plan) -> Result<(), Vec<ServerMessage>> {
    let mut guard = session.instance.state();
    let state = &mut *guard;
    let fork = state.ids.fresh();
    let broker = plan.has("NEW_BROKER").then(|| state.ids.fresh());
    let Some(database) = state.database_mut(&plan.database) else {
        return Err(vec![missing(&plan.database)]);
    };
    database.busy = None;
    if database.state != DbState::Restoring && !database.standby {
        return Err(vec![numbered(3153, "")]);
    }
    finish_state(database, Ending::of(plan), fork);
    if Ending::of(plan) != Ending::Restoring {
        opened(plan, database, broker);
    }
    Ok(())
}

/// How a restore leaves the database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Recovered,
    Restoring,
    Standby,
}

impl Ending {
    fn of(plan: &Plan) -> Self {
        if plan.has("NORECOVERY") {
            Self::Restoring
        } else if plan.has("STANDBY") {
            Self::Standby
        } else {
            Self::Recovered
        }
    }
}

/// Recovered, left restoring, or standby.
fn finish_state(database: &mut Database, ending: Ending, fork: Uuid) {
    database.standby = ending == Ending::Standby;
    database.read_only = database.standby;
    database.state = match ending {
        Ending::Restoring => DbState::Restoring,
        Ending::Recovered | Ending::Standby => DbState::Online,
    };
    if ending != Ending::Recovered {
        return;
    }
    // Recovery begins a new fork at the point it stopped at; the log chain goes on from there.
    let point = database.log_end;
    database.first_fork_guid = database.fork_guid;
    database.fork_guid = fork;
    database.fork_point = Some(point);
    database.log_end = point.plus_blocks(BLOCKS_PER_WRITE);
    database.rolled_to = None;
    database.truncated_to = Some(point);
    database.chain_begun = true;
    database.last_log_backup = (database.recovery != RecoveryModel::Simple).then_some(point);
}

/// Who may open it, and whether Service Broker delivers its messages: not, unless the statement says
/// so.
fn opened(plan: &Plan, database: &mut Database, broker: Option<Uuid>) {
    let brokers = ["ENABLE_BROKER", "NEW_BROKER", "ERROR_BROKER_CONVERSATIONS"];
    database.broker = brokers.iter().any(|option| plan.has(option));
    database.broker_guid = broker.unwrap_or(database.broker_guid);
    database.access = match plan.has("RESTRICTED_USER") {
        true => Access::Restricted,
        false => Access::Multi,
    };
}

/// Makes or changes the database and writes history; a full brings the damaged pages that went into
/// it.
pub fn apply(
    session: &Session,
    plan: &Plan,
    facts: &[StreamFacts],
    bad: Vec<(i32, i64)>,
) -> Result<Applied, Vec<ServerMessage>> {
    let now = session.instance.clock.now();
    let set = facts.first().and_then(|media| chosen(plan, media));
    let listed = set.map(|set| head::files(&set.config)).unwrap_or_default();
    let mut guard = session.instance.state();
    let state = &mut *guard;
    let fork = state.ids.fresh();
    let broker = plan.has("NEW_BROKER").then(|| state.ids.fresh());
    let rolled = match (set, state.database(&plan.database)) {
        (Some(set), known) => roll(plan, set, known).map_err(|message| vec![message])?,
        (None, _) => Rolled::default(),
    };
    let id = target_id(state, plan, now);
    let guids: Vec<_> = listed.iter().map(|_| state.ids.fresh()).collect();
    let found = state
        .databases
        .iter_mut()
        .find(|database| database.id == id);
    let Some(database) = found else {
        return Err(vec![missing(&plan.database)]);
    };
    if let Some(set) = set {
        take_over(database, set, &rolled);
    }
    let whole = set.is_none_or(|set| set.kind == Some(Kind::Full));
    if whole && !listed.is_empty() {
        let files = listed.iter().zip(guids);
        database.files = files.map(|(file, guid)| placed(plan, file, guid)).collect();
    }
    if whole {
        database.bad_pages = bad;
    }
    let ending = match rolled.note {
        // Not there yet: more log is needed, whatever the statement asked for.
        Some(_) => Ending::Restoring,
        None => Ending::of(plan),
    };
    finish_state(database, ending, fork);
    if ending != Ending::Restoring {
        opened(plan, database, broker);
    }
    let files = database.files.iter().map(|file| file.logical.clone());
    let applied = Applied {
        files: files.collect(),
        notes: rolled.note.into_iter().collect(),
    };
    let made = database.clone();
    let set_id = remember(session, state, plan, &made, facts);
    state.msdb.add_restore(&RestoreFacts {
        at: now,
        database: &plan.database,
        user: &session.login.name,
        set_id,
        kind: set.map_or('D', |set| char::from(set.kind_letter)),
        replace: plan.has("REPLACE"),
        recovery: ending == Ending::Recovered,
        devices: plan.devices.len(),
        stop_at: plan.text("STOPAT").as_deref().and_then(Moment::parse),
        stop_mark: ["STOPATMARK", "STOPBEFOREMARK"]
            .iter()
            .find_map(|option| plan.mark(option).map(|(mark, _)| mark.to_owned())),
        stop_before: plan.has("STOPBEFOREMARK"),
    });
    Ok(applied)
}

/// backup_set_id of the set in msdb, where it is written if it came from elsewhere.
fn remember(
    session: &Session,
    state: &mut State,
    plan: &Plan,
    database: &Database,
    facts: &[StreamFacts],
) -> i64 {
    let now = session.instance.clock.now();
    let template = template(session, plan, database, facts, now);
    let media = facts.first();
    let set = media.and_then(|media| chosen(plan, media));
    let described = match (media, set) {
        (Some(media), Some(set)) => from_set(template, media, set, now),
        _ => template,
    };
    if let Some(known) = state.msdb.find_set(described.set) {
        return known;
    }
    let device_type = if plan.kind == DeviceKind::Virtual {
        7
    } else {
        2
    };
    let lists = [plan.devices.as_slice()];
    state.msdb.add_set(&described, &lists, device_type)
}

/// VERIFYONLY WITH LOADHISTORY.
pub fn load_history(session: &Session, plan: &Plan, facts: &[StreamFacts]) {
    let now = session.instance.clock.now();
    let mut guard = session.instance.state();
    let state = &mut *guard;
    // Only a pattern for what the set leaves open.
    let Some(pattern) = state.databases.first().cloned() else {
        return;
    };
    let set_id = remember(session, state, plan, &pattern, facts);
    let database = facts.first().and_then(|media| chosen(plan, media));
    state.msdb.add_restore(&RestoreFacts {
        at: now,
        database: database.map_or("", |set| set.database.as_str()),
        user: &session.login.name,
        set_id,
        kind: 'V',
        replace: false,
        recovery: false,
        devices: plan.devices.len(),
        stop_at: None,
        stop_mark: None,
        stop_before: false,
    });
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

fn placed(plan: &Plan, file: &FileRecord, guid: Uuid) -> DbFile {
    DbFile {
        id: i32::try_from(file.id).unwrap_or(1),
        guid,
        is_log: file.is_log,
        is_filestream: file.is_filestream,
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
) -> history::SetFacts {
    let set = facts.first().and_then(|media| chosen(plan, media));
    history::SetFacts {
        set: Uuid::nil(),
        media_set: Uuid::nil(),
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
        position: 1,
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
        compressed: facts.iter().any(|family| family.is_compressed),
        begins_chain: false,
        read_only: false,
        block: 512,
        flags: set.map_or(0, |set| set.flags),
        encryption: None,
        algorithm: None,
        media_description: None,
        expires: None,
        mirrors: 1,
    }
}
