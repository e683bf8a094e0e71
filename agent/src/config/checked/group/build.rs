//! `[group]` and `[backup]`: what a backup on demand needs.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::{Group, Profile, SessionKind};
use super::{check as checks, how, keep, later, stage, when};
use crate::config::checked::Check;
use crate::config::checked::media::MediaSet;
use crate::config::databases::{self, Databases};
use crate::config::raw::{BackupTable, GroupFile, GroupTable};
use crate::config::source::Place;

/// Most partners of a group: an availability group has one primary and eight secondaries.
const MAX_PARTNERS: usize = 9;
/// What a group may name: the contents of `agent.toml`, if that could be read.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// Names of all instances, faulty ones too.
    pub(crate) instances: BTreeSet<String>,
    /// Keys of all media sets, faulty ones too.
    pub(crate) media_sets: BTreeSet<String>,
    /// The sound media sets.
    pub(crate) sound: BTreeMap<String, MediaSet>,
    /// Bound of all buffers, in bytes.
    pub(crate) memory_limit: u64,
}

/// Judges one file of a group. Without a `world` only what it says by itself.
pub(crate) fn group(
    check: &mut Check<'_>,
    raw: GroupFile,
    world: Option<&World>,
    names: &mut BTreeMap<String, Place>,
) -> Group {
    let table = raw.group.into_inner();
    check.name(&table.name, "a group");
    unique(check, &table.name, names);
    let databases = databases(check, &table);
    partners(check, &table);
    if let Some(world) = world {
        refers(check, &table, world);
    }
    let choices = [("follow", Profile::Follow), ("dpm", Profile::Dpm)];
    let profile = check.choice(&table.profile, "profile", &choices, Profile::Follow);
    let kinds = [
        ("detect", SessionKind::Detect),
        ("mirroring", SessionKind::Mirroring),
        ("availability-group", SessionKind::AvailabilityGroup),
        ("standalone", SessionKind::Standalone),
    ];
    let kind = check.choice(&table.kind, "kind", &kinds, SessionKind::Detect);
    bound(check, &table, kind, raw.backup.as_ref());
    let source = stage::source(check, &table);
    let set = world.and_then(|world| world.sound.get(table.media_set.get_ref()));
    let limit = world.map(|world| world.memory_limit);
    let schedule = when::schedule(check, raw.schedule.as_ref());
    let rules = schedule.as_ref();
    Group {
        backup: how::backup(check, raw.backup.as_ref(), set, limit),
        failover: later::failover(check, raw.failover.as_ref(), profile),
        check: checks::check(check, raw.check.as_ref(), (&source, rules)),
        retention: keep::retention(check, raw.retention.as_ref(), rules),
        schedule,
        rpo: later::rpo(check, raw.alerts.as_ref()),
        place: check.file.place(&table.name.span()),
        name: table.name.into_inner(),
        partners: table
            .partners
            .into_inner()
            .into_iter()
            .map(Spanned::into_inner)
            .collect(),
        databases,
        media_set: table.media_set.into_inner(),
        log_media_set: table.log_media_set.map(Spanned::into_inner),
        source,
        profile,
        kind,
    }
}

/// How many partners a bond has, and what only an availability group can be told.
fn bound(
    check: &mut Check<'_>,
    table: &GroupTable,
    kind: SessionKind,
    backup: Option<&BackupTable>,
) {
    let named = table.partners.get_ref().len();
    let (most, what) = match kind {
        SessionKind::Standalone => (1, "standalone: it has one instance"),
        SessionKind::Mirroring => (2, "mirroring: a session has two partners"),
        SessionKind::Detect | SessionKind::AvailabilityGroup => (MAX_PARTNERS, ""),
    };
    if named > most && named <= MAX_PARTNERS {
        let message = format!("`partners` names {named} instances, and the kind is {what}");
        let remedy = "name fewer partners, or leave `kind` out: what binds them is detected";
        check.bad(&table.partners.span(), message, remedy);
    }
    let replica = backup.and_then(|backup| backup.replica.as_ref());
    if let Some(replica) = replica
        && matches!(kind, SessionKind::Standalone | SessionKind::Mirroring)
    {
        let message = "`replica` chooses a replica of an availability group, and `kind` says that \
                       there is none";
        let remedy = "leave `replica` out, or set kind = \"availability-group\" or \"detect\"";
        check.bad(&replica.span(), message, remedy);
    }
}

fn unique(check: &mut Check<'_>, name: &Spanned<String>, names: &mut BTreeMap<String, Place>) {
    let place = check.file.place(&name.span());
    // Without regard to case: names also stand in file names.
    let key = name.get_ref().to_lowercase();
    if let Some(first) = names.get(&key) {
        let message = format!("the group \"{}\" stands at {first} too", name.get_ref());
        check.bad(&name.span(), message, "give each group a name of its own");
    } else {
        names.insert(key, place);
    }
}

fn databases(check: &mut Check<'_>, table: &GroupTable) -> Databases {
    let mut includes = false;
    let list = &table.databases;
    for pattern in list.get_ref() {
        match databases::check(pattern.get_ref()) {
            Ok(takes) => includes |= takes,
            Err(error) => {
                includes = true;
                let message = format!("\"{}\" names no database: {error}", pattern.get_ref());
                let remedy = "write a name, with `*` for any text, or USER_DATABASES, \
                              SYSTEM_DATABASES or ALL_DATABASES; `-` in front takes out";
                check.bad(&pattern.span(), message, remedy);
            }
        }
    }
    if !includes {
        let message = "`databases` takes no database in";
        check.bad(
            &list.span(),
            message,
            "name at least one database or USER_DATABASES",
        );
    }
    Databases::new(
        list.get_ref()
            .iter()
            .map(|pattern| pattern.get_ref().as_str()),
    )
}

fn partners(check: &mut Check<'_>, table: &GroupTable) {
    let partners = table.partners.get_ref();
    if partners.is_empty() || partners.len() > MAX_PARTNERS {
        let message = format!("`partners` names {} instances", partners.len());
        let remedy = format!("name one instance or both partners (at most {MAX_PARTNERS})");
        check.bad(&table.partners.span(), message, remedy);
    }
    let mut seen = BTreeSet::new();
    for partner in partners {
        if !seen.insert(partner.get_ref()) {
            let message = format!("partner \"{}\" is named twice", partner.get_ref());
            check.bad(&partner.span(), message, "name each instance once");
        }
    }
}

/// Every name must lead somewhere, and several partners need places of their own.
fn refers(check: &mut Check<'_>, table: &GroupTable, world: &World) {
    for partner in table.partners.get_ref() {
        check.known(partner, "instance", &world.instances);
    }
    check.known(&table.media_set, "media set", &world.media_sets);
    if let Some(log) = &table.log_media_set {
        check.known(log, "media set", &world.media_sets);
    }
    if table.partners.get_ref().len() < 2 {
        return;
    }
    for key in [Some(&table.media_set), table.log_media_set.as_ref()]
        .into_iter()
        .flatten()
    {
        let Some(set) = world.sound.get(key.get_ref()) else {
            continue;
        };
        for device in set.mirrors.iter().flatten() {
            if !device
                .placeholders()
                .contains(&crate::config::template::Placeholder::Agent)
            {
                let message = format!("several partners, and no {{agent}} at {}", device.place);
                let remedy =
                    "put {agent} into each device's path, so that each agent has media of its own";
                check.bad(&key.span(), message, remedy);
            }
        }
    }
}
