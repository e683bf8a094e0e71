//! Plain buffers in, stored buffers out: memory is a fixed pool, nothing is kept back but what
//! zstd and age must hold.

use std::time::Duration;

use twinset_domain::{Fault, code};

use super::squeeze::{self, Squeeze, Step};
use super::{Lock, Recipe, STORED, STORED_BUFFERS};
use crate::age::{self, AgeError};
use crate::payload::{Buffer, Lease, Pool};

/// Bytes between zstd and age: one of zstd's own blocks.
const BETWEEN: usize = 128 << 10;
/// How often a wait for a buffer looks whether a mirror has failed.
const GLANCE: Duration = Duration::from_millis(200);

/// Where encoded bytes go.
pub trait Outlet {
    /// Lends stored bytes to every mirror.
    ///
    /// # Errors
    /// A mirror's fault.
    fn store(&mut self, lease: Lease) -> Result<(), Fault>;

    /// Every buffer is out: looks whether a mirror has outlived its deadline.
    ///
    /// # Errors
    /// A mirror's fault.
    fn idle(&mut self) -> Result<(), Fault>;
}

/// What was encoded, told at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// Bytes before the encoding.
    pub length: u64,
    /// Their BLAKE3.
    pub blake3: [u8; 32],
}

/// Encodes one section.
pub struct Encoder {
    squeeze: Option<Squeeze>,
    between: Vec<u8>,
    sealer: Option<age::Sealer>,
    writer: PoolWriter,
    hasher: blake3::Hasher,
    length: u64,
}

impl Encoder {
    /// The encoder of a recipe; `None` where there is nothing to encode.
    ///
    /// # Errors
    /// Why the passphrase cannot be read; [`code::INTERNAL`] when a library refuses.
    pub fn new(recipe: &Recipe) -> Result<Option<Self>, Fault> {
        if recipe.is_raw() {
            return Ok(None);
        }
        let mut writer = PoolWriter {
            pool: Pool::new(STORED_BUFFERS, STORED),
            current: None,
            filled: 0,
            head: Vec::new(),
        };
        let squeeze = recipe
            .zstd
            .map(Squeeze::new)
            .transpose()
            .map_err(zstd_fault)?;
        let sealer = match &recipe.age {
            Some(lock) => {
                let (head, sealer) = seal(lock)?;
                writer.head = head;
                Some(sealer)
            }
            None => None,
        };
        let both = squeeze.is_some() && sealer.is_some();
        Ok(Some(Self {
            squeeze,
            between: vec![0; if both { BETWEEN } else { 0 }],
            sealer,
            writer,
            hasher: blake3::Hasher::new(),
            length: 0,
        }))
    }

