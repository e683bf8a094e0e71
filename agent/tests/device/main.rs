//! Devices as the agent meets them: real plugin files, through the real door.

#![allow(clippy::unwrap_used, clippy::panic)]

mod crash;
mod faults;
mod full;
mod lane;
mod loading;
mod plugins;
mod records;
mod sections;
mod volumes;
