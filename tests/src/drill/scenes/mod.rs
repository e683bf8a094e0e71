//! The scripted scenarios.

mod losses;
mod sessions;
mod switches;

use std::io;

use super::stage::Stage;
use crate::hosts::Setup;

/// Partners are asked every second, and a switch is checked at once.
const FAST: &str = "[failover]\npoll = \"1s\"\ncheck_delay = \"0s\"\n";
/// A check comes 30 minutes behind a switch, and nothing is taken before.
const REFUSING: &str =
    "[failover]\npoll = \"1s\"\ncheck_delay = \"30m\"\nbefore_check = \"refuse\"\n";

/// Agents that see a switch soon and check at once.
pub(super) fn fast() -> Setup {
    Setup {
        group: FAST,
        ..Setup::default()
    }
}

fn refusing() -> Setup {
    Setup {
        group: REFUSING,
        ..Setup::default()
    }
}

/// A scripted scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What is typed.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    pub(super) play: fn() -> io::Result<Stage>,
}

const fn scenario(
    name: &'static str,
    about: &'static str,
    play: fn() -> io::Result<Stage>,
) -> Scenario {
    Scenario { name, about, play }
}

/// All of them.
pub const ALL: &[Scenario] = &[
    scenario(
        "planned",
        "a planned failover between two logs",
        switches::planned,
    ),
    scenario(
        "automatic",
        "the principal's machine is lost, the witness lets the mirror take over",
        switches::automatic,
    ),
    scenario(
        "forced",
        "the principal's machine is lost, the mirror is forced into service: a new fork",
        switches::forced,
    ),
    scenario(
        "split",
        "both servers claim the role; each branch is kept until one yields",
        switches::split,
    ),
    scenario(
        "fail-back",
        "over and back before the check was due; a backup is refused meanwhile",
        switches::fail_back,
    ),
    scenario(
        "there-and-back",
        "over and back, with a log of the other agent in between",
        switches::there_and_back,
    ),
    scenario(
        "flapping",
        "eleven switches in a row, faster than anybody looks",
        switches::flapping,
    ),
    scenario(
        "in-a-backup",
        "a failover in the middle of a full",
        switches::in_a_backup,
    ),
    scenario(
        "clock-skew",
        "the clocks of the two servers are 48 minutes apart",
        switches::clock_skew,
    ),
    scenario(
        "witness-lost",
        "the principal loses the witness, then its partner, and with them its quorum",
        sessions::witness_lost,
    ),
    scenario(
        "mirror-broken",
        "the session is ended, the principal goes on alone, a new session is made",
        sessions::mirror_broken,
    ),
    scenario(
        "newly-mirrored",
        "a database that stood alone is seeded to the other host and mirrored",
        sessions::newly_mirrored,
    ),
    scenario(
        "both-protected",
        "a second group protects the other partner of the same session",
        sessions::both_protected,
    ),
    scenario(
        "agent-killed",
        "agents are killed in a full, in a check and while they stand by",
        losses::agent_killed,
    ),
    scenario(
        "disk-full",
        "a mirror's disk is full and all are required; then there is room again",
        losses::disk_full,
    ),
    scenario(
        "disk-full-degraded",
        "a mirror's disk is full and one is enough; then it is brought back in step",
        losses::disk_full_degraded,
    ),
];
