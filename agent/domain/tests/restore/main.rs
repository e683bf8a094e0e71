//! Which sets make which point.
#![allow(clippy::unwrap_used, clippy::panic)]

mod fixture;
mod goals;
mod history;
mod promises;
mod refusals;
