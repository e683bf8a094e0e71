//! Where each mirror of a media set stands, told by the records of the chain (design 4.3: an
//! out-of-step record on another mirror outranks the tail).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{AgentId, MirrorNo, Position, Shape};

/// What a record says of mirrors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// They may lack its position and all after it.
    OutOfStep,
    /// They hold everything again.
    InStep,
    /// They were given up for good.
    Dropped,
}

/// One such record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Statement {
    /// Place in the writing order.
    pub sequence: u64,
    /// What it says.
    pub change: Change,
    /// Of whom.
    pub mirrors: Vec<MirrorNo>,
    /// First position that they may lack.
    pub position: Position,
}

/// What closed a media set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Closed {
    /// Writing order of the record that says so.
    pub sequence: u64,
    /// Hash of the record that it follows.
    pub previous: Option<String>,
    /// The agent that wrote it; `None` where the record cannot be read.
    pub by: Option<AgentId>,
}

/// Where a mirror stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It holds everything.
    InStep,
    /// It may lack `since` and all after it, said by the record at `sequence`.
    OutOfStep {
        /// First position that it may lack.
        since: Position,
        /// The record that says so.
        sequence: u64,
    },
    /// It was given up for good.
    Dropped,
}

/// Where every mirror stands: the last word on each counts, whichever volume it was read from.
/// A mirror that fell out of step twice may lack everything from the first time on.
#[must_use]
pub fn standings(shape: Shape, statements: &[Statement]) -> BTreeMap<MirrorNo, Standing> {
    let mut order: Vec<&Statement> = statements.iter().collect();
    order.sort();
    order.dedup();
    let mut all: BTreeMap<MirrorNo, Standing> = shape
        .mirrors()
        .map(|mirror| (mirror, Standing::InStep))
        .collect();
    for statement in order {
        for mirror in &statement.mirrors {
            let Some(standing) = all.get_mut(mirror) else {
                continue;
            };
            *standing = match (*standing, statement.change) {
                (Standing::Dropped, _) | (_, Change::Dropped) => Standing::Dropped,
                (_, Change::InStep) => Standing::InStep,
                (Standing::OutOfStep { since, .. }, Change::OutOfStep) => Standing::OutOfStep {
                    since: since.min(statement.position),
                    sequence: statement.sequence,
                },
                (Standing::InStep, Change::OutOfStep) => Standing::OutOfStep {
                    since: statement.position,
                    sequence: statement.sequence,
                },
            };
        }
    }
    all
}
