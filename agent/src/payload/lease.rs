//! A counted loan of bytes that stay where they are.

use std::fmt;
use std::ops::{Deref, Range};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What becomes of lent memory. Both calls run on whichever thread lets go last, usually a lane's:
/// they must be short and must not panic.
pub trait Owner: Send {
    /// Nobody needs the bytes any more. `waived` says that somebody may still be reading them whose
    /// work is thrown away (a mirror that was given up): the bytes may be used again for what is
    /// sent to SQL Server's like, but must stay mapped until the owner is dropped.
    fn returned(&mut self, waived: bool);
}

/// Bytes on loan. Cloning counts; the owner learns when the last clone that counts is gone, and is
/// dropped when nobody can read the bytes any more. For a lane that hangs that may be never.
pub struct Lease {
    loan: Arc<Loan>,
    start: usize,
    len: usize,
    /// This clone does not count any more.
    waived: AtomicBool,
}

struct Loan {
    bytes: NonNull<u8>,
    len: usize,
    /// Clones that count.
    counting: AtomicUsize,
    /// Clones that were waived.
    waived: AtomicUsize,
    owner: Mutex<Box<dyn Owner>>,
}

// SAFETY: the bytes are only read while the loan lives (whoever lends promises that they stay
// mapped, and unchanged for all whose reading counts), and the owner is `Send` behind a mutex.
unsafe impl Send for Loan {}
// SAFETY: as above; shared references reach the bytes for reading alone.
unsafe impl Sync for Loan {}

impl Loan {
    /// One clone counts no more; with the last one the owner is told, once.
    fn let_go(&self) {
        if self.counting.fetch_sub(1, Ordering::AcqRel) == 1 {
            let waived = self.waived.load(Ordering::Acquire) > 0;
            let mut owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
            owner.returned(waived);
        }
    }
}

impl Clone for Lease {
    fn clone(&self) -> Self {
        self.again(self.start, self.len)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.waived.load(Ordering::Acquire) {
            self.loan.let_go();
        }
    }
}

impl Lease {
    /// Lends `len` bytes at `bytes`; `owner` is told once, when the last clone that counts is gone.
    ///
    /// # Safety
    /// Until `owner` is dropped, the bytes must stay mapped and readable; until it is told of
    /// their return, nobody may write them. A null pointer is allowed when `len` is 0. `len` must
    /// not exceed `isize::MAX`.
    pub unsafe fn lend(bytes: *const u8, len: usize, owner: impl Owner + 'static) -> Self {
        let bytes = NonNull::new(bytes.cast_mut()).unwrap_or(NonNull::dangling());
        let loan = Loan {
            bytes,
            len,
            counting: AtomicUsize::new(1),
            waived: AtomicUsize::new(0),
            owner: Mutex::new(Box::new(owner)),
        };
        Self {
            loan: Arc::new(loan),
            start: 0,
            len,
            waived: AtomicBool::new(false),
        }
    }

    /// This clone counts no more: whoever still reads it does work that is thrown away. The bytes
    /// may change under that reader, and stay mapped.
    pub fn waive(&self) {
        if !self.waived.swap(true, Ordering::AcqRel) {
            self.loan.waived.fetch_add(1, Ordering::AcqRel);
            self.loan.let_go();
        }
    }

    /// Another clone; of a waived one, a waived one.
    fn again(&self, start: usize, len: usize) -> Self {
        let waived = self.waived.load(Ordering::Acquire);
        if !waived {
            self.loan.counting.fetch_add(1, Ordering::AcqRel);
        }
        Self {
            loan: Arc::clone(&self.loan),
            start,
            len,
            waived: AtomicBool::new(waived),
        }
    }

    /// The part `range` of these bytes, on the same loan; `None` when it lies outside.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Option<Self> {
        if range.start > range.end || range.end > self.len {
            return None;
        }
        let start = self.start + range.start;
        Some(self.again(start, range.end - range.start))
    }
}

impl Deref for Lease {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        debug_assert!(self.start + self.len <= self.loan.len);
        // SAFETY: `start + len` lies inside the loan (`lend` and `part` are the only makers), whose
        // bytes are readable while `self.loan` lives, which outlives this borrow, and unchanging
        // for every clone that counts. A waived clone may see bytes that another process writes
        // meanwhile: they go to a mirror that was given up, and are never interpreted.
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
        super::count(bytes.len());
        let (start, len) = (bytes.as_ptr(), bytes.len());
        // SAFETY: the vector moves into the owner, which keeps its heap bytes alive and untouched
        // until it is dropped; moving a vector does not move its bytes.
        unsafe { Self::lend(start, len, Kept(bytes)) }
    }
}

/// Bytes of our own: freed with the owner, never used again.
struct Kept(#[allow(dead_code)] Vec<u8>);

impl Owner for Kept {
    fn returned(&mut self, _waived: bool) {}
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({} bytes)", self.len)
    }
}
