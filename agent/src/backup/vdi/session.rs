//! The part of a backup that runs beside SQL Server: statement, devices, progress, cancelling.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use twinset_domain::{Fault, FamilyNo, code};

use super::Order;
use crate::backup::pump;
use crate::backup::run::{Desk, Reserved};
use crate::backup::sink::FamilySink;
use crate::media::writer::Sealed;
use crate::sqlserver::statement::{BackupStatement, Medium, Transfer};
use crate::sqlserver::vdi::{
    DeviceEnd, NotConfigured, VdiDevice, VdiLibrary, VdiSet, drive_backup, feature, set_name,
};
use crate::sqlserver::{Connector, Purpose, Running, Session, StatementEnd, cancel};

/// How long SQL Server may take to open the virtual device set, while its statement runs.
const CONFIGURE_LIMIT: Duration = Duration::from_secs(300);
/// How long the statement may take to end after the last device has closed.
const STATEMENT_LIMIT: Duration = Duration::from_secs(300);
/// How long buffers may stay out after the devices have ended.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);
/// Commands of one device that may be under way.
const WINDOW: usize = 4;
/// How often the main thread looks up while the devices run.
const GLANCE: Duration = Duration::from_millis(200);

/// What came of the stream.
pub(super) struct Streamed {
    /// Name of the set, by which msdb knows its devices.
    pub(super) set_name: String,
    /// How the statement ended; `None` when it did not end in time.
    pub(super) statement: Option<StatementEnd>,
    /// How each device ended, in the order of families.
    pub(super) devices: Vec<DeviceEnd>,
    /// The families that are sealed, in order.
    pub(super) sealed: Vec<Sealed>,
    /// What failed on our side before any device ran.
    pub(super) fault: Option<Fault>,
}

/// Runs BACKUP and takes its stream.
pub(super) fn stream(
    desk: &Desk<'_>,
    reserved: &Reserved,
    library: &Arc<VdiLibrary>,
    order: &Order<'_>,
    transfer: Transfer,
    control: &mut Session,
) -> Streamed {
    let run = reserved.facts.run;
    let mut streamed = Streamed {
        set_name: set_name(run),
        statement: None,
        devices: Vec::new(),
        sealed: Vec::new(),
        fault: None,
    };
    let families = reserved.facts.shape.families;
    let begun = VdiSet::create(library, &streamed.set_name, families, feature::REQUEST_COMPLETE)
        .and_then(|set| Ok((start(order, transfer, &set, &run.to_string())?, set)));
    let (running, set) = match begun {
        Ok(begun) => begun,
        Err(fault) => {
            streamed.fault = Some(fault);
            return streamed;
        }
    };
    match devices(desk, reserved, &set, &running) {
        Ok((ends, sealed)) => (streamed.devices, streamed.sealed) = (ends, sealed),
        Err(fault) => {
            set.abort("the backup cannot begin");
            streamed.fault = fault;
        }
    }
    streamed.statement = ended(running, desk.stop, control);
    if let Err(fault) = set.close(CLOSE_LIMIT) {
        desk.progress.note(&fault.to_string());
    }
    streamed
}

/// Sends BACKUP on a connection of its own.
fn start(
    order: &Order<'_>,
    transfer: Transfer,
    set: &VdiSet,
    run: &str,
) -> Result<Running, Fault> {
    let statement = BackupStatement {
        database: order.database.to_owned(),
        kind: order.kind,
        devices: set.device_names().into_iter().map(Medium::Virtual).collect(),
        transfer,
        copy_only: order.copy_only,
        compression: order.compression,
        name: None,
    };
    let work = Connector::new(order.settings.clone(), run).open(Purpose::Work)?;
    work.start(statement.to_sql())
}

/// Waits for the configuration, then drives every device on a thread of its own. `Err(None)` when
/// the statement ended before the set was opened: its own fault then tells the cause.
fn devices(
    desk: &Desk<'_>,
    reserved: &Reserved,
    set: &VdiSet,
    running: &Running,
) -> Result<(Vec<DeviceEnd>, Vec<Sealed>), Option<Fault>> {
    let mut still_wanted = || {
        let over = running.poll().is_some() || desk.stop.load(Ordering::Relaxed);
        if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    match set.configure(CONFIGURE_LIMIT, &mut still_wanted) {
        Ok(_) => {}
        Err(NotConfigured::NotWanted) if running.poll().is_some() => return Err(None),
        Err(NotConfigured::NotWanted) => return Err(Some(pump::cancelled())),
        Err(NotConfigured::Fault(fault)) => return Err(Some(fault)),
    }
    let mut lanes = Vec::new();
    for (family, name) in (1..).zip(set.device_names()) {
        let opened = set.open_device(&name).and_then(|device| {
            let writer = reserved.writer(FamilyNo(family), None)?;
            Ok((device, FamilySink::new(writer, desk.progress)))
        });
        match opened {
            Ok(lane) => lanes.push(lane),
            Err(fault) => {
                // What was begun for the other families is given up before the set is aborted.
                lanes.into_iter().for_each(|(_, sink): (VdiDevice, FamilySink<'_>)| {
                    sink.finish();
                });
                return Err(Some(fault));
            }
        }
    }
    Ok(drive(desk, set, lanes))
}

fn drive(
    desk: &Desk<'_>,
    set: &VdiSet,
    lanes: Vec<(VdiDevice, FamilySink<'_>)>,
) -> (Vec<DeviceEnd>, Vec<Sealed>) {
    let cancelled = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let threads: Vec<_> = lanes
            .into_iter()
            .map(|(device, mut sink)| {
                let cancelled = &cancelled;
                scope.spawn(move || {
                    let end = drive_backup(device, &mut sink, WINDOW, cancelled);
                    (end, sink.finish())
                })
            })
            .collect();
        while !threads.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            if desk.stop.load(Ordering::Relaxed) && !cancelled.swap(true, Ordering::Relaxed) {
                set.abort("stopped by the operator");
            }
            std::thread::sleep(GLANCE);
        }
        let ends: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().ok()).collect();
        let (ends, sealed): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
        (ends, sealed.into_iter().flatten().collect())
    })
}

/// Waits for the statement's end; one that does not end is cancelled.
fn ended(running: Running, stop: &AtomicBool, control: &mut Session) -> Option<StatementEnd> {
    let limit = if stop.load(Ordering::Relaxed) { GLANCE * 10 } else { STATEMENT_LIMIT };
    if let Some(end) = running.wait(limit) {
        return Some(end);
    }
    if let Err(fault) = cancel(running, control) {
        tracing::warn!(%fault, "the statement could not be cancelled");
    }
    None
}

/// The fault of a stream that ended without one of its own.
pub(super) fn unexplained(streamed: &Streamed) -> Fault {
    Fault::new(code::VDI_SESSION, &streamed.set_name, "the backup did not come to its end")
        .remedy("see SQL Server's error log; nothing was published")
}
