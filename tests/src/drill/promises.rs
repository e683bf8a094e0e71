//! The promises of the design, held against what a drill has left behind.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::media::{self, OnMedia, SETS};
use super::stage::{Stage, server};
use crate::hosts::said::Said;
use crate::hosts::{A, AGENTS, B};

/// How a drill leaves its hosts.
pub(super) struct Ending {
    /// The agent whose server is principal.
    pub(super) principal: &'static str,
    /// A mirror was lost on the way and may be behind.
    pub(super) degraded: bool,
}

impl Ending {
    /// This agent's server is principal, and nothing is lost.
    pub(super) const fn at(principal: &'static str) -> Self {
        Self {
            principal,
            degraded: false,
        }
    }
}

/// Takes the last log, stops the agents, and looks at everything.
pub(super) fn close(stage: &mut Stage, ending: &Ending) -> io::Result<()> {
    stage.pair.calm()?;
    stage.write(ending.principal)?;
    // A check that runs just then is waited for.
    let waits = ["TW5002", "TW6002"];
    let last = stage.take_behind(ending.principal, "log", &waits)?;
    let wanted: &[i32] = if ending.degraded { &[0, 3] } else { &[0] };
    let done = wanted.contains(&last.code);
    stage.check(
        "P2",
        format!("the last backup on {} succeeds", ending.principal),
        done,
    );
    let mut codes = Vec::new();
    for agent in AGENTS {
        if stage.runs(agent) {
            codes.push(stage.stop(agent)?);
        }
    }
    stage.check(
        "10.3",
        "the services end as they should",
        codes.iter().all(|code| *code == 0),
    );
    // What a service took on its last legs counts too.
    let told = stage.look()?;
    let path = stage.pair.path().to_owned();
    stage.check("P10", "no process is left", left_running(&path)?.is_empty());
    let sets = media::all(&stage.pair)?;
    acknowledged(stage, &sets, &told);
    agreed(stage, &sets, &told);
    sound(stage, ending)?;
    writers(stage, &sets)?;
    principals(stage, &sets);
    unchecked(stage);
    named(stage);
    restored(stage, ending.principal, &told)?;
    each_restores(stage, &sets)
}

/// Processes other than the lab that work in the drill's folder.
fn left_running(folder: &Path) -> io::Result<Vec<String>> {
    let mut left = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        // Processes come and go while they are listed.
        let Ok(place) = fs::read_link(path.join("cwd")) else {
            continue;
        };
        let program = fs::read_link(path.join("exe")).unwrap_or_default();
        if place.starts_with(folder) && program.ends_with("twinset") {
            left.push(path.display().to_string());
        }
    }
    Ok(left)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> + Clone {
    value.as_array().into_iter().flatten()
}

fn lower(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_lowercase()
}

/// P1: what a server has let go of lies on the media of one of them.
fn acknowledged(stage: &mut Stage, sets: &[OnMedia], told: &[Value; 2]) {
    let kept: BTreeSet<&str> = sets
        .iter()
        .filter(|set| ["published", "unconfirmed"].contains(&set.state.as_str()))
        .map(|set| set.set.as_str())
        .collect();
    let released: BTreeSet<String> = told
        .iter()
        .flat_map(|told| list(&told["released"]))
        .map(|released| lower(&released["set"]))
        .collect();
    let lost: Vec<&String> = released
        .iter()
        .filter(|set| !kept.contains(set.as_str()))
        .collect();
    let what = format!(
        "the log of {} backups was released, all of it is on the media{}",
        released.len(),
        but(&lost)
    );
    stage.check("P1", what, lost.is_empty());
}

/// What speaks against it, in words.
fn but<T: std::fmt::Debug>(strays: &[T]) -> String {
    match strays {
        [] => String::new(),
        some => format!(", but not {some:?}"),
    }
}

/// P2: what counts as a backup counts with SQL Server too.
fn agreed(stage: &mut Stage, sets: &[OnMedia], told: &[Value; 2]) {
    let known: BTreeSet<String> = told
        .iter()
        .flat_map(|told| list(&told["backups"]))
        .map(|row| lower(&row["backup_set_uuid"]))
        .collect();
    let published = sets.iter().filter(|set| set.is_published());
    let strays: Vec<String> = published
        .clone()
        .filter(|set| !known.contains(&set.set) || set.manifests.is_empty())
        .map(OnMedia::place)
        .collect();
    let what = format!(
        "{} published sets, each in the history of SQL Server{}",
        published.count(),
        but(&strays)
    );
    stage.check("P2", what, strays.is_empty());
    let half: Vec<String> = sets
        .iter()
        .filter(|set| ["unsealed"].contains(&set.state.as_str()))
        .map(OnMedia::place)
        .collect();
    stage.check(
        "P2",
        format!("nothing half-done is left{}", but(&half)),
        half.is_empty(),
    );
}

/// P3, P4: every byte of every mirror is what its manifest says.
fn sound(stage: &mut Stage, ending: &Ending) -> io::Result<()> {
    let mut codes = Vec::new();
    for agent in AGENTS {
        for (key, _) in SETS {
            codes.push(stage.pair.json(agent, &["media", "verify", key])?.code);
        }
    }
    let worst = if ending.degraded { 3 } else { 0 };
    let holds = codes.iter().all(|code| *code == 0 || *code == worst);
    let what = format!("every byte of every mirror is sound (media verify: {codes:?})");
    stage.check("P4", what, holds);
    Ok(())
}

