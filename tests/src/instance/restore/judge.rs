//! Why a RESTORE is refused: before the devices are opened, and once the media head is known.

use super::head::{self, FileRecord};
use super::{chain, stop};
use crate::instance::backup::flags;
use crate::instance::model::{Database, RecoveryModel};
use crate::instance::session::{Session, missing};
use crate::instance::transfer::lane::Sizes;
use crate::instance::transfer::messages::{bad_page_in_set, misaligned, no_certificate, numbered};
use crate::instance::transfer::{DeviceKind, Plan, Verb, conflicts, scope};
use crate::instance::{Certificate, State, openable};
use crate::stream::{Kind, SetFacts, StreamFacts};
use crate::tds::tokens::ServerMessage;

type Said = Vec<ServerMessage>;

/// Options, rights, transaction, target in use or mirrored, devices.
pub fn before_open(session: &Session, plan: &Plan) -> Result<Sizes, Said> {
    let one = |message| vec![message];
    let version = session.instance.version();
    conflicts::options(plan, version).map_err(one)?;
    stop::of(plan).map_err(one)?;
    if !plan.devices.is_empty() {
        conflicts::devices(plan, version).map_err(one)?;
    }
    let sizes = Sizes::of(plan).map_err(one)?;
    if plan.has("PARTIAL") && plan.verb != Verb::RestoreDatabase {
        return Err(vec![numbered(3103, "")]);
    }
    let state = session.instance.state();
    scope::restore(plan, state.database(&plan.database)).map_err(one)?;
    drop(state);
    allowed(session, plan)?;
    Ok(sizes)
}

/// Rights, transaction, target in use or mirrored.
fn allowed(session: &Session, plan: &Plan) -> Result<(), Said> {
    let refuse = |number| Err(vec![numbered(number, &plan.database)]);
    if session.in_transaction() {
        return refuse(3021);
    }
    if plan.kind == DeviceKind::Virtual && !plan.devices.is_empty() && !session.login.sysadmin {
        return refuse(3265);
    }
    let may_create = session.login.in_role("dbcreator");
    let denied = || {
        let text = "CREATE DATABASE permission denied in database 'master'.";
        vec![ServerMessage::new(262, 14, text)]
    };
    if !matches!(plan.verb, Verb::RestoreDatabase | Verb::RestoreLog) {
        return if may_create { Ok(()) } else { Err(denied()) };
    }
    if plan.database.eq_ignore_ascii_case("tempdb") {
        return refuse(3147);
    }
    let mut guard = session.instance.state();
    let state = &mut *guard;
    let others: Vec<i32> = state
        .sessions
        .values()
        .filter(|row| row.spid != session.spid())
        .map(|row| row.database_id)
        .collect();
    let Some(database) = state.database_mut(&plan.database) else {
        return match (plan.verb, plan.devices.is_empty(), may_create) {
            (_, true, _) => Err(vec![missing(&plan.database)]),
            (.., false) => Err(denied()),
            _ => Ok(()),
        };
    };
    if !may_create {
        return refuse(3110);
    }
    if database.snapshot_of.is_some() {
        return refuse(3002);
    }
    if database.mirroring.is_some() || database.joined.is_some() {
        return refuse(3104);
    }
    if database.is_busy() || others.contains(&database.id) {
        return refuse(3101);
    }
    if session.database().eq_ignore_ascii_case(&plan.database) {
        let text = format!(
            "RESTORE cannot process database '{}' because it is in use by this session. It is \
             recommended that the master database be used when performing this operation.",
            plan.database
        );
        return Err(vec![ServerMessage::new(3102, 16, text)]);
    }
    database.busy = Some(session.spid());
    Ok(())
}

/// Whether this set can be restored into this database.
pub fn head_known(session: &Session, plan: &Plan, facts: &StreamFacts) -> Result<(), Said> {
    readable(session, facts)?;
    if !matches!(plan.verb, Verb::RestoreDatabase | Verb::RestoreLog) {
        return Ok(());
    }
    let config = chosen(plan, facts).map_or(&[][..], |set| &set.config);
    scope::of_set(plan, &head::files(config)).map_err(|message| vec![message])?;
    if facts.is_opaque {
        return Ok(());
    }
    let Some(set) = chosen(plan, facts) else {
        return Ok(());
    };
    let state = session.instance.state();
    let database = state.database(&plan.database);
    let refuse = |number| Err(vec![numbered(number, &plan.database)]);
    let log_verb = plan.verb == Verb::RestoreLog;
    match set.kind {
        Some(Kind::Log) if log_verb => match database {
            None => refuse(3118),
            Some(database) => {
                let strict = !session.instance.faults().equal_log_applies;
                chain::log(database, set, strict).map_err(|message| vec![message])
            }
        },
        Some(Kind::Log) => refuse(3135),
        _ if log_verb => refuse(3135),
        Some(Kind::Full) => {
            full(plan, set, database)?;
            files(&state, plan, &head::files(&set.config))
        }
        Some(Kind::Differential) => match database {
            None => refuse(3118),
            Some(database) => chain::differential(database, set).map_err(|message| vec![message]),
        },
        None => refuse(3135),
    }
}

