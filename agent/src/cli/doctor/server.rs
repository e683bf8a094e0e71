//! Instances and their databases.

use std::collections::BTreeMap;

use twinset_domain::doctor::{Database, Finding, Level, Native, Server};
use twinset_domain::grants::{self, Feature, Release, Wanted};
use twinset_domain::partner::Answer;
use twinset_domain::protection::{Sight, Unfit, Voice, look};
use twinset_domain::stamp::Finding as Standing;
use twinset_domain::{AgentId, Fault};

use super::Scope;
use crate::cli::grants::{named, needed};
use crate::clock;
use crate::config::{Group, Instance, Source};
use crate::sqlserver::facts::{self, InstanceFacts};
use crate::sqlserver::statement::Compression;
use crate::sqlserver::vdi::VdiLibrary;
use crate::sqlserver::{Connector, Purpose, Session, groups, health, orphans, partners, rights};
use crate::state::identity;

/// Express editions (SERVERPROPERTY EngineEdition).
const EXPRESS: i64 = 4;
/// The role of a principal (sys.database_mirroring.mirroring_role).
const PRINCIPAL: i64 = 1;

/// The databases of each group that instances named, with the bytes of their last full backups
/// where one is known.
#[derive(Debug, Default)]
pub(super) struct Sizes(BTreeMap<(String, String), Option<u64>>);

impl Sizes {
    /// The last full backup of one database of a group, or of all of them.
    pub(super) fn of(&self, group: &str, database: Option<&str>) -> Option<u64> {
        let all = self.0.iter().filter(|((of, name), _)| {
            of == group && database.is_none_or(|only| only.eq_ignore_ascii_case(name))
        });
        all.filter_map(|(_, size)| *size)
            .reduce(u64::saturating_add)
    }

    /// The largest last full backup of a group.
    pub(super) fn largest(&self, group: &str) -> Option<u64> {
        let all = self.0.iter().filter(|((of, _), _)| of == group);
        all.filter_map(|(_, size)| *size).max()
    }

    /// The databases of a group, as instances named them.
    pub(super) fn databases(&self, group: &str) -> impl Iterator<Item = &str> {
        let all = self.0.keys().filter(move |(of, _)| of == group);
        all.map(|(_, name)| name.as_str())
    }
}

/// Everything about one instance, as far as it answers.
pub(super) fn findings(scope: &Scope<'_>, name: &str, sizes: &mut Sizes) -> Vec<Finding> {
    let Ok(instance) = scope.config.instance(name) else {
        return Vec::new();
    };
    // A partner that other agents serve is theirs to reach; here it costs comfort alone.
    let level = if scope.serves(name) {
        Level::Failure
    } else {
        Level::Warning
    };
    let mut found = Vec::new();
    let features: Vec<Feature> = needed(scope.config, name).into_iter().collect();
    if scope.serves(name) && features.contains(&Feature::Vdi) {
        found.push(library(instance));
    }
    match session(scope, instance) {
        Err(fault) => found.push(Finding::of(fault).at(level)),
        Ok((connector, mut control)) => {
            let looked = server(scope, instance, &features, &connector, &mut control);
            match looked {
                Err(fault) => found.push(Finding::of(fault).at(level)),
                Ok((facts, server)) => {
                    found.extend(server.findings());
                    found.extend(databases(scope, instance, &facts, &mut control, sizes));
                }
            }
        }
    }
    found
}

fn library(instance: &Instance) -> Finding {
    match VdiLibrary::load(&instance.vdi_library) {
        Ok(library) => Finding::ok(
            library.path().display().to_string(),
            "SQL Server's VDI library is loaded, and nobody else may change it",
        ),
        Err(fault) => Finding::of(fault),
    }
}

fn session(scope: &Scope<'_>, instance: &Instance) -> Result<(Connector, Session), Fault> {
    let mut settings = instance.settings()?;
    // Lets it know the agent's own sessions again; nothing is made where there is no agent yet.
    settings.agent = identity::look(&scope.config.agent.state_dir)
        .ok()
        .flatten()
        .map(|shown| shown.agent)
        .or_else(|| Some(AgentId::random()));
    let connector = Connector::new(settings, "doctor");
    let control = connector.open_once(Purpose::Control)?;
    Ok((connector, control))
}