/// P5: one agent writes a media set, the one of its headers.
fn writers(stage: &mut Stage, sets: &[OnMedia]) -> io::Result<()> {
    let mut holds = true;
    for agent in AGENTS {
        for (key, _) in SETS {
            let shown = stage.pair.json(agent, &["media", "show", key])?.object();
            for volume in list(&shown["result"]["volumes"]) {
                let header = &volume["header"];
                let mut theirs = sets
                    .iter()
                    .filter(|set| set.agent == agent && set.key == key);
                holds &= header["agent_name"] == agent
                    && theirs.all(|set| {
                        let mut manifests = set.manifests.iter();
                        manifests.all(|facts| facts["agent"] == header["agent"])
                    });
            }
        }
    }
    stage.check(
        "P5",
        "each media set was written by the agent of its headers alone",
        holds,
    );
    Ok(())
}

/// 7.1: every set comes from a server that was principal at its role sequence.
fn principals(stage: &mut Stage, sets: &[OnMedia]) {
    let mirrored = sets.iter().filter(|set| {
        let facts = set.manifests.first();
        set.is_published() && facts.is_some_and(|facts| facts["mirroring"].is_object())
    });
    let terms = stage.terms.clone();
    let strays: Vec<String> = mirrored
        .filter(|set| {
            let sequence = set.manifests[0]["mirroring"]["role_sequence"].as_i64();
            let from = set.fact("server").as_str().unwrap_or_default().to_owned();
            from != server(set.agent) || !terms.contains(&(from, sequence.unwrap_or(-1)))
        })
        .map(OnMedia::place)
        .collect();
    let what = format!("nobody but the principal was backed up{}", but(&strays));
    stage.check("7.1", what, strays.is_empty());
}

/// P6: no backup begins between a switch that was seen and the check that passed.
fn unchecked(stage: &mut Stage) {
    let mut strays = Vec::new();
    for (agent, said) in AGENTS.iter().zip(&stage.report.said) {
        let mut open = false;
        for (_, said) in said {
            match said {
                Said::State(text) if text.starts_with("consistency check") => open = true,
                Said::State(text) if text.starts_with("protected") => open = false,
                // In a split the state goes on naming the split.
                Said::Ended(what, Some(0 | 3), _) if what == "check" => open = false,
                // An agent that stands by begins none at all.
                Said::State(text) if text.starts_with("not principal") => open = true,
                Said::Begins(what, _) if open && what.ends_with("backup") => {
                    strays.push(format!("{agent}: {what}"));
                }
                _ => {}
            }
        }
    }
    let what = format!(
        "no service took a backup before its check had passed{}",
        but(&strays)
    );
    stage.check("P6", what, strays.is_empty());
}

/// P12: what fails has a code.
fn named(stage: &mut Stage) {
    let all = stage.report.said.iter().flatten();
    let strays: Vec<String> = all
        .filter(|(_, said)| {
            matches!(said, Said::Ended(_, Some(code), None) if *code != 0 && *code != 3)
        })
        .map(|(_, said)| said.to_string())
        .collect();
    stage.check(
        "P12",
        format!("what failed has a code{}", but(&strays)),
        strays.is_empty(),
    );
}

/// A restore to the latest point out of the sets of both, held against the database.
fn restored(stage: &mut Stage, principal: &'static str, told: &[Value; 2]) -> io::Result<()> {
    let name = stage.next_copy();
    let line = format!("restore run Payroll --group payroll --as {name} --on {principal}");
    let ran = stage.types(principal, &line)?;
    let copy = stage.pair.told_of(principal, &name).unwrap_or(Value::Null);
    let written = &told[usize::from(principal == B)]["writes"];
    let rows = list(written).count();
    let what = format!("a restore to the latest point holds all {rows} rows, and no other");
    let whole = [0, 3].contains(&ran.code) && copy["state"] == "ONLINE";
    stage.check("8", what, whole && copy["writes"] == *written);
    let told = stage
        .pair
        .order(principal, serde_json::json!({ "received": true }))?;
    let read = list(&told["received"]).filter(|one| one["database"] == name.as_str());
    let from = |agent: &str| {
        let all = read.clone();
        all.filter(|one| one["sent_by"] == server(agent).as_str())
            .count()
    };
    let what = format!(
        "byte for byte what SQL Server had sent: {} sets of SQL-A, {} of SQL-B",
        from(A),
        from(B)
    );
    let same = read.clone().all(|one| one["same"] == true);
    stage.check("P4", what, same && read.count() > 0);
    Ok(())
}

/// The newest set of each media set can be read to its end by the server beside it.
fn each_restores(stage: &mut Stage, sets: &[OnMedia]) -> io::Result<()> {
    for agent in AGENTS {
        for (key, _) in SETS {
            let mut mine = sets
                .iter()
                .filter(|set| set.agent == agent && set.key == key);
            let Some(last) = mine.rfind(|set| set.is_published()) else {
                continue;
            };
            let line = format!(
                "restore verify Payroll --group payroll --on {agent} --position {key}:{}",
                last.position
            );
            let ran = stage.types(agent, &line)?;
            let what = format!("SQL Server reads the way to {} to its end", last.place());
            stage.check("P2", what, [0, 3].contains(&ran.code));
        }
    }
    Ok(())
}
