//! From what was typed to what is wanted, and where it is looked for.

use twinset_domain::restore::{Goal, Place, Wanted};
use twinset_domain::{Fault, LocalTime, MediaSetId, Moment, code};

use crate::cli::args::{RestoreFrom, RestorePoint, SetNumber};
use crate::cli::context::Context;
use crate::cli::spool;
use crate::clock;
use crate::config::Group;
use crate::restore::holdings::{Holdings, Shelf};
use crate::restore::open;

/// Opens the media sets of a group: that of its fulls, and that of its logs where it has another.
pub(super) fn holdings(context: &Context, from: &RestoreFrom) -> Result<Holdings, Fault> {
    let group = context.config.group(&from.group)?;
    // A closed media set is looked at by itself: what lies beside it is of another time.
    if from.id.is_some() {
        let only = shelf(context, &group.media_set, from, from.id)?;
        return Ok(Holdings::new(vec![only], from.server_zone));
    }
    let (others, mut unread) = others(context, group, from)?;
    let (mut shelves, mut closed) = (Vec::new(), Vec::new());
    for key in group.media_sets() {
        match shelf(context, key, from, None) {
            Ok(shelf) => shelves.push(shelf),
            // Fulls must come back also when all logs are lost.
            Err(fault) if fault.code == code::NO_VOLUME && key != group.media_set => {
                closed.push(fault);
            }
            // Where the partner's agent took everything, ours may hold nothing yet.
            Err(fault) if fault.code == code::NO_VOLUME && !others.is_empty() => {
                unread.push(fault);
            }
            Err(fault) => return Err(fault),
        }
    }
    shelves.extend(others);
    let mut holdings = Holdings::new(shelves, from.server_zone);
    (holdings.closed, holdings.unread) = (closed, unread);
    Ok(holdings)
}

/// What the agents of the other partners wrote, and what of it cannot be read.
fn others(
    context: &Context,
    group: &Group,
    from: &RestoreFrom,
) -> Result<(Vec<Shelf>, Vec<Fault>), Fault> {
    let (mut shelves, mut unread) = (Vec::new(), Vec::new());
    for key in group.media_sets() {
        let set = context.config.media_set(key)?;
        for target in context.others(group, set, Some(&from.database))? {
            match open::open(&target, context.state.agent, None) {
                Ok(open) => shelves.push(Shelf {
                    key: target.key,
                    open,
                }),
                Err(fault) => unread.push(fault),
            }
        }
    }
    Ok((shelves, unread))
}

fn shelf(
    context: &Context,
    key: &str,
    from: &RestoreFrom,
    id: Option<MediaSetId>,
) -> Result<Shelf, Fault> {
    let set = context.config.media_set(key)?;
    let target = context.target(set, Some(&from.database))?;
    let open = spool::open(context, &target, id)?;
    Ok(Shelf {
        key: target.key,
        open,
    })
}

/// What is wanted.
pub(super) fn wanted(
    context: &Context,
    point: &RestorePoint,
    holdings: &Holdings,
) -> Result<Wanted, Fault> {
    let group = context.config.group(&point.from.group)?;
    let mut wanted = latest(&point.from, holdings)?;
    wanted.goal = match (&point.position, &point.to) {
        (Some(number), _) => Goal::Set(place(number, holdings)?),
        (None, Some(text)) => goal(group, text)?,
        (None, None) => Goal::Latest,
    };
    // Nobody knows how far the logs would have led.
    if let Some(fault) = holdings
        .closed
        .first()
        .filter(|_| wanted.goal == Goal::Latest)
    {
        return Err(fault.clone().remedy(
            "mount the shares; or restore without what lies there: --position N, as \
             `twinset restore points` lists them",
        ));
    }
    if let Some(after) = &point.after {
        let Goal::Mark(mark) = &mut wanted.goal else {
            let message = "only a mark is looked for after a time";
            return Err(Fault::new(code::USAGE, "--after", message)
                .remedy("leave it out, or write --to mark:NAME"));
        };
        let local = |time| offset(group, time);
        mark.after = Some(Moment::in_zone(after, &local).ok_or_else(|| {
            Fault::new(code::USAGE, "--after", format!("{after:?} is no time"))
                .remedy("write a time such as 2026-11-21T03:15:00Z or ...+01:00")
        })?);
    }
    Ok(wanted)
}

/// The latest point.
pub(super) fn latest(from: &RestoreFrom, holdings: &Holdings) -> Result<Wanted, Fault> {
    let without: Result<_, Fault> = from
        .without
        .iter()
        .map(|number| place(number, holdings))
        .collect();
    Ok(Wanted {
        database: from.database.clone(),
        goal: Goal::Latest,
        fork: from.fork,
        without: without?,
        lost: Vec::new(),
        now: clock::now(),
    })
}

fn goal(group: &Group, text: &str) -> Result<Goal, Fault> {
    Goal::parse(text, &|time| offset(group, time)).map_err(|why| {
        Fault::new(code::USAGE, "--to", format!("{text:?} names no point")).remedy(why)
    })
}

/// Which set a number means: of the media set with that key, or of the first.
fn place(number: &SetNumber, holdings: &Holdings) -> Result<Place, Fault> {
    let mut keys = holdings.shelves().map(|shelf| shelf.key.as_str());
    let key = match &number.key {
        None => keys.next(),
        // A media set of one database alone has the database behind its key.
        Some(wanted) => keys.find(|key| key.split('/').next() == Some(wanted)),
    };
    let key = key.ok_or_else(|| {
        let wanted = number.key.clone().unwrap_or_default();
        let message = format!("the group has no media set {wanted}");
        Fault::new(code::UNKNOWN_NAME, "--position", message)
            .remedy("write N, or the key of one of the group's media sets and N")
    })?;
    Ok(Place {
        media_set: key.to_owned(),
        position: number.position,
    })
}

/// How far east of UTC a time without an offset is meant: by the zone of the group's schedule, or
/// UTC. `None` where the zone's calendar ends.
fn offset(group: &Group, time: LocalTime) -> Option<i32> {
    match &group.schedule {
        Some(schedule) => schedule.zone.offset_shown(time),
        None => Some(0),
    }
}
