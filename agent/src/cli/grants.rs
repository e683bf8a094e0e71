//! `twinset grants`.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use twinset_domain::grants::{self, Feature, Grant, Release, Wanted};
use twinset_domain::{Exit, Fault};

use super::args::GrantsArgs;
use crate::config::{self, Config, Instance, Source};
use crate::report::Output;
use crate::sqlserver::{Connector, Purpose, facts};

/// What a program is told.
#[derive(Serialize)]
struct Told {
    instance: String,
    login: String,
    /// The year of the release, if it is known.
    version: Option<u16>,
    features: BTreeSet<Feature>,
    databases: Vec<String>,
    grants: Vec<Grant>,
    script: String,
}

/// Prints the rights that an instance's login needs. Needs neither state nor catalog, nor the
/// instance itself.
pub(super) fn grants(file: &Path, args: &GrantsArgs, output: &Output) -> Exit {
    let config = match config::load(file) {
        Ok(config) => config,
        Err(faults) => return output.finish_faults(&faults),
    };
    match told(&config, args, output) {
        Ok(told) => {
            output.line(told.script.trim_end());
            output.finish(Ok((Exit::Done, told)))
        }
        Err(fault) => output.finish::<()>(Err(fault)),
    }
}

fn told(config: &Config, args: &GrantsArgs, output: &Output) -> Result<Told, Fault> {
    let instance = config.instance(&args.instance)?;
    let features = match args.feature.as_slice() {
        [] => needed(config, &instance.name),
        given => given.iter().map(|feature| feature.feature()).collect(),
    };
    let databases = match args.database.as_slice() {
        [] => named(config, &instance.name),
        given => given.to_vec(),
    };
    let release = match args.version {
        Some(release) => Some(release),
        None => asked(instance).unwrap_or_else(|fault| {
            let form = "the forms that every version takes are printed; --version names one";
            output.warn(format!("{}: {}; {form}", instance.name, fault.message));
            None
        }),
    };
    let wanted = Wanted {
        login: instance.auth.login(),
        features: &features,
        release,
        databases: &databases,
    };
    let grants = grants::grants(&wanted);
    let script = grants::script(&wanted, &grants);
    Ok(Told {
        instance: instance.name.clone(),
        login: instance.auth.login().to_owned(),
        version: release.map(Release::year),
        features,
        databases,
        grants,
        script,
    })
}

/// What the groups that use an instance need of it; virtual devices where none does.
pub(super) fn needed(config: &Config, instance: &str) -> BTreeSet<Feature> {
    let groups = config.groups.values();
    let using = groups.filter(|group| group.partners.iter().any(|name| name == instance));
    let mut features: BTreeSet<Feature> = BTreeSet::new();
    for group in using {
        if group.source == Source::Vdi {
            features.insert(Feature::Vdi);
        } else {
            features.extend([Feature::Stage, Feature::Restore]);
            // A login for virtual devices is sysadmin, and may check as well.
            if group.check.rule.is_some() {
                features.insert(Feature::Check);
            }
        }
    }
    if features.is_empty() {
        features.insert(Feature::Vdi);
    }
    features
}

/// The databases that the groups of an instance name; patterns are not resolved.
pub(super) fn named(config: &Config, instance: &str) -> Vec<String> {
    let groups = config.groups.values();
    let using = groups.filter(|group| group.partners.iter().any(|name| name == instance));
    let names: BTreeSet<String> = using
        .flat_map(|group| group.databases.named().map(str::to_owned))
        .collect();
    names.into_iter().collect()
}

/// The release that the instance says it is.
fn asked(instance: &Instance) -> Result<Option<Release>, Fault> {
    let connector = Connector::new(instance.settings()?, "grants");
    let mut control = connector.open_once(Purpose::Control)?;
    let facts = facts::probe_instance(&mut control)?;
    Ok(Release::of_major(facts.major))
}
