//! What must hold of the shared catalog, against a real PostgreSQL server: `make test-postgres`.
//!
//! Each spec starts a server of its own, on a free port of this host, from the programs of the
//! Debian package `postgresql`. Without them every spec fails: nothing is left out in silence.

#![allow(clippy::unwrap_used, clippy::panic)]

mod away;
mod fleet;
mod messages;
mod relay;
mod server;
mod shaken;
#[allow(dead_code, unused_imports)]
#[path = "../specs/support/mod.rs"]
mod support;
mod telling;
