//! `[group]` and `[backup]`: what a backup on demand needs.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::{Backup, BrokenChain, Compression, Group, Profile, SessionKind, Source};
use super::{keep, later};
use crate::config::checked::Check;
use crate::config::checked::media::{DEFAULT_BLOCK_SIZE, MediaSet};
use crate::config::databases::{self, Databases};
use crate::config::raw::{BackupTable, GroupFile, GroupTable, Value};
use crate::config::source::Place;

/// Most partners of a group: an availability group has one primary and eight secondaries.
const MAX_PARTNERS: usize = 9;
/// MAXTRANSFERSIZE when the file does not say, in bytes.
const DEFAULT_MAX_TRANSFER_SIZE: u32 = 1 << 20;
/// MAXTRANSFERSIZE is a multiple of this (facts/vdi.md, BACKUP's own rule).
const TRANSFER_UNIT: u64 = 64 << 10;
/// Largest MAXTRANSFERSIZE.
const TRANSFER_MAX: u64 = 4 << 20;

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
    source(check, &table);
    check.idle_key(&table.log_media_set, "`log_media_set`");
    let set = world.and_then(|world| world.sound.get(table.media_set.get_ref()));
    let limit = world.map(|world| world.memory_limit);
    Group {
        backup: backup(check, raw.backup.as_ref(), set, limit),
        schedule: later::schedule(check, raw.schedule.as_ref()),
        failover: later::failover(check, raw.failover.as_ref(), profile),
        check: later::check(check, raw.check.as_ref()),
        retention: keep::retention(check, raw.retention.as_ref()),
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
        source: Source::Vdi,
        profile,
        kind,
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

fn source(check: &mut Check<'_>, table: &GroupTable) {
    let choices = [("vdi", false), ("stage", true)];
    if let (true, Some(source)) = (
        check.choice(&table.source, "source", &choices, false),
        &table.source,
    ) {
        check.not_yet(
            &source.span(),
            "`source = \"stage\"`",
            "use `source = \"vdi\"`",
        );
    }
    check.idle_key(&table.stage_dir, "`stage_dir`");
    check.idle_key(&table.stage_dir_server, "`stage_dir_server`");
}

fn backup(
    check: &mut Check<'_>,
    raw: Option<&BackupTable>,
    set: Option<&MediaSet>,
    memory_limit: Option<u64>,
) -> Backup {
    let default_block = set.map_or(DEFAULT_BLOCK_SIZE, |set| set.block_size);
    let Some(raw) = raw else {
        return Backup {
            on_broken_chain: BrokenChain::Differential,
            block_size: default_block,
            max_transfer_size: DEFAULT_MAX_TRANSFER_SIZE,
            buffer_count: None,
            compression: None,
            throttle: None,
        };
    };
    let chains = [
        ("differential", BrokenChain::Differential),
        ("full", BrokenChain::Full),
        ("refuse", BrokenChain::Refuse),
    ];
    let block: (&str, fn(u64) -> bool) = ("a power of two from 512 to 65536", |bytes| {
        bytes.is_power_of_two() && (512..=65536).contains(&bytes)
    });
    let transfer: (&str, fn(u64) -> bool) = ("a multiple of 64KiB up to 4MiB", |bytes| {
        bytes % TRANSFER_UNIT == 0 && (TRANSFER_UNIT..=TRANSFER_MAX).contains(&bytes)
    });
    let block_size = check.size(&raw.block_size, "block_size", block, default_block.into());
    let max_transfer = check.size(
        &raw.max_transfer_size,
        "max_transfer_size",
        transfer,
        DEFAULT_MAX_TRANSFER_SIZE.into(),
    );
    buffers(check, &raw.buffer_count, max_transfer, set, memory_limit);
    if let Some(encryption) = &raw.encryption {
        let table = encryption.get_ref();
        let known = ["AES_128", "AES_192", "AES_256", "TRIPLE_DES_3KEY"].map(|name| (name, ()));
        check.choice(&table.algorithm, "algorithm", &known, ());
        match &table.certificate {
            Some(certificate) => check.text(certificate, "certificate", 128),
            None => check.bad(&encryption.span(), "`certificate` is missing", "name it"),
        }
        let remedy = "remove the table; until then encrypt the database (TDE) or the storage";
        check.not_yet(&encryption.span(), "encryption by SQL Server", remedy);
    }
    let some: (&str, fn(u64) -> bool) = ("at least 64KiB", |bytes| bytes >= TRANSFER_UNIT);
    let throttle = raw
        .throttle
        .is_some()
        .then(|| check.size(&raw.throttle, "throttle", some, 0));
    check.idle_key(&raw.throttle, "`throttle`");
    check.idle_key(&raw.on_broken_chain, "`on_broken_chain`");
    let compress = [
        ("server", Some(Compression::Server)),
        ("none", Some(Compression::None)),
    ];
    Backup {
        on_broken_chain: check.choice(
            &raw.on_broken_chain,
            "on_broken_chain",
            &chains,
            BrokenChain::Differential,
        ),
        block_size: u32::try_from(block_size).unwrap_or(default_block),
        max_transfer_size: u32::try_from(max_transfer).unwrap_or(DEFAULT_MAX_TRANSFER_SIZE),
        buffer_count: raw.buffer_count.as_ref().map(|count| *count.get_ref()),
        compression: check.choice(&raw.compression, "compression", &compress, None),
        throttle,
    }
}

/// One buffer per family at least (3273), and all within the agent's memory.
fn buffers(
    check: &mut Check<'_>,
    count: &Value<u32>,
    max_transfer: u64,
    set: Option<&MediaSet>,
    memory_limit: Option<u64>,
) {
    let Some(count) = count else { return };
    let least = set.map_or(1, |set| u32::from(set.families));
    let found = check.number(&Some(count.clone()), "buffer_count", least..=1024, least);
    let bytes = u64::from(found) * max_transfer;
    if let Some(limit) = memory_limit.filter(|limit| bytes > *limit) {
        let message = format!("`buffer_count` times `max_transfer_size` is {bytes} bytes");
        let remedy = format!("stay below the agent's `memory_limit` of {limit} bytes");
        check.bad(&count.span(), message, remedy);
    }
}
