//! Linux: POSIX shared memory, shared futexes, and file locks that tell who is alive.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::fs::{FallocateFlags, FlockOperation, MemfdFlags, Mode};
use rustix::io::{Errno, Result};
use rustix::mm::{MapFlags, ProtFlags};
use rustix::shm::{self, OFlags};
use rustix::thread::futex;

/// Page size that mappings are cut to.
const PAGE: usize = 4096;

/// Creates a shared memory object that must not exist yet; mode 0666 under the umask.
pub(crate) fn create_shared(name: &str) -> Result<OwnedFd> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR;
    shm::open(name, flags, Mode::from_raw_mode(0o666))
}

/// Opens an existing shared memory object for reading and writing.
pub(crate) fn open_shared(name: &str) -> Result<OwnedFd> {
    shm::open(name, OFlags::RDWR, Mode::empty())
}

/// Takes the name away; mappings live on. A missing name is no error.
pub(crate) fn unlink_shared(name: &str) {
    let _ = shm::unlink(name);
}

/// Length of the object in bytes, and whether its name still stands.
pub(crate) fn length_and_named(fd: &OwnedFd) -> Result<(u64, bool)> {
    let stat = rustix::fs::fstat(fd)?;
    Ok((stat.st_size.max(0).cast_unsigned(), stat.st_nlink > 0))
}

/// Gives the object its length with all its memory, so that a full `/dev/shm` shows as an
/// error here and not as a signal later.
pub(crate) fn reserve(fd: &OwnedFd, length: usize) -> Result<()> {
    rustix::fs::ftruncate(fd, length as u64)?;
    rustix::fs::fallocate(fd, FallocateFlags::empty(), 0, length as u64)
}

/// Locks the object as its living owner; the kernel lets go when the process dies.
pub(crate) fn claim(fd: &OwnedFd) -> bool {
    rustix::fs::flock(fd, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// True when no living process has [`claim`]ed the object through another descriptor.
pub(crate) fn is_orphan(fd: &OwnedFd) -> bool {
    match rustix::fs::flock(fd, FlockOperation::NonBlockingLockShared) {
        Ok(()) => {
            let _ = rustix::fs::flock(fd, FlockOperation::Unlock);
            true
        }
        Err(_) => false,
    }
}

/// Anonymous memory that can be mapped more than once.
pub(crate) fn anonymous(length: usize) -> Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("sqlvdi-commands", MemfdFlags::CLOEXEC)?;
    reserve(&fd, length)?;
    Ok(fd)
}

/// Waits until `word` is no longer `seen`, a wake, or the time is over.
pub(crate) fn wait_word(word: &AtomicU32, seen: u32, limit: Duration) {
    if let Ok(timeout) = futex::Timespec::try_from(limit) {
        let _ = futex::wait(word, futex::Flags::empty(), seen, Some(&timeout));
    }
}

/// Wakes up to `count` waiters of `word`, in any process.
pub(crate) fn wake_word(word: &AtomicU32, count: u32) {
    let _ = futex::wake(word, futex::Flags::empty(), count);
}

/// Shared memory mapped into this process; unmapped on drop.
pub(crate) struct Mapping {
    start: NonNull<u8>,
    length: usize,
    reserved: NonNull<c_void>,
    reserved_length: usize,
}

// SAFETY: the mapping is plain memory of the process, valid in every thread until dropped.
unsafe impl Send for Mapping {}
// SAFETY: as above; users synchronise what they store in it by atomics or the control lock.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `length` bytes of `fd` at an address that is a multiple of `alignment`, a power
    /// of two.
    pub(crate) fn new(
        fd: BorrowedFd<'_>,
        length: usize,
        alignment: usize,
        writable: bool,
    ) -> Result<Self> {
        let alignment = alignment.max(PAGE);
        let reserved_length = length.checked_add(alignment).ok_or(Errno::NOMEM)?;
        // SAFETY: a new private reservation without access touches no existing memory.
        let reserved = unsafe {
            rustix::mm::mmap_anonymous(
                null_mut(),
                reserved_length,
                ProtFlags::empty(),
                MapFlags::PRIVATE,
            )?
        };
        let skip = reserved.align_offset(alignment);
        let mut access = ProtFlags::READ;
        access.set(ProtFlags::WRITE, writable);
        // SAFETY: skip < alignment, so the target lies inside the reservation made above,
        // which belongs to us alone.
        let mapped = unsafe {
            rustix::mm::mmap(
                reserved.byte_add(skip),
                length,
                access,
                MapFlags::SHARED | MapFlags::FIXED,
                fd,
                0,
            )
        };
        let give_back = |error| {
            // SAFETY: the reservation is ours and nothing points into it yet.
            let _ = unsafe { rustix::mm::munmap(reserved, reserved_length) };
            error
        };
        let start = mapped.map_err(give_back)?;
        match (NonNull::new(start.cast::<u8>()), NonNull::new(reserved)) {
            (Some(start), Some(reserved)) => Ok(Self {
                start,
                length,
                reserved,
                reserved_length,
            }),
            _ => Err(give_back(Errno::NOMEM)),
        }
    }

    /// First byte.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Bytes mapped.
    pub(crate) fn length(&self) -> usize {
        self.length
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: start and length come from our own reservation; the owner of the mapping
        // hands out no reference that outlives it.
        let _ = unsafe { rustix::mm::munmap(self.reserved.as_ptr(), self.reserved_length) };
    }
}
