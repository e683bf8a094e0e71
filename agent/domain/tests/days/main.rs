//! Ten thousand days of two agents and a mirrored database, at the level of decisions.
//!
//! The world is a model: two SQL Servers (`server`, `session`) whose history is a tree of log
//! records (`truth`), the media of two agents (`media`, `upkeep`), deeds that befall all (`deeds`).
//! The decisions are the real ones of this crate, called in the order of `agent/src/service`
//! (`agent`, `job`, `ages`) and `agent/src/backup` (`run`, `guard`, `check`). After every day the
//! promises are checked (`promises`): what the planner says is applied to the model (`restore`),
//! and the database that comes of it is compared with the truth. A history that breaks a promise
//! is shortened and told (`days`).
//!
//! Where the driver differs from the product: agents look each 5 seconds for a minute behind an
//! event, else each 5 minutes, since nothing happens between; the check is one step; the
//! volumes of an append are read whole, without [`twinset_domain::append::Behind`];
//! backups lie in one family; a `stage` folder is not modelled.
#![allow(clippy::unwrap_used, clippy::panic)]

mod agent;
mod ages;
mod catalog;
mod chance;
mod check;
mod days;
mod deeds;
mod guard;
mod job;
mod keeping;
mod lab;
mod media;
mod promises;
mod restore;
mod run;
mod server;
mod session;
mod set;
mod truth;
mod upkeep;
mod verdict;
