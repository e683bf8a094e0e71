//! Why a BACKUP is refused before any device is opened (order: sqlserver.md 10).

use crate::instance::model::{DbState, RecoveryModel};
use crate::instance::openable;
use crate::instance::session::{Session, missing};
use crate::instance::transfer::messages::{backup_denied, numbered};
use crate::instance::transfer::{DeviceKind, Plan, Verb};
use crate::tds::tokens::ServerMessage;

/// Most devices, and most MIRROR TO clauses.
const MAX_DEVICES: usize = 64;

/// Refuses, or marks the database as being backed up by this session.
pub fn before_open(session: &Session, plan: &Plan) -> Result<(), Vec<ServerMessage>> {
    let log = plan.verb == Verb::BackupLog;
    let differential = plan.has("DIFFERENTIAL");
    let refuse = |number| Err(vec![numbered(number, &plan.database)]);
    let mut state = session.instance.state();
    let Some(database) = state.database_mut(&plan.database) else {
        return Err(vec![missing(&plan.database)]);
    };
    if !session.login.sysadmin && !session.login.backup_operator {
        return Err(vec![backup_denied(plan.verb, &plan.database)]);
    }
    if session.in_transaction() {
        return refuse(3021);
    }
    if database.name.eq_ignore_ascii_case("tempdb") {
        return refuse(3147);
    }
    if database.snapshot_of.is_some() {
        return refuse(3002);
    }
    let tail = log && (plan.has("NO_TRUNCATE") || plan.has("CONTINUE_AFTER_ERROR"));
    match openable(database) {
        Some(_) if tail && database.state == DbState::Suspect => {}
        Some(message) => return Err(vec![message]),
        None => {}
    }
    if database.state == DbState::Emergency {
        return refuse(3033);
    }
    if database.standby {
        return refuse(3036);
    }
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
    if database.busy.is_some() {
        return refuse(3023);
    }
    if plan.kind == DeviceKind::Virtual && !session.login.sysadmin {
        return refuse(3265);
    }
    if plan.devices.len() > MAX_DEVICES {
        return refuse(3205);
    }
    if plan.mirrors > 0 {
        return refuse(if plan.kind == DeviceKind::Virtual {
            3008
        } else {
            3218
        });
    }
    database.busy = Some(session.spid());
    Ok(())
}
