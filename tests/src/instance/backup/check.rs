//! Why a BACKUP is refused before any device is opened (order: sqlserver.md 10).

use crate::instance::availability;
use crate::instance::mirroring;
use crate::instance::model::{Database, DbState, RecoveryModel};
use crate::instance::openable;
use crate::instance::session::{Session, missing};
use crate::instance::state::State;
use crate::instance::transfer::lane::Sizes;
use crate::instance::transfer::messages::{backup_denied, numbered};
use crate::instance::transfer::{DeviceKind, Plan, Verb, conflicts, scope};
use crate::tds::tokens::ServerMessage;

/// First version whose secondaries take every backup.
const NEEDS_NO_COPY: u8 = 17;

/// Refuses, or marks the database as being backed up by this session.
pub fn before_open(session: &Session, plan: &Plan) -> Result<Sizes, Vec<ServerMessage>> {
    let one = |message| vec![message];
    let version = session.instance.version();
    conflicts::options(plan, version).map_err(one)?;
    session.instance.settle();
    let mut guard = session.instance.state();
    let state = &mut *guard;
    let Some(database) = state.database(&plan.database) else {
        return Err(vec![missing(&plan.database)]);
    };
    if !session.login.may_back_up(&plan.database) {
        return Err(vec![backup_denied(plan.verb, &plan.database)]);
    }
    if session.in_transaction() {
        return Err(vec![numbered(3021, "")]);
    }
    usable(session, plan, database).map_err(one)?;
    based(plan, database).map_err(one)?;
    if plan.kind == DeviceKind::Virtual && !session.login.sysadmin {
        return Err(vec![numbered(3265, "")]);
    }
    conflicts::devices(plan, version).map_err(one)?;
    let sizes = Sizes::of(plan).map_err(one)?;
    encryptable(session, plan, state).map_err(one)?;
    if conflicts_with_others(plan, database, state) {
        return Err(vec![numbered(3023, "")]);
    }
    if is_tail(plan) && in_use(session, state, database.id) {
        return Err(vec![numbered(3101, "")]);
    }
    if let Some(database) = state.database_mut(&plan.database) {
        let busy = match plan.verb {
            Verb::BackupLog => &mut database.busy_log,
            _ => &mut database.busy,
        };
        *busy = Some(session.spid());
    }
    Ok(sizes)
}

/// Two of a kind exclude each other, and a RESTORE everything; a log goes on beside a full or a
/// differential, unless it is to close the database.
fn conflicts_with_others(plan: &Plan, database: &Database, state: &State) -> bool {
    if plan.verb != Verb::BackupLog {
        return database.busy.is_some();
    }
    let data = database.busy.and_then(|spid| state.sessions.get(&spid));
    let command = data.and_then(|row| Some(row.request.as_ref()?.command));
    let beside = command.is_none_or(|command| command == "BACKUP DATABASE") && !is_tail(plan);
    database.busy_log.is_some() || (database.busy.is_some() && !beside)
}

/// Whether the database is left restoring or in standby.
#[must_use]
pub fn is_tail(plan: &Plan) -> bool {
    plan.verb == Verb::BackupLog && (plan.has("NORECOVERY") || plan.has("STANDBY"))
}

fn in_use(session: &Session, state: &State, id: i32) -> bool {
    let others = state.sessions.values();
    others
        .filter(|row| row.spid != session.spid())
        .any(|row| row.database_id == id)
}

/// Whether the database is one that can be backed up in its state.
fn usable(session: &Session, plan: &Plan, database: &Database) -> Result<(), ServerMessage> {
    let knobs = session.instance.faults().mirroring;
    let refuse = |number| Err(numbered(number, &plan.database));
    if database.name.eq_ignore_ascii_case("tempdb") {
        return refuse(3147);
    }
    if database.snapshot_of.is_some() {
        return refuse(3002);
    }
    let damaged = plan.has("NO_TRUNCATE") || plan.has("CONTINUE_AFTER_ERROR");
    let tail = plan.verb == Verb::BackupLog && damaged;
    let suspect = matches!(database.state, DbState::Suspect | DbState::RecoveryPending);
    let groups = session.instance.faults().availability;
    match openable(database) {
        // BACKUP needs no read access; without any, it is believed to be refused.
        Some(message) if message.number == 978 => {}
        Some(message) if message.number == 976 && groups.unreadable_backs_up => {}
        Some(_) if tail && suspect => {}
        Some(message) if message.number == 954 && knobs.backup_on_mirror != 954 => {
            return refuse(knobs.backup_on_mirror);
        }
        Some(message) => return Err(message),
        None => {}
    }
    secondary(session, plan, database)?;
    if is_tail(plan) && (database.mirroring.is_some() || database.joined.is_some()) {
        return Err(mirroring::messages::refused(
            knobs.tail_refusal,
            &database.name,
        ));
    }
    if database.state == DbState::Emergency {
        return refuse(3033);
    }
    if database.standby {
        return refuse(3036);
    }
    Ok(())
}

/// What a secondary backs up: copy-only fulls and ordinary logs, while it gets the log; from 2025
/// on fulls and differentials too.
fn secondary(session: &Session, plan: &Plan, database: &Database) -> Result<(), ServerMessage> {
    let Some(joined) = database.joined.as_ref().filter(|_| database.is_secondary()) else {
        return Ok(());
    };
    let everything = session.instance.version().major >= NEEDS_NO_COPY;
    let fits = match plan.verb {
        Verb::BackupLog => !plan.has("COPY_ONLY") && !is_tail(plan),
        _ if everything => true,
        _ => plan.has("COPY_ONLY") && !plan.has("DIFFERENTIAL"),
    };
    if !fits {
        return Err(numbered(3059, &database.name));
    }
    if joined.sync == 0 {
        return Err(availability::messages::not_synchronizing(&database.name));
    }
    Ok(())
}

/// Recovery model and base.
fn based(plan: &Plan, database: &Database) -> Result<(), ServerMessage> {
    let log = plan.verb == Verb::BackupLog;
    let differential = plan.has("DIFFERENTIAL");
    let refuse = |number| Err(numbered(number, &plan.database));
    if database.name.eq_ignore_ascii_case("master") && (log || differential) {
        return refuse(if log { 4212 } else { 3024 });
    }
    if log && database.recovery == RecoveryModel::Simple {
        return refuse(4208);
    }
    if log && database.last_log_backup.is_none() {
        return refuse(4214);
    }
    if differential && database.base.is_none() {
        return refuse(3035);
    }
    scope::backup(plan, database)
}

/// The certificate is there and valid; encrypted sets need media of their own.
fn encryptable(session: &Session, plan: &Plan, state: &State) -> Result<(), ServerMessage> {
    let Some((_, by, certificate)) = plan.encryption() else {
        return Ok(());
    };
    let now = session.instance.clock.now();
    let known = state
        .certificates
        .iter()
        .find(|known| certificate && known.name.eq_ignore_ascii_case(by));
    match known {
        None => Err(numbered(33_111, by)),
        Some(known) if known.expired(now) => Err(numbered(3096, by)),
        // What a pipe begins with cannot be told; SQL Server wants to hear that it is new.
        Some(_) if plan.kind == DeviceKind::Virtual && !plan.has("FORMAT") => {
            Err(numbered(3095, ""))
        }
        Some(_) => Ok(()),
    }
}
