//! Backup streams: a generator of what SQL Server writes, and a checker of what it gets back.
//!
//! [`GeneratedStream`] makes one family of a backup set of any size from a seed, without
//! holding it in memory. [`StreamCheck`] takes bytes as RESTORE of the double receives them
//! and says with SQL Server's numbers what is wrong. Both follow facts/mtf.md and share no
//! code with the agent, so that a mistake there cannot hide here.

mod check;
mod compose;
mod container;
mod files;
mod generate;
mod pages;
mod sets;
mod spec;
mod sum;
#[cfg(test)]
mod tests;
mod words;

pub use check::{SetFacts, StreamCheck, StreamFacts, StreamFault, SumPolicy};
pub use container::Container;
pub use files::{generate_files, parse_size};
pub use generate::{Behind, GeneratedStream};
pub use sets::check_families;
pub use spec::{Lsns, Spec, SpecFile};
pub use words::{DateTime, Kind, Lsn};
