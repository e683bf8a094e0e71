//! From the raw table of a media set to the checked one.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use toml::Spanned;
use twinset_domain::code;

use super::Repair;
use super::least::min_mirrors;
use super::options::{absolute, from_toml, identity};
use super::stored::stored;
use super::{DEFAULT_BLOCK_SIZE, DEFAULT_DEVICE_DEADLINE, DEFAULT_MEDIUM_WAIT, Device, MediaSet};
use crate::config::checked::Check;
use crate::config::hint::did_you_mean;
use crate::config::raw::{DeviceTable, MediaSetTable, MirrorTable, Value};
use crate::config::source::Place;
use crate::config::template::placeholders;

/// Most families of a media set.
const MAX_FAMILIES: usize = 64;
/// Most mirrors of a media set.
const MAX_MIRRORS: usize = 4;
/// The plugin that the short form `disk_mirrors` means.
const DISK: &str = "disk";

/// Which devices were seen so far, over all media sets: by plugin file and identity.
#[derive(Debug, Default)]
pub(crate) struct UsedPlaces {
    seen: BTreeMap<(PathBuf, String), (String, Place)>,
    names: BTreeMap<String, Place>,
}

/// The plugins' files by name, also of faulty ones.
pub(crate) type PluginFiles = BTreeMap<String, PathBuf>;

/// Judges one media set; `None` when its devices cannot be used.
pub(crate) fn media_set(
    check: &mut Check<'_>,
    key: &Spanned<String>,
    raw: &MediaSetTable,
    plugins: &PluginFiles,
    used: &mut UsedPlaces,
) -> Option<MediaSet> {
    check.name(key, "a media set");
    let name = named(check, key, raw, used);
    if let Some(description) = &raw.description {
        check.text(description, "description", 255);
    }
    let stored = stored(check, raw);
    let mirrors = mirrors(check, key, raw, plugins, used)?;
    let families = shape(check, key, raw, &mirrors)?;
    let most = u8::try_from(mirrors.len()).ok()?;
    let min_mirrors = min_mirrors(check, raw, most);
    let power: (&str, fn(u64) -> bool) = ("a power of two from 512 to 65536", |bytes| {
        bytes.is_power_of_two() && (512..=65536).contains(&bytes)
    });
    let block = check.size(
        &raw.block_size,
        "block_size",
        power,
        DEFAULT_BLOCK_SIZE.into(),
    );
    let choices = [("auto", Repair::Auto), ("manual", Repair::Manual)];
    let repair = check.choice(&raw.repair, "repair", &choices, Repair::Auto);
    let deadline: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);
    let device_deadline = check.duration(
        &raw.device_deadline,
        "device_deadline",
        deadline,
        DEFAULT_DEVICE_DEADLINE,
    );
    let wait: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(7 * 86_400);
    let medium_wait = check.duration(&raw.medium_wait, "medium_wait", wait, DEFAULT_MEDIUM_WAIT);
    Some(MediaSet {
        key: key.get_ref().clone(),
        name,
        description: raw
            .description
            .as_ref()
            .map(|text| text.get_ref().clone())
            .unwrap_or_default(),
        families,
        stored,
        block_size: u32::try_from(block).unwrap_or(DEFAULT_BLOCK_SIZE),
        min_mirrors,
        repair,
        device_deadline,
        egress_price: price(check, raw.egress_price.as_ref()),
        medium_wait,
        mirrors: mirrors.into_iter().map(|mirror| mirror.devices).collect(),
        is_beside: false,
        place: check.file.place(&key.span()),
    })
}

/// What a GiB costs: a number and a currency.
fn price(check: &mut Check<'_>, raw: Option<&Spanned<String>>) -> Option<String> {
    let raw = raw?;
    let text = raw.get_ref();
    let lawful = text.split_once(' ').is_some_and(|(number, unit)| {
        let figure = |c: char| c.is_ascii_digit() || c == '.';
        let named = !unit.is_empty() && unit.len() <= 8 && !unit.contains(char::is_control);
        let number = number.chars().all(figure).then(|| number.parse::<f64>());
        named && matches!(number, Some(Ok(_)))
    });
    if lawful {
        return Some(text.clone());
    }
    let message = format!("`egress_price` cannot be \"{text}\"");
    check.bad(
        &raw.span(),
        message,
        "write a number and a currency, like \"0.09 USD\"",
    );
    None
}