fn server(
    scope: &Scope<'_>,
    instance: &Instance,
    features: &[Feature],
    connector: &Connector,
    control: &mut Session,
) -> Result<(InstanceFacts, Server), Fault> {
    let facts = facts::probe_instance(control)?;
    let wanted = grants::grants(&Wanted {
        login: instance.auth.login(),
        features: &features.iter().copied().collect(),
        release: Release::of_major(facts.major),
        databases: &named(scope.config, &instance.name),
    });
    let lacking = rights::missing(control, &wanted)?;
    let before = clock::now();
    let ahead = health::clock(control)?.map(|server| server.0 - before.0);
    let orphans = orphans::look(connector, control)?
        .into_iter()
        .filter_map(|(seen, standing)| match standing {
            Standing::Lives => None,
            Standing::Orphan => Some(format!("{seen} was left by a dead run of this agent")),
            Standing::Unproven(doubt) => Some(format!(
                "{seen} looks like a run of Twinset: {}",
                doubt.why()
            )),
        })
        .collect();
    let computer = facts
        .physical_name
        .clone()
        .unwrap_or_else(|| facts.machine_name.clone());
    let server = Server {
        name: instance.name.clone(),
        version: facts.version.clone(),
        major: facts.major,
        edition: facts.edition.clone(),
        login: facts.login.clone(),
        features: if scope.serves(&instance.name) {
            features.to_vec()
        } else {
            Vec::new()
        },
        lacking,
        ahead_seconds: ahead,
        is_here: is_here(instance, &scope.config.agent.name, &computer),
        computer,
        orphans,
    };
    Ok((facts, server))
}

/// Whether an instance runs on this host, as far as names tell.
fn is_here(instance: &Instance, host: &str, computer: &str) -> Option<bool> {
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    let loopback = matches!(instance.host.as_str(), "localhost" | "127.0.0.1" | "::1");
    let named = short(computer) == short(host);
    (loopback || named).then_some(true)
}

fn databases(
    scope: &Scope<'_>,
    instance: &Instance,
    facts: &InstanceFacts,
    control: &mut Session,
    sizes: &mut Sizes,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for group in scope.groups_of(&instance.name) {
        let names = match names(group, control) {
            Ok(names) => names,
            Err(fault) => {
                found.push(Finding::of(fault));
                continue;
            }
        };
        for name in names {
            match database(instance, facts, group, &name, control) {
                Ok((seen, size)) => {
                    if scope.serves(&instance.name) {
                        sizes.0.insert((group.name.clone(), name.clone()), size);
                    }
                    found.extend(seen.findings());
                }
                Err(fault) => found.push(Finding::of(fault)),
            }
        }
    }
    found
}

/// The databases that a group means on this instance.
fn names(group: &Group, control: &mut Session) -> Result<Vec<String>, Fault> {
    let there = if group.databases.is_literal() {
        Vec::new()
    } else {
        facts::database_names(control)?
    };
    Ok(group
        .databases
        .meant(there.iter().map(|(name, _)| name.as_str())))
}

fn database(
    instance: &Instance,
    facts: &InstanceFacts,
    group: &Group,
    name: &str,
    control: &mut Session,
) -> Result<(Database, Option<u64>), Fault> {
    let mut seen = Database {
        instance: instance.name.clone(),
        major: facts.major,
        express: facts.engine_edition == EXPRESS,
        name: name.to_owned(),
        vdi: group.source == Source::Vdi,
        native: Native {
            compression: matches!(
                group.backup.compression,
                Compression::On | Compression::By(_)
            ),
            max_transfer_size: group.backup.max_transfer_size,
        },
        ..Database::default()
    };
    let Some(probed) = facts::probe_database(control, name)? else {
        return Ok((seen, None));
    };
    seen.exists = true;
    let membership = groups::membership(control, facts, &probed.name)?;
    let answer = Answer::Copy(partners::copy(&probed, facts, membership.clone()));
    let name = &instance.name;
    let voice = Voice {
        name,
        answer: &answer,
    };
    if let Sight::Unfit(why @ Unfit::OtherBond { .. }) = look(voice, &[], &[], group.wish()) {
        seen.other_bond = Some(why.to_string());
    }
    seen.membership = membership;
    seen.state = probed.state_desc;
    seen.recovery_model = probed.recovery_model;
    seen.is_snapshot = probed.source_database_id.is_some();
    let is_mirror = probed.mirroring_guid.is_some() && probed.mirroring_role != Some(PRINCIPAL);
    seen.mirror_of = is_mirror.then(|| {
        let partner = probed.mirroring_partner_instance;
        partner.unwrap_or_else(|| "its partner".to_owned())
    });
    let special = health::special(control, name)?;
    seen.encrypted = special.encrypted;
    seen.filestream = special.filestream;
    seen.last_full = special
        .last_full
        .and_then(|(_, ended)| ended)
        .map(|ended| ended.to_string());
    let size = special
        .last_full
        .map_or(special.data_bytes, |(size, _)| size);
    Ok((seen, Some(size)))
}
