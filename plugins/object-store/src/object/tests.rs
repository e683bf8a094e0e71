//! The device over a store in memory: what holds without any server.
#![allow(clippy::unwrap_used, clippy::panic)]

mod faults;
mod locks;
mod records;
mod sections;
mod world;
