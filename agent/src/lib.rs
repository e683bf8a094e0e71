//! The Twinset agent: what touches the world, in the order of the floors.
//!
//! Floor 1 touches: [`payload`], [`config`], [`report`], [`device`], [`sqlserver`].

pub mod config;
pub mod device;
pub mod payload;
pub mod report;
pub mod sqlserver;
