//! `twinset config check`.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use twinset_domain::{Exit, Fault};

use super::context;
use crate::config::{Config, DeviceSpec, Note, load, standing};
use crate::device::{Access, DeviceClass, Outcome};
use crate::report::Output;

/// Stands for any database where options hold `{database}`.
const ANY_DATABASE: &str = "any";

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
    let mut config = config;
    let refused = refused(&mut config);
    if !refused.is_empty() {
        return output.finish_faults(&refused);
    }
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

/// Options that their plugins refuse. Devices are opened for that and nothing is mounted: no store
/// is asked, and tape drives are left alone. A plugin that cannot be loaded here is a note.
fn refused(config: &mut Config) -> Vec<Fault> {
    let (mut faults, mut unloaded) = (Vec::new(), BTreeSet::new());
    let agent = config.agent.name.clone();
    let devices: Vec<DeviceSpec> = config
        .media_sets
        .values()
        .filter(|set| !set.is_beside)
        .filter_map(|set| set.devices(&agent, Some(ANY_DATABASE)).ok())
        .flatten()
        .flatten()
        .collect();
    for spec in devices {
        let plugin = match context::plugin(config, &spec.plugin, None) {
            Ok(plugin) => plugin,
            Err(fault) => {
                if unloaded.insert(spec.plugin.clone()) {
                    let text = format!(
                        "plugin {} cannot be loaded here, so its options were not checked: {}",
                        spec.plugin, fault.message
                    );
                    let place = spec.place;
                    config.notes.push(Note { place, text });
                }
                continue;
            }
        };
        if plugin.description().class != DeviceClass::DISK {
            continue;
        }
        let label = context::label(&spec.plugin, &spec.options);
        if let Err(fault) = plugin.open(&label, &spec.options, &agent, Access::Read)
            && fault.outcome == Outcome::BAD_OPTION
        {
            let mut fault = Fault::from(fault);
            fault.object = spec.place.to_string();
            faults.push(fault);
        }
    }
    faults
}
