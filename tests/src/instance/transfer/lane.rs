//! Opens the devices of a statement and runs one thread per device, while the statement's thread
//! sends progress and watches for attention, KILL and lost connections.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlvdi::abi::features;
use sqlvdi::server::{Knobs, Negotiated, ServerError, ServerSet};

use super::grammar::{DeviceKind, Plan};
use super::messages;
use super::port::{Broken, Port};
use super::together::{Event, Together};
use crate::instance::faults::{Faults, VdiFaults};
use crate::tds::reply::{Reply, Stop};
use crate::tds::tokens::ServerMessage;

/// Sizes agreed for the session.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// BLOCKSIZE in bytes.
    pub block: u32,
    /// MAXTRANSFERSIZE in bytes.
    pub transfer: u32,
    /// BUFFERCOUNT; 0 = the server decides.
    pub buffers: u32,
}

impl Sizes {
    /// From the options; faults have SQL Server's numbers.
    pub fn of(plan: &Plan) -> Result<Self, ServerMessage> {
        let default_transfer = match plan.kind {
            DeviceKind::Virtual | DeviceKind::Tape => 65_536,
            DeviceKind::Disk | DeviceKind::Url | DeviceKind::Logical => 1 << 20,
        };
        let block = plan.number("BLOCKSIZE").unwrap_or(512);
        if !(512..=65_536).contains(&block) {
            return Err(messages::bad_number("BLOCKSIZE", block));
        }
        if !block.is_power_of_two() {
            return Err(messages::bad_block_size(block));
        }
        let transfer = plan.number("MAXTRANSFERSIZE").unwrap_or(default_transfer);
        if transfer == 0 || !transfer.is_multiple_of(65_536) || transfer > 4 << 20 {
            return Err(messages::bad_number("MAXTRANSFERSIZE", transfer));
        }
        let buffers = plan.number("BUFFERCOUNT").unwrap_or(0);
        let devices = plan.devices.len() as u64;
        if plan.number("BUFFERCOUNT").is_some() && !(1..=1 << 16).contains(&buffers) {
            return Err(messages::bad_number("BUFFERCOUNT", buffers));
        }
        if plan.number("BUFFERCOUNT").is_some() && buffers < devices {
            return Err(messages::numbered(3273, ""));
        }
        Ok(Self {
            block: block as u32,
            transfer: transfer as u32,
            buffers: buffers as u32,
        })
    }
}

/// Opened devices; the threads take their ports from here.
pub enum Devices {
    /// A virtual device set.
    Virtual(ServerSet),
    /// Files: of each device one for each mirror, and how many bytes of it stay.
    Disk(Vec<Vec<PathBuf>>, Vec<Option<u64>>),
}

impl Devices {
    /// Opens what the plan names. For files only the folder is looked at later.
    pub fn open(
        plan: &Plan,
        sizes: Sizes,
        faults: &Faults,
        folder: &Path,
    ) -> Result<Self, ServerMessage> {
        let Some(first) = plan.devices.first() else {
            return Err(messages::numbered(3261, ""));
        };
        match plan.kind {
            DeviceKind::Virtual => {}
            DeviceKind::Disk => return Ok(Self::Disk(paths(plan, folder), Vec::new())),
            // There is no tape drive, and there are no credentials for a URL.
            DeviceKind::Tape => return Err(messages::cannot_open_os(first, 2)),
            DeviceKind::Url => return Err(messages::cannot_open_os(first, 50)),
            DeviceKind::Logical => return Err(messages::numbered(3206, first)),
        }
        let refused = |fault: ServerError| match fault {
            ServerError::NotSupported => messages::numbered(3261, ""),
            other => messages::cannot_open(first, other.code()),
        };
        if let Some(code) = faults.vdi.open_code {
            return Err(messages::cannot_open(first, code as i32));
        }
        let mut set = ServerSet::open_with(first, knobs(&faults.vdi)).map_err(refused)?;
        let buffers = u64::from(sizes.buffers).max(plan.devices.len() as u64 * 2);
        let memory = buffers * u64::from(sizes.transfer);
        if faults.vdi.memory_limit.is_some_and(|limit| memory > limit) {
            set.abort();
            return Err(messages::no_memory(first));
        }
        let direction = match plan.verb.is_backup() {
            true => features::WRITE_MEDIA,
            false => features::READ_MEDIA,
        };
        let granted = if faults.complete_enabled && plan.verb.is_backup() {
            features::COMPLETE_ENABLED
        } else {
            0
        };
        let negotiated = Negotiated {
            features: direction | granted,
            block_size: sizes.block,
            max_transfer_size: sizes.transfer,
            buffer_count: sizes.buffers,
            device_names: plan.devices.clone(),
        };
        set.configure(negotiated).map_err(refused)?;
        Ok(Self::Virtual(set))
    }

    /// Keeps so many bytes at the start of each file that is written; `None` = it begins anew.
    #[must_use]
    pub fn keeping(self, kept: Vec<Option<u64>>) -> Self {
        match self {
            Self::Disk(paths, _) => Self::Disk(paths, kept),
            other @ Self::Virtual(_) => other,
        }
    }

    /// Whether VDC_Complete was granted.
    #[must_use]
    pub fn completes(&self) -> bool {
        match self {
            Self::Virtual(set) => set.granted_config().features & features::COMPLETE_ENABLED != 0,
            Self::Disk(..) => false,
        }
    }

