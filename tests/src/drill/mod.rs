//! Failover drills: the real agents on two doubles, shaken by script, then every promise that the
//! drill touches is held against what lies on the media and what the servers say.
//!
//! [`scenes`] are the scripts, `stage` the two hosts with what is done to them, `media` reads what
//! lies there, `promises` judges, [`report`] tells the story.

mod media;
mod promises;
mod random;
pub mod report;
pub mod scenes;
mod stage;

use std::io::{self, Write};
use std::time::Instant;

pub use random::MAX_DAYS;
pub use report::Report;
use scenes::{ALL, Scenario};

/// Plays one scenario to its end.
///
/// # Errors
/// It could not be played: an agent did not do what the script waits for, a program is missing.
/// What had happened until then is in the text.
pub fn play(name: &str) -> io::Result<Report> {
    let found = ALL.iter().find(|scenario| scenario.name == name);
    let scenario = found.ok_or_else(|| {
        let text = format!("no scenario {name}; see twinset-lab drill --list");
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })?;
    let mut stage = (scenario.play)()?;
    stage.gather();
    Ok(stage.report)
}

/// Plays days by seed.
///
/// # Errors
/// As [`play`].
pub fn play_days(seed: u64, days: u32) -> io::Result<Report> {
    random::days(seed, days)
}

/// Prints the names.
///
/// # Errors
/// Standard output is closed.
pub fn list() -> io::Result<()> {
    let mut out = io::stdout();
    for Scenario { name, about, .. } in ALL {
        writeln!(out, "{name:<20} {about}")?;
    }
    Ok(())
}

/// What is played.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Scenarios by name; all of them when none is named.
    Scenarios(Vec<String>),
    /// So many days by this seed.
    Days(u64, u32),
}

/// Plays, and prints the stories.
///
/// # Errors
/// A promise was broken, or something could not be played.
pub fn run(wish: &Wish) -> io::Result<()> {
    // Twinset refuses what others may write; some systems let the group by default.
    rustix::process::umask(rustix::fs::Mode::WGRP | rustix::fs::Mode::WOTH);
    let mut tally = Tally::default();
    match wish {
        Wish::Scenarios(names) if names.is_empty() => {
            for scenario in ALL {
                tally.add(scenario.name, || play(scenario.name))?;
            }
        }
        Wish::Scenarios(names) => {
            for name in names {
                tally.add(name, || play(name))?;
            }
        }
        Wish::Days(seed, days) => {
            tally.add(&format!("seed {seed}, {days} days"), || {
                play_days(*seed, *days)
            })?;
        }
    }
    tally.finish()
}

/// Counts what was played.
#[derive(Default)]
struct Tally {
    played: usize,
    held: usize,
    looked: usize,
    broken: Vec<String>,
}

impl Tally {
    /// Plays one thing and prints its story.
    fn add(&mut self, name: &str, play: impl FnOnce() -> io::Result<Report>) -> io::Result<()> {
        let mut out = io::stdout();
        writeln!(out, "{name}")?;
        let begun = Instant::now();
        self.played += 1;
        match play() {
            Ok(report) => {
                let (held, looked) = report.count();
                (self.held, self.looked) = (self.held + held, self.looked + looked);
                let seconds = begun.elapsed().as_secs_f64();
                writeln!(out, "{report}  {held} of {looked} hold, {seconds:.1} s\n")?;
                if !report.holds() {
                    self.broken.push(name.to_owned());
                }
            }
            Err(fault) => {
                writeln!(out, "  [BROKEN] not played to its end: {fault}\n")?;
                self.broken.push(name.to_owned());
            }
        }
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        let Self {
            played,
            held,
            looked,
            broken,
        } = self;
        println!("drill: {played} played, {held} of {looked} promises hold");
        match broken.as_slice() {
            [] => Ok(()),
            some => Err(io::Error::other(format!("broken: {}", some.join(", ")))),
        }
    }
}
