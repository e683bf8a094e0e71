//! The server's end, for the double of SQL Server.
//!
//! [`ServerSet::open`] finds the set a client created, [`ServerSet::configure`] lets the
//! client go on, [`ServerSet::device`] gives one [`ServerDevice`] per stripe to a thread of
//! its own.

mod device;
mod knobs;
mod outcome;
mod set;

pub use device::ServerDevice;
pub use knobs::Knobs;
pub use outcome::{Completion, Ticket};
pub use set::{Negotiated, ServerSet, SetState};

use crate::abi::{completions, returns};

/// Why the server's end could not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerError {
    /// No living client has created a set of this name, or a parameter is wrong.
    Invalid,
    /// Called in the wrong state.
    Protocol,
    /// The client's configuration and the statement do not agree.
    NotSupported,
    /// No room for the shared buffers.
    Memory,
    /// One side aborted, or the client died or stalled beyond its `serverTimeOut`.
    Aborted,
    /// The device is in its error state; only ClearError and close are allowed.
    IoDevice,
    /// The client did not open the device, or complete a command, in time.
    Timeout,
    /// The device's queue is full, or there are too many outcomes nobody waited for.
    Busy,
}

impl ServerError {
    /// The number SQL Server prints as "operating system error".
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Invalid => returns::INVALID,
            Self::Protocol => returns::PROTOCOL,
            Self::NotSupported => returns::NOT_SUPPORTED,
            Self::Memory => returns::MEMORY,
            Self::Aborted => completions::OPERATION_ABORTED,
            Self::IoDevice => completions::IO_DEVICE,
            Self::Timeout => returns::TIMEOUT,
            Self::Busy => 1450,
        }
    }
}

impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code();
        match self {
            Self::Aborted | Self::IoDevice | Self::Busy => write!(f, "{self:?} ({code})"),
            _ => write!(f, "{self:?} ({code:#010x})"),
        }
    }
}

impl std::error::Error for ServerError {}
