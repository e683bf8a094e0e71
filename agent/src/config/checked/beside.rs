//! The media set for log backups that nobody named: made beside the group's own, so that a long
//! full never holds logs up (one run at a time writes a media set).

use std::collections::BTreeMap;

use serde_json::Value;

use super::Note;
use super::group::Group;
use super::media::{Device, MediaSet};

/// What key, media name and paths of the media set beside end with.
const ENDING: &str = "-log";
/// Longest media name, in characters.
const MAX_MEDIA_NAME: usize = 128;

/// Gives every group without `log_media_set` the one beside its media set, and adds that to the
/// media sets. Where devices have no `path` to make another one from, logs go to the first.
pub(crate) fn log_media_sets(
    sets: &mut BTreeMap<String, MediaSet>,
    groups: &mut BTreeMap<String, Group>,
    notes: &mut Vec<Note>,
) {
    for group in groups.values_mut() {
        if group.log_media_set.is_some() {
            continue;
        }
        let key = format!("{}{ENDING}", group.media_set);
        let Some(first) = sets.get(&group.media_set) else {
            continue;
        };
        if !sets.contains_key(&key) {
            let Some(beside) = beside(first, &key) else {
                continue;
            };
            if let Some(taken) = taken(sets.values(), &beside) {
                let text = format!(
                    "log backups go to \"{}\" itself: the place beside it is that of media set \
                     \"{taken}\"; name `log_media_set`",
                    group.media_set
                );
                let place = group.place.clone();
                notes.push(Note { place, text });
                continue;
            }
            sets.insert(key.clone(), beside);
        }
        group.log_media_set = Some(key);
    }
}

fn beside(first: &MediaSet, key: &str) -> Option<MediaSet> {
    let name: String = first
        .name
        .chars()
        .take(MAX_MEDIA_NAME - ENDING.len())
        .collect();
    let mirror = |devices: &Vec<Device>| devices.iter().map(device).collect::<Option<Vec<_>>>();
    Some(MediaSet {
        key: key.to_owned(),
        name: name + ENDING,
        mirrors: first.mirrors.iter().map(mirror).collect::<Option<_>>()?,
        is_beside: true,
        ..first.clone()
    })
}

fn device(first: &Device) -> Option<Device> {
    let path = first.options.get("path")?.as_str()?;
    let path = format!("{}{ENDING}", path.trim_end_matches('/'));
    let mut options = first.options.clone();
    options.insert("path".to_owned(), Value::String(path));
    Some(Device {
        options,
        ..first.clone()
    })
}

/// The media set that has a device where one of these would lie.
fn taken<'a>(mut sets: impl Iterator<Item = &'a MediaSet>, beside: &MediaSet) -> Option<&'a str> {
    let path = |device: &Device| device.options.get("path").cloned();
    let wanted: Vec<_> = beside.mirrors.iter().flatten().map(path).collect();
    let holds = |set: &&MediaSet| {
        let mut devices = set.mirrors.iter().flatten();
        devices.any(|device| wanted.contains(&path(device)))
    };
    sets.find(holds).map(|set| set.key.as_str())
}

#[cfg(test)]
mod tests;