    /// Device number `index`; waits for the client to open it.
    fn port(&self, index: usize, plan: &Plan) -> Result<Port, Unopened> {
        match self {
            Self::Virtual(set) => set
                .device(index)
                .map(Port::virtual_device)
                .map_err(|_| Unopened::Aborted),
            Self::Disk(paths, kept) => {
                let backup = plan.verb.is_backup();
                let kept = kept.get(index).copied().flatten();
                let open = |path: &PathBuf| match (backup, kept) {
                    (false, _) => File::open(path),
                    (true, None) => {
                        let mut options = OpenOptions::new();
                        options.write(true).create(true).truncate(true).open(path)
                    }
                    (true, Some(kept)) => {
                        let mut file = OpenOptions::new().write(true).open(path)?;
                        file.set_len(kept)?;
                        file.seek(SeekFrom::Start(kept))?;
                        Ok(file)
                    }
                };
                let opened = paths[index].iter().map(open).collect::<Result<_, _>>();
                opened.map(Port::Disk).map_err(|fault| {
                    let name = &plan.devices[index];
                    Unopened::Refused(messages::cannot_open_file(name, &fault, backup))
                })
            }
        }
    }

    fn abort(&self) {
        if let Self::Virtual(set) = self {
            set.abort();
        }
    }
}

/// How the set behaves: as the environment says, and as the instance is told.
fn knobs(faults: &VdiFaults) -> Knobs {
    let mut knobs = Knobs::from_environment();
    knobs.timeout_in_seconds |= faults.timeout_in_seconds;
    knobs.two_devices_abort |= faults.two_devices_abort;
    knobs.notice_client_death &= !faults.ignore_client_death;
    if faults.random_access_aborts {
        knobs.random_access_abort = Some(2);
    }
    if faults.configure_code != 0 {
        knobs.configure_code = faults.configure_code;
    }
    if faults.idle_gap_ms > 0 {
        knobs.idle_gap = Duration::from_millis(faults.idle_gap_ms);
    }
    knobs
}

/// The file of each device, with that of each mirror behind it.
fn paths(plan: &Plan, folder: &Path) -> Vec<Vec<PathBuf>> {
    let mirrors = || plan.mirrors.iter().map(|(names, _)| names);
    let devices = plan.devices.iter().enumerate();
    let of = |(index, name): (usize, &String)| {
        let twins = mirrors().filter_map(|names| names.get(index));
        std::iter::once(name)
            .chain(twins)
            .map(|name| folder.join(name))
            .collect()
    };
    devices.map(of).collect()
}

enum Unopened {
    Aborted,
    Refused(ServerMessage),
}

/// How one device's thread ended.
pub struct LaneEnd<T> {
    /// What it brings, as far as it came.
    pub result: Result<T, Broken>,
    /// A refusal with its own message.
    pub refused: Option<ServerMessage>,
}

/// Runs `work` for every device on a thread of its own. Progress messages go out meanwhile; an
/// interrupt aborts the set.
pub fn run<T: Send>(
    plan: &Plan,
    devices: &Devices,
    together: &Together,
    reply: &mut Reply,
    work: impl Fn(usize, &mut Port) -> Result<T, Broken> + Sync,
) -> Vec<LaneEnd<T>> {
    let interrupt = Arc::clone(&reply.interrupt);
    let mut next_percent = plan.stats();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.devices.len())
            .map(|index| {
                let work = &work;
                scope.spawn(move || {
                    let end = one(plan, devices, together, index, work);
                    together.ended();
                    end
                })
            })
            .collect();
        let mut left = threads.len();
        while left > 0 {
            if let Some(Event::Ended) = together.next_event() {
                left -= 1;
            }
            announce(plan, together, &mut next_percent, reply);
            if together.lost() && !reply.is_gone() {
                reply.hang_up();
            }
            let goes_on = together.faults.lost_client_goes_on;
            let gone = reply.is_gone() || interrupt.raised() == Some(Stop::Disconnected);
            let wish = interrupt
                .raised()
                .filter(|wish| *wish != Stop::Disconnected);
            if wish.is_some() || (gone && !goes_on) {
                devices.abort();
                together.stop();
            }
        }
        threads
            .into_iter()
            .map(|thread| {
                thread.join().unwrap_or(LaneEnd {
                    result: Err(Broken::Aborted),
                    refused: None,
                })
            })
            .collect()
    })
}

fn one<T>(
    plan: &Plan,
    devices: &Devices,
    together: &Together,
    index: usize,
    work: &impl Fn(usize, &mut Port) -> Result<T, Broken>,
) -> LaneEnd<T> {
    let mut port = match devices.port(index, plan) {
        Ok(port) => port,
        Err(unopened) => {
            together.stop();
            let refused = match unopened {
                Unopened::Refused(message) => Some(message),
                Unopened::Aborted => None,
            };
            return LaneEnd {
                result: Err(Broken::Aborted),
                refused,
            };
        }
    };
    let result = work(index, &mut port);
    match &result {
        Ok(_) => port.close(),
        Err(broken) => {
            together.stop();
            if *broken == Broken::Aborted {
                devices.abort();
            }
            port.give_up(*broken);
        }
    }
    LaneEnd {
        result,
        refused: None,
    }
}

fn announce(plan: &Plan, together: &Together, next: &mut Option<u64>, reply: &mut Reply) {
    let Some(step) = plan.stats() else { return };
    let reached = (together.progress.share() * 100.0) as u64;
    while let Some(percent) = next.filter(|percent| *percent <= reached && *percent <= 100) {
        reply.message(&messages::percent(percent));
        reply.done(plan.verb.command(), None);
        reply.more_follows();
        reply.flush();
        *next = Some(percent + step);
    }
}