/// The media name, which no other set may have.
fn named(
    check: &mut Check<'_>,
    key: &Spanned<String>,
    raw: &MediaSetTable,
    used: &mut UsedPlaces,
) -> String {
    let name = raw.name.as_ref().unwrap_or(key);
    if raw.name.is_some() {
        check.text(name, "name", 128);
    }
    let place = check.file.place(&name.span());
    if let Some(first) = used.names.get(name.get_ref()) {
        let message = format!(
            "the media name \"{}\" stands at {first} too",
            name.get_ref()
        );
        check.bad(
            &name.span(),
            message,
            "give each media set a name of its own",
        );
    } else {
        used.names.insert(name.get_ref().clone(), place);
    }
    name.get_ref().clone()
}

struct Mirror {
    span: Range<usize>,
    devices: Vec<Device>,
}

/// All devices of all mirrors, or nothing when the plan cannot be made out.
fn mirrors(
    check: &mut Check<'_>,
    key: &Spanned<String>,
    raw: &MediaSetTable,
    plugins: &PluginFiles,
    used: &mut UsedPlaces,
) -> Option<Vec<Mirror>> {
    match (&raw.mirrors, &raw.disk_mirrors) {
        (Some(_), Some(short)) => {
            let message = "`disk_mirrors` contradicts `mirrors`";
            check.bad(&short.span(), message, "keep one of the two");
            None
        }
        (None, None) => {
            let message = format!("media set \"{}\" has no mirrors", key.get_ref());
            let remedy = "add [[media_sets.NAME.mirrors]] tables or `disk_mirrors = [...]`";
            check.bad(&key.span(), message, remedy);
            None
        }
        (Some(tables), None) => Some(
            tables
                .iter()
                .map(|table| mirror(check, table, key, plugins, used))
                .collect(),
        ),
        (None, Some(short)) => {
            let mut mirrors = Vec::new();
            for path in short.get_ref() {
                known_plugin(check, &Spanned::new(path.span(), DISK.to_owned()), plugins);
                check.text(path, "disk_mirrors", 4096);
                let path_value = absolute(check.file, path.get_ref());
                let mut options = Map::new();
                templated(check, &path.span(), path.get_ref());
                options.insert("path".to_owned(), path_value);
                let place = check.file.place(&path.span());
                let device = Device {
                    plugin: DISK.to_owned(),
                    options,
                    place,
                };
                unshared(check, &path.span(), key, &device, plugins, used);
                mirrors.push(Mirror {
                    span: path.span(),
                    devices: vec![device],
                });
            }
            if mirrors.is_empty() {
                check.bad(
                    &short.span(),
                    "`disk_mirrors` is empty",
                    "name one folder per mirror",
                );
                return None;
            }
            Some(mirrors)
        }
    }
}

fn templated(check: &mut Check<'_>, span: &Range<usize>, text: &str) {
    if let Err(error) = placeholders(text) {
        check.bad(span, error.to_string(), TEMPLATE_HELP);
    }
}

const TEMPLATE_HELP: &str = "use {agent} or {database}; write {{ and }} for braces";

fn mirror(
    check: &mut Check<'_>,
    table: &Spanned<MirrorTable>,
    key: &Spanned<String>,
    plugins: &PluginFiles,
    used: &mut UsedPlaces,
) -> Mirror {
    let devices = &table.get_ref().devices;
    let mut checked = Vec::new();
    for raw in devices.get_ref() {
        let device = device(check, raw, plugins);
        unshared(check, &raw.span(), key, &device, plugins, used);
        checked.push(device);
    }
    Mirror {
        span: devices.span(),
        devices: checked,
    }
}