fn full(plan: &Plan, set: &SetFacts, database: Option<&Database>) -> Result<(), Said> {
    let Some(database) = database.filter(|_| !plan.has("REPLACE")) else {
        return Ok(());
    };
    if database.family_guid != set.family_guid {
        let other = numbered(3154, &database.name);
        return Err(vec![other]);
    }
    let stops = ["STOPAT", "STOPATMARK", "STOPBEFOREMARK"];
    let live = openable(database).is_none() && database.recovery != RecoveryModel::Simple;
    if live && !stops.iter().any(|stop| plan.has(stop)) {
        return Err(vec![numbered(3159, &database.name)]);
    }
    Ok(())
}

/// Whether the set says of itself that damaged pages went into it.
#[must_use]
pub fn is_damaged(plan: &Plan, facts: &[StreamFacts]) -> bool {
    let set = facts.first().and_then(|family| chosen(plan, family));
    set.is_some_and(|set| set.flags & flags::DAMAGED != 0)
}

/// A damaged page ends the restore, unless it goes on over errors or does not look at checksums;
/// gives the information that follows then.
pub fn over_damage(
    plan: &Plan,
    facts: &[StreamFacts],
    bad: &[(i32, i64)],
) -> Result<Option<i32>, Said> {
    if !is_damaged(plan, facts) || plan.has("NO_CHECKSUM") {
        return Ok(None);
    }
    if plan.has("CONTINUE_AFTER_ERROR") {
        return Ok(Some(3184));
    }
    // Of a set that came from elsewhere the page is not known.
    let page = bad.first().copied().unwrap_or((1, 0));
    Err(vec![bad_page_in_set(&plan.database, page)])
}

/// What the head of the media says against the statement: blocks of another size than it reads
/// with, another name, no snapshot.
pub fn media(plan: &Plan, sizes: Sizes, facts: &StreamFacts) -> Result<(), Said> {
    let device = plan.devices.first().map_or("", String::as_str);
    let told = plan.kind == DeviceKind::Virtual || plan.has("BLOCKSIZE");
    let known = !facts.is_opaque && facts.block_size != 0;
    if told && known && plan.verb != Verb::LabelOnly && facts.block_size != sizes.block {
        return Err(vec![misaligned(device, facts.block_size)]);
    }
    let named = plan.text("MEDIANAME");
    if named.is_some_and(|name| !name.eq_ignore_ascii_case(&facts.media_name)) {
        return Err(vec![numbered(4037, device)]);
    }
    // No instance of a lab makes snapshots.
    if plan.has("SNAPSHOT") || plan.has("METADATA_ONLY") {
        return Err(vec![numbered(3276, "")]);
    }
    Ok(())
}

/// An encrypted set needs its certificate.
fn readable(session: &Session, facts: &StreamFacts) -> Result<(), Said> {
    let Some(thumbprint) = facts.certificate else {
        return Ok(());
    };
    let state = session.instance.state();
    let known = |known: &Certificate| known.thumbprint() == thumbprint;
    if state.certificates.iter().any(known) {
        return Ok(());
    }
    let shown: String = thumbprint
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    Err(vec![no_certificate(&shown)])
}

/// The set that the statement means: FILE = n, else the first.
#[must_use]
pub fn chosen<'a>(plan: &Plan, facts: &'a StreamFacts) -> Option<&'a SetFacts> {
    let position = plan.number("FILE").unwrap_or(1).max(1);
    let index = usize::try_from(position - 1).unwrap_or(usize::MAX);
    facts.sets.get(index)
}

/// MOVE names files of the set, and no file goes where another database has one.
fn files(state: &State, plan: &Plan, listed: &[FileRecord]) -> Result<(), Said> {
    for (logical, _) in plan.moves() {
        let same = |file: &FileRecord| file.logical.eq_ignore_ascii_case(logical);
        if !listed.is_empty() && !listed.iter().any(same) {
            return Err(vec![numbered(3234, logical)]);
        }
    }
    let mut said = Vec::new();
    for file in listed {
        let target = target(plan, file);
        let others = state
            .databases
            .iter()
            .filter(|database| !database.name.eq_ignore_ascii_case(&plan.database));
        for other in others {
            if other.files.iter().any(|known| known.physical == target) {
                let name = &other.name;
                let text = format!(
                    "The file '{target}' cannot be overwritten.  It is being used by database \
                     '{name}'."
                );
                said.push(ServerMessage::new(1834, 16, text));
                let text = format!(
                    "File '{}' cannot be restored to '{target}'. Use WITH MOVE to identify a \
                     valid location for the file.",
                    file.logical
                );
                said.push(ServerMessage::new(3156, 16, text).state(4));
            }
        }
    }
    if said.is_empty() {
        return Ok(());
    }
    let text = "Problems were identified while planning for the RESTORE statement. Previous \
                messages provide details.";
    said.push(ServerMessage::new(3119, 16, text));
    Err(said)
}

/// Where a file goes.
#[must_use]
pub fn target(plan: &Plan, file: &FileRecord) -> String {
    let moved = plan
        .moves()
        .find(|(from, _)| from.eq_ignore_ascii_case(&file.logical));
    moved.map_or_else(|| file.physical.clone(), |(_, to)| to.to_owned())
}
