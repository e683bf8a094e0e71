//! What BACKUP and RESTORE share: their grammar, devices, the moving of bytes, their messages.

pub mod conflicts;
pub mod grammar;
pub mod lane;
pub mod messages;
pub mod port;
pub mod scope;
pub mod together;

pub use grammar::{DeviceKind, Plan, Verb};
