//! BACKUP: several writes in flight, answered in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use twinset_domain::{Fault, code};

use super::super::codes::{Order, Vde, Win32};
use super::super::device::{Bell, Command, Lent, Next, VdiDevice};
use super::{AFTER_FAULT, BackupSink, DeviceEnd, End, SinkFault, protocol, refused};

/// How long to wait for a buffer before looking for new commands, while both may come.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);
/// How long to wait for a buffer when no command is wanted, before the sink is asked how it is.
const BETWEEN_CHECKS: Duration = Duration::from_millis(50);
/// How long buffers may stay out after the sink has failed, before the set is aborted. A mirror
/// that hangs keeps its buffer, and such a command is never answered.
const LEASE_GRACE: Duration = Duration::from_millis(if cfg!(test) { 300 } else { 10_000 });
/// Most writes in flight, whatever the caller asks for (the server's own depth is 4 or so).
const MAX_WINDOW: usize = 64;

/// Drives one device of a BACKUP to its end.
///
/// Up to `window` writes are in flight (at least one). When `cancelled` turns true the set is
/// aborted; a set that is aborted from elsewhere ends the loop likewise. Returns as soon as nothing
/// more can be done; buffers that are still out keep the set from being closed, not this from
/// returning.
pub fn drive_backup(
    device: VdiDevice,
    sink: &mut dyn BackupSink,
    window: usize,
    cancelled: &AtomicBool,
) -> DeviceEnd {
    let tally = DeviceEnd::new(&device);
    let mut drive = Drive {
        complete_enabled: device.negotiated().complete_enabled(),
        window: window.clamp(1, MAX_WINDOW),
        device,
        sink,
        cancelled,
        bell: Arc::new(Bell::default()),
        out: VecDeque::new(),
        failed: None,
        tally,
    };
    let end = drive.run();
    let mut tally = drive.tally;
    tally.end = match (end, drive.failed) {
        // What failed first is the cause; how the server then ended is the consequence.
        (_, Some(failure)) => End::Failed(*failure.what.fault),
        (end, None) => end,
    };
    tally
}

struct Failure {
    what: SinkFault,
    last_heard: Instant,
}

struct Drive<'a> {
    device: VdiDevice,
    sink: &'a mut dyn BackupSink,
    cancelled: &'a AtomicBool,
    complete_enabled: bool,
    window: usize,
    bell: Arc<Bell>,
    out: VecDeque<Lent>,
    failed: Option<Failure>,
    tally: DeviceEnd,
}

/// Go on, or stop with this end.
type Step = Result<(), End>;

