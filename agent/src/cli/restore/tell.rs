//! Plans and their ends, for people.

use twinset_domain::restore::{Plan, Point, Points, Step};

use crate::report::{Output, bytes, utc};
use crate::restore::check::Verified;
use crate::restore::run::Restored;

/// The sets in order, where each is read, and what would be lost.
pub(super) fn plan(plan: &Plan, missing: &[String], output: &Output) {
    for step in &plan.steps {
        tell_step(plan, step, output);
    }
    if let (Some(point), Some(server)) = (&plan.reached, &plan.server_time) {
        output.line(format!(
            "the database will stand at {} ({server} by its server's clock){}",
            utc(point.at),
            lsn(point)
        ));
    } else {
        output.line(format!("the database will stand at {}", plan.goal));
    }
    if let Some(seconds) = plan.lost_seconds {
        output.line(format!(
            "what was written since is lost: {} minutes up to now",
            seconds / 60
        ));
    }
    if plan.steps.len() > 1 {
        output.line(format!("{} sets, {}", plan.steps.len(), bytes(plan.bytes)));
    }
    for other in &plan.alternatives {
        let names: Vec<String> = other.iter().map(ToString::to_string).collect();
        output.line(format!("or: {}", names.join(", ")));
    }
    for gap in &plan.gaps {
        let to = gap.to.map_or_else(String::new, |to| format!(" to {to}"));
        output.line(format!(
            "gap: log records from LSN {}{to} are missing, behind {}",
            gap.from,
            utc(gap.before)
        ));
    }
    for fork in &plan.forks {
        output.line(format!(
            "another fork: {}, {} sets up to {} (--fork)",
            fork.fork,
            fork.sets,
            utc(fork.until)
        ));
    }
    for warning in &plan.warnings {
        output.warn(warning);
    }
    for missing in missing {
        output.line(format!("missing {missing}"));
    }
}

fn tell_step(plan: &Plan, step: &Step, output: &Output) {
    let set = &step.set;
    let kind = set
        .kind
        .map_or_else(String::new, |kind| format!(" ({kind})"));
    output.line(format!(
        "restore {} from position {}{kind} of {}: {}, written {}",
        plan.database,
        set.place.position,
        set.place.media_set,
        bytes(set.bytes),
        utc(set.at)
    ));
    for (family, sources) in (1..).zip(&set.sources) {
        let list: Vec<String> = sources
            .iter()
            .map(|slot| format!("mirror {}", slot.mirror.0))
            .collect();
        output.line(format!("  family {family}: {}", list.join(", then ")));
    }
}

fn lsn(point: &Point) -> String {
    point
        .lsn
        .map_or_else(String::new, |lsn| format!(", LSN {lsn}"))
}

/// What was restored.
pub(super) fn restored(restored: &Restored, output: &Output) {
    for damage in &restored.map.damage {
        output.line(format!("damaged {damage}: taken from its twin"));
    }
    for place in &restored.detours {
        output.line(format!("{place} is damaged on every mirror: gone around"));
    }
    for (slot, chunks) in &restored.map.read_from {
        output.line(format!("read {chunks} chunks from {slot}"));
    }
    for (logical, path) in &restored.files {
        output.line(format!("file {logical}: {path}"));
    }
    let sets = match restored.sets.len() {
        1 => String::new(),
        sets => format!("{sets} sets up to "),
    };
    output.line(format!(
        "restored as {} on {}: {} read, {sets}position {}, {}",
        restored.database,
        restored.instance,
        bytes(restored.bytes),
        restored.position,
        restored.state
    ));
}

/// What can be restored.
pub(super) fn points(points: &Points, output: &Output) {
    for one in &points.intervals {
        let (from, to) = (utc(one.from.at), utc(one.to.at));
        output.line(if one.single {
            format!("{to}{}: this point alone", lsn(&one.to))
        } else {
            format!(
                "{from} to {to}{}: any point, {} fulls and differentials, {} logs",
                lsn(&one.to),
                one.data,
                one.logs
            )
        });
        for danger in &one.endangered {
            output.line(format!(
                "  endangered from {} on: {} {}",
                utc(danger.from),
                danger.place,
                danger.why
            ));
        }
    }
    for gap in &points.gaps {
        let to = gap.to.map_or_else(String::new, |to| format!(" to {to}"));
        output.line(format!(
            "gap behind {}: log records from LSN {}{to} are missing",
            utc(gap.before),
            gap.from
        ));
        for lost in &gap.lost {
            output.line(format!("  {lost}"));
        }
    }
    for fork in &points.forks {
        output.line(format!(
            "another fork: {}, {} sets up to {} (--fork)",
            fork.fork,
            fork.sets,
            utc(fork.until)
        ));
    }
    for warning in &points.warnings {
        output.warn(warning);
    }
}

/// What SQL Server said of each set.
pub(super) fn verified(verified: &Verified, output: &Output) {
    for set in &verified.sets {
        for damage in &set.map.damage {
            output.line(format!("damaged {damage}: taken from its twin"));
        }
        let sums = if set.checksums {
            ", with its checksums"
        } else {
            ""
        };
        output.line(match &set.fault {
            None => format!(
                "{}: SQL Server can restore it ({} read{sums})",
                set.place,
                bytes(set.bytes)
            ),
            Some(fault) => format!(
                "{}: SQL Server cannot restore it: {}",
                set.place, fault.message
            ),
        });
    }
}
