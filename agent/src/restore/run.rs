//! RESTORE through the virtual device interface, always under a name that is free (P11).

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use twinset_domain::{BackupKind, Fault, Position, RunId, code};
use twinset_format::manifest::Facts;

use super::open::{DamageMap, OpenSet};
use super::source::FamilySource;
use crate::media::reader::FamilyReader;
use crate::report::Progress;
use crate::sqlserver::facts::{self, ListedFile};
use crate::sqlserver::statement::{
    Medium, Move, Recovery, RestoreStatement, Transfer, file_list_sql,
};
use crate::sqlserver::vdi::{
    DeviceEnd, End, NotConfigured, VdiLibrary, VdiSet, drive_restore, feature, set_name,
};
use crate::sqlserver::{
    Connector, InstanceSettings, Purpose, Rows, Running, Session, StatementEnd, cancel,
};

/// How long SQL Server may take to open the virtual device set, while its statement runs.
const CONFIGURE_LIMIT: Duration = Duration::from_secs(300);
/// How long RESTORE may roll forward and recover after it has read everything.
const STATEMENT_LIMIT: Duration = Duration::from_secs(24 * 3600);
/// How long a cancelled statement may take to end.
const CANCEL_LIMIT: Duration = Duration::from_secs(10);
/// How long buffers may stay out after the devices have ended.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);
/// How often the main thread looks up.
const GLANCE: Duration = Duration::from_millis(200);

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

/// One statement over virtual devices, from create to close.
struct Session1<'a> {
    library: &'a Arc<VdiLibrary>,
    settings: &'a InstanceSettings,
    progress: &'a dyn Progress,
    stop: &'a AtomicBool,
}

