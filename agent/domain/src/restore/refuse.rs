//! Why there is no chain, and what can be had instead.

use super::chain::Chain;
use super::goal::Goal;
use super::plan::Gap;
use super::points::{Interval, Point, intervals, nearest};
use super::story::Story;
use super::{Candidate, Place, Wanted};
use crate::recover::SetState;
use crate::{BackupKind, Fault, code};

fn object(wanted: &Wanted) -> String {
    format!("database {}", wanted.database)
}

/// Nothing of the database can be restored by itself; `any`: something of it is there.
pub(super) fn nothing(wanted: &Wanted, any: bool) -> Fault {
    if let Some(fork) = wanted.fork.filter(|_| any) {
        return Fault::new(
            code::CHAIN_FORK,
            object(wanted),
            format!("no set is on fork {fork}"),
        )
        .remedy("`twinset restore points` lists the forks");
    }
    let message = "no published full backup of it";
    Fault::new(code::NO_RESTORE_POINT, object(wanted), message)
        .remedy("look: twinset media show SET; name another set with --position N")
}

/// The set that was named is not there, of another database, or unreadable.
pub(super) fn wrong_set(wanted: &Wanted, place: &Place, sets: &[Candidate]) -> Result<(), Fault> {
    let Some(set) = sets.iter().find(|set| set.place == *place) else {
        let message = format!("no backup set at {place}");
        return Err(Fault::new(code::SET_MISSING, object(wanted), message)
            .remedy("look: twinset media show SET"));
    };
    if !set.database.eq_ignore_ascii_case(&wanted.database) {
        let message = format!("{place} holds database {}", set.database);
        return Err(Fault::new(code::SET_MISSING, object(wanted), message)
            .remedy("name the database that the set was taken from"));
    }
    if let Some(family) = set.sources.iter().position(Vec::is_empty) {
        return Err(lost(wanted, set, family));
    }
    Ok(())
}

/// SQL Server cannot stop inside a log that holds changes logged in bulk.
pub(super) fn inside_bulk(wanted: &Wanted, chain: &Chain<'_>) -> Result<(), Fault> {
    let Some(log) = chain.logs.last() else {
        return Ok(());
    };
    let inside = match &wanted.goal {
        Goal::Time(time) => log.ended() != *time,
        Goal::Lsn(lsn) => log.last() != Some(*lsn),
        Goal::Mark(_) | Goal::Latest | Goal::Set(_) => false,
    };
    if !inside || !log.link.as_ref().is_some_and(|link| link.bulk) {
        return Ok(());
    }
    let message = format!(
        "{} lies inside {}, which holds changes that were logged in bulk: SQL Server cannot stop \
         there",
        wanted.goal,
        log.named()
    );
    let sets: Vec<&Candidate> = chain.sets().collect();
    let start = sets.iter().rev().nth(1).map(|set| Point::end_of(set));
    let mut fault = Fault::new(code::INSIDE_BULK, object(wanted), message);
    if let Some(start) = start {
        fault = fault.cause(format!("its start: {}", shown(start)));
    }
    let end = Point::end_of(log);
    Err(fault
        .cause(format!("its end: {}", shown(end)))
        .remedy(format!(
            "choose its start or its end: --to {}",
            typed(start.unwrap_or(end))
        )))
}

fn lost(wanted: &Wanted, set: &Candidate, family: usize) -> Fault {
    let message = format!("family {} of {} is on no mirror", family + 1, set.place);
    Fault::new(code::LOST, object(wanted), message)
        .remedy("bring a missing volume back, or choose an earlier point")
}

