//! The state of a protected database: the rows of design 7.2 under both profiles, and what must
//! hold after any row of events.
#![allow(clippy::unwrap_used, clippy::panic)]

mod elsewhere;
mod groups;
mod long;
mod look;
mod promises;
mod rows;
mod shown;
mod switches;
mod table;
mod world;
