//! A backup through files of a stage folder: `BACKUP ... TO DISK`, then into the media set.
//!
//! adopt what earlier runs left -> probe -> check media -> reserve -> intent -> BACKUP -> judge ->
//! write the files to all mirrors -> seal -> verdict -> publish -> remove the files.
//!
//! SQL Server acknowledges such a backup before any mirror holds it (promise P1): from then on the
//! staged files are the acknowledged copy, and they stay until the media hold the set.

pub mod adopt;
mod conclude;
pub mod folder;
pub mod intent;
mod look;
mod os;
mod take;

use serde::Serialize;
use twinset_domain::stage::{Estimate, Room, room};
use twinset_domain::{BackupKind, Fault, RunId, code};
use twinset_format::manifest::Source;

use super::desk::{Desk, Target};
use super::finished::Finished;
use super::run::{Reserved, open};
use super::vdi::{Order, Probed, content, planned, statement};
use crate::sqlserver::facts::DatabaseFacts;
use crate::sqlserver::statement::{Medium, Transfer};
use crate::sqlserver::{PlainJob, Session, facts, history};
use folder::Folder;
use intent::{FORMAT, Intent};

/// What a run would do.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// Files, as the agent sees them; `RUN` stands for the id that a run gets.
    pub files: Vec<String>,
    /// The statement.
    pub statement: String,
    /// What the room is judged by.
    pub estimate: Estimate,
    /// Whether the folder has room.
    pub room: Room,
}

/// What a run would do; nothing is written.
///
/// # Errors
/// The probe's, and [`code::CONFIG_VALUE`] when the memory limit is too small.
pub fn plan(
    target: &Target,
    order: &Order<'_>,
    folder: &Folder,
    probed: &mut Probed,
) -> Result<Planned, Fault> {
    let families = target.shape.families;
    let transfer = planned(order, families, &target.recipe)?;
    let names: Vec<String> = (1..=families).map(|f| intent::file("RUN", f)).collect();
    let estimate = estimate(probed, order.kind)?;
    Ok(Planned {
        statement: sql(order, &probed.database, transfer, folder, &names),
        files: names
            .iter()
            .map(|name| folder.path(name).display().to_string())
            .collect(),
        estimate,
        room: folder
            .free()
            .map_or(Room::Enough, |free| room(estimate, free)),
    })
}

/// Takes a backup of what was probed.
///
/// # Errors
/// The quick check's, [`code::STAGE_DIR`] and [`code::STAGE_SPACE`] before BACKUP
/// begins; afterwards the first cause of whatever failed, [`code::STAGED`] when SQL Server's backup
/// stays in the stage folder, and [`code::UNCONFIRMED`] when its verdict is not known.
pub fn backup(
    desk: &mut Desk<'_>,
    target: &Target,
    order: &Order<'_>,
    (folder, mut probed): (&Folder, Probed),
) -> Result<Finished, Fault> {
    let transfer = planned(order, target.shape.families, &target.recipe)?;
    let database = probed.database.clone();
    let content = content(order, Source::Stage, &database, transfer);
    let checked = open(desk, target, content.kind)?.if_decided_by_all()?;
    roomy(desk, &mut probed, order.kind, folder)?;
    let reserved = checked.reserve(desk, &content)?;
    let intent = intent(&reserved, target, order, (&database, transfer), folder);
    if let Err(fault) = folder.begin(&intent) {
        reserved.take_back(desk, &fault);
        return Err(fault);
    }
    let name = format!("backup {}", intent.database);
    desk.progress.begin(&name, None);
    let run = intent.run.to_string();
    let ran = PlainJob {
        settings: order.settings,
        run: &run,
        stop: desk.stop,
        limit: None,
        percent: &|percent| tracing::debug!(percent.percent, "BACKUP"),
    }
    .run(intent.statement.clone(), &mut probed.control);
    desk.progress.end();
    conclude::conclude(desk, reserved, (&intent, folder), ran, order, &mut probed)
}

/// What lies beside the files before SQL Server writes them.
fn intent(
    reserved: &Reserved,
    target: &Target,
    order: &Order<'_>,
    (database, transfer): (&DatabaseFacts, Transfer),
    folder: &Folder,
) -> Intent {
    let facts = &reserved.facts;
    let mut intent = Intent {
        format: FORMAT,
        agent: facts.agent,
        run: facts.run,
        media_set: target.key.clone(),
        instance: order.settings.name.clone(),
        database: facts.database.clone(),
        kind: order.kind,
        circumstances: facts.circumstances.clone(),
        block_size: facts.block_size,
        max_transfer_size: facts.max_transfer_size,
        families: target.shape.families,
        started: facts.started,
        statement: String::new(),
    };
    let names: Vec<String> = intent.files().collect();
    intent.statement = sql(order, database, transfer, folder, &names);
    intent
}

fn sql(
    order: &Order<'_>,
    database: &DatabaseFacts,
    transfer: Transfer,
    folder: &Folder,
    names: &[String],
) -> String {
    let disk = |name: &String| Medium::Disk(folder.told(name));
    statement(order, database, transfer, names.iter().map(disk).collect()).to_sql()
}

/// How large a backup of this kind will be, as far as the server tells.
fn estimate(probed: &mut Probed, kind: BackupKind) -> Result<Estimate, Fault> {
    let letter = match kind {
        BackupKind::Full => "D",
        BackupKind::Differential => "I",
        BackupKind::Log => "L",
    };
    let database = &probed.database;
    if let Some(last) = history::last_size(&mut probed.control, &database.name, letter)? {
        return Ok(Estimate::LastBackup(last));
    }
    if kind == BackupKind::Log {
        return Ok(Estimate::Unknown);
    }
    let bytes = facts::allocated(&mut probed.control, database.database_id)?;
    Ok(if bytes == 0 {
        Estimate::Unknown
    } else {
        Estimate::Allocated(bytes)
    })
}

/// Refuses before BACKUP begins what cannot fit.
fn roomy(
    desk: &Desk<'_>,
    probed: &mut Probed,
    kind: BackupKind,
    folder: &Folder,
) -> Result<(), Fault> {
    let Some(free) = folder.free() else {
        // A folder that is not there is told of when the intent is written.
        return Ok(());
    };
    match room(estimate(probed, kind)?, free) {
        Room::Enough => Ok(()),
        Room::Doubtful(why) => {
            desk.progress.note(&why);
            Ok(())
        }
        Room::TooLittle(why) => {
            let object = folder.dir.display().to_string();
            Err(Fault::new(code::STAGE_SPACE, object, why)
                .remedy("make room in stage_dir, or choose a larger one; nothing was written"))
        }
    }
}

/// A second control connection, when the first one was lost.
fn reconnected(order: &Order<'_>, run: RunId) -> Result<Session, Fault> {
    use crate::sqlserver::{Connector, Purpose};
    Connector::new(order.settings.clone(), run.to_string()).open(Purpose::Control)
}
