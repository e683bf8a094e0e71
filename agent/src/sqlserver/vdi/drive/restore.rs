//! RESTORE: one read at a time, filled in place.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::super::codes::{Order, Win32};
use super::super::device::{Command, Next, VdiDevice};
use super::{AFTER_FAULT, DeviceEnd, End, RestoreSource, SinkFault, protocol, refused};

/// Drives one device of a RESTORE to its end. The server may close it before all bytes were asked
/// for. When `cancelled` turns true the set is aborted.
///
/// A source that fails is answered with its own error, never with the end of the data: that would
/// make SQL Server report a truncated backup and hide the cause.
pub fn drive_restore(
    device: VdiDevice,
    source: &mut dyn RestoreSource,
    cancelled: &AtomicBool,
) -> DeviceEnd {
    let tally = DeviceEnd::new(&device);
    let mut drive = Drive {
        device,
        source,
        cancelled,
        failed: None,
        heard: Instant::now(),
        tally,
    };
    let end = loop {
        if let Err(end) = drive.turn() {
            break end;
        }
    };
    let mut tally = drive.tally;
    tally.end = match (end, drive.failed) {
        (_, Some(failure)) => End::Failed(*failure.fault),
        (end, None) => end,
    };
    tally
}

struct Drive<'a> {
    device: VdiDevice,
    source: &'a mut dyn RestoreSource,
    cancelled: &'a AtomicBool,
    failed: Option<SinkFault>,
    heard: Instant,
    tally: DeviceEnd,
}

impl Drive<'_> {
    fn turn(&mut self) -> Result<(), End> {
        if self.cancelled.load(Ordering::Acquire) {
            self.device.abort("cancelled");
            return Err(End::Aborted);
        }
        match self.device.wait() {
            Next::Command(command) => {
                self.heard = Instant::now();
                self.tally.commands += 1;
                self.obey(command)
            }
            Next::Nothing if self.failed.is_some() && self.heard.elapsed() >= AFTER_FAULT => {
                self.device.abort("the server is silent after a failure");
                Err(End::Aborted)
            }
            Next::Nothing => Ok(()),
            Next::Closed => Err(End::Closed),
            Next::Aborted => Err(End::Aborted),
            Next::Failed(text) => Err(protocol(&mut self.device, &text)),
        }
    }

    fn obey(&mut self, command: Command) -> Result<(), End> {
        match command.order {
            Order::Read => self.read(command),
            Order::ClearError | Order::Flush | Order::Complete => {
                self.answer(command, Win32::SUCCESS, 0)
            }
            Order::Write => Err(protocol(&mut self.device, "the server writes to a restore")),
            Order::Other(number) => {
                tracing::debug!(
                    device = self.device.name(),
                    number,
                    "unknown command refused"
                );
                self.answer(command, Win32::NOT_SUPPORTED, 0)
            }
        }
    }

    fn read(&mut self, mut command: Command) -> Result<(), End> {
        if let Some(failure) = &self.failed {
            let code = failure.answer(Win32::READ_FAULT);
            return self.answer(command, code, 0);
        }
        let size = command.size();
        match self.source.read(command.buffer()) {
            Ok(bytes) if bytes > size => Err(protocol(
                &mut self.device,
                "the source claims more bytes than the buffer has",
            )),
            Ok(bytes) => {
                let code = if bytes < size {
                    Win32::HANDLE_EOF
                } else {
                    Win32::SUCCESS
                };
                self.answer(command, code, bytes)?;
                self.tally.bytes += bytes as u64;
                Ok(())
            }
            Err(failure) => {
                let code = failure.answer(Win32::READ_FAULT);
                self.failed = Some(failure);
                self.answer(command, code, 0)
            }
        }
    }

    fn answer(&mut self, command: Command, code: Win32, bytes: usize) -> Result<(), End> {
        let done = self.device.complete(command, code, bytes);
        done.map_err(|error| refused(&mut self.device, error))
    }
}
