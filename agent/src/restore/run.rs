//! RESTORE through the virtual device interface, always under a name that is free (P11).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use twinset_domain::{BackupKind, Fault, Position, RunId, code};
use twinset_format::manifest::Facts;

use super::open::{DamageMap, OpenSet};
use super::source::FamilySource;
use crate::media::encoding::decoder::PlainReader;
use crate::report::Progress;
use crate::sqlserver::facts::{self, ListedFile};
use crate::sqlserver::statement::{
    Medium, Move, Recovery, RestoreStatement, Transfer, file_list_sql,
};
use crate::sqlserver::vdi::{DeviceEnd, End, VdiLibrary, drive_restore, feature};
use crate::sqlserver::{Connector, InstanceSettings, Purpose, Rows, Session, StatementEnd, VdiJob};

/// How long RESTORE may roll forward and recover after it has read everything.
const STATEMENT_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// What is to be restored, and where to.
pub struct Order<'a> {
    /// The set.
    pub position: Position,
    /// The instance that takes it.
    pub settings: &'a InstanceSettings,
    /// Name of the restored database.
    pub name: &'a str,
    /// Folder for its files, as SQL Server sees it.
    pub data_dir: Option<&'a str>,
    /// Places of single files, by logical name.
    pub moves: &'a [Move],
}

/// What was restored.
#[derive(Debug, Serialize)]
pub struct Restored {
    /// Name of the restored database.
    pub database: String,
    /// Instance.
    pub instance: String,
    /// The set.
    pub position: Position,
    /// Bytes that SQL Server read.
    pub bytes: u64,
    /// Where its files went.
    pub files: Vec<(String, String)>,
    /// What was damaged, and where it was taken from.
    pub map: DamageMap,
}

/// What a statement over virtual devices came to.
struct Streamed {
    statement: Option<StatementEnd>,
    rows: Option<Rows>,
    devices: Vec<DeviceEnd>,
    map: DamageMap,
    fault: Option<Fault>,
}

/// What all statements of one restore share.
struct Server<'a> {
    library: &'a Arc<VdiLibrary>,
    settings: &'a InstanceSettings,
    progress: &'a dyn Progress,
    stop: &'a AtomicBool,
}

/// Restores.
///
/// # Errors
/// 3141 when the name is taken, 3104 when it is in a mirroring session, [`code::LOST`] when no
/// mirror has a chunk, and SQL Server's own.
pub fn restore(
    open: &OpenSet,
    order: &Order<'_>,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Restored, Fault> {
    let Some(facts) = open
        .manifest(order.position)
        .map(|manifest| &manifest.facts)
    else {
        let object = format!("position {}", order.position);
        return Err(
            Fault::new(code::SET_MISSING, object, "there is no backup set")
                .remedy("look: twinset media show"),
        );
    };
    if facts.sets.len() > 1 {
        let object = format!("position {}", order.position);
        let message = format!("it holds {} backup sets of SQL Server", facts.sets.len());
        return Err(Fault::new(code::SET_TYPE, object, message)
            .remedy("export it and restore the one you want with FILE = n"));
    }
    named(order.name)?;
    let library = VdiLibrary::load(&order.settings.vdi_library)?;
    let run = RunId::random().to_string();
    let mut control = Connector::new(order.settings.clone(), &run).open(Purpose::Control)?;
    free_name(&mut control, order.name)?;
    let session = Server {
        library: &library,
        settings: order.settings,
        progress,
        stop,
    };
    progress.note("read the list of database files");
    let files = file_list(open, order, facts, &session, &mut control)?;
    let moves = placed(&mut control, order, &files)?;
    let readers = open.plain_readers(order.position)?;
    let bytes = readers.iter().map(PlainReader::length).sum();
    progress.begin(
        &format!("restore {} as {}", facts.database, order.name),
        Some(bytes),
    );
    let statement = |devices: Vec<Medium>| {
        RestoreStatement {
            database: order.name.to_owned(),
            kind: facts.kind.unwrap_or(BackupKind::Full),
            devices,
            moves: moves.clone(),
            replace: false,
            recovery: Recovery::Recovery,
            checksum: facts
                .sets
                .first()
                .is_some_and(|set| set.checksum == Some(true)),
            transfer: transfer(facts),
        }
        .to_sql()
    };
    let streamed = session.stream(readers, true, &statement, &mut control);
    progress.end();
    let read = streamed.devices.iter().map(|device| device.bytes).sum();
    if stop.load(Ordering::Relaxed) && streamed.statement != Some(StatementEnd::Ok) {
        let message = "stopped by the operator";
        return Err(
            Fault::new(code::CANCELLED, format!("database {}", order.name), message)
                .remedy("it may be left RESTORING: drop it, or restore again"),
        );
    }
    let map = judged(streamed, order.name)?.map;
    Ok(Restored {
        database: order.name.to_owned(),
        instance: order.settings.name.clone(),
        position: order.position,
        bytes: read,
        files: moves.into_iter().map(|m| (m.logical, m.to)).collect(),
        map,
    })
}

