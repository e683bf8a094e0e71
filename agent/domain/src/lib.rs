//! What Twinset decides.
//!
//! Nothing in this crate touches the world: no files, no clock, no SQL. Facts and times come in as
//! arguments, decisions go out as values that can be printed and tested.

pub mod fault;

pub use fault::{Code, Exit, Fault, code};
