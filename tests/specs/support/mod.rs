//! What the specifications stand on: a world of its own for each test, and the real `twinset`
//! binary with real plugin files.

mod bytes;
mod crowd;
mod groups;
mod mounted;
pub(crate) mod pair;
mod program;
mod samples;
mod world;

pub(crate) use bytes::{Dice, copy, damage_bit, hex_of, sections, snapshot, work_files};
pub(crate) use crowd::crowd;
pub(crate) use mounted::Mounted;
pub(crate) use program::{Ran, Running, built, skip};
pub(crate) use samples::{corpus, generated, log_backup};
pub(crate) use world::{Media, World};
