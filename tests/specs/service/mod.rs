//! The service through its front door: two real agents on two doubles of SQL Server that are
//! partners of a mirroring session.

mod alerts;
mod anew;
mod control;
mod follow;
mod leave;
mod metrics;
mod schedule;
mod upkeep;

use crate::support::pair::Setup;

/// What `[failover]` says so that nothing is waited for.
const FAST: &str = "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n";

/// Two hosts on which a switch is seen soon, and checked at once.
fn fast() -> Setup {
    Setup {
        group: FAST,
        ..Setup::default()
    }
}
