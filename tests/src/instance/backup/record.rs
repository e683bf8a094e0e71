//! What follows from a successful backup: positions, the differential base, released log, history.

use uuid::Uuid;

use super::source::{from_lsn, from_stream, kind_of};
use super::{check, flags};
use crate::instance::Certificate;
use crate::instance::history::SetFacts;
use crate::instance::model::{Database, DbState, DiffBase, Lsn, Released};
use crate::instance::moment::Moment;
use crate::instance::session::Session;
use crate::instance::transfer::lane::Sizes;
use crate::instance::transfer::{DeviceKind, Plan};
use crate::stream::{Kind, StreamFacts};

/// What the closing messages tell.
pub struct Recorded {
    /// Pages and logical name of each file.
    pub files: Vec<(u64, String)>,
    /// Damaged pages went into the backup.
    pub damaged: bool,
    /// Position on the media.
    pub position: u64,
}

/// Writes everything; called once every device answered its last command. `None` = the database
/// is no longer this session's to back up.
pub fn success(
    session: &Session,
    plan: &Plan,
    sizes: Sizes,
    sent: &[StreamFacts],
) -> Option<Recorded> {
    let now = session.instance.clock.now();
    let kind = kind_of(plan);
    let mut guard = session.instance.state();
    let state = &mut *guard;
    let fresh = (state.ids.fresh(), state.ids.fresh());
    let certificates = state.certificates.clone();
    let database = state.database_mut(&plan.database)?;
    if ![database.busy, database.busy_log].contains(&Some(session.spid())) {
        return None;
    }
    let mut facts = describe(session, plan, database, &certificates, sent, now);
    if sent.first().is_none_or(|first| first.sets.is_empty()) {
        // A container tells nothing: the server knows what it wrote, nobody else does.
        (facts.set, facts.media_set) = fresh;
    }
    facts.block = sent
        .first()
        .map_or(0, |first| first.block_size)
        .max(sizes.block);
    advance(database, plan, &facts, kind);
    let files = pages(database, kind, sent);
    let bad = Some(&database.bad_pages).filter(|bad| kind != Kind::Log && !bad.is_empty());
    if let Some(bad) = bad.cloned() {
        state.damaged.insert(facts.set, bad);
    }
    for family in sent {
        if let Some(set) = family.sets.last() {
            let place = (set.set_guid, family.family);
            state.sent.insert(place, set.blake3);
        }
    }
    let faults = session.instance.faults();
    if !faults.history_fails && !faults.history_silent {
        let device_type = if plan.kind == DeviceKind::Virtual {
            7
        } else {
            2
        };
        let mirrors = plan.mirrors.iter().map(|(list, _)| list.as_slice());
        let lists: Vec<&[String]> = std::iter::once(plan.devices.as_slice())
            .chain(mirrors)
            .collect();
        state.msdb.add_set(&facts, &lists, device_type);
    }
    Some(Recorded {
        files,
        damaged: facts.flags & flags::DAMAGED != 0,
        position: u64::from(facts.position),
    })
}

/// Moves the database's positions on.
fn advance(database: &mut Database, plan: &Plan, facts: &SetFacts, kind: Kind) {
    let [first, last, checkpoint, _] = facts.lsns;
    database.log_end = database.log_end.max(last);
    match kind {
        Kind::Full => {
            let simple = facts.recovery == "SIMPLE";
            if !simple && database.last_log_backup.is_none() {
                database.last_log_backup = Some(first);
            }
            if !facts.copy_only {
                database.full_checkpoint = Some(checkpoint);
                let at = facts.times.1;
                database.base = Some(DiffBase {
                    lsn: checkpoint,
                    set: facts.set,
                    at,
                });
            }
        }
        Kind::Differential => {}
        Kind::Log => {
            if !facts.copy_only {
                release(database, facts.set, first, last);
            }
            if check::is_tail(plan) {
                database.standby = plan.has("STANDBY");
                database.read_only = database.standby;
                if !database.standby {
                    database.state = DbState::Restoring;
                }
            }
        }
    }
}

/// The log before `last` goes; from now on it exists in backups alone.
fn release(database: &mut Database, set: Uuid, first: Lsn, last: Lsn) {
    database.last_log_backup = Some(last);
    if !database.is_held() {
        database.truncated_to = Some(last);
    }
    database.released.push(Released { first, last, set });
    database.chain_begun = true;
    database.bulk_changes = false;
    if database.fork_point.is_some_and(|point| last > point) {
        database.first_fork_guid = database.fork_guid;
        database.fork_point = None;
    }
}

