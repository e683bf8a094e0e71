//! The part of a backup that runs beside SQL Server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use twinset_domain::{FamilyNo, Fault, code};

use super::Order;
use crate::backup::brake::Brake;
use crate::backup::desk::Desk;
use crate::backup::run::Reserved;
use crate::backup::sink::{FamilySink, Pace};
use crate::media::writer::{Sealed, Watch};
use crate::sqlserver::statement::{BackupStatement, Medium};
use crate::sqlserver::vdi::{DeviceEnd, VdiLibrary, drive_backup, feature};
use crate::sqlserver::{Ahead, Session, StatementEnd, VdiJob};

/// Commands of one device that may be under way.
const WINDOW: usize = 4;

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
    /// What failed on our side beside the devices.
    pub(super) fault: Option<Fault>,
}

impl Streamed {
    /// SQL Server, or its library, found no memory for the buffers, and no device was opened.
    pub(super) fn lacked_memory(&self) -> bool {
        let said = match &self.fault {
            Some(fault) => Some(fault.clone()),
            None => self.statement.as_ref().and_then(|end| end.fault("")),
        };
        self.devices.is_empty() && said.is_some_and(|fault| fault.code == code::VDI_MEMORY)
    }
}

/// Runs BACKUP and takes its stream.
pub(super) fn stream(
    desk: &Desk<'_>,
    reserved: &Reserved,
    library: &Arc<VdiLibrary>,
    order: &Order<'_>,
    statement: &dyn Fn(Vec<Medium>) -> BackupStatement,
    (work, control): (&Ahead, &mut Session),
) -> Streamed {
    let run = reserved.facts.run.to_string();
    let (done, settings) = (AtomicU64::new(0), order.settings);
    let pace = Pace {
        brake: Brake::new(order.throttle),
        stop: desk.stop,
    };
    let job = VdiJob {
        library,
        settings,
        work: &|| work.take(),
        run: &run,
        features: feature::REQUEST_COMPLETE,
        families: reserved.facts.shape.families,
        end_limit: settings.finish_timeout,
        stop: desk.stop,
        percent: &|percent| {
            let done = done.load(Ordering::Relaxed);
            if let Some(total) = estimate(done, percent.percent) {
                desk.progress.expect(total);
            }
        },
    };
    let watch = Watch {
        progress: &desk.progress,
        stop: desk.stop,
    };
    let statement = |devices| statement(devices).to_sql();
    let mut open = |family| {
        let writer = reserved.writer(FamilyNo(family), None, watch)?;
        Ok(FamilySink::new(writer, desk.progress, &done, &pace))
    };
    let end = job.run(
        &statement,
        &mut open,
        &|device, mut sink, cancelled| {
            let end = drive_backup(device, &mut sink, WINDOW, cancelled);
            (end, sink.finish())
        },
        control,
    );
    let (devices, sealed): (Vec<_>, Vec<_>) = end.devices.into_iter().unzip();
    Streamed {
        set_name: end.set_name,
        statement: end.statement,
        devices,
        sealed: sealed.into_iter().flatten().collect(),
        fault: end.fault,
    }
}

/// All bytes that a backup will have, from those it has and SQL Server's own percentage. Nothing is
/// said of the first percent: it is too coarse.
fn estimate(done: u64, percent: f64) -> Option<u64> {
    if !(1.0..=100.0).contains(&percent) {
        return None;
    }
    // A share of bytes needs no more than the 52 bits of a double.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let total = (done as f64 * 100.0 / percent) as u64;
    (total > 0).then_some(total)
}
