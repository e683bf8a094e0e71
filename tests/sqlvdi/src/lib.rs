//! A double of SQL Server's `libsqlvdi.so`, both ends of the Virtual Device Interface.
//!
//! Built as a shared library it exports the mangled names of the two C++ classes that a
//! backup program loads (`exports`, facts/vdi.md 1.3). Built as a Rust library it
//! gives the double of SQL Server the other end, [`server`]. Both ends normally live in two
//! processes and meet in POSIX shared memory, in this order of events:
//!
//! 1. the client's `Create` makes the control object, named after the set (`control`);
//! 2. [`server::ServerSet::open`] finds it by exactly that name and `configure`s it, which
//!    makes the area of data buffers (`buffers`);
//! 3. the client's `GetConfiguration` returns, it opens its devices, and commands flow
//!    through one queue per device until the server closes them.
//!
//! The double is strict where the real library is trusting: buffers are poisoned once they
//! are completed, guards around them are checked, and every offence is counted.

pub mod abi;
mod buffers;
mod client;
mod control;
pub mod door;
mod exports;
mod lab;
mod os;
pub mod server;

pub use buffers::Violations;
pub use lab::{locate, without_symbol};
