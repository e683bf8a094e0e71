//! The story of a restore: choose the set, read each chunk from a sound mirror, hand it over.
//!
//! * [`open`]: volumes and sets for reading, the plan;
//! * [`export`]: native files again;
//! * [`prove`]: do encoded sets decode?;
//! * [`run`]: RESTORE through the virtual device interface.

pub mod export;
pub mod open;
pub mod prove;
pub mod run;
mod source;
