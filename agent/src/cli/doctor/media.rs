//! Media sets of a group: are their devices there, formatted, large enough, in step?

use std::collections::BTreeSet;

use twinset_domain::doctor::{Device, Finding, Level, Media};
use twinset_domain::standing::Standing;
use twinset_domain::{AgentId, Fault, code};
use twinset_plugin_api::Access;

use super::Scope;
use super::server::Sizes;
use crate::backup::desk::Target;
use crate::cli::context;
use crate::config::{Encoding, Group, MediaSet, Source};
use crate::device::Observed;
use crate::media::matrix::{Cell, Matrix};
use crate::state::identity;

/// Everything about the media sets of one group.
pub(super) fn findings(scope: &Scope<'_>, group: &Group, sizes: &Sizes) -> Vec<Finding> {
    let mut found = Vec::new();
    for key in group.media_sets() {
        let set = match scope.config.media_set(key) {
            Ok(set) => set,
            Err(fault) => {
                found.push(Finding::of(fault));
                continue;
            }
        };
        // Sizes are those of full backups; a media set for logs alone is not measured by them.
        let full = key == group.media_set;
        let mut databases: BTreeSet<Option<&str>> = BTreeSet::new();
        if set.per_database() {
            // Patterns are filled by what the instances have; a name may stand in both.
            databases.extend(sizes.databases(&group.name).map(Some));
            let known = databases.clone();
            let new = |name: &&str| {
                let mut known = known.iter().flatten();
                !known.any(|known| known.eq_ignore_ascii_case(name))
            };
            databases.extend(group.databases.named().filter(new).map(Some));
        } else {
            databases.insert(None);
        }
        for database in databases {
            let last = sizes.of(&group.name, database).filter(|_| full);
            let target = context::target(scope.config, set, database, None);
            found.extend(match target {
                Ok(target) => look(scope, group, set, &target, last)
                    .findings()
                    .into_iter()
                    .map(|found| beside(set, found))
                    .collect(),
                Err(fault) => vec![Finding::of(fault)],
            });
        }
    }
    found
}

/// The media set that was made beside for logs: what it lacks stops no full backup.
fn beside(set: &MediaSet, found: Finding) -> Finding {
    if set.is_beside && found.level == Level::Failure {
        found.at(Level::Warning)
    } else {
        found
    }
}

fn look(
    scope: &Scope<'_>,
    group: &Group,
    set: &MediaSet,
    target: &Target,
    last_full: Option<u64>,
) -> Media {
    let mut media = Media {
        key: target.key.clone(),
        shape: target.shape,
        vdi_on_linux: group.source == Source::Vdi && cfg!(target_os = "linux"),
        min_mirrors: set.min_mirrors.full,
        fault: None,
        formatted: false,
        devices: Vec::new(),
        out_of_step: Vec::new(),
        last_full,
        raw: set.stored.encoding == Encoding::Raw,
    };
    let agent = identity::look(&scope.config.agent.state_dir)
        .ok()
        .flatten()
        .map_or_else(AgentId::random, |shown| shown.agent);
    let opened = Matrix::open(&target.places, target.shape, agent, Access::Read, None);
    let matrix = match opened {
        Ok(matrix) => matrix,
        Err(fault) => {
            media.fault = Some(fault);
            return media;
        }
    };
    media.formatted = matrix.any_header().is_some();
    media.devices = matrix.cells.iter().map(device).collect();
    let behind = matrix.standings().into_iter();
    media.out_of_step = behind
        .filter(|(_, standing)| matches!(standing, Standing::OutOfStep { .. }))
        .map(|(mirror, _)| mirror)
        .collect();
    if let Some(header) = matrix.any_header()
        && header.agent != agent
    {
        let fault = Fault::new(
            code::OTHER_WRITER,
            format!("media set {}", target.key),
            format!("its headers name agent {} as the writer", header.agent),
        );
        media.fault = Some(fault.remedy("give this agent paths of its own, with {agent}"));
    }
    matrix.close();
    media
}

fn device(cell: &Cell) -> Device {
    let status = cell
        .volume
        .as_ref()
        .ok()
        .and_then(|volume| volume.call(|handle| handle.status()).ok());
    let alerts = status.as_ref().map_or("", |status| status.alerts.as_str());
    Device {
        slot: cell.place.slot,
        label: cell.place.label.clone(),
        fault: cell.header.as_ref().err().cloned(),
        alerts: alerts.lines().map(str::to_owned).collect(),
        observed: observed(cell, alerts),
        free: status.and_then(|status| status.free),
    }
}

/// Tries the storage behind a volume that is there.
fn observed(cell: &Cell, alerts: &str) -> Vec<(Level, String)> {
    let (Ok(volume), Ok(_)) = (&cell.volume, &cell.header) else {
        return Vec::new();
    };
    let probed = match volume.call(|handle| handle.probe()) {
        Ok(probed) => probed,
        Err(fault) => return vec![(Level::Warning, format!("it could not be probed: {fault}"))],
    };
    let told = probed
        .into_iter()
        .filter(|seen| !alerts.contains(&seen.text));
    told.map(|seen| {
        let level = match seen.level {
            Observed::Ok => Level::Ok,
            Observed::Note => Level::Note,
            Observed::Warning => Level::Warning,
        };
        (level, seen.text)
    })
    .collect()
}
