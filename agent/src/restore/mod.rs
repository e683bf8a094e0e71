//! The story of a restore: choose the sets, read each chunk from a sound mirror, hand it over.
//!
//! * [`open`]: volumes and sets for reading;
//! * [`holdings`]: all media sets of a group together, what plans are made of;
//! * [`export`]: native files again;
//! * [`prove`]: do encoded sets decode?;
//! * [`replace`]: may it take the place of a database?;
//! * [`run`]: RESTORE of a chain through the virtual device interface;
//! * [`check`]: RESTORE VERIFYONLY of each of its sets;
//! * [`script`]: the same chain as T-SQL for a hand.

mod chain;
pub mod check;
pub mod export;
pub mod holdings;
pub mod open;
pub mod prove;
pub mod replace;
pub mod run;
pub mod script;
mod source;
pub mod spool;
mod state;
mod stream;
mod target;
