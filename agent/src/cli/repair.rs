//! `twinset media repair`.

use twinset_domain::repair::Scope;
use twinset_domain::{Exit, Fault, MirrorNo};

use super::args::SetArgs;
use super::context::{Context, desk, target_of};
use crate::backup::repair::{self, Report, Wish};
use crate::media::repair::Depth;
use crate::report::{Output, bytes};

/// Heals mirrors and brings them in step again, or prints how.
pub(super) fn repair_set(
    context: &mut Context,
    args: &SetArgs,
    only: Option<u8>,
    dry_run: bool,
    output: &Output,
) -> Result<Exit, Fault> {
    let (_, target) = target_of(context, args)?;
    let wish = Wish {
        scope: only.map_or(Scope::All, |mirror| Scope::Only(MirrorNo(mirror))),
        depth: Depth::Everything,
    };
    let progress = output.progress();
    let mut desk = desk(context, &*progress);
    if dry_run {
        let plan = repair::dry_run(&mut desk, &target, wish)?;
        for step in &plan.steps {
            output.line(step);
        }
        for left in &plan.unhealed {
            output.line(format!("not repaired {}: {}", left.slot, left.what));
        }
        if plan.steps.is_empty() {
            output.line(format!("{}: nothing to repair", target.key));
        }
        return Ok(output.finish(Ok((Exit::Done, plan))));
    }
    let report = repair::repair(&mut desk, &target, wish)?;
    tell(&target.key, &report, output);
    Ok(output.finish(Ok((report.exit(), report))))
}

/// What a repair came to, for people.
pub(super) fn tell(key: &str, report: &Report, output: &Output) {
    for step in &report.steps {
        output.line(format!("repaired {step}"));
    }
    for left in &report.unhealed {
        output.line(format!("not repaired {}: {}", left.slot, left.what));
    }
    for position in &report.unsealed {
        output.line(format!(
            "position {position} was never sealed; run: twinset media recover {key}"
        ));
    }
    for lost in &report.lost {
        output.line(format!(
            "lost position {}, {}, chunk {}: sound on no mirror; left as it is",
            lost.position, lost.family, lost.chunk
        ));
    }
    for mirror in &report.in_step {
        output.line(format!("{mirror} is in step again"));
    }
    for mirror in &report.out_of_step {
        output.line(format!("{mirror} is still out of step"));
    }
    let written = bytes(report.bytes);
    output.line(match report.exit() {
        Exit::Done if report.steps.is_empty() && report.in_step.is_empty() => {
            format!("{key}: nothing to repair")
        }
        Exit::Done => format!("{key}: every mirror holds everything, {written} copied"),
        Exit::Lost => format!(
            "{key}: {} chunks are lost on every mirror",
            report.lost.len()
        ),
        _ => format!("{key}: not everything is repaired, all is readable, {written} copied"),
    });
}
