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

/// A message for people, folded, without what changes from run to run.
fn said(pair: &Pair, agent: &str, args: &[&str]) -> String {
    let ran = pair.run_as(agent, &["--no-progress"], args);
    let text = ran
        .stderr
        .replace(pair.folder.path().to_str().unwrap(), "~");
    let ports = pair.lab.instances.iter();
    let text = ports.fold(text, |text, instance| {
        text.replace(&format!(":{}", instance.port), ":PORT")
    });
    text.lines().map(fold).collect()
}

/// Columns of a snapshot.
const WIDTH: usize = 84;

fn fold(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line.to_owned());
    while rest.len() > WIDTH {
        let cut = rest[..WIDTH].rfind(' ').unwrap();
        out.push_str(&rest[..cut]);
        out.push('\n');
        rest = format!("      > {}", &rest[cut + 1..]);
    }
    out + &rest + "\n"
}
