//! Buffers that are lent, never copied.
//!
//! A run of bytes enters as a [`Lease`]: SQL Server's own buffer ([`Lease::lend`]), a buffer of our
//! [`Pool`] ([`Buffer::lend`]) or a small vector. Every mirror of a family gets a clone of the same
//! lease; the owner learns that it may use the memory again when the last clone is dropped, and
//! never before. A lane that hangs keeps its clone. When its mirror is given up, that clone is waived:
//! SQL Server gets its buffer back, while the memory stays mapped until the lane comes back.

#![allow(unsafe_code)]

mod lease;
mod pool;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};

pub use lease::{Lease, Owner};
pub use pool::{Buffer, PAGE, Pool};

/// Payload bytes that came into memory of ours, in this process.
static COPIED: AtomicU64 = AtomicU64::new(0);

/// Payload bytes that came into memory of ours since the process began: read from files, or made by
/// an encoder. What SQL Server lends goes to the mirrors from where it lies, and does not count.
#[must_use]
pub fn copied() -> u64 {
    COPIED.load(Ordering::Relaxed)
}

fn count(bytes: usize) {
    COPIED.fetch_add(bytes as u64, Ordering::Relaxed);
}
