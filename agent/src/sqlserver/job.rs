//! One BACKUP or RESTORE over virtual devices, from the creation of the set to its close.
//!
//! create the set -> send the statement -> wait for the configuration -> open the devices -> drive
//! each on a thread of its own -> wait for the statement's end -> close the set.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use twinset_domain::{Fault, code};

use super::facts::{self, Percent};
use super::statement::Medium;
use super::vdi::{BY_INSTANCE, DeviceEnd, NotConfigured, VdiDevice, VdiLibrary, VdiSet, set_name};
use super::{InstanceSettings, Rows, Running, Session, StatementEnd, cancel};

/// How long a statement may take to end after it was aborted.
const ABORT_LIMIT: Duration = Duration::from_secs(10);
/// How long buffers may stay out after the devices have ended.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);
/// How often SQL Server is asked how far its statement is.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How often the main thread looks up.
const GLANCE: Duration = Duration::from_millis(100);

/// Tells the main thread that a device has ended, also when its driver panicked: a log backup of a
/// few milliseconds does not wait for the next look.
struct Ended<'a> {
    left: &'a AtomicUsize,
    waits: std::thread::Thread,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.left.fetch_sub(1, Ordering::Release);
        self.waits.unpark();
    }
}

/// A statement over virtual devices.
pub struct VdiJob<'a> {
    /// SQL Server's library.
    pub library: &'a Arc<VdiLibrary>,
    /// The instance.
    pub settings: &'a InstanceSettings,
    /// Gives the work connection.
    pub work: &'a dyn Fn() -> Result<Session, Fault>,
    /// Makes the name of the set unique.
    pub run: &'a str,
    /// Flags of [`super::vdi::feature`].
    pub features: u32,
    /// Devices, one for each family.
    pub families: u16,
    /// How long the statement may work on after its last device has closed.
    pub end_limit: Duration,
    /// Set when the operator wants it to stop.
    pub stop: &'a AtomicBool,
    /// Told how far SQL Server says its statement is.
    pub percent: &'a (dyn Fn(&Percent) + Sync),
}

/// Why no device is served.
enum NotServed {
    /// The statement ended before it opened the set: its own error tells the cause.
    Ended,
    /// The server aborted the set: so does its error, if there is one.
    Aborted(Fault),
    /// Something failed here.
    Ours(Fault),
}

impl NotServed {
    fn fault(self) -> Option<Fault> {
        match self {
            Self::Ended => None,
            Self::Aborted(fault) | Self::Ours(fault) => Some(fault),
        }
    }
}

/// What a job came to.
pub struct JobEnd<T> {
    /// Name of the set, by which msdb knows its devices.
    pub set_name: String,
    /// How the statement ended; `None` when it did not end in time.
    pub statement: Option<StatementEnd>,
    /// Rows of the statement.
    pub rows: Option<Rows>,
    /// How each device ended, with what its driver gave, in the order of families.
    pub devices: Vec<(DeviceEnd, T)>,
    /// What failed on our side beside the devices.
    pub fault: Option<Fault>,
}

