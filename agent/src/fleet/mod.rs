//! The shared catalog in PostgreSQL: told by each agent, read by whoever asks (design 9).
//!
//! [`push`] is one meeting: what waits in the agent's own catalog goes over in batches of one
//! transaction each, and waits no more once they are committed. [`link`] is the way there,
//! [`schema`] the tables, [`view`] what all agents told, `apply` what an event does to them. What is
//! to be sent and taken is decided in [`twinset_domain::fleet`]; nothing here is needed for a backup
//! or a restore.

mod apply;
mod fault;
pub mod link;
pub mod schema;
pub mod view;

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use twinset_domain::fleet::{Mark, Meet, Tries, Why, meet};
use twinset_domain::{AgentId, Fault, Moment};

use crate::catalog::Catalog;
use crate::config::Shared;
use link::Link;

/// What alerts about it are about.
pub const OBJECT: &str = "shared catalog";
/// Most batches of one meeting: what is left waits for the next.
const MAX_BATCHES: u32 = 10_000;

/// Who tells.
#[derive(Clone, Copy, Debug)]
pub struct Teller<'a> {
    /// Its id, which survives every renaming.
    pub agent: AgentId,
    /// Its name.
    pub name: &'a str,
}

/// How a meeting went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pushed {
    /// The epoch.
    pub epoch: u64,
    /// The last number of it that was taken.
    pub last: u64,
    /// Events that were taken now.
    pub events: u64,
    /// Why everything was told anew, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anew: Option<Why>,
}

/// What a meeting would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// Version of the tables that are there; nothing where they are to be made.
    pub tables: Option<i32>,
    /// Events that would be told; nothing where everything would be told anew.
    pub events: Option<u64>,
    /// Why everything would be told anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anew: Option<Why>,
}

/// Says what a meeting would do, and changes nothing on either side.
///
/// # Errors
/// As [`push`].
pub fn plan(catalog: &Catalog, shared: &Shared, teller: Teller<'_>) -> Result<Planned, Fault> {
    let link = Link::open(shared, teller.name)?;
    let tables = link.version()?;
    schema::judge(&link.object, tables)?;
    let theirs = match tables {
        Some(_) => link.mark(teller.agent)?,
        None => None,
    };
    let (events, anew) = match met(catalog, theirs.as_ref())? {
        Meet::After(after) => (Some(catalog.newest_event()?.saturating_sub(after)), None),
        Meet::Anew { why, .. } => (None, Some(why)),
    };
    Ok(Planned {
        tables,
        events,
        anew,
    })
}

fn met(catalog: &Catalog, theirs: Option<&Mark>) -> Result<Meet, Fault> {
    let tag = match theirs {
        Some(mark) => catalog.tag_of(mark.last)?,
        None => None,
    };
    Ok(meet(&catalog.ours()?, theirs, tag))
}

/// Tells everything that waits.
///
/// # Errors
/// Those of [`Link::open`]; [`twinset_domain::code::SHARED_WRITE`]; the catalog's own. What was
/// taken until then waits no more.
pub fn push(
    catalog: &mut Catalog,
    shared: &Shared,
    teller: Teller<'_>,
    stop: &AtomicBool,
) -> Result<Pushed, Fault> {
    let mut link = Link::open(shared, teller.name)?;
    link.prepare()?;
    let theirs = link.mark(teller.agent)?;
    let (mut after, anew) = agree(catalog, theirs.as_ref())?;
    let mut events = 0;
    for _ in 0..MAX_BATCHES {
        let batch = catalog.batch(after)?;
        if batch.events.is_empty() || stop.load(Ordering::Relaxed) {
            break;
        }
        let mark = link.apply(teller, &batch)?;
        if mark.epoch != batch.epoch {
            return Err(link.other_past());
        }
        catalog.acknowledge(&mark)?;
        events += mark.last.saturating_sub(after);
        after = mark.last;
    }
    if events == 0 {
        link.greet(teller)?;
    }
    Ok(Pushed {
        epoch: catalog.ours()?.epoch,
        last: after,
        events,
        anew,
    })
}

/// Behind which number events are sent.
fn agree(catalog: &mut Catalog, theirs: Option<&Mark>) -> Result<(u64, Option<Why>), Fault> {
    match met(catalog, theirs)? {
        Meet::After(after) => {
            // An answer that was lost: what was taken waits no more.
            if let Some(mark) = theirs {
                catalog.acknowledge(mark)?;
            }
            Ok((after, None))
        }
        Meet::Anew { epoch, why } => {
            catalog.begin_epoch(epoch, crate::clock::now())?;
            Ok((0, Some(why)))
        }
    }
}

/// Writes down how a meeting went, with the pause before the next.
///
/// # Errors
/// [`twinset_domain::code::CATALOG`].
pub fn note(
    catalog: &mut Catalog,
    failed: Option<&Fault>,
    chance: u32,
    now: Moment,
) -> Result<Tries, Fault> {
    let tries = match failed {
        None => Tries::well(now),
        Some(_) => catalog.sharing()?.tries.badly(chance, now),
    };
    catalog.tried(tries, failed)?;
    Ok(tries)
}
