//! The name under which a session of ours shows itself on the server, and what that name proves.
//!
//! `Twinset work RUN AGENT SPACE.PROCESS.START` stands in `program_name` of every session. It
//! outlives the agent: a BACKUP whose agent was killed may wait on the server for ever
//! (facts/vdi.md 5, row 27), and the next run has to tell whether it may be ended. The client's
//! process id of the protocol is of no use for that, since the driver sends none.

use std::fmt;

use serde::Serialize;

use crate::{AgentId, LocalTime};

/// Longest program name that SQL Server keeps, in characters.
pub const MAX_PROGRAM: usize = 128;
/// What every program name of ours begins with.
pub const PRODUCT: &str = "Twinset";

/// A process of one machine since its last start, and never another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Stands for the machine's start and the name space of process ids; other spaces count
    /// their processes anew.
    pub space: u64,
    /// Process id.
    pub id: u32,
    /// When it began, in ticks since the machine's start; ids are given again, the pair is not.
    pub start: u64,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}.{}.{}", self.space, self.id, self.start)
    }
}

/// Who opened a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stamp {
    /// The agent that it belongs to.
    pub agent: AgentId,
    /// Its process.
    pub process: Process,
}

/// The program name of a session: what it is for, its run, and who opened it. The run's name is
/// shortened where the whole would be longer than SQL Server keeps, the stamp never.
#[must_use]
pub fn program(purpose: &str, run: &str, stamp: Option<&Stamp>) -> String {
    let tail = stamp.map_or_else(String::new, |stamp| {
        format!(" {} {}", stamp.agent.0.simple(), stamp.process)
    });
    let head = format!("{PRODUCT} {purpose} {run}");
    let room = MAX_PROGRAM.saturating_sub(tail.chars().count());
    let mut name: String = head.chars().take(room).collect();
    name.push_str(&tail);
    name
}

/// The stamp in a program name; `None` for names that are not ours, or carry none.
#[must_use]
pub fn read(program: &str) -> Option<Stamp> {
    let mut words = program.rsplit(' ');
    let mut numbers = words.next()?.split('.');
    let space = u64::from_str_radix(numbers.next()?, 16).ok()?;
    let id = numbers.next()?.parse().ok()?;
    let start = numbers.next()?.parse().ok()?;
    if numbers.next().is_some() || !is_ours(program) {
        return None;
    }
    let agent = words.next()?.parse().ok()?;
    let process = Process { space, id, start };
    Some(Stamp { agent, process })
}

/// Whether a program name says that it is ours.
#[must_use]
pub fn is_ours(program: &str) -> bool {
    program
        .strip_prefix(PRODUCT)
        .is_some_and(|rest| rest.starts_with(' '))
}

/// A session of the server that runs a BACKUP or RESTORE under a program name of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its number on the server.
    pub session: i64,
    /// Its program name.
    pub program: String,
    /// Its login.
    pub login: String,
    /// The computer that it comes from.
    pub host: String,
    /// When it logged in, in the server's local time.
    pub since: Option<LocalTime>,
    /// What it runs, such as `BACKUP DATABASE`.
    pub command: String,
    /// Name of the database it works on, as far as the server says.
    pub database: Option<String>,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {} ({}", self.session, self.command)?;
        if let Some(database) = &self.database {
            write!(f, " of {database}")?;
        }
        write!(f, ", from {}", self.host)?;
        if let Some(since) = self.since {
            write!(f, ", since {since}")?;
        }
        f.write_str(")")
    }
}

/// What may be done with such a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Its process lives: it is left alone.
    Lives,
    /// Ours, and its process is gone: it may be killed.
    Orphan,
    /// Not proven to be ours and dead: it is named, and left alone.
    Unproven(Doubt),
}

/// Why a session is not proven to be an orphan of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// Its name carries no stamp.
    NoStamp,
    /// Another agent opened it.
    OtherAgent,
    /// It was opened with another login.
    OtherLogin,
    /// Its process lived before the machine's last start, or in another container.
    OtherSpace,
}

impl Doubt {
    /// The same as a clause.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::NoStamp => "nothing in its name says which process opened it",
            Self::OtherAgent => "another agent opened it",
            Self::OtherLogin => "it was opened with another login",
            Self::OtherSpace => {
                "its process cannot be looked for: it began before this machine did, or in \
                 another container"
            }
        }
    }
}

/// Who looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me<'a> {
    /// This agent and this process.
    pub stamp: Stamp,
    /// Its login, as the server names it.
    pub login: &'a str,
}

/// Judges one session. `lives` is asked of processes of this process's own space alone.
#[must_use]
pub fn judge(seen: &Seen, me: &Me<'_>, lives: impl Fn(Process) -> bool) -> Finding {
    let Some(stamp) = read(&seen.program) else {
        return Finding::Unproven(Doubt::NoStamp);
    };
    if stamp.agent != me.stamp.agent {
        return Finding::Unproven(Doubt::OtherAgent);
    }
    if seen.login != me.login {
        return Finding::Unproven(Doubt::OtherLogin);
    }
    if stamp.process.space != me.stamp.process.space {
        return Finding::Unproven(Doubt::OtherSpace);
    }
    if stamp.process == me.stamp.process || lives(stamp.process) {
        Finding::Lives
    } else {
        Finding::Orphan
    }
}

#[cfg(test)]
mod tests;
