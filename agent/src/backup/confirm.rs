//! Asks the servers of the configuration whether a sealed set is theirs.

use std::collections::BTreeMap;

use twinset_domain::confirm::{Finding, Log, Sealed, Source, judge};
use twinset_domain::{BackupKind, Fault};
use twinset_format::manifest::Manifest;
use twinset_format::mtf::Container;
use twinset_format::record::Outcome;

use super::facts::set_facts;
use crate::media::inventory::SetOnMedia;
use crate::media::recover::Word;
use crate::sqlserver::facts;
use crate::sqlserver::history::{MsdbSet, SetKey, find_set};
use crate::sqlserver::orphans::{self, Orphan};
use crate::sqlserver::vdi::set_name;
use crate::sqlserver::{Connector, InstanceSettings, Purpose};
use twinset_domain::recover::SetState;

/// What can be proved of a sealed set: by msdb of the server that took it, by the state of its
/// source, or by later logs on the same media. Silence proves nothing, so `None` means "keep".
#[must_use]
pub fn ask_servers(
    instances: &BTreeMap<String, InstanceSettings>,
    set: &SetOnMedia,
    all: &[SetOnMedia],
) -> Option<Word> {
    let sealed = sealed(set)?;
    let later = later_logs(set, all);
    let mut best = judge(&sealed, None, &later);
    for settings in instances.values() {
        match ask(settings, set) {
            Ok((Some(found), _)) => {
                return Some(Word::Confirmed {
                    outcome: Outcome::Success,
                    history: Some(Box::new(set_facts(&found))),
                    note: None,
                });
            }
            Ok((None, Some(source))) => {
                let finding = judge(&sealed, Some(&source), &later);
                tracing::debug!(server = settings.name, ?source, ?finding, "asked of a set");
                // One server that knows it outweighs another that does not.
                if best == Finding::Open || finding.confirms() {
                    best = finding;
                }
            }
            Ok((None, None)) => {}
            Err(fault) => tracing::warn!(%fault, "not asked"),
        }
    }
    match best {
        Finding::Open => None,
        Finding::NeverCounted => Some(Word::NeverCounted(best.why())),
        _ => Some(Word::Confirmed {
            outcome: Outcome::SuccessHistoryMissing,
            history: None,
            note: Some(best.why()),
        }),
    }
}

/// Ends what dead runs of this agent left running on these servers; one that cannot be asked is
/// passed over with a warning.
#[must_use]
pub fn end_orphans<'a>(servers: impl Iterator<Item = &'a InstanceSettings>) -> Vec<Orphan> {
    let on = |settings: &InstanceSettings| {
        let connector = Connector::new(settings.clone(), "recover");
        let mut control = connector.open_once(Purpose::Control)?;
        orphans::sweep(&connector, &mut control)
    };
    let mut all = Vec::new();
    for settings in servers {
        match on(settings) {
            Ok(found) => all.extend(found),
            Err(fault) => tracing::warn!(%fault, "not asked for statements of dead runs"),
        }
    }
    all
}

/// What the set's own stream tells.
fn sealed(set: &SetOnMedia) -> Option<Sealed> {
    let facts = &set.any_manifest()?.facts;
    let first = facts.sets.first();
    let whole = |manifest: &Manifest| {
        manifest.facts.container == Container::Mtf && !manifest.facts.incomplete
    };
    Some(Sealed {
        kind: facts.kind,
        set: first.and_then(|set| set.set),
        first_lsn: first.and_then(|set| set.first_lsn),
        last_lsn: first.and_then(|set| set.last_lsn),
        recovery_fork: first.and_then(|set| set.recovery_fork),
        family_guid: first.and_then(|set| set.family_guid),
        complete: set.manifests.values().all(whole),
        maybe_copy_only: facts.copy_only,
    })
}

/// Published logs of the same database behind the set.
fn later_logs(set: &SetOnMedia, all: &[SetOnMedia]) -> Vec<Log> {
    let database = set.any_manifest().map(|m| &m.facts.database);
    let log = |other: &SetOnMedia| {
        let facts = &other.any_manifest()?.facts;
        let inside = facts.sets.first()?;
        let behind = other.position > set.position && other.state == SetState::Published;
        let same = facts.kind == Some(BackupKind::Log) && Some(&facts.database) == database;
        (behind && same).then_some(Log {
            position: other.position,
            first_lsn: inside.first_lsn?,
            recovery_fork: inside.recovery_fork,
        })
    };
    all.iter().filter_map(log).collect()
}

/// What one server says: the set in its history, or the state of the database.
fn ask(
    settings: &InstanceSettings,
    set: &SetOnMedia,
) -> Result<(Option<MsdbSet>, Option<Source>), Fault> {
    let Some(manifest) = set.any_manifest() else {
        return Ok((None, None));
    };
    let facts = &manifest.facts;
    let mut control = Connector::new(settings.clone(), "recover").open_once(Purpose::Control)?;
    // A stream that hides its facts is known by the name of the devices it was written to.
    let device = set_name(facts.run);
    let key = match facts.sets.first().and_then(|set| set.set) {
        Some(guid) => SetKey::Guid(guid),
        None => SetKey::VirtualDevice(&device),
    };
    if let Some(found) = find_set(&mut control, key)? {
        return Ok((Some(found), None));
    }
    // Whether a BACKUP runs is asked first: one that ends in between is then seen in the state.
    let busy = facts::backup_runs(&mut control, &facts.database, facts.run)?;
    let Some(database) = facts::probe_database(&mut control, &facts.database)? else {
        return Ok((None, None));
    };
    let bases = facts::differential_bases(&mut control, database.database_id)?;
    Ok((
        None,
        Some(Source {
            in_history: false,
            busy,
            family_guid: database.family_guid,
            recovery_fork: database.recovery_fork_guid,
            last_log_backup_lsn: database.last_log_backup_lsn,
            bases,
        }),
    ))
}
