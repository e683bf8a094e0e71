//! The loop of one device: what SQL Server asks, a sink or a source does, and the answer goes back.

use std::time::Duration;

use serde::Serialize;
use twinset_domain::{Fault, code};

use super::codes::{Vde, Win32};
use super::device::VdiDevice;
use crate::payload::Lease;

mod backup;
mod restore;

pub use backup::drive_backup;
pub use restore::drive_restore;

/// How long the server may stay silent after it was told of a failure, before the set is aborted.
const AFTER_FAULT: Duration = Duration::from_secs(60);

/// Where the bytes of one family go. Called from the device's thread alone.
pub trait BackupSink: Send {
    /// Takes bytes. They are queued for all mirrors; the lease is dropped when the last mirror lets
    /// go of it. A sink that refuses drops it at once.
    ///
    /// # Errors
    /// The family can no longer be written.
    fn write(&mut self, lease: Lease) -> Result<(), SinkFault>;

    /// Whether everything taken so far is well: asked before a command is answered with success,
    /// and every now and then while a buffer is out. Must return at once.
    ///
    /// # Errors
    /// As [`BackupSink::write`].
    fn check(&mut self) -> Result<(), SinkFault>;

    /// Makes everything taken so far durable; more may come (Flush, when Complete was granted).
    ///
    /// # Errors
    /// As [`BackupSink::write`].
    fn sync(&mut self) -> Result<(), SinkFault>;

    /// Makes data and manifest durable on every required mirror. The server may truncate the log
    /// as soon as this is answered (promise P1). Called again when a server without Complete
    /// sends a second Flush with nothing in between.
    ///
    /// # Errors
    /// As [`BackupSink::write`].
    fn seal(&mut self) -> Result<(), SinkFault>;
}

/// Where the bytes of one family come from. Called from the device's thread alone.
pub trait RestoreSource: Send {
    /// Fills `buffer` from the start and says how far; short only at the true end.
    ///
    /// # Errors
    /// The bytes cannot be had from any mirror. Never to be mistaken for the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SinkFault>;
}

/// A failure of a sink or source, with what SQL Server is told.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkFault {
    /// For our own user.
    pub fault: Box<Fault>,
    /// Completion code, which SQL Server shows as an operating system error: 112 disk full, 1117
    /// I/O error. Never 0 or 38.
    pub completion: i32,
}

impl SinkFault {
    /// A fault with the completion code that SQL Server is to show.
    #[must_use]
    pub fn new(fault: Fault, completion: Win32) -> Self {
        Self {
            fault: Box::new(fault),
            completion: completion.0,
        }
    }

    /// The code to answer with. Success or end of file would hide the failure.
    fn answer(&self, otherwise: Win32) -> Win32 {
        match Win32(self.completion) {
            Win32::SUCCESS | Win32::HANDLE_EOF => otherwise,
            other => other,
        }
    }
}

/// How a device's loop ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum End {
    /// The server closed it: no transfer error was noticed. Not yet a success.
    Closed,
    /// Somebody signalled abort.
    Aborted,
    /// Sink or source failed; the server was told.
    Failed(Fault),
    /// The library or the server did what the interface does not foresee; the set was aborted.
    Protocol(Fault),
}

/// What one device did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceEnd {
    /// Its name in the statement.
    pub device: String,
    /// Bytes of acknowledged writes, or of answered reads.
    pub bytes: u64,
    /// Commands that came.
    pub commands: u64,
    /// The sink was sealed after the last write, whatever became of the answer.
    pub sealed: bool,
    /// The last Complete (Flush, when Complete was not granted) was answered with success and the
    /// library took the answer: SQL Server may believe the bytes to be safe.
    pub answered: bool,
    /// How it ended.
    pub end: End,
}

impl DeviceEnd {
    fn new(device: &VdiDevice) -> Self {
        Self {
            device: device.name().to_owned(),
            bytes: 0,
            commands: 0,
            sealed: false,
            answered: false,
            end: End::Aborted,
        }
    }
}

/// Ends the set over something unforeseen.
fn protocol(device: &mut VdiDevice, text: &str) -> End {
    device.abort(text);
    End::Protocol(
        Fault::new(
            code::VDI_SESSION,
            device.name(),
            "the virtual device behaved unexpectedly",
        )
        .cause(text)
        .remedy("check vdi_library, and SQL Server's error log for the other side of this"),
    )
}

/// The end that a refused answer means.
fn refused(device: &mut VdiDevice, error: Vde) -> End {
    if error == Vde::ABORT {
        End::Aborted
    } else {
        protocol(device, &format!("CompleteCommand: {error}"))
    }
}
