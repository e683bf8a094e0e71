//! `twinset config check`.

use std::path::Path;

use serde::Serialize;
use twinset_domain::Exit;

use crate::config::{Note, load, standing};
use crate::report::Output;

/// What a sound configuration holds.
#[derive(Serialize)]
struct Checked {
    agent: String,
    plugins: usize,
    instances: usize,
    media_sets: usize,
    groups: usize,
    notes: Vec<Note>,
}

/// Names every fault of every file, or says what the files hold.
pub(super) fn check(path: &Path, output: &Output) -> Exit {
    let config = match load(path) {
        Ok(config) => config,
        Err(faults) => {
            if let Some(held) = standing(path).ok().and_then(|standing| standing.told()) {
                output.warn(format!("{}: {}", held.code, held.message));
            }
            return output.finish_faults(&faults);
        }
    };
    let checked = Checked {
        agent: config.agent.name,
        plugins: config.plugins.len(),
        instances: config.instances.len(),
        media_sets: config.media_sets.len(),
        groups: config.groups.len(),
        notes: config.notes,
    };
    for note in &checked.notes {
        output.line(format!("note {}: {}", note.place, note.text));
    }
    output.line(format!(
        "{}: sound. Agent {}: {} plugin(s), {} instance(s), {} media set(s), {} group(s)",
        path.display(),
        checked.agent,
        checked.plugins,
        checked.instances,
        checked.media_sets,
        checked.groups,
    ));
    output.finish(Ok((Exit::Done, checked)))
}
