//! A family of the media engine as the end of a virtual device.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use twinset_domain::{Fault, code};

use super::brake::Brake;
use crate::media::writer::{FamilyWriter, Onlooker, Sealed};
use crate::payload::Lease;
use crate::report::Progress;
use crate::sqlserver::vdi::{BackupSink, SinkFault, Win32};

/// Takes one device's bytes to all mirrors of its family.
pub(super) struct FamilySink<'a> {
    /// Open until the seal.
    writer: Option<FamilyWriter<'a>>,
    /// What the seal gave.
    sealed: Option<Sealed>,
    progress: &'a dyn Progress,
    /// Bytes of all families.
    done: &'a AtomicU64,
    /// How fast they may come.
    pace: &'a Pace<'a>,
}

impl Onlooker for &dyn Progress {
    fn note(&self, text: &str) {
        Progress::note(*self, text);
    }

    fn operator(&self, device: &str, wish: &str) {
        Progress::operator(*self, device, wish);
    }
}

/// How fast the bytes of all families may come, and what ends the wait.
pub(super) struct Pace<'a> {
    pub(super) brake: Brake,
    pub(super) stop: &'a AtomicBool,
}

impl<'a> FamilySink<'a> {
    pub(super) fn new(
        writer: FamilyWriter<'a>,
        progress: &'a dyn Progress,
        done: &'a AtomicU64,
        pace: &'a Pace<'a>,
    ) -> Self {
        Self {
            writer: Some(writer),
            sealed: None,
            progress,
            done,
            pace,
        }
    }

    /// The sealed family, if it came so far. What is not sealed is given up by the drop.
    pub(super) fn finish(mut self) -> Option<Sealed> {
        self.sealed.take()
    }

    fn writer(&mut self) -> Result<&mut FamilyWriter<'a>, SinkFault> {
        self.writer.as_mut().ok_or_else(|| {
            let message = "SQL Server wrote on after the family was sealed";
            let fault = Fault::new(code::VDI_SESSION, "virtual device", message).remedy(
                "this server sends data after a Flush without VDC_Complete (FILESTREAM): update \
                     it, or set source = \"stage\", which needs none",
            );
            SinkFault::new(fault, Win32::IO_DEVICE)
        })
    }
}

impl Drop for FamilySink<'_> {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.abort();
        }
    }
}

/// What SQL Server is told of a mirror's fault: a full disk is 112, all else an I/O error.
fn told(fault: Fault) -> SinkFault {
    let completion = if fault.code == code::MEDIUM_FULL {
        Win32::DISK_FULL
    } else {
        Win32::IO_DEVICE
    };
    SinkFault::new(fault, completion)
}

impl BackupSink for FamilySink<'_> {
    fn write(&mut self, lease: Lease) -> Result<(), SinkFault> {
        let length = lease.len() as u64;
        // SQL Server's own buffers wait: a window of them is the most that is held.
        self.pace.brake.hold(length, self.pace.stop);
        self.writer()?.write(&lease).map_err(told)?;
        self.progress.advance(length);
        self.done.fetch_add(length, Ordering::Relaxed);
        Ok(())
    }

    fn check(&mut self) -> Result<(), SinkFault> {
        match &mut self.writer {
            Some(writer) => writer.enforce_deadlines().map_err(told),
            None => Ok(()),
        }
    }

    fn sync(&mut self) -> Result<(), SinkFault> {
        self.writer()?.sync().map_err(told)
    }

    fn seal(&mut self) -> Result<(), SinkFault> {
        let Some(writer) = self.writer.take() else {
            return if self.sealed.is_some() {
                Ok(())
            } else {
                self.writer().map(drop)
            };
        };
        self.sealed = Some(writer.seal().map_err(told)?);
        Ok(())
    }
}