/// The block size must be that of the backup; the transfer size may be another, but never smaller.
fn transfer(facts: &Facts) -> Transfer {
    Transfer {
        block_size: facts.block_size.unwrap_or(0),
        max_transfer_size: facts.max_transfer_size.unwrap_or(1 << 20),
        buffer_count: 0,
    }
}

/// A name that SQL Server takes: 1 to 128 characters.
fn named(name: &str) -> Result<(), Fault> {
    let length = name.encode_utf16().count();
    if (1..=128).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(
        Fault::new(code::USAGE, "--as", "this is no name for a database")
            .remedy("use 1 to 128 characters, none of them a control character"),
    )
}

/// A database is never restored over another one, and never over a mirrored one (P11).
fn free_name(control: &mut Session, name: &str) -> Result<(), Fault> {
    let object = format!("{}, database {name}", control.instance());
    let Some(there) = facts::probe_database(control, name)? else {
        return Ok(());
    };
    if there.mirroring_guid.is_some() {
        return Err(Fault::new(
            code::RESTORE_MIRRORED,
            object,
            "it is in a mirroring session",
        )
        .remedy("restore under a new name: --as NAME"));
    }
    Err(Fault::new(
        code::RESTORE_EXISTS,
        object,
        "a database of this name is there",
    )
    .remedy("restore under a new name: --as NAME"))
}

fn file_list(
    open: &OpenSet,
    order: &Order<'_>,
    facts: &Facts,
    session: &Server<'_>,
    control: &mut Session,
) -> Result<Vec<ListedFile>, Fault> {
    let readers = open.plain_readers(order.position)?;
    let transfer = transfer(facts);
    let streamed = session.stream(
        readers,
        false,
        &|devices| file_list_sql(&devices, transfer),
        control,
    );
    let rows = judged(streamed, order.name)?.rows;
    let rows = rows.ok_or_else(|| {
        Fault::new(
            code::SQL_ERROR,
            &order.settings.name,
            "no list of database files came",
        )
        .remedy("see SQL Server's error log")
    })?;
    facts::file_list(&rows)
}

/// Every file gets a place that is not the original's: named ones where they are named, the
/// others into the data folder under the new database's name.
fn placed(
    control: &mut Session,
    order: &Order<'_>,
    files: &[ListedFile],
) -> Result<Vec<Move>, Fault> {
    let named = |m: &&Move| files.iter().all(|file| file.logical_name != m.logical);
    if let Some(unknown) = order.moves.iter().find(named) {
        let known: Vec<&str> = files
            .iter()
            .map(|file| file.logical_name.as_str())
            .collect();
        let message = format!("the backup has no file {}", unknown.logical);
        return Err(Fault::new(code::UNKNOWN_NAME, "--move", message)
            .cause(format!("its files: {}", known.join(", ")))
            .remedy("name a logical file of the backup"));
    }
    let folder = match order.data_dir {
        Some(folder) => Some(folder.to_owned()),
        None => facts::default_data_folder(control)?,
    };
    let place = |file: &ListedFile| {
        let named = order.moves.iter().find(|m| m.logical == file.logical_name);
        let to = match (named, &folder) {
            (Some(named), _) => named.to.clone(),
            (None, Some(folder)) => join(folder, order.name, file),
            (None, None) => file.physical_name.clone(),
        };
        Move {
            logical: file.logical_name.clone(),
            to,
        }
    };
    Ok(files.iter().map(place).collect())
}