    /// Plain bytes taken so far.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Takes plain bytes; full buffers go to the outlet.
    ///
    /// # Errors
    /// A mirror's fault, or a library's.
    pub fn push(&mut self, plain: &[u8], outlet: &mut dyn Outlet) -> Result<(), Fault> {
        self.hasher.update(plain);
        self.length += plain.len() as u64;
        self.writer.put_head(outlet)?;
        if self.squeeze.is_none() {
            return self.seal_plain(plain, outlet);
        }
        let mut rest = plain;
        while !rest.is_empty() {
            let step = self.squeeze_step(outlet, |squeeze, room| squeeze.step(rest, room))?;
            rest = rest.get(step.taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends the section's bytes and tells what went in.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn finish(mut self, outlet: &mut dyn Outlet) -> Result<Plain, Fault> {
        self.writer.put_head(outlet)?;
        if self.squeeze.is_some() {
            while !self.squeeze_step(outlet, Squeeze::end)?.done {}
        }
        if let Some(sealer) = self.sealer.take() {
            let writer = &mut self.writer;
            sealer
                .finish(&mut |bytes| writer.put(bytes, outlet).map_err(Refused::Fault))
                .map_err(Fault::from)?;
        }
        self.writer.flush(outlet)?;
        Ok(Plain {
            length: self.length,
            blake3: *self.hasher.finalize().as_bytes(),
        })
    }

    fn seal_plain(&mut self, plain: &[u8], outlet: &mut dyn Outlet) -> Result<(), Fault> {
        let writer = &mut self.writer;
        match &mut self.sealer {
            Some(sealer) => sealer
                .push(plain, &mut |bytes| {
                    writer.put(bytes, outlet).map_err(Refused::Fault)
                })
                .map_err(Fault::from),
            None => writer.put(plain, outlet),
        }
    }

    /// One call of zstd: straight into a buffer of the pool, or on to be sealed.
    fn squeeze_step(
        &mut self,
        outlet: &mut dyn Outlet,
        call: impl FnOnce(&mut Squeeze, &mut [u8]) -> std::io::Result<Step>,
    ) -> Result<Step, Fault> {
        let Some(squeeze) = &mut self.squeeze else {
            return Err(Fault::new(
                code::INTERNAL,
                "encoding",
                "nothing compresses here",
            ));
        };
        if self.sealer.is_none() {
            let step = call(squeeze, self.writer.room(outlet)?).map_err(zstd_fault)?;
            self.writer.took(step.given, outlet)?;
            return Ok(step);
        }
        let mut between = std::mem::take(&mut self.between);
        let step = call(squeeze, &mut between).map_err(zstd_fault)?;
        let sealed = self.seal_plain(between.get(..step.given).unwrap_or_default(), outlet);
        self.between = between;
        sealed.map(|()| step)
    }
}

/// Fills buffers of the pool one after the other.
struct PoolWriter {
    pool: Pool,
    current: Option<Buffer>,
    filled: usize,
    /// Stands in front of everything.
    head: Vec<u8>,
}

impl PoolWriter {
    fn put_head(&mut self, outlet: &mut dyn Outlet) -> Result<(), Fault> {
        let head = std::mem::take(&mut self.head);
        self.put(&head, outlet)
    }

    /// Room in the current buffer, never empty.
    fn room(&mut self, outlet: &mut dyn Outlet) -> Result<&mut [u8], Fault> {
        if self.current.is_none() {
            self.current = Some(loop {
                if let Some(buffer) = self.pool.take_timeout(GLANCE) {
                    break buffer;
                }
                outlet.idle()?;
            });
        }
        let filled = self.filled;
        let room = self
            .current
            .as_mut()
            .and_then(|buffer| buffer.get_mut(filled..));
        Ok(room.unwrap_or_default())
    }

    /// So many bytes were written into the room.
    fn took(&mut self, given: usize, outlet: &mut dyn Outlet) -> Result<(), Fault> {
        self.filled += given;
        if self.filled >= STORED {
            return self.flush(outlet);
        }
        Ok(())
    }

    fn put(&mut self, mut bytes: &[u8], outlet: &mut dyn Outlet) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let room = self.room(outlet)?;
            let (now, later) = bytes.split_at(bytes.len().min(room.len()));
            if let Some(room) = room.get_mut(..now.len()) {
                room.copy_from_slice(now);
            }
            self.took(now.len(), outlet)?;
            bytes = later;
        }
        Ok(())
    }

    fn flush(&mut self, outlet: &mut dyn Outlet) -> Result<(), Fault> {
        let filled = std::mem::take(&mut self.filled);
        match self.current.take() {
            Some(buffer) if filled > 0 => outlet.store(buffer.lend(filled)),
            _ => Ok(()),
        }
    }
}

fn seal(lock: &Lock) -> Result<(Vec<u8>, age::Sealer), Fault> {
    match lock {
        Lock::Recipients(recipients) => {
            age::seal(&age::Lock::Recipients(recipients)).map_err(age_fault)
        }
        Lock::Passphrase(fetch) => {
            let mut sealed = Err(AgeError::Crypto("no passphrase came"));
            fetch(&mut |passphrase| sealed = age::seal(&age::Lock::Passphrase(passphrase)))?;
            sealed.map_err(age_fault)
        }
    }
}

/// What stopped a sealer: its own fault, or the outlet's.
enum Refused {
    Fault(Fault),
    Age(AgeError),
}

impl From<AgeError> for Refused {
    fn from(error: AgeError) -> Self {
        Self::Age(error)
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Fault(fault) => fault,
            Refused::Age(error) => age_fault(error),
        }
    }
}

#[allow(clippy::needless_pass_by_value)]
fn age_fault(error: AgeError) -> Fault {
    Fault::new(code::INTERNAL, "encryption", "the data could not be sealed")
        .cause(error)
        .remedy("report it, with the log; nothing was published")
}

#[allow(clippy::needless_pass_by_value)]
fn zstd_fault(error: std::io::Error) -> Fault {
    Fault::new(
        code::INTERNAL,
        "compression",
        "the data could not be compressed",
    )
    .cause(error)
    .remedy("choose a lower zstd_level if memory is short; nothing was published")
}

/// Largest window that a frame of ours asks of whoever reads it.
pub(super) const WINDOW: u32 = squeeze::WINDOW;
