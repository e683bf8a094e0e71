//! Two agents on the replicas of an availability group: by hand, by their services, in words.
#![allow(clippy::unwrap_used, clippy::panic)]

mod by_hand;
mod service;
mod words;

use crate::support::pair::{A, B, Pair, Setup};

/// What `[failover]` says so that a switch is seen soon.
const FAST: &str = "[failover]\npoll = \"1s\"\n";

/// A group that prefers its secondary, as SQL Server does where nobody says anything.
fn group() -> Setup {
    Setup {
        group_of: Some(("", "")),
        group: FAST,
        ..Setup::default()
    }
}

/// The same with lines for the group of the scene, and settings of the second replica.
fn group_with(lines: &'static str, second: &'static str) -> Setup {
    Setup {
        group_of: Some((lines, second)),
        ..group()
    }
}
