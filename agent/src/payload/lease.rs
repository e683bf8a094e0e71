//! A counted loan of bytes that stay where they are.

use std::fmt;
use std::ops::{Deref, Range};
use std::ptr::NonNull;
use std::sync::Arc;

/// Bytes on loan. Cloning counts, dropping the last clone gives the loan back.
///
/// The give-back runs on the thread that drops the last clone, usually a lane's; it must be short
/// and must not panic. For a lane that was abandoned it runs when its call returns at last, or
/// never.
#[derive(Clone)]
pub struct Lease {
    loan: Arc<Loan>,
    start: usize,
    len: usize,
}

struct Loan {
    bytes: NonNull<u8>,
    len: usize,
    on_return: Option<Box<dyn FnOnce() + Send>>,
}

// SAFETY: the bytes are only read while the loan lives (whoever lends promises that nobody writes
// them), and `on_return` is `Send` and is only touched in `drop`, which has the loan to itself.
unsafe impl Send for Loan {}
// SAFETY: as above; shared references reach the bytes for reading alone.
unsafe impl Sync for Loan {}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(on_return) = self.on_return.take() {
            on_return();
        }
    }
}

impl Lease {
    /// Lends `len` bytes at `bytes`; `on_return` runs once, when the last clone is dropped.
    ///
    /// # Safety
    /// From now until `on_return` runs, the bytes must stay mapped and readable and nobody may
    /// write them. A null pointer is allowed when `len` is 0. `len` must not exceed `isize::MAX`.
    pub unsafe fn lend(
        bytes: *const u8,
        len: usize,
        on_return: impl FnOnce() + Send + 'static,
    ) -> Self {
        let bytes = NonNull::new(bytes.cast_mut()).unwrap_or(NonNull::dangling());
        let loan = Loan {
            bytes,
            len,
            on_return: Some(Box::new(on_return)),
        };
        Self {
            loan: Arc::new(loan),
            start: 0,
            len,
        }
    }

    /// The part `range` of these bytes, on the same loan; `None` when it lies outside.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Option<Self> {
        if range.start > range.end || range.end > self.len {
            return None;
        }
        let start = self.start + range.start;
        Some(Self {
            loan: Arc::clone(&self.loan),
            start,
            len: range.end - range.start,
        })
    }
}

impl Deref for Lease {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        debug_assert!(self.start + self.len <= self.loan.len);
        // SAFETY: `start + len` lies inside the loan (`lend` and `part` are the only makers), whose
        // bytes are readable and unchanging while `self.loan` lives, which outlives this borrow.
        unsafe { std::slice::from_raw_parts(self.loan.bytes.as_ptr().add(self.start), self.len) }
    }
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for Lease {
    /// A lease over bytes of our own, for headers and manifests.
    fn from(bytes: Vec<u8>) -> Self {
        let (start, len) = (bytes.as_ptr(), bytes.len());
        // SAFETY: the vector moves into the closure, which keeps its heap bytes alive and
        // untouched until the closure runs; moving a vector does not move its bytes.
        unsafe { Self::lend(start, len, move || drop(bytes)) }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({} bytes)", self.len)
    }
}