impl Drive<'_> {
    fn run(&mut self) -> End {
        loop {
            if let Err(end) = self.turn() {
                return end;
            }
        }
    }

    fn turn(&mut self) -> Step {
        self.stop_if_cancelled()?;
        self.answer_returned()?;
        if self.out.len() >= self.window {
            self.bell.wait(BETWEEN_CHECKS);
            return self.ask_sink();
        }
        let next = if self.out.is_empty() {
            self.device.wait()
        } else {
            self.device.look()
        };
        match next {
            Next::Command(command) => self.obey(command),
            Next::Nothing if self.out.is_empty() => self.stop_if_silent(),
            Next::Nothing => {
                self.bell.wait(BETWEEN_LOOKS);
                self.ask_sink()
            }
            Next::Closed if self.out.is_empty() => Err(End::Closed),
            Next::Closed => Err(protocol(
                &mut self.device,
                "the server closed it with commands unanswered",
            )),
            Next::Aborted => Err(End::Aborted),
            Next::Failed(text) => Err(protocol(&mut self.device, &text)),
        }
    }

    fn stop_if_cancelled(&mut self) -> Step {
        if self.cancelled.load(Ordering::Acquire) {
            self.device.abort("cancelled");
            return Err(End::Aborted);
        }
        Ok(())
    }

    fn stop_if_silent(&mut self) -> Step {
        match &self.failed {
            Some(failure) if failure.last_heard.elapsed() >= AFTER_FAULT => {
                self.device.abort("the server is silent after a failure");
                Err(End::Aborted)
            }
            _ => Ok(()),
        }
    }

    fn obey(&mut self, command: Command) -> Step {
        self.tally.commands += 1;
        if let Some(failure) = &mut self.failed {
            failure.last_heard = Instant::now();
            let code = match command.order {
                Order::ClearError => Win32::SUCCESS,
                Order::Other(_) => Win32::NOT_SUPPORTED,
                _ => failure.what.answer(Win32::WRITE_FAULT),
            };
            return self.answer(command, code, 0);
        }
        match command.order {
            Order::Write => self.write(command),
            Order::Flush => self.flush(command, !self.complete_enabled),
            Order::Complete => self.flush(command, true),
            Order::ClearError => self.answer(command, Win32::SUCCESS, 0),
            Order::Read => Err(protocol(
                &mut self.device,
                "the server asks a backup for bytes to read",
            )),
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

    fn write(&mut self, command: Command) -> Step {
        if self.tally.sealed {
            let failure = after_seal(self.device.name());
            // What was acknowledged was not the whole.
            self.tally.answered = false;
            self.answer(command, Win32::NOT_SUPPORTED, 0)?;
            return self.fail(failure);
        }
        let (lease, lent) = self.device.lend(command, &self.bell);
        self.out.push_back(lent);
        match self.sink.write(lease) {
            Ok(()) => Ok(()),
            Err(failure) => self.fail(failure),
        }
    }

    /// Answers commands from the front, as long as their buffers are back.
    fn answer_returned(&mut self) -> Step {
        while self.out.front().is_some_and(Lent::is_back) {
            if let Err(failure) = self.sink.check() {
                return self.fail(failure);
            }
            if let Some(command) = self.pop_returned() {
                let size = command.size();
                self.answer(command, Win32::SUCCESS, size)?;
                self.tally.bytes += size as u64;
            }
        }
        Ok(())
    }

    fn pop_returned(&mut self) -> Option<Command> {
        match self.out.pop_front()?.take() {
            Ok(command) => Some(command),
            Err(lent) => {
                self.out.push_front(lent);
                None
            }
        }
    }

    fn ask_sink(&mut self) -> Step {
        if self.failed.is_some() {
            return Ok(());
        }
        match self.sink.check() {
            Ok(()) => Ok(()),
            Err(failure) => self.fail(failure),
        }
    }

    /// Flush or Complete: only when every write before it is answered.
    fn flush(&mut self, command: Command, seal: bool) -> Step {
        while !self.out.is_empty() && self.failed.is_none() {
            self.stop_if_cancelled()?;
            self.answer_returned()?;
            if !self.out.is_empty() && self.failed.is_none() {
                self.bell.wait(BETWEEN_CHECKS);
                self.ask_sink()?;
            }
        }
        if let Some(failure) = &self.failed {
            let code = failure.what.answer(Win32::WRITE_FAULT);
            return self.answer(command, code, 0);
        }
        let done = self.sink.check().and_then(|()| {
            if seal {
                self.sink.seal()
            } else {
                self.sink.sync()
            }
        });
        match done {
            Ok(()) => {
                self.tally.sealed |= seal;
                self.answer(command, Win32::SUCCESS, 0)?;
                self.tally.answered |= seal;
                Ok(())
            }
            Err(failure) => {
                let code = failure.answer(Win32::WRITE_FAULT);
                // An earlier answer no longer speaks for the whole.
                self.tally.answered = false;
                self.answer(command, code, 0)?;
                self.fail(failure)
            }
        }
    }

    /// Notes the first failure and answers everything held with it (facts/vdi.md 3.5).
    fn fail(&mut self, failure: SinkFault) -> Step {
        let code = failure.answer(Win32::WRITE_FAULT);
        tracing::debug!(device = self.device.name(), fault = %failure.fault, "the sink failed");
        let begun = Instant::now();
        self.failed.get_or_insert(Failure {
            what: failure,
            last_heard: begun,
        });
        loop {
            while let Some(command) = self.pop_returned() {
                self.answer(command, code, 0)?;
            }
            if self.out.is_empty() {
                return Ok(());
            }
            self.stop_if_cancelled()?;
            if begun.elapsed() >= LEASE_GRACE {
                self.device.abort("a mirror does not give a buffer back");
                return Err(End::Aborted);
            }
            self.bell.wait(BETWEEN_CHECKS);
        }
    }

    fn answer(&mut self, command: Command, code: Win32, bytes: usize) -> Step {
        self.device
            .complete(command, code, bytes)
            .map_err(|error| self.refused(error))
    }

    fn refused(&mut self, error: Vde) -> End {
        refused(&mut self.device, error)
    }
}

fn after_seal(device: &str) -> SinkFault {
    let fault = Fault::new(
        code::VDI_SESSION,
        device,
        "SQL Server wrote on after the end of the stream was acknowledged",
    )
    .cause("this server does not send Complete, and the database holds FILESTREAM data")
    .remedy(
        "update SQL Server to a version that sends Complete, or set source = \"stage\", which needs \
         none",
    );
    SinkFault::new(fault, Win32::NOT_SUPPORTED)
}
