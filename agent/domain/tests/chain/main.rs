//! What does the chain guard take? A table of situations, and properties over random histories.
#![allow(clippy::unwrap_used, clippy::panic)]

mod promises;
mod table;
mod world;
