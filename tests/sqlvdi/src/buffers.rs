//! The data buffers: one shared area, pooled among all devices of the set.
//!
//! Each buffer lies between two guards; the client's prefix zone, if it asked for one, ends
//! where the data zone begins. What both sides must not touch is filled with known bytes
//! and looked at again.
#![allow(unsafe_code)]

use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering::Relaxed;

use rustix::io::Result;

use crate::abi::VdConfig;
use crate::control::{Link, knob};
use crate::os::Mapping;

/// Bytes watched on each side of a buffer.
const GUARD: usize = 64;
/// What the guards are filled with.
const GUARD_BYTE: u8 = 0xA5;
/// What a buffer is filled with as long as nobody may use it.
const POISON: u8 = 0xDB;

/// How often the client broke a rule of the interface that the real library would not see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    /// Commands completed with bytes written outside their buffer.
    pub guards: u32,
    /// Buffers that changed after their command was completed.
    pub late_writes: u32,
    /// Commands completed with more bytes than they asked for.
    pub too_many_bytes: u32,
}

impl Violations {
    /// True when the client kept the rules.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the buffers lie within the area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) count: usize,
    pub(crate) transfer: usize,
    pub(crate) prefix: usize,
    pub(crate) alignment: usize,
    head: usize,
    stride: usize,
}

impl Geometry {
    /// The only layout that follows from a negotiated configuration; `None` if it is too
    /// large to count.
    pub(crate) fn of(config: &VdConfig, count: u32) -> Option<Self> {
        let alignment = match config.alignment {
            0 => config.block_size,
            wanted => wanted,
        } as usize;
        let (prefix, transfer) = (
            config.prefix_zone_size as usize,
            config.max_transfer_size as usize,
        );
        let head = prefix
            .checked_add(GUARD)?
            .checked_next_multiple_of(alignment)?;
        let stride = head
            .checked_add(transfer)?
            .checked_add(GUARD)?
            .checked_next_multiple_of(alignment)?;
        let geometry = Self {
            count: count as usize,
            transfer,
            prefix,
            alignment,
            head,
            stride,
        };
        u32::try_from(geometry.checked_length()?).ok()?;
        Some(geometry)
    }

    fn checked_length(&self) -> Option<usize> {
        self.stride.checked_mul(self.count)
    }

    /// Bytes of the whole area.
    pub(crate) fn length(&self) -> usize {
        self.stride * self.count
    }
}

/// The area as one process sees it.
pub(crate) struct Buffers {
    map: Mapping,
    geometry: Geometry,
    poisons: bool,
}

impl Buffers {
    pub(crate) fn map(fd: BorrowedFd<'_>, geometry: Geometry, poisons: bool) -> Result<Self> {
        let map = Mapping::new(fd, geometry.length(), geometry.alignment, true)?;
        Ok(Self {
            map,
            geometry,
            poisons,
        })
    }

    /// Fills guards and poisons every buffer; done once by the server.
    pub(crate) fn prepare(&self) {
        for index in 0..self.geometry.count {
            let (before, after) = self.guards(index);
            self.bytes_mut(before, GUARD).fill(GUARD_BYTE);
            self.bytes_mut(after, GUARD).fill(GUARD_BYTE);
            self.poison(index);
        }
    }

    /// Start of the data zone of a buffer in this process.
    pub(crate) fn address(&self, index: usize) -> *mut u8 {
        self.at(self.data_offset(index))
    }

    /// The buffer whose data zone starts at `address`.
    pub(crate) fn index_of(&self, address: *const u8) -> Option<usize> {
        (0..self.geometry.count).find(|&index| self.address(index).cast_const() == address)
    }

    /// The first `length` bytes of a data zone. The caller owns the buffer by the protocol:
    /// it is taken from the pool, or its command is completed and not yet released.
    pub(crate) fn data(&self, index: usize, length: usize) -> &[u8] {
        let length = length.min(self.geometry.transfer);
        self.bytes_mut(self.data_offset(index), length)
    }

