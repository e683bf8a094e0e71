//! A way in for clients that share no memory with this system: Windows programs under Wine, whose
//! double of `sqlvdi.dll` (`sqlvdi_com`) asks here what the double of `libsqlvdi.so` would be asked.
//!
//! Behind the door stands the same client library, in the process of the server: the same rules,
//! the same knobs. A connection that owns a set and breaks is a process that died.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sqlvdi_com::wire::{Answer, Ask, Command, Completion};

use crate::abi::{VdConfig, VdcCommand, commands, returns};
use crate::client::{ClientDevice, ClientSet, locked};

/// Connections at one time; more are refused.
const MAX_GUESTS: usize = 512;
/// `VD_E_INSTANCE_NAME`.
const INSTANCE_NAME: i32 = (0x8077_0007_u32).cast_signed();

/// What all connections know.
struct Hall {
    instances: Vec<Option<String>>,
    sets: Mutex<BTreeMap<String, Arc<ClientSet>>>,
    guests: AtomicUsize,
}

/// Opens a door on loopback, for as long as the process lives, and says where it is.
///
/// `instances` are the bare names of the instances that there are; `None` is the default one.
///
/// # Errors
/// No port, no thread.
pub fn open(instances: Vec<Option<String>>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let hall = Arc::new(Hall {
        instances,
        sets: Mutex::default(),
        guests: AtomicUsize::new(0),
    });
    let thread = std::thread::Builder::new().name("vdi-door".into());
    thread.spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let hall = Arc::clone(&hall);
            if hall.guests.fetch_add(1, Ordering::Relaxed) >= MAX_GUESTS {
                hall.guests.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            std::thread::spawn(move || {
                serve(&hall, stream);
                hall.guests.fetch_sub(1, Ordering::Relaxed);
            });
        }
    })?;
    Ok(address)
}

/// Who sits at the other end of a connection.
enum Guest {
    Nobody,
    /// The set's own process.
    Owner(String, Arc<ClientSet>),
    /// Somebody of that process.
    Companion(Arc<ClientSet>),
    /// One device, and the commands it holds.
    Device(Arc<ClientDevice>, BTreeMap<u64, VdcCommand>),
}

fn serve(hall: &Hall, mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut guest = Guest::Nobody;
    while let Ok(Some(ask)) = Ask::hear(&mut stream) {
        if guest.answer(hall, ask).say(&mut stream).is_err() {
            break;
        }
    }
    if let Guest::Owner(name, set) = guest {
        locked(&hall.sets).remove(&name);
        set.die();
    }
}

/// The wait of a client of Windows: milliseconds, or for ever.
fn wait(timeout: u32) -> i64 {
    match timeout {
        u32::MAX => -1,
        bounded => i64::from(bounded),
    }
}

impl Guest {
    fn answer(&mut self, hall: &Hall, ask: Ask) -> Answer {
        let outcome = match ask {
            Ask::Create {
                instance,
                name,
                config,
            } => self.create(hall, instance.as_deref(), name, config),
            Ask::Join { name } => self.join(hall, &name),
            Ask::Configuration(timeout) => match self.set() {
                Some(set) => set
                    .get_configuration(wait(timeout))
                    .map(|granted| Answer::of_config(granted.words())),
                None => Err(returns::NOT_OPEN),
            },
            Ask::Open { name } => self.open_device(&name),
            Ask::Command(timeout) => self.command(wait(timeout)),
            Ask::Complete(done) => Ok(self.complete(&done).into()),
            Ask::Abort => Ok(self
                .set()
                .map_or(returns::NOT_OPEN, ClientSet::signal_abort)
                .into()),
            Ask::Close => Ok(self.close(hall).into()),
        };
        outcome.unwrap_or_else(Answer::from)
    }

    fn set(&self) -> Option<&ClientSet> {
        match self {
            Self::Owner(_, set) | Self::Companion(set) => Some(set),
            Self::Nobody | Self::Device(..) => None,
        }
    }

