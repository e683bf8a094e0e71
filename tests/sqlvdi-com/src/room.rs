//! Buffers of one device: between guards, and spoilt while nobody may use them.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Bytes watched on each side, and what a data zone is aligned to.
const GUARD: usize = 4096;
/// What the guards are filled with.
const GUARD_BYTE: u8 = 0xA5;
/// What a buffer is filled with as long as nobody may use it.
const POISON: u8 = 0xDB;

/// One buffer, at the same place until it is dropped.
pub(crate) struct Buffer {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: plain memory of the process, which one device owns.
unsafe impl Send for Buffer {}

impl Buffer {
    /// A spoilt buffer of `length` bytes.
    pub(crate) fn new(length: usize) -> Self {
        let layout = Self::layout(length);
        // SAFETY: the layout is not empty: it has two guards.
        let start = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(start) else {
            handle_alloc_error(layout)
        };
        let mut buffer = Self { start, length };
        buffer.part(0, GUARD).fill(GUARD_BYTE);
        buffer.part(GUARD + length, GUARD).fill(GUARD_BYTE);
        buffer.spoil();
        buffer
    }

    #[allow(clippy::expect_used)]
    fn layout(length: usize) -> Layout {
        Layout::from_size_align(length + 2 * GUARD, GUARD).expect("a transfer is far shorter")
    }

    fn part(&mut self, from: usize, length: usize) -> &mut [u8] {
        assert!(from + length <= self.length + 2 * GUARD, "no such part");
        // SAFETY: inside the block as just checked; every byte was written when it was made.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(from), length) }
    }

    /// The data zone.
    pub(crate) fn data(&mut self) -> &mut [u8] {
        self.part(GUARD, self.length)
    }

    /// Where the data zone begins.
    pub(crate) fn address(&self) -> *mut u8 {
        // SAFETY: the first guard is inside the block.
        unsafe { self.start.as_ptr().add(GUARD) }
    }

    /// Makes it useless to whoever still has its address.
    pub(crate) fn spoil(&mut self) {
        self.data().fill(POISON);
    }

    /// Nobody touched it since it was spoilt.
    pub(crate) fn is_spoilt(&mut self) -> bool {
        self.data().iter().all(|byte| *byte == POISON)
    }

    /// Nobody wrote around it.
    pub(crate) fn guards_hold(&mut self) -> bool {
        let end = GUARD + self.length;
        [0, end].into_iter().all(|from| {
            let guard = self.part(from, GUARD);
            guard.iter().all(|byte| *byte == GUARD_BYTE)
        })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: made in `new` with this very layout.
        unsafe { dealloc(self.start.as_ptr(), Self::layout(self.length)) };
    }
}
