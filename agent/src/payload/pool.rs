//! A fixed number of page-aligned buffers that are used again and again.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Lease;

/// Alignment of every buffer, in bytes: a page, the strictest that block devices ask for.
pub const PAGE: usize = 4096;

/// A bounded set of equal buffers. Clones share the set.
///
/// A buffer is allocated when it is first needed, and kept: the pool never holds more than `count`
/// buffers and frees them when the last user is gone.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    size: usize,
    count: usize,
    state: Mutex<State>,
    returned: Condvar,
}

struct State {
    free: Vec<Memory>,
    made: usize,
}

/// One allocation, freed on drop.
struct Memory {
    bytes: NonNull<u8>,
    layout: Layout,
}

// SAFETY: plain memory with one owner.
unsafe impl Send for Memory {}

impl Memory {
    fn new(layout: Layout) -> Self {
        // SAFETY: the layout's size is not zero (`Pool::new` asks for at least one byte).
        let bytes = unsafe { alloc_zeroed(layout) };
        match NonNull::new(bytes) {
            Some(bytes) => Self { bytes, layout },
            None => handle_alloc_error(layout),
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this very layout, and dropped once.
        unsafe { dealloc(self.bytes.as_ptr(), self.layout) }
    }
}

impl Pool {
    /// A pool of `count` buffers of `size` bytes each; both are raised to 1.
    #[must_use]
    pub fn new(count: usize, size: usize) -> Self {
        let count = count.max(1);
        let state = State {
            free: Vec::with_capacity(count),
            made: 0,
        };
        Self {
            shared: Arc::new(Shared {
                size: size.max(1),
                count,
                state: Mutex::new(state),
                returned: Condvar::new(),
            }),
        }
    }

    /// Bytes in each buffer.
    #[must_use]
    pub fn buffer_size(&self) -> usize {
        self.shared.size
    }

    /// Buffers in the pool.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.count
    }

    /// Buffers that could be taken now without waiting.
    #[must_use]
    pub fn available(&self) -> usize {
        let state = self.shared.lock();
        state.free.len() + (self.shared.count - state.made)
    }

    /// Takes a buffer, waiting until one is free. Contents are what the last user left.
    #[must_use]
    pub fn take(&self) -> Buffer {
        let mut state = self.shared.lock();
        loop {
            if let Some(memory) = self.shared.pick(&mut state) {
                return self.buffer(memory);
            }
            state = self
                .shared
                .returned
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes a buffer, waiting no longer than `patience`.
    #[must_use]
    pub fn take_timeout(&self, patience: Duration) -> Option<Buffer> {
        let end = Instant::now() + patience;
        let mut state = self.shared.lock();
        loop {
            if let Some(memory) = self.shared.pick(&mut state) {
                return Some(self.buffer(memory));
            }
            let left = end
                .checked_duration_since(Instant::now())
                .filter(|d| !d.is_zero())?;
            let waited = self.shared.returned.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn buffer(&self, memory: Memory) -> Buffer {
        Buffer {
            memory: Some(memory),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Pool({} x {} bytes)",
            self.shared.count, self.shared.size
        )
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pick(&self, state: &mut State) -> Option<Memory> {
        if let Some(memory) = state.free.pop() {
            return Some(memory);
        }
        if state.made == self.count {
            return None;
        }
        let layout = Layout::from_size_align(self.size, PAGE).ok()?;
        state.made += 1;
        Some(Memory::new(layout))
    }

    fn give_back(&self, memory: Memory) {
        self.lock().free.push(memory);
        self.returned.notify_one();
    }
}

/// One buffer of a pool, for its holder alone; it returns to the pool when dropped.
pub struct Buffer {
    memory: Option<Memory>,
    shared: Arc<Shared>,
}

impl Buffer {
    /// Lends the first `len` bytes (at most the buffer's size) for reading; the buffer returns to
    /// its pool when the last clone of the lease is dropped.
    #[must_use]
    pub fn lend(self, len: usize) -> Lease {
        let (start, len) = (self.as_ptr(), len.min(self.shared.size));
        super::count(len);
        let owner = Out {
            buffer: Some(self),
            kept: None,
        };
        // SAFETY: the owner holds the buffer, so its memory stays allocated until the owner is
        // dropped and nobody writes it before its return; `len` is at most the buffer's size.
        unsafe { Lease::lend(start, len, owner) }
    }
}

/// A buffer that is lent out.
struct Out {
    buffer: Option<Buffer>,
    /// Memory that a lane which was given up may still read: freed, not used again.
    #[allow(dead_code)]
    kept: Option<Memory>,
}

impl super::Owner for Out {
    fn returned(&mut self, waived: bool) {
        let Some(mut buffer) = self.buffer.take() else {
            return;
        };
        if waived {
            // Another buffer may be made in its place, so that a mirror that hangs for good does
            // not starve the others.
            self.kept = buffer.memory.take();
            buffer.shared.lock().made -= 1;
            buffer.shared.returned.notify_one();
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.memory {
            // SAFETY: `size` zeroed or written bytes, owned by this buffer alone.
            Some(memory) => unsafe {
                std::slice::from_raw_parts(memory.bytes.as_ptr(), self.shared.size)
            },
            None => &[],
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.memory {
            // SAFETY: as in `deref`; `&mut self` makes this the only reference.
            Some(memory) => unsafe {
                std::slice::from_raw_parts_mut(memory.bytes.as_ptr(), self.shared.size)
            },
            None => &mut [],
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.shared.give_back(memory);
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.shared.size)
    }
}
