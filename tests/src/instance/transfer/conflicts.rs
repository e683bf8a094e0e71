//! What is wrong with a statement as such: options, editions, devices. No database is looked at.

use super::grammar::{DeviceKind, Plan, options};
use super::messages::{self, numbered};
use crate::instance::version::Version;
use crate::tds::tokens::ServerMessage;

/// Most devices of TO and of each MIRROR TO.
const MAX_DEVICES: usize = 64;
/// Most MIRROR TO clauses.
const MAX_MIRRORS: usize = 3;
/// Longest names, in UTF-16 units: sets and media, descriptions, devices.
const LONGEST: [(&str, usize); 4] = [
    ("NAME", 128),
    ("MEDIANAME", 128),
    ("DESCRIPTION", 255),
    ("MEDIADESCRIPTION", 255),
];
/// Options of backups to and from URLs; 3032 with other devices is believed, not known.
const OF_URLS: [&str; 4] = [
    "CREDENTIAL",
    "FILE_SNAPSHOT",
    "BACKUP_OPTIONS",
    "RESTORE_OPTIONS",
];
/// SERVERPROPERTY('EngineEdition') of Express.
const EXPRESS: u8 = 4;
/// The same of Enterprise, Developer and Evaluation.
const ENTERPRISE: u8 = 3;

/// Options that do not belong to the statement, exclude one another, or are not in this edition.
pub fn options(plan: &Plan, version: &Version) -> Result<(), ServerMessage> {
    let foreign = plan.options.iter().find(|(name, _)| {
        let known = options::find(name, plan.verb.is_backup(), version);
        known.is_none_or(|known| !known.is_for(plan.verb))
    });
    if let Some((name, _)) = foreign {
        return Err(messages::unsupported_option(name));
    }
    if let Some((one, other)) = options::conflict(&plan.options) {
        return Err(messages::conflicting_options(one, other));
    }
    for (name, most) in LONGEST {
        let length = plan.text(name).map(|text| text.encode_utf16().count());
        if length > Some(most) {
            return Err(numbered(3244, name));
        }
    }
    let express = version.engine_edition == EXPRESS;
    for option in ["COMPRESSION", "ENCRYPTION"] {
        if express && plan.has(option) {
            return Err(messages::not_in_edition(
                plan.verb,
                option,
                &version.edition,
            ));
        }
    }
    if plan.kind != DeviceKind::Url
        && let Some(option) = OF_URLS.iter().find(|option| plan.has(option))
    {
        return Err(messages::unsupported_option(option));
    }
    let one = plan.kind == DeviceKind::Virtual && plan.devices.len() == 1;
    if plan.has("SNAPSHOT") && !one {
        return Err(numbered(3277, ""));
    }
    for option in ["SNAPSHOT", "METADATA_ONLY", "FILE_SNAPSHOT"] {
        if plan.verb.is_backup() && plan.has(option) {
            let what = format_args!("{} WITH {option}", plan.verb.name());
            return Err(crate::instance::query::unsupported(what));
        }
    }
    Ok(())
}

/// Devices and mirrors: how many, of which class, in which edition.
pub fn devices(plan: &Plan, version: &Version) -> Result<(), ServerMessage> {
    let lists = || std::iter::once(&plan.devices).chain(plan.mirrors.iter().map(|(list, _)| list));
    if lists().any(|list| list.len() > MAX_DEVICES) {
        return Err(numbered(3205, ""));
    }
    if plan.kind == DeviceKind::Logical {
        let name = plan.devices.first().map_or("", String::as_str);
        return Err(numbered(3206, name));
    }
    for name in lists().flatten() {
        match name.encode_utf16().count() {
            0 => return Err(numbered(3044, "")),
            260.. => return Err(numbered(3057, "")),
            _ => {}
        }
    }
    if plan.mirrors.is_empty() {
        return Ok(());
    }
    if plan
        .mirrors
        .iter()
        .any(|(list, _)| list.len() != plan.devices.len())
    {
        return Err(numbered(3010, ""));
    }
    if plan.mirrors.iter().any(|(_, kind)| *kind != plan.kind) {
        return Err(messages::mixed_devices());
    }
    if matches!(plan.kind, DeviceKind::Virtual | DeviceKind::Url) {
        return Err(numbered(3008, ""));
    }
    if plan.mirrors.len() > MAX_MIRRORS {
        return Err(numbered(3214, ""));
    }
    if version.engine_edition != ENTERPRISE {
        return Err(numbered(3218, ""));
    }
    Ok(())
}
