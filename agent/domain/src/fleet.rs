//! The shared catalog: a view of all agents, fed by each of them (design 9).
//!
//! An agent works from its own catalog. Every change there that a fleet wants to see is written as
//! an [`Event`] into an outbox, in the transaction of the change, under the next number of the
//! agent. [`meet`] says what is to be sent when both sides meet, [`fit`] what the shared side takes
//! of what it is sent, [`Pace`] when the next meeting is tried,
//! and [`Report`] what all agents together have told. An event holds the whole row as it
//! is from now on, so that one that is taken twice changes nothing.
//!
//! Numbers count within an *epoch*. An epoch begins with everything that the agent holds, so a
//! catalog that was lost, rolled back or away for too long begins a new one, and nothing has to be
//! kept for the day when the two sides meet again.

mod event;
mod meet;
mod pace;
mod report;

pub use event::{
    AlertTold, CheckTold, Event, Inside, MAX_INSIDE, MAX_NAME, MAX_TEXT, MemberTold, RunTold,
    SetTold, name, text,
};
pub use meet::{Batch, Fit, Mark, Meet, Misfit, Ours, Tag, Told, Why, fit, meet};
pub use pace::{ABSENCE, HEARTBEAT, Pace, Tries, is_due, is_long};
pub use report::{
    AgentLine, AgentSeen, AlertSeen, Guarded, LastSeen, MemberSeen, Replica, Report, SILENCE, Seen,
};

/// Most events that wait. When there are more, they are given up for everything at once at the next
/// meeting: an outbox must not fill the disk while the shared catalog is away for weeks.
pub const MAX_WAITING: u64 = 50_000;
/// Most events of one transaction at the shared catalog.
pub const MAX_BATCH: u32 = 500;
/// Days of ended runs and alerts that a new epoch begins with.
pub const HISTORY: i64 = 35;
/// Most ended runs, and most ended alerts, that a new epoch begins with.
pub const MAX_HISTORY: u32 = 10_000;

#[cfg(test)]
mod tests;
