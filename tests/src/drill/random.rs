//! Days by seed: the same events as in the scripts, in an order that nobody chose.

use std::io;

use serde_json::json;

use super::promises::{Ending, close};
use super::report::Report;
use super::scenes::fast;
use super::stage::{Stage, server};
use crate::hosts::{A, AGENTS, B, Setup};

/// Most days of one run: a double holds so many rows.
pub const MAX_DAYS: u32 = 30;
/// Events of a day.
const EVENTS: u32 = 8;

/// A seeded sequence (SplitMix64).
struct Dice(u64);

impl Dice {
    /// 0 to `sides` - 1.
    const fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// How the scene stands.
struct World {
    principal: &'static str,
    witness: bool,
    /// Both servers run.
    whole: bool,
    /// The partners can talk.
    joined: bool,
}

impl World {
    fn mirror(&self) -> &'static str {
        if self.principal == A { B } else { A }
    }
}

/// Plays days, and looks at every promise at the end of each.
///
/// # Errors
/// A day could not be played; the text holds what had happened until then.
pub(super) fn days(seed: u64, days: u32) -> io::Result<Report> {
    let mut dice = Dice(seed);
    let mut world = World {
        principal: A,
        witness: dice.roll(2) == 1,
        whole: true,
        joined: true,
    };
    let setup = Setup {
        witness: world.witness,
        ..fast()
    };
    let mut stage = Stage::protected(&setup)?;
    let with = if world.witness { "with" } else { "without" };
    stage.did(format!("seed {seed}, {with} a witness"));
    for day in 1..=days {
        stage.did(format!("day {day}"));
        if let Err(fault) = one(&mut stage, &mut world, &mut dice) {
            stage.gather();
            let text = format!("seed {seed}, day {day}: {fault}\n{}", stage.report);
            return Err(io::Error::other(text));
        }
    }
    stage.gather();
    Ok(stage.report)
}

fn one(stage: &mut Stage, world: &mut World, dice: &mut Dice) -> io::Result<()> {
    for agent in AGENTS {
        if !stage.runs(agent) {
            stage.start(agent)?;
        }
    }
    let kind = ["full", "diff", "log"][usize::try_from(dice.roll(3)).unwrap_or(0)];
    stage.take(world.principal, kind)?;
    for _ in 0..EVENTS {
        event(stage, world, dice)?;
    }
    heal(stage, world)?;
    close(stage, &Ending::at(world.principal))
}

/// One event, if it can happen as things are.
fn event(stage: &mut Stage, world: &mut World, dice: &mut Dice) -> io::Result<()> {
    let together = world.whole && world.joined;
    let agent = AGENTS[usize::try_from(dice.roll(2)).unwrap_or(0)];
    match dice.roll(12) {
        0..3 => stage.write(world.principal),
        3 | 4 => stage.take(world.principal, "log").map(drop),
        5 => stage.take(world.principal, "diff").map(drop),
        6 if together => {
            stage.fail_over(world.principal)?;
            world.principal = world.mirror();
            Ok(())
        }
        7 if together => {
            stage.fail_over(world.principal)?;
            stage.fail_over(world.mirror()).map(drop)
        }
        8 if together => struck(stage, world),
        9 if stage.runs(agent) => {
            stage.kill(agent);
            Ok(())
        }
        9 => stage.start(agent),
        10 if together => crash(stage, world, dice),
        10 if !world.whole => back(stage, world),
        11 if together => {
            world.joined = false;
            let links = json!({ "partner": false });
            stage.links(world.principal, links, "the partners lose each other")
        }
        11 if world.whole => join(stage, world),
        _ => stage.write(world.principal),
    }
}

/// A failover in the middle of a backup.
fn struck(stage: &mut Stage, world: &mut World) -> io::Result<()> {
    let of = server(world.principal);
    stage.did(format!(
        "{of} will fail over in the middle of the next backup"
    ));
    let switch = json!({ "how": "failover", "after_bytes": 300_000 });
    stage.pair.struck(world.principal, switch, "cut")?;
    stage.take(world.principal, "full")?;
    stage.pair.calm()?;
    // The backup may have been refused before it began.
    let told = stage.look()?;
    let at = usize::from(world.principal == B);
    if told[at]["mirroring"]["role"] == "mirror" {
        world.principal = world.mirror();
    }
    Ok(())
}

/// A server is lost; where it was the principal, the other one takes over.
fn crash(stage: &mut Stage, world: &mut World, dice: &mut Dice) -> io::Result<()> {
    world.whole = false;
    if dice.roll(2) == 0 {
        return stage.power(world.mirror(), false).map(drop);
    }
    stage.power(world.principal, false)?;
    world.principal = world.mirror();
    if !world.witness {
        stage.force(world.principal)?;
        world.joined = false;
    }
    Ok(())
}

/// The lost server is there again.
fn back(stage: &mut Stage, world: &mut World) -> io::Result<()> {
    world.whole = true;
    stage.power(world.mirror(), true).map(drop)
}

fn join(stage: &mut Stage, world: &mut World) -> io::Result<()> {
    world.joined = true;
    let links = json!({ "partner": true });
    stage.links(world.principal, links, "the partners meet again")?;
    let told = stage.told(world.principal)?;
    if told["mirroring"]["suspended"] == true {
        stage.partner(world.principal, "RESUME")?;
    }
    Ok(())
}

/// At the end of a day everything runs, and the principal's agent protects its database.
fn heal(stage: &mut Stage, world: &mut World) -> io::Result<()> {
    if !world.whole {
        back(stage, world)?;
    }
    join(stage, world)?;
    for agent in AGENTS {
        if !stage.runs(agent) {
            stage.start(agent)?;
        }
    }
    stage.settled(world.principal, "protected")
}