    /// The data zone for filling; ownership as for [`Self::data`].
    #[allow(clippy::mut_from_ref)]
    pub(crate) fn data_mut(&self, index: usize) -> &mut [u8] {
        self.bytes_mut(self.data_offset(index), self.geometry.transfer)
    }

    /// Makes a buffer useless to whoever still holds a pointer to it.
    pub(crate) fn poison(&self, index: usize) {
        if self.poisons {
            self.data_mut(index).fill(POISON);
        }
    }

    /// True if nobody touched the buffer since it was poisoned.
    pub(crate) fn is_poisoned(&self, index: usize) -> bool {
        !self.poisons || all_are(self.data(index, self.geometry.transfer), POISON)
    }

    /// True if nobody wrote around the buffer. Repairs the guards, so that each offence is
    /// told once.
    pub(crate) fn guards_hold(&self, index: usize) -> bool {
        let (before, after) = self.guards(index);
        let mut whole = true;
        for offset in [before, after] {
            let guard = self.bytes_mut(offset, GUARD);
            if !all_are(guard, GUARD_BYTE) {
                whole = false;
                guard.fill(GUARD_BYTE);
            }
        }
        whole
    }

    fn data_offset(&self, index: usize) -> usize {
        index * self.geometry.stride + self.geometry.head
    }

    /// Offsets of the two guards: before the prefix zone, and after the data zone.
    fn guards(&self, index: usize) -> (usize, usize) {
        let data = self.data_offset(index);
        (
            data - self.geometry.prefix - GUARD,
            data + self.geometry.transfer,
        )
    }

    fn at(&self, offset: usize) -> *mut u8 {
        assert!(offset <= self.map.length(), "buffer area is too short");
        // SAFETY: the offset was just checked against the length of the mapping.
        unsafe { self.map.start().as_ptr().add(offset) }
    }

    #[allow(clippy::mut_from_ref)]
    fn bytes_mut(&self, offset: usize, length: usize) -> &mut [u8] {
        assert!(
            length <= self.map.length() - offset,
            "buffer area is too short"
        );
        // SAFETY: the range lies inside the mapping, which lives as long as self. Between
        // the processes each buffer has one owner at a time, handed over under the control
        // lock; inside one process the owner is the thread that serves the command.
        unsafe { std::slice::from_raw_parts_mut(self.at(offset), length) }
    }
}

/// True if every byte equals `value`; quick on long slices.
fn all_are(bytes: &[u8], value: u8) -> bool {
    bytes
        .chunks(4096)
        .all(|part| part.iter().fold(0, |any, b| any | (b ^ value)) == 0)
}

/// A quick sum that changes when any byte changes alone; not for security.
pub(crate) fn quick_sum(bytes: &[u8]) -> u64 {
    let mut lanes = [0u64; 8];
    let mut rounds = bytes.chunks_exact(64);
    for round in &mut rounds {
        for (lane, word) in lanes.iter_mut().zip(round.as_chunks::<8>().0) {
            *lane = lane.rotate_left(9) ^ u64::from_le_bytes(*word);
        }
    }
    let mut sum = bytes.len() as u64;
    for lane in lanes {
        sum = sum.rotate_left(17) ^ lane;
    }
    for byte in rounds.remainder() {
        sum = sum.rotate_left(7) ^ u64::from(*byte);
    }
    sum
}

/// Whether this set's buffers are to be poisoned.
pub(crate) fn poisons(link: &Link) -> bool {
    link.knobs.load(Relaxed) & knob::NO_POISON == 0
}

/// Takes a free buffer out of the pool; call under the control lock.
pub(crate) fn take(link: &Link) -> Option<usize> {
    for (at, word) in link.free.iter().enumerate() {
        let bits = word.load(Relaxed);
        if bits != 0 {
            let bit = bits.trailing_zeros();
            word.store(bits & !(1 << bit), Relaxed);
            return Some(at * 64 + bit as usize);
        }
    }
    None
}

/// Puts a buffer back into the pool; call under the control lock.
pub(crate) fn give_back(link: &Link, index: usize) {
    if let Some(word) = link.free.get(index / 64) {
        word.store(word.load(Relaxed) | 1 << (index % 64), Relaxed);
    }
    link.tell(&link.pool_event);
}
