//! `twinset doctor`: every prerequisite, each with what to do about it.
//!
//! The verb collects facts; what they mean is decided in [`twinset_domain::doctor`]. Nothing is
//! written: no state folder is made, no catalog opened, no lock taken.

mod agent;
mod media;
mod server;
mod shared;

use std::collections::BTreeSet;
use std::path::Path;

use twinset_domain::doctor::{Finding, Host, Level, Stage, Verdict};
use twinset_domain::system::HERE;
use twinset_domain::{Exit, Fault};

use super::args::DoctorArgs;
use crate::config::{self, Config, Group, Source};
use crate::report::Output;
use crate::sqlserver::host;

/// MAXTRANSFERSIZE, in bytes, where the configuration leaves it to the plan of a backup.
const PLANNED_TRANSFER: u64 = 1 << 20;
/// BUFFERCOUNT for each family, likewise.
const PLANNED_BUFFERS: u32 = 8;

/// What is looked at.
struct Scope<'a> {
    config: &'a Config,
    groups: Vec<&'a Group>,
    /// Instances by name, in the order of the configuration.
    instances: BTreeSet<String>,
}

/// Looks at everything that a group or an instance needs.
pub(super) fn doctor(file: &Path, args: &DoctorArgs, output: &Output) -> Exit {
    let config = match config::load(file) {
        Ok(config) => config,
        Err(faults) => return output.finish_faults(&faults),
    };
    let scope = match Scope::of(&config, args) {
        Ok(scope) => scope,
        Err(fault) => return output.finish::<()>(Err(fault)),
    };
    let mut findings = vec![Finding::ok(
        config.file.display().to_string(),
        "the configuration has no fault",
    )];
    let progress = output.progress();
    progress.note("look at this agent and this host");
    findings.extend(agent::findings(&config));
    if scope.uses_vdi() {
        let host = host::look(scope.largest_buffers());
        findings.extend(host.iter().flat_map(Host::findings));
    }
    if let (Some(shared), None) = (&config.shared, &args.instance) {
        progress.note("look at the shared catalog");
        findings.push(shared::finding(&config, shared));
    }
    let mut sizes = server::Sizes::default();
    for name in &scope.instances {
        progress.note(&format!("look at instance {name}"));
        findings.extend(server::findings(&scope, name, &mut sizes));
    }
    if args.instance.is_none() {
        for group in &scope.groups {
            progress.note(&format!("look at the media of group {}", group.name));
            findings.extend(stage(group, &sizes));
            findings.extend(media::findings(&scope, group, &sizes));
        }
    }
    let verdict = Verdict::of(findings);
    print(&verdict, output);
    output.finish_both(verdict.exit(), verdict, &[])
}

/// The stage folder of a group, if its backups go through one.
fn stage(group: &Group, sizes: &server::Sizes) -> Vec<Finding> {
    let Some(folder) = super::stage::folder(group) else {
        return Vec::new();
    };
    let mut seen = Stage {
        dir: folder.dir.display().to_string(),
        group: group.name.clone(),
        free: folder.free(),
        last_full: sizes.largest(&group.name),
        waiting: folder.intents().map_or(0, |found| found.len()),
        ..Stage::default()
    };
    match folder.access() {
        Ok((writable, mode)) => (seen.writable, seen.mode) = (writable, mode),
        Err(error) => seen.fault = Some(error.to_string()),
    }
    seen.findings(HERE)
}

impl<'a> Scope<'a> {
    fn of(config: &'a Config, args: &DoctorArgs) -> Result<Self, Fault> {
        let groups: Vec<&Group> = match (&args.group, &args.instance) {
            (Some(name), _) => vec![config.group(name)?],
            (None, Some(name)) => {
                let name = &config.instance(name)?.name;
                let groups = config.groups.values();
                groups
                    .filter(|group| group.partners.contains(name))
                    .collect()
            }
            (None, None) => config.groups.values().collect(),
        };
        let instances = match (&args.group, &args.instance) {
            (_, Some(name)) => [name.clone()].into(),
            (Some(_), None) => groups
                .iter()
                .flat_map(|group| group.partners.clone())
                .collect(),
            (None, None) => config.instances.keys().cloned().collect(),
        };
        Ok(Self {
            config,
            groups,
            instances,
        })
    }

    fn serves(&self, instance: &str) -> bool {
        self.config.agent.serves.iter().any(|name| name == instance)
    }

    fn groups_of(&self, instance: &str) -> impl Iterator<Item = &'a Group> {
        let groups: Vec<&'a Group> = self
            .groups
            .iter()
            .copied()
            .filter(|group| group.partners.iter().any(|name| name == instance))
            .collect();
        groups.into_iter()
    }

    fn uses_vdi(&self) -> bool {
        let none = self.config.groups.is_empty();
        none || self.groups.iter().any(|group| group.source == Source::Vdi)
    }

    /// Shared memory that the buffers of the largest backup take, in bytes.
    fn largest_buffers(&self) -> u64 {
        let of_group = |group: &&Group| {
            let families = self
                .config
                .media_sets
                .get(&group.media_set)
                .map_or(1, |set| u32::from(set.families));
            let count = group
                .backup
                .buffer_count
                .unwrap_or(families * PLANNED_BUFFERS);
            let size = match group.backup.max_transfer_size {
                0 => PLANNED_TRANSFER,
                size => u64::from(size),
            };
            u64::from(count).saturating_mul(size)
        };
        self.groups
            .iter()
            .map(of_group)
            .max()
            .unwrap_or(u64::from(PLANNED_BUFFERS) * PLANNED_TRANSFER)
    }
}

/// Findings for people: what is in order in one line, the others with causes and remedy.
fn print(verdict: &Verdict, output: &Output) {
    for found in &verdict.findings {
        let code = found
            .code
            .filter(|_| found.level > Level::Note)
            .map_or_else(String::new, |code| format!(" {code}"));
        output.line(format!(
            "{:7}{code} {}: {}",
            found.level.word(),
            found.object,
            found.message
        ));
        for cause in &found.causes {
            output.line(format!("        cause: {cause}"));
        }
        if !found.remedy.is_empty() {
            output.line(format!("        remedy: {}", found.remedy));
        }
    }
    output.line(format!("verdict: {}", verdict.sentence()));
}