/// The point cannot be reached: why, and the nearest points that can.
pub(super) fn unreachable(story: &Story<'_>) -> Fault {
    let wanted = story.wanted;
    let pool = story.pool(true);
    let all = intervals(&pool);
    let (before, behind) = match &wanted.goal {
        Goal::Time(time) => nearest(&all, |point| point.at < *time),
        Goal::Lsn(lsn) => nearest(&all, |point| point.lsn < Some(*lsn)),
        Goal::Set(place) => {
            let set = story.sets.iter().find(|set| set.place == *place);
            let last = set.and_then(|set| set.last());
            nearest(&all, |point| point.lsn < last)
        }
        Goal::Latest | Goal::Mark(_) => (all.last().map(|interval| interval.to), None),
    };
    let gap = story
        .gaps()
        .into_iter()
        .rev()
        .find(|gap| blocks(story, gap, before, behind, &all));
    let mut fault = cause(story, gap.as_ref());
    if let Some(gap) = &gap {
        fault.causes.extend(gap.lost.iter().cloned());
    }
    for (side, point) in [("before", before), ("behind", behind)] {
        if let Some(point) = point {
            fault = fault.cause(format!("the nearest point {side} it: {}", shown(point)));
        }
    }
    for other in story.forks() {
        let (sets, fork, until) = (other.sets, other.fork, other.until);
        let (sets, are) = if sets == 1 {
            ("1 set".to_owned(), "is")
        } else {
            (format!("{sets} sets"), "are")
        };
        fault = fault.cause(format!(
            "{sets} up to {until} {are} on fork {fork} (--fork)"
        ));
    }
    let remedy = match (before.or(behind), &fault.code) {
        (Some(point), _) => format!(
            "choose a point that can be reached: --to {}; `twinset restore points` lists all",
            typed(point)
        ),
        (None, _) => "look: twinset media show SET; bring missing volumes back".to_owned(),
    };
    fault.remedy(remedy)
}

/// Whether a gap is what lies between the nearest point and the goal.
fn blocks(
    story: &Story<'_>,
    gap: &Gap,
    before: Option<Point>,
    behind: Option<Point>,
    all: &[Interval],
) -> bool {
    if matches!(story.wanted.goal, Goal::Latest | Goal::Mark(_)) {
        return all
            .last()
            .is_some_and(|interval| interval.to.lsn == Some(gap.from));
    }
    let ended = before.is_some_and(|point| point.lsn == Some(gap.from));
    ended && (gap.to.is_some() || behind.is_some() || !gap.lost.is_empty())
}

fn cause(story: &Story<'_>, gap: Option<&Gap>) -> Fault {
    let wanted = story.wanted;
    let newest = story.newest();
    if let Some(gap) = gap.filter(|gap| is_behind(story, gap)) {
        let to = gap
            .to
            .map_or_else(String::new, |to| format!(" up to LSN {to}"));
        let message = format!(
            "{} cannot be reached: log records from LSN {}{to} are missing",
            wanted.goal, gap.from
        );
        return Fault::new(code::CHAIN_GAP, object(wanted), message);
    }
    if let (Goal::Latest, Some(newest)) = (&wanted.goal, newest)
        && let Some(family) = newest.sources.iter().position(Vec::is_empty)
    {
        return lost(wanted, newest, family);
    }
    if let Goal::Set(place) = &wanted.goal {
        let set = story.sets.iter().find(|set| set.place == *place);
        let message = match set.and_then(|set| set.kind) {
            Some(kind) => format!("{place} is a {kind}, and nothing here leads to it"),
            None => format!("{place} does not tell what it holds"),
        };
        return Fault::new(code::CHAIN_GAP, object(wanted), message);
    }
    let full = |set: &&Candidate| set.kind == Some(BackupKind::Full);
    if !story.sets.iter().copied().any(|set| full(&set)) {
        return nothing(wanted, false);
    }
    let message = format!("{} cannot be reached", wanted.goal);
    if !story
        .sets
        .iter()
        .any(|set| set.state == SetState::Published && set.is_readable())
    {
        let message = format!("{message}: no published set can be read");
        return Fault::new(code::LOST, object(wanted), message);
    }
    Fault::new(code::POINT_UNREACHABLE, object(wanted), message)
}

/// Whether the goal lies behind a gap, and not just behind everything.
fn is_behind(story: &Story<'_>, gap: &Gap) -> bool {
    match &story.wanted.goal {
        Goal::Time(time) => {
            let later = story
                .sets
                .iter()
                .any(|set| set.ended() >= *time && set.last() > Some(gap.from));
            *time > gap.before && later
        }
        Goal::Lsn(lsn) => *lsn > gap.from && story.sets.iter().any(|set| set.last() > Some(*lsn)),
        _ => true,
    }
}

fn shown(point: Point) -> String {
    match point.lsn {
        Some(lsn) => format!("{} (LSN {lsn})", point.at),
        None => point.at.to_string(),
    }
}

/// As it would be typed.
fn typed(point: Point) -> String {
    point
        .lsn
        .map_or_else(|| point.at.to_string(), |lsn| format!("lsn:{lsn}"))
}
