//! Mirrors that answer again are brought back by the run that meets them, once its own set is
//! published.

use twinset_domain::repair::Scope;
use twinset_domain::{Fault, MirrorNo, code};

use super::{Report, Wish, repair};
use crate::backup::desk::{Desk, Target};
use crate::backup::finished::Finished;
use crate::media::repair::Depth;
use crate::report::bytes;

/// Brings back the mirrors that were out of step before this run and answer again with sound
/// headers. What comes of it stands in the notes of the run, whose own end it does not change: its
/// set was published on fewer mirrors, and that was true.
pub fn after_run(desk: &mut Desk<'_>, target: &Target, automatic: bool, finished: &mut Finished) {
    if finished.lost.is_empty() {
        return;
    }
    if !automatic {
        let key = &target.key;
        let note = format!("repair = \"manual\": bring the mirror back by: media repair {key}");
        return finished.notes.push(note);
    }
    let wish = Wish {
        scope: Scope::Returned(finished.position),
        depth: Depth::SinceLost,
    };
    match repair(desk, target, wish) {
        Ok(report) => finished.notes.extend(notes(&report)),
        Err(fault) => finished.notes.push(failed(&fault)),
    }
}

fn notes(report: &Report) -> Vec<String> {
    let list = |mirrors: &[MirrorNo]| {
        let list: Vec<String> = mirrors.iter().map(ToString::to_string).collect();
        list.join(", ")
    };
    let mut notes = Vec::new();
    if !report.in_step.is_empty() {
        notes.push(format!(
            "in step again, repaired behind this run: {} ({} copied)",
            list(&report.in_step),
            bytes(report.bytes)
        ));
    }
    if !report.out_of_step.is_empty() {
        let said = format!("still out of step: {}", list(&report.out_of_step));
        let why = report.unhealed.iter().map(|unhealed| &unhealed.what);
        notes.push(why.fold(said, |said, why| format!("{said}; {why}")));
    }
    notes
}

fn failed(fault: &Fault) -> String {
    if fault.code == code::CANCELLED {
        return "the repair behind this run was stopped; the next one goes on with it".to_owned();
    }
    format!(
        "the repair behind this run failed: {} {}: {}",
        fault.code, fault.object, fault.message
    )
}
