//! What to restore, from where: a value that can be printed before anything moves.
//!
//! A chain is a full, at most one differential, and logs, along one path of recovery forks, each
//! beginning where the one before it ended or earlier. [`goal`] is what is wanted, [`Candidate`]
//! what lies on the media; [`plan()`] joins them, [`points()`] lists everything that could be wanted.

mod chain;
pub mod goal;
mod plan;
mod points;
mod refuse;
mod set;
mod story;

pub use crate::fork::{Leg, Path};
pub use goal::{Goal, Mark, Stop};
pub use plan::{Gap, OtherFork, Plan, Step, plan};
pub use points::{Danger, Interval, Point, Points, points};
pub use set::{Candidate, Link, Place, number_branches};

use uuid::Uuid;

use crate::Moment;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The database as it was called at backup.
    pub database: String,
    /// To which point.
    pub goal: Goal,
    /// The recovery fork it must end on; that of the newest set without it.
    pub fork: Option<Uuid>,
    /// Sets that are not to be used: the operator does not trust them.
    pub without: Vec<Place>,
    /// Sets that turned out to be unreadable.
    pub lost: Vec<Place>,
    /// Now: what is behind the point is counted up to it.
    pub now: Moment,
}