fn device(check: &mut Check<'_>, raw: &Spanned<DeviceTable>, plugins: &PluginFiles) -> Device {
    let table = raw.get_ref();
    known_plugin(check, &table.plugin, plugins);
    let empty = toml::Table::new();
    let (options, span) = match &table.options {
        Some(options) => (options.get_ref(), options.span()),
        None => (&empty, raw.span()),
    };
    let options = from_toml(check.file, options).unwrap_or_else(|error| {
        check.bad(&span, format!("device options: {error}"), TEMPLATE_HELP);
        Map::from_iter([("faulty".to_owned(), Json::from(span.start))])
    });
    Device {
        plugin: table.plugin.get_ref().clone(),
        options,
        place: check.file.place(&raw.span()),
    }
}

fn known_plugin(check: &mut Check<'_>, plugin: &Spanned<String>, plugins: &PluginFiles) {
    if !plugins.contains_key(plugin.get_ref()) {
        let message = format!("no plugin \"{}\" is configured", plugin.get_ref());
        let near = did_you_mean(plugin.get_ref(), plugins.keys().map(String::as_str));
        let remedy = format!(
            "{near} (or add [plugins.{}] with its path)",
            plugin.get_ref()
        );
        check.bad(&plugin.span(), message, remedy);
    }
}

/// No two devices write to one place.
fn unshared(
    check: &mut Check<'_>,
    span: &Range<usize>,
    key: &Spanned<String>,
    device: &Device,
    plugins: &PluginFiles,
    used: &mut UsedPlaces,
) {
    let file = plugins.get(&device.plugin).cloned().unwrap_or_default();
    let identity = (file, identity(&device.options));
    if let Some((set, first)) = used.seen.get(&identity) {
        let message = format!("media set \"{set}\" uses the same place at {first}");
        check.bad(
            span,
            message,
            "give every device of every media set a place of its own",
        );
        return;
    }
    used.seen
        .insert(identity, (key.get_ref().clone(), device.place.clone()));
}

/// Counts mirrors and families; returns the families.
fn shape(
    check: &mut Check<'_>,
    key: &Spanned<String>,
    raw: &MediaSetTable,
    mirrors: &[Mirror],
) -> Option<u16> {
    if let Some(fifth) = mirrors.get(MAX_MIRRORS) {
        let message = format!(
            "media set \"{}\" has {} mirrors",
            key.get_ref(),
            mirrors.len()
        );
        check.fault(
            code::TOO_MANY_MIRRORS,
            &fifth.span,
            message,
            "keep at most 4 mirrors",
        );
        return None;
    }
    let Some(first) = mirrors.first() else {
        let message = format!("media set \"{}\" has no mirrors", key.get_ref());
        check.bad(
            &key.span(),
            message,
            "add a [[media_sets.NAME.mirrors]] table",
        );
        return None;
    };
    let declared = families(check, &raw.families);
    let wanted = declared.unwrap_or(first.devices.len());
    let mut even = true;
    for (at, mirror) in mirrors.iter().enumerate() {
        let count = mirror.devices.len();
        if count == 0 || count > MAX_FAMILIES {
            let message = format!("mirror {} has {count} devices", at + 1);
            check.bad(&mirror.span, message, "name one device per family, 1 to 64");
            even = false;
        } else if count != wanted {
            let message = format!(
                "mirror {} has {count} devices for {wanted} families",
                at + 1
            );
            let remedy = "name one device per family in every mirror";
            check.fault(code::MIRROR_SHAPE, &mirror.span, message, remedy);
            even = false;
        }
    }
    if even {
        u16::try_from(wanted).ok()
    } else {
        None
    }
}

fn families(check: &mut Check<'_>, raw: &Value<u8>) -> Option<usize> {
    let families = raw.as_ref()?;
    let found = usize::from(*families.get_ref());
    if (1..=MAX_FAMILIES).contains(&found) {
        return Some(found);
    }
    check.bad(
        &families.span(),
        format!("`families` cannot be {found}"),
        "choose 1 to 64",
    );
    None
}
