//! The numbered behaviours of facts/vdi.md 7.1, seen from a client that loads the library
//! at run time as C would.
#![allow(unsafe_code, clippy::unwrap_used, clippy::panic)]

mod abort;
mod commands;
mod death;
mod door;
mod errors;
mod harness;
mod life;
mod modes;
mod names;
mod restore;