/// `<folder>/<name>.<logical>.mdf`, with the separator that the folder uses.
fn join(folder: &str, name: &str, file: &ListedFile) -> String {
    let separator = if folder.contains('\\') { '\\' } else { '/' };
    let ending = match file.kind.as_str() {
        "L" => "ldf",
        "D" => "mdf",
        _ => "dat",
    };
    let name = twinset_domain::name::safe(name);
    let logical = twinset_domain::name::safe(&file.logical_name);
    format!(
        "{}{separator}{name}.{logical}.{ending}",
        folder.trim_end_matches(['/', '\\'])
    )
}

/// What the statement and the devices say: success needs both.
fn judged(streamed: Streamed, name: &str) -> Result<Streamed, Fault> {
    let object = format!("database {name}");
    let server = streamed
        .statement
        .as_ref()
        .and_then(|end| end.fault(&object));
    let device = streamed
        .devices
        .iter()
        .find_map(|device| match &device.end {
            End::Failed(fault) | End::Protocol(fault) => Some(fault.clone()),
            End::Closed | End::Aborted => None,
        });
    match (streamed.fault.clone().or(device), server) {
        (Some(ours), Some(server)) if ours.code != code::CANCELLED => {
            Err(ours.cause(format!("then {}", server.message)))
        }
        (Some(fault), _) | (None, Some(fault)) => Err(fault),
        (None, None) if streamed.statement == Some(StatementEnd::Ok) => Ok(streamed),
        (None, None) => Err(
            Fault::new(code::SQL_LOST, object, "the statement did not end")
                .remedy("look at the database's state before trying again"),
        ),
    }
}

impl Server<'_> {
    /// Sends a statement and serves its reads; where it reads the `whole` set, all is proved.
    fn stream(
        &self,
        readers: Vec<PlainReader>,
        whole: bool,
        statement: &dyn Fn(Vec<Medium>) -> String,
        control: &mut Session,
    ) -> Streamed {
        let run = RunId::random().to_string();
        let job = VdiJob {
            library: self.library,
            settings: self.settings,
            run: &run,
            features: feature::LIKE_PIPE,
            families: u16::try_from(readers.len()).unwrap_or(u16::MAX),
            end_limit: STATEMENT_LIMIT,
            stop: self.stop,
            // How far a restore is, its own reads tell better.
            percent: &|_| {},
        };
        let mut readers = readers.into_iter();
        let mut open = |_| {
            let reader = readers.next().ok_or_else(|| {
                Fault::new(code::INTERNAL, "restore", "more devices than families")
            })?;
            Ok(FamilySource::new(reader, self.progress))
        };
        let end = job.run(
            statement,
            &mut open,
            &|device, mut source, cancelled| {
                let end = drive_restore(device, &mut source, cancelled);
                let whole = whole && end.end == End::Closed;
                (end, source.finish(whole))
            },
            control,
        );
        let mut streamed = Streamed {
            statement: end.statement,
            rows: end.rows,
            devices: Vec::new(),
            map: DamageMap::default(),
            fault: end.fault,
        };
        for (device, (report, fault)) in end.devices {
            streamed.devices.push(device);
            streamed.map.add(report);
            streamed.fault = streamed.fault.or(fault);
        }
        streamed
    }
}