impl VdiJob<'_> {
    /// Runs the job. `open` makes the end of each device, by its number from 1; `drive` serves one
    /// device until it ends. An end that is dropped gives up what it holds.
    pub fn run<L: Send, T: Send>(
        &self,
        statement: &dyn Fn(Vec<Medium>) -> String,
        open: &mut dyn FnMut(u16) -> Result<L, Fault>,
        drive: &(dyn Fn(VdiDevice, L, &AtomicBool) -> (DeviceEnd, T) + Sync),
        control: &mut Session,
    ) -> JobEnd<T> {
        let mut end = JobEnd {
            set_name: set_name(self.run),
            statement: None,
            rows: None,
            devices: Vec::new(),
            fault: None,
        };
        let (running, set) = match self.begin(&end.set_name, statement, control) {
            Ok(begun) => begun,
            Err(fault) => {
                end.fault = Some(fault);
                return end;
            }
        };
        let mut aborted = false;
        match self.lanes(&set, &running, open) {
            Ok(lanes) => {
                end.devices = self.drive_all(&set, lanes, drive, &running, control);
            }
            Err(why) => {
                set.abort("the devices cannot be served");
                aborted = matches!(why, NotServed::Aborted(_));
                end.fault = why.fault();
            }
        }
        self.end(running, control, &mut end);
        if aborted && matches!(end.statement, Some(StatementEnd::Error { .. })) {
            // Its own error came first, as where it finds no memory for the buffers.
            end.fault = None;
        }
        if let Err(fault) = set.close(CLOSE_LIMIT) {
            tracing::warn!(%fault, "the virtual device set");
        }
        end
    }

    /// Creates the set before the statement is sent: SQL Server opens it by name.
    fn begin(
        &self,
        name: &str,
        statement: &dyn Fn(Vec<Medium>) -> String,
        control: &mut Session,
    ) -> Result<(Running, VdiSet), Fault> {
        let instance = if BY_INSTANCE {
            facts::probe_instance(control)?.instance_name
        } else {
            None
        };
        let (library, instance) = (self.library, instance.as_deref());
        let set = VdiSet::create(library, instance, name, self.families, self.features)?;
        let media = set
            .device_names()
            .into_iter()
            .map(Medium::Virtual)
            .collect();
        Ok(((self.work)()?.start(statement(media))?, set))
    }

    /// Waits for the configuration and opens every device.
    fn lanes<L>(
        &self,
        set: &VdiSet,
        running: &Running,
        open: &mut dyn FnMut(u16) -> Result<L, Fault>,
    ) -> Result<Vec<(VdiDevice, L)>, NotServed> {
        let mut still_wanted = || {
            let over = running.poll().is_some() || self.stop.load(Ordering::Relaxed);
            if over {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        match set.configure(self.settings.open_timeout, &mut still_wanted) {
            Ok(_) => {}
            Err(NotConfigured::NotWanted) if running.poll().is_some() => {
                return Err(NotServed::Ended);
            }
            Err(NotConfigured::NotWanted) => return Err(NotServed::Ours(cancelled())),
            Err(NotConfigured::Aborted(fault)) => return Err(NotServed::Aborted(*fault)),
            Err(NotConfigured::Fault(fault)) => return Err(NotServed::Ours(*fault)),
        }
        let lane = |(family, name): (u16, String)| {
            let device = set.open_device(&name)?;
            Ok((device, open(family)?))
        };
        (1..)
            .zip(set.device_names())
            .map(lane)
            .collect::<Result<_, Fault>>()
            .map_err(NotServed::Ours)
    }

    fn drive_all<L: Send, T: Send>(
        &self,
        set: &VdiSet,
        lanes: Vec<(VdiDevice, L)>,
        drive: &(dyn Fn(VdiDevice, L, &AtomicBool) -> (DeviceEnd, T) + Sync),
        running: &Running,
        control: &mut Session,
    ) -> Vec<(DeviceEnd, T)> {
        let (cancelled, left) = (AtomicBool::new(false), AtomicUsize::new(lanes.len()));
        let mut asked = Instant::now();
        std::thread::scope(|scope| {
            let threads: Vec<ScopedJoinHandle<'_, (DeviceEnd, T)>> = lanes
                .into_iter()
                .map(|(device, lane)| {
                    let cancelled = &cancelled;
                    let ended = Ended {
                        left: &left,
                        waits: std::thread::current(),
                    };
                    scope.spawn(move || {
                        let _ended = ended;
                        drive(device, lane, cancelled)
                    })
                })
                .collect();
            while left.load(Ordering::Acquire) > 0 {
                // Without its connection nobody will ever hear the verdict; SQL Server itself
                // would wait for its devices.
                if let Some(StatementEnd::Lost(why)) = running.poll()
                    && !cancelled.swap(true, Ordering::Relaxed)
                {
                    set.abort(&why);
                }
                if self.stop.load(Ordering::Relaxed) && !cancelled.swap(true, Ordering::Relaxed) {
                    set.abort("stopped by the operator");
                }
                if asked.elapsed() >= ASK_EVERY {
                    asked = Instant::now();
                    // A control connection that fails here is told of when its word matters.
                    if let Ok(Some(percent)) = facts::progress(control, running.spid()) {
                        (self.percent)(&percent);
                    }
                }
                std::thread::park_timeout(GLANCE);
            }
            // A driver that panicked counts as a device that did not end.
            threads
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .collect()
        })
    }

    /// Waits for the statement's end; one that does not end in time is cancelled.
    fn end<T>(&self, running: Running, control: &mut Session, end: &mut JobEnd<T>) {
        let begun = Instant::now();
        let mut limit = if end.fault.is_some() {
            ABORT_LIMIT
        } else {
            self.end_limit
        };
        while end.statement.is_none() && begun.elapsed() < limit {
            if self.stop.load(Ordering::Relaxed) {
                limit = limit.min(ABORT_LIMIT);
            }
            end.statement = running.wait(GLANCE);
        }
        match &mut end.statement {
            // Its connection is gone; whether the server works on, the other one tells.
            Some(StatementEnd::Lost(why)) => {
                let session = running.spid();
                let known = match cancel(running, control) {
                    Ok(cancelled) => format!("; session {session}: {}", cancelled.told()),
                    Err(fault) => format!(
                        "; what became of session {session} on the server is not known: {}",
                        fault.message
                    ),
                };
                why.push_str(&known);
            }
            Some(_) => end.rows = running.take_rows(),
            None => {
                if let Err(fault) = cancel(running, control) {
                    tracing::warn!(%fault, "the statement could not be cancelled");
                }
            }
        }
    }
}

/// The operator stopped the job.
fn cancelled() -> Fault {
    Fault::new(
        code::CANCELLED,
        "virtual devices",
        "stopped by the operator",
    )
    .remedy("start it again when it suits; a RESTORE may leave its database RESTORING")
}