/// The set in history's words: what the stream says, else what the model says.
fn describe(
    session: &Session,
    plan: &Plan,
    database: &Database,
    certificates: &[Certificate],
    sent: &[StreamFacts],
    now: Moment,
) -> SetFacts {
    let kind = kind_of(plan);
    let version = session.instance.version();
    let media = sent.first();
    let set = media.and_then(|media| media.sets.last());
    let compressed = plan.has("COMPRESSION") || media.is_some_and(|media| media.is_compressed);
    let model = SetFacts {
        set: Uuid::nil(),
        media_set: Uuid::nil(),
        family_ids: sent.iter().map(|family| family.family_id).collect(),
        kind: kind.letter(),
        database: database.name.clone(),
        server: session.instance.server_name().to_owned(),
        machine: session.instance.machine().to_owned(),
        user: session.login.name.clone(),
        name: plan.text("NAME"),
        description: plan.text("DESCRIPTION"),
        media_name: plan.text("MEDIANAME"),
        lsns: [
            database
                .last_log_backup
                .filter(|_| kind == Kind::Log)
                .unwrap_or(database.log_end),
            database.log_end.plus_blocks(1),
            database.log_end,
            database.full_checkpoint.unwrap_or_default(),
        ],
        base: None,
        times: (now, now),
        position: 1,
        created: database.created,
        size: sent.iter().map(|family| family.length).sum(),
        guids: (database.database_guid, database.family_guid),
        forks: (database.fork_guid, database.fork_guid),
        fork_point: None,
        flags: flags::bits(plan, database, kind),
        encryption: encryption(plan, certificates),
        algorithm: algorithm(plan, compressed),
        media_description: plan.text("MEDIADESCRIPTION"),
        expires: expires(plan, now),
        mirrors: plan.mirrors.len() + 1,
        recovery: match database.recovery.describe().1 {
            "BULK_LOGGED" => "BULK-LOGGED",
            other => other,
        },
        version: (version.major, version.minor, version.build),
        database_version: version.database_version(),
        copy_only: flags::is_copy_only(plan, kind),
        checksums: plan.has("CHECKSUM"),
        compressed,
        begins_chain: kind == Kind::Log && !database.chain_begun,
        read_only: database.read_only,
        block: 512,
    };
    match (media, set) {
        (Some(media), Some(set)) => from_set(model, media, set, now),
        _ => model,
    }
}

/// Algorithm and thumbprint of what encrypted the set.
pub fn encryption(plan: &Plan, certificates: &[Certificate]) -> Option<(String, Vec<u8>)> {
    let (algorithm, by, _) = plan.encryption()?;
    let known = certificates
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(by))?;
    Some((algorithm.to_ascii_lowercase(), known.thumbprint()))
}

/// compression_algorithm of a compressed set.
pub fn algorithm(plan: &Plan, compressed: bool) -> Option<String> {
    compressed.then(|| plan.compression().unwrap_or("MS_XPRESS").to_owned())
}

/// RETAINDAYS wins over EXPIREDATE.
pub fn expires(plan: &Plan, now: Moment) -> Option<Moment> {
    match plan.number("RETAINDAYS") {
        Some(0) => None,
        Some(days) => Some(now.plus_seconds(i64::try_from(days).unwrap_or(0) * 86_400)),
        None => plan.text("EXPIREDATE").as_deref().and_then(Moment::parse),
    }
}

/// A description by the stream's own words; `model` fills what the stream leaves open.
#[must_use]
pub fn from_set(
    model: SetFacts,
    media: &StreamFacts,
    set: &crate::stream::SetFacts,
    now: Moment,
) -> SetFacts {
    let lsns = &set.lsns;
    let base = (lsns.differential_base != crate::stream::Lsn::default())
        .then(|| (from_lsn(lsns.differential_base), set.base_guid));
    let started = from_stream(set.started).unwrap_or(now);
    let first_fork = if set.first_fork_guid.is_nil() {
        set.fork_guid
    } else {
        set.first_fork_guid
    };
    SetFacts {
        set: set.set_guid,
        media_set: media.media_set_guid,
        kind: char::from(set.kind_letter),
        name: Some(set.name.clone())
            .filter(|name| !name.is_empty())
            .or(model.name),
        server: set.server.clone(),
        machine: match set.machine.as_str() {
            "" => model.machine,
            named => named.to_owned(),
        },
        lsns: [
            from_lsn(lsns.first),
            from_lsn(lsns.last),
            from_lsn(lsns.checkpoint),
            from_lsn(lsns.database_backup),
        ],
        base,
        times: (started, from_stream(set.finished).unwrap_or(started)),
        position: set.position,
        created: from_stream(set.created).unwrap_or(model.created),
        size: if set.backup_size > 0 {
            set.backup_size
        } else {
            model.size
        },
        guids: (set.binding_guid, set.family_guid),
        forks: (first_fork, set.fork_guid),
        fork_point: (first_fork != set.fork_guid).then(|| from_lsn(set.fork_point)),
        version: set.version,
        database_version: i32::from(set.database_version),
        checksums: set.has_checksum,
        block: media.block_size,
        ..model
    }
}

/// Pages of each file for messages 4035.
fn pages(database: &Database, kind: Kind, sent: &[StreamFacts]) -> Vec<(u64, String)> {
    let sets = sent.iter().filter_map(|family| family.sets.last());
    let bytes: u64 = match sets.map(|set| set.data_bytes).sum() {
        0 => sent.iter().map(|family| family.length).sum(),
        counted => counted,
    };
    let all = bytes / 8192;
    let log_pages = if kind == Kind::Log { all } else { all.min(2) };
    let mut files = Vec::new();
    if let Some(data) = database
        .files
        .iter()
        .find(|file| !file.is_log && kind != Kind::Log)
    {
        files.push((all - log_pages, data.logical.clone()));
    }
    if let Some(log) = database.files.iter().find(|file| file.is_log) {
        files.push((log_pages, log.logical.clone()));
    }
    files
}
