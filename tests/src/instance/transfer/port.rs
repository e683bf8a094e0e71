//! One device of a statement: a virtual device of the client, or a file.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};

use sqlvdi::abi::{commands, completions};
use sqlvdi::server::{ServerDevice, ServerError, Ticket};

/// Commands under way on one virtual device.
const DEPTH: usize = 4;

/// Why a device cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The client (or the file system) reported this Win32 code.
    Reported(i32),
    /// The set was aborted by one side, or the client is gone: 995.
    Aborted,
    /// The statement ends for another device's sake.
    Stopped,
}

impl Broken {
    /// Win32 code to name.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Reported(code) => code,
            Self::Aborted | Self::Stopped => completions::OPERATION_ABORTED,
        }
    }
}

impl From<ServerError> for Broken {
    fn from(fault: ServerError) -> Self {
        match fault {
            ServerError::IoDevice => Self::Reported(completions::IO_DEVICE),
            _ => Self::Aborted,
        }
    }
}

/// In its error state a device refuses commands: the cause is the answer to an earlier one.
fn root_cause(
    device: &mut ServerDevice,
    under_way: &mut VecDeque<(Ticket, u32)>,
    fault: ServerError,
) -> Broken {
    while let Some((ticket, _)) = under_way.pop_front() {
        match device.wait(ticket) {
            Ok(done) if done.code != 0 => return Broken::Reported(done.code),
            Ok(_) => {}
            Err(later) => return later.into(),
        }
    }
    fault.into()
}

fn file_fault(fault: &io::Error) -> Broken {
    match fault.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Broken::Reported(completions::DISK_FULL)
        }
        _ => Broken::Reported(completions::IO_DEVICE),
    }
}

/// An open device.
pub enum Port {
    /// A virtual device and its writes under way with their sizes.
    Virtual(ServerDevice, VecDeque<(Ticket, u32)>),
    /// A file, and its twins on the mirrors.
    Disk(Vec<File>),
}

impl Port {
    /// A virtual device.
    #[must_use]
    pub const fn virtual_device(device: ServerDevice) -> Self {
        Self::Virtual(device, VecDeque::new())
    }

    /// Sends `size` bytes that `fill` provides.
    pub fn send(&mut self, size: usize, fill: impl FnOnce(&mut [u8])) -> Result<(), Broken> {
        match self {
            Self::Virtual(device, under_way) => {
                let queued = device.write(|room| {
                    fill(&mut room[..size]);
                    size
                });
                let ticket = match queued {
                    Ok(ticket) => ticket,
                    Err(fault) => return Err(root_cause(device, under_way, fault)),
                };
                under_way.push_back((ticket, size as u32));
                if under_way.len() >= DEPTH {
                    self.settle_one()
                } else {
                    Ok(())
                }
            }
            Self::Disk(files) => {
                let mut bytes = vec![0; size];
                fill(&mut bytes);
                let mut written = files.iter_mut().map(|file| file.write_all(&bytes));
                written
                    .try_for_each(|one| one)
                    .map_err(|fault| file_fault(&fault))
            }
        }
    }

    fn settle_one(&mut self) -> Result<(), Broken> {
        let Self::Virtual(device, under_way) = self else {
            return Ok(());
        };
        let Some((ticket, size)) = under_way.pop_front() else {
            return Ok(());
        };
        let done = device.wait(ticket)?;
        match done.code {
            0 if done.bytes_transferred == u64::from(size) => Ok(()),
            // A short write that claims success: the rest of the device is gone.
            0 => Err(Broken::Reported(completions::DISK_FULL)),
            code => Err(Broken::Reported(code)),
        }
    }

    /// Waits for everything under way.
    pub fn settle(&mut self) -> Result<(), Broken> {
        while matches!(self, Self::Virtual(_, under_way) if !under_way.is_empty()) {
            self.settle_one()?;
        }
        Ok(())
    }

    /// Sends a command without data and waits for its answer.
    pub fn command(&mut self, code: i32) -> Result<(), Broken> {
        self.settle()?;
        match self {
            Self::Virtual(device, _) => {
                let ticket = device.command(code)?;
                match device.wait(ticket)?.code {
                    0 => Ok(()),
                    code => Err(Broken::Reported(code)),
                }
            }
            Self::Disk(files) => {
                let mut synced = files.iter().map(File::sync_all);
                synced
                    .try_for_each(|one| one)
                    .map_err(|fault| file_fault(&fault))
            }
        }
    }

    /// Leaves the error state that an answer other than success has put the device into.
    pub fn forget_error(&mut self) -> Result<(), Broken> {
        match self {
            Self::Virtual(..) => self.command(commands::CLEAR_ERROR),
            Self::Disk(_) => Ok(()),
        }
    }

    /// Everything so far shall be durable.
    pub fn flush(&mut self) -> Result<(), Broken> {
        self.command(commands::FLUSH)
    }

    /// Asks for `size` bytes; `look` gets what came. `true` = the end was reached.
    pub fn fetch(&mut self, size: usize, look: impl FnOnce(&[u8])) -> Result<bool, Broken> {
        match self {
            Self::Virtual(device, _) => {
                let ticket = device.read(size)?;
                let (done, ()) = device.wait_with(ticket, look)?;
                match done.code {
                    0 => Ok(done.bytes_transferred == 0),
                    completions::HANDLE_EOF | 1104 => Ok(true),
                    code => Err(Broken::Reported(code)),
                }
            }
            Self::Disk(files) => {
                let Some(file) = files.first_mut() else {
                    return Ok(true);
                };
                let mut bytes = vec![0; size];
                let mut filled = 0;
                while filled < size {
                    match file
                        .read(&mut bytes[filled..])
                        .map_err(|fault| file_fault(&fault))?
                    {
                        0 => break,
                        more => filled += more,
                    }
                }
                look(&bytes[..filled]);
                Ok(filled < size)
            }
        }
    }

    /// After a fault: lets the client finish what it holds, clears the error, closes.
    pub fn give_up(mut self, broken: Broken) {
        if let Self::Virtual(device, under_way) = &mut self {
            while let Some((ticket, _)) = under_way.pop_front() {
                let _ = device.wait(ticket);
            }
            if matches!(broken, Broken::Reported(_))
                && let Ok(ticket) = device.command(commands::CLEAR_ERROR)
            {
                let _ = device.wait(ticket);
            }
        }
        self.close();
    }

    /// Closes the device normally.
    pub fn close(self) {
        match self {
            Self::Virtual(device, _) => device.close(),
            Self::Disk(files) => drop(files),
        }
    }
}
