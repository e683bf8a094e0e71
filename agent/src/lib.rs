//! The Twinset agent: what touches the world, in the order of the floors.
//!
//! * Floor 1 touches: [`clock`], [`trust`], [`folder`], [`state`], [`catalog`], [`config`], [`payload`], [`age`], [`device`],
//!   [`media`] (which may use `device`), [`sqlserver`], [`report`].
//! * Floor 2 runs one plan each: [`backup`], [`restore`], [`alerts`], [`fleet`].
//! * Floor 3 tells the story: [`cli`], [`service`]; [`web`] shows it.

pub mod age;
pub mod alerts;
pub mod backup;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod device;
pub mod fleet;
pub mod folder;
pub mod media;
pub mod payload;
pub mod report;
pub mod restore;
pub mod service;
pub mod sqlserver;
pub mod state;
pub mod trust;
pub mod web;