/// What a statement over virtual devices came to.
struct Streamed {
    statement: Option<StatementEnd>,
    rows: Option<Rows>,
    devices: Vec<DeviceEnd>,
    map: DamageMap,
    fault: Option<Fault>,
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
    let Some(facts) = open.manifest(order.position).map(|manifest| &manifest.facts) else {
        let object = format!("position {}", order.position);
        return Err(Fault::new(code::SET_MISSING, object, "there is no backup set")
            .remedy("look: twinset media show"));
    };
    let library = VdiLibrary::load(&order.settings.vdi_library)?;
    let run = RunId::random().to_string();
    let mut control = Connector::new(order.settings.clone(), &run).open(Purpose::Control)?;
    free_name(&mut control, order.name)?;
    let session = Session1 { library: &library, settings: order.settings, progress, stop };
    progress.note("read the list of database files");
    let files = file_list(open, order, facts, &session, &mut control)?;
    let moves = placed(&mut control, order, &files)?;
    let readers = open.readers(order.position)?;
    let bytes = readers.iter().map(FamilyReader::length).sum();
    progress.begin(&format!("restore {} as {}", facts.database, order.name), Some(bytes));
    let statement = |devices: Vec<Medium>| {
        RestoreStatement {
            database: order.name.to_owned(),
            kind: facts.kind.unwrap_or(BackupKind::Full),
            devices,
            moves: moves.clone(),
            replace: false,
            recovery: Recovery::Recovery,
            checksum: facts.sets.first().is_some_and(|set| set.checksum == Some(true)),
            transfer: transfer(facts),
        }
        .to_sql()
    };
    let streamed = session.stream(readers, &statement, &mut control);
    progress.end();
    let read = streamed.devices.iter().map(|device| device.bytes).sum();
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

/// A database is never restored over another one, and never over a mirrored one (P11).
fn free_name(control: &mut Session, name: &str) -> Result<(), Fault> {
    let object = format!("{}, database {name}", control.instance());
    let Some(there) = facts::probe_database(control, name)? else {
        return Ok(());
    };
    if there.mirroring_guid.is_some() {
        return Err(Fault::new(code::RESTORE_MIRRORED, object, "it is in a mirroring session")
            .remedy("restore under a new name: --as NAME"));
    }
    Err(Fault::new(code::RESTORE_EXISTS, object, "a database of this name is there")
        .remedy("restore under a new name: --as NAME"))
}

fn file_list(
    open: &OpenSet,
    order: &Order<'_>,
    facts: &Facts,
    session: &Session1<'_>,
    control: &mut Session,
) -> Result<Vec<ListedFile>, Fault> {
    let readers = open.readers(order.position)?;
    let transfer = transfer(facts);
    let streamed =
        session.stream(readers, &|devices| file_list_sql(&devices, transfer), control);
    let rows = judged(streamed, order.name)?.rows;
    let rows = rows.ok_or_else(|| {
        Fault::new(code::SQL_ERROR, &order.settings.name, "no list of database files came")
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
    for unknown in order.moves.iter().filter(|m| files.iter().all(|f| f.logical_name != m.logical)) {
        let known: Vec<&str> = files.iter().map(|file| file.logical_name.as_str()).collect();
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
        Move { logical: file.logical_name.clone(), to }
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
    format!("{}{separator}{name}.{logical}.{ending}", folder.trim_end_matches(['/', '\\']))
}

/// What the statement and the devices say: success needs both.
fn judged(streamed: Streamed, name: &str) -> Result<Streamed, Fault> {
    let object = format!("database {name}");
    let server = streamed.statement.as_ref().and_then(|end| end.fault(&object));
    let device = streamed.devices.iter().find_map(|device| match &device.end {
        End::Failed(fault) | End::Protocol(fault) => Some(fault.clone()),
        End::Closed | End::Aborted => None,
    });
    match (streamed.fault.clone().or(device), server) {
        (Some(ours), Some(server)) if ours.code != code::CANCELLED => {
            Err(ours.cause(format!("SQL Server then said {}: {}", server.code, server.message)))
        }
        (Some(fault), _) | (None, Some(fault)) => Err(fault),
        (None, None) if streamed.statement == Some(StatementEnd::Ok) => Ok(streamed),
        (None, None) => Err(Fault::new(code::SQL_LOST, object, "the statement did not end")
            .remedy("look at the database's state before trying again")),
    }
}

impl Session1<'_> {
    /// Creates the set, sends the statement, serves its reads, and waits for its end.
    fn stream(
        &self,
        readers: Vec<FamilyReader>,
        statement: &dyn Fn(Vec<Medium>) -> String,
        control: &mut Session,
    ) -> Streamed {
        let mut streamed = Streamed {
            statement: None,
            rows: None,
            devices: Vec::new(),
            map: DamageMap::default(),
            fault: None,
        };
        let run = RunId::random().to_string();
        let families = u16::try_from(readers.len()).unwrap_or(u16::MAX);
        let begun = VdiSet::create(self.library, &set_name(&run), families, feature::LIKE_PIPE)
            .and_then(|set| {
                let media = set.device_names().into_iter().map(Medium::Virtual).collect();
                let work = Connector::new(self.settings.clone(), &run).open(Purpose::Work)?;
                Ok((work.start(statement(media))?, set))
            });
        let (running, set) = match begun {
            Ok(begun) => begun,
            Err(fault) => {
                streamed.fault = Some(fault);
                return streamed;
            }
        };
        if let Err(fault) = self.serve(readers, &set, &running, &mut streamed) {
            set.abort("the restore cannot begin");
            streamed.fault = fault;
        }
        self.end(running, control, &mut streamed);
        if let Err(fault) = set.close(CLOSE_LIMIT) {
            tracing::warn!(%fault, "the virtual device set");
        }
        streamed
    }

    fn serve(
        &self,
        readers: Vec<FamilyReader>,
        set: &VdiSet,
        running: &Running,
        streamed: &mut Streamed,
    ) -> Result<(), Option<Fault>> {
        let mut still_wanted = || {
            let over = running.poll().is_some() || self.stop.load(Ordering::Relaxed);
            if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        match set.configure(CONFIGURE_LIMIT, &mut still_wanted) {
            Ok(_) => {}
            Err(NotConfigured::NotWanted) if running.poll().is_some() => return Err(None),
            Err(NotConfigured::NotWanted) => return Err(Some(cancelled())),
            Err(NotConfigured::Fault(fault)) => return Err(Some(fault)),
        }
        let mut lanes = Vec::new();
        for (name, reader) in set.device_names().iter().zip(readers) {
            let device = set.open_device(name).map_err(Some)?;
            lanes.push((device, FamilySource::new(reader, self.progress)));
        }
        let cancelled = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let threads: Vec<_> = lanes
                .into_iter()
                .map(|(device, mut source)| {
                    let cancelled = &cancelled;
                    scope.spawn(move || {
                        let end = drive_restore(device, &mut source, cancelled);
                        (end, source.finish())
                    })
                })
                .collect();
            while !threads.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                if self.stop.load(Ordering::Relaxed) && !cancelled.swap(true, Ordering::Relaxed) {
                    set.abort("stopped by the operator");
                }
                std::thread::sleep(GLANCE);
            }
            for (end, (report, fault)) in threads.into_iter().filter_map(|t| t.join().ok()) {
                streamed.devices.push(end);
                streamed.map.add(report);
                streamed.fault = streamed.fault.take().or(fault);
            }
        });
        Ok(())
    }

    fn end(&self, running: Running, control: &mut Session, streamed: &mut Streamed) {
        let stopped = self.stop.load(Ordering::Relaxed) || streamed.fault.is_some();
        let limit = if stopped { CANCEL_LIMIT } else { STATEMENT_LIMIT };
        streamed.statement = running.wait(limit);
        if streamed.statement.is_some() {
            streamed.rows = running.take_rows();
        } else if let Err(fault) = cancel(running, control) {
            tracing::warn!(%fault, "the statement could not be cancelled");
        }
    }
}

fn cancelled() -> Fault {
    Fault::new(code::CANCELLED, "restore", "stopped by the operator")
        .remedy("the database may be left RESTORING: drop it, or restore again")
}