    fn create(
        &mut self,
        hall: &Hall,
        instance: Option<&str>,
        name: String,
        config: [u32; 11],
    ) -> Result<Answer, i32> {
        let same = |known: &Option<String>| match (known.as_deref(), instance) {
            (Some(known), Some(wanted)) => known.eq_ignore_ascii_case(wanted),
            (known, wanted) => known.is_none() && wanted.is_none(),
        };
        if !hall.instances.iter().any(same) {
            return Err(INSTANCE_NAME);
        }
        if !matches!(self, Self::Nobody) {
            return Err(returns::PROTOCOL);
        }
        let set = Arc::new(ClientSet::default());
        let code = set.create(&name, &VdConfig::from_words(config));
        if code != returns::OK {
            return Err(code);
        }
        locked(&hall.sets).insert(name.clone(), Arc::clone(&set));
        *self = Self::Owner(name, set);
        Ok(returns::OK.into())
    }

    fn join(&mut self, hall: &Hall, name: &str) -> Result<Answer, i32> {
        let set = locked(&hall.sets).get(name).cloned();
        match (&self, set) {
            (Self::Nobody, Some(set)) => {
                *self = Self::Companion(set);
                Ok(returns::OK.into())
            }
            (Self::Nobody, None) => Err(returns::INVALID),
            _ => Err(returns::PROTOCOL),
        }
    }

    fn open_device(&mut self, name: &str) -> Result<Answer, i32> {
        let Self::Companion(set) = &*self else {
            return Err(returns::PROTOCOL);
        };
        let device = set.open_device(name)?;
        *self = Self::Device(device, BTreeMap::new());
        Ok(returns::OK.into())
    }

    fn command(&mut self, timeout: i64) -> Result<Answer, i32> {
        let Self::Device(device, held) = self else {
            return Err(returns::NOT_OPEN);
        };
        let pointer = device.get_command(timeout)?;
        // The buffers stay mapped while this is held, even if the set is closed meanwhile.
        let _set = device.held().ok_or(returns::NOT_OPEN)?;
        // SAFETY: success came with one of the library's commands, mapped as long as the set.
        let command = unsafe { pointer.read() };
        let token = pointer.addr() as u64;
        let size = usize::try_from(command.size).unwrap_or(0);
        let is_write = command.command_code == commands::WRITE;
        let data = if is_write && !command.buffer.is_null() {
            // SAFETY: the command is ours until it is completed, and so is its buffer of `size`
            // bytes, mapped as long as the set.
            unsafe { std::slice::from_raw_parts(command.buffer, size) }.to_vec()
        } else {
            Vec::new()
        };
        held.insert(token, command);
        Ok(Answer::of_command(&Command {
            token,
            code: command.command_code,
            size: command.size,
            position: command.position,
            has_buffer: !command.buffer.is_null(),
            data,
        }))
    }

    fn complete(&mut self, done: &Completion) -> i32 {
        let Self::Device(device, held) = self else {
            return returns::PROTOCOL;
        };
        let Some(set) = device.held() else {
            return returns::PROTOCOL;
        };
        if let Some(command) = held.remove(&done.token) {
            let size = usize::try_from(command.size).unwrap_or(0);
            if done.data.len() > size || (!done.data.is_empty() && command.buffer.is_null()) {
                return returns::INVALID;
            }
            if !done.data.is_empty() {
                // SAFETY: the command was ours until now, and its buffer of `size` bytes is mapped
                // as long as the set that is held here.
                unsafe {
                    command
                        .buffer
                        .copy_from_nonoverlapping(done.data.as_ptr(), done.data.len());
                }
            }
        }
        // The library looks it up; it does not follow the pointer.
        let pointer = std::ptr::without_provenance(done.token as usize);
        let (code, bytes) = (done.code.cast_signed(), u64::from(done.bytes));
        let position = done.position.cast_signed();
        let answer = device.complete(pointer, code, bytes, position);
        drop(set);
        answer
    }

    fn close(&mut self, hall: &Hall) -> i32 {
        let Self::Owner(name, set) = &*self else {
            return returns::PROTOCOL;
        };
        locked(&hall.sets).remove(name);
        let code = set.close();
        *self = Self::Nobody;
        code
    }
}
