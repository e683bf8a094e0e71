//! `twinset plan`: what would run when, and why the rest would not.
//!
//! The decisions are those of [`twinset_domain::schedule`], the same that the service asks. This
//! verb reads configuration and catalog and touches nothing.

mod print;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use twinset_domain::schedule::{
    Clock, Due, Forecast, Rules, Subject, Waiting, forecast, plan as decide,
};
use twinset_domain::{BackupKind, Exit, Fault, Moment};

use super::args::PlanArgs;
use crate::catalog::Catalog;
use crate::clock;
use crate::config::{self, Config, Group, MediaSet};
use crate::report::Output;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The whole answer.
#[derive(Serialize)]
struct Plans {
    /// As of when.
    at: Moment,
    /// The end of the days ahead, exclusive.
    until: Moment,
    groups: Vec<GroupPlan>,
}

/// One protection group.
#[derive(Serialize)]
struct GroupPlan {
    group: String,
    /// `None`: backups on demand only.
    schedule: Option<Rules>,
    /// Databases that are known, with the seconds by which each begins behind the slots.
    databases: Vec<Offset>,
    /// Whether patterns may stand for databases that were never backed up, and are not known here.
    has_patterns: bool,
    /// What would begin now, the most urgent first.
    due: Vec<Told<Due>>,
    /// What would not, and why.
    waiting: Vec<Told<Waiting>>,
    /// The days ahead by kind, as if every run succeeds, for a database without an offset. At most
    /// 10,000 slots of each are listed; `count` tells all.
    ahead: Vec<Forecast>,
}

#[derive(Serialize)]
struct Offset {
    database: String,
    seconds: u32,
}

/// A decision with its words.
#[derive(Serialize)]
struct Told<T> {
    #[serde(flatten)]
    what: T,
    text: String,
}

/// Prints what would run when.
pub(super) fn plan(file: &Path, args: &PlanArgs, output: &Output) -> Exit {
    let config = match config::load(file) {
        Ok(config) => config,
        Err(faults) => return output.finish_faults(&faults),
    };
    for note in &config.notes {
        output.warn(format!("{}: {}", note.place, note.text));
    }
    let told = plans(&config, args);
    if let Ok(plans) = &told {
        print::print(plans, output);
    }
    output.finish(told.map(|plans| (Exit::Done, plans)))
}

fn plans(config: &Config, args: &PlanArgs) -> Result<Plans, Fault> {
    let only = args.group.as_deref();
    let only = only.map(|name| config.group(name)).transpose()?;
    let catalog = Catalog::look(&config.agent.state_dir)?;
    let at = args.at.unwrap_or_else(clock::now);
    let until = Moment(at.0.saturating_add(i64::from(args.days) * DAY));
    let groups = config
        .groups
        .values()
        .filter(|group| only.is_none_or(|only| only.name == group.name))
        .map(|group| group_plan(config, catalog.as_ref(), group, (at, until)))
        .collect::<Result<_, _>>()?;
    Ok(Plans { at, until, groups })
}

fn group_plan(
    config: &Config,
    catalog: Option<&Catalog>,
    group: &Group,
    (at, until): (Moment, Moment),
) -> Result<GroupPlan, Fault> {
    let mut told = GroupPlan {
        group: group.name.clone(),
        schedule: group.schedule.clone(),
        databases: Vec::new(),
        has_patterns: !group.databases.is_literal(),
        due: Vec::new(),
        waiting: Vec::new(),
        ahead: Vec::new(),
    };
    let Some(rules) = &group.schedule else {
        return Ok(told);
    };
    let subjects = subjects(config, catalog, group, at)?;
    let offset = |subject: &Subject| Offset {
        database: subject.database.clone(),
        seconds: rules.offset(&subject.database),
    };
    told.databases = subjects.iter().map(offset).collect();
    // An agent that starts now: what was due before was missed.
    let decided = decide(rules, &subjects, Clock { now: at, awake: at });
    told.due = decided
        .due
        .into_iter()
        .map(|what| Told {
            text: what.cause.text(),
            what,
        })
        .collect();
    told.waiting = decided
        .waiting
        .into_iter()
        .map(|what| Told {
            text: what.wait.text(&rules.zone),
            what,
        })
        .collect();
    told.ahead = forecast(rules, at, until);
    Ok(told)
}

/// The databases of a group that can be known without asking a server, with what ran of each.
pub(super) fn subjects(
    config: &Config,
    catalog: Option<&Catalog>,
    group: &Group,
    now: Moment,
) -> Result<Vec<Subject>, Fault> {
    // By lower case: a name of the configuration and of the server may differ in it.
    let mut since = BTreeMap::new();
    let mut elsewhere = BTreeMap::new();
    let mut names: BTreeMap<String, String> = group
        .databases
        .named()
        .map(|name| (name.to_lowercase(), name.to_owned()))
        .collect();
    // What the service protects may have no backup yet.
    for (of, name, record) in catalog.map_or(Ok(Vec::new()), Catalog::protected)? {
        if of == group.name && group.databases.select(&name) {
            since.insert(name.to_lowercase(), record.taken_over);
            elsewhere.insert(name.to_lowercase(), record.excluded());
            names.insert(name.to_lowercase(), name);
        }
    }
    for key in group.media_sets() {
        let Some(catalog) = catalog else { break };
        for name in known(catalog, config.media_set(key)?)? {
            if group.databases.select(&name) {
                names.insert(name.to_lowercase(), name);
            }
        }
    }
    let subject = |database: String| {
        let past = |kind| match catalog {
            None => Ok(Default::default()),
            Some(catalog) => {
                let keys = config.keys_of(group, kind, &database)?;
                catalog.past(&keys, &database, kind, now)
            }
        };
        Ok(Subject {
            full: past(BackupKind::Full)?,
            differential: past(BackupKind::Differential)?,
            log: past(BackupKind::Log)?,
            excluded: elsewhere
                .get(&database.to_lowercase())
                .into_iter()
                .flatten()
                .cloned()
                .chain(excluded(&database))
                .collect(),
            since: since.get(&database.to_lowercase()).copied().flatten(),
            database,
            ..Subject::default()
        })
    };
    names.into_values().map(subject).collect()
}

/// Databases that the catalog knows of a media set.
fn known(catalog: &Catalog, set: &MediaSet) -> Result<Vec<String>, Fault> {
    if !set.per_database() {
        return catalog.databases(&set.key);
    }
    let below = format!("{}/", set.key);
    let keys = catalog.keys()?;
    let names = keys.iter().filter_map(|key| key.strip_prefix(&below));
    Ok(names.map(str::to_owned).collect())
}

/// What is known of a database by its name alone; recovery models are asked for at each run.
fn excluded(database: &str) -> Vec<(BackupKind, String)> {
    if !database.eq_ignore_ascii_case("master") {
        return Vec::new();
    }
    let why = "of master only full backups can be taken";
    [BackupKind::Differential, BackupKind::Log]
        .map(|kind| (kind, why.to_owned()))
        .to_vec()
}
