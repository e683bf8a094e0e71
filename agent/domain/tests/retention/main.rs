//! Which sets may go, and why the others stay.
#![allow(clippy::unwrap_used, clippy::panic)]

mod brakes;
mod history;
mod promises;
mod table;
