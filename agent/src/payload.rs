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

pub use lease::{Lease, Owner};
pub use pool::{Buffer, PAGE, Pool};
