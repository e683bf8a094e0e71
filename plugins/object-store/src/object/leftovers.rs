//! What dead runs left, and what is not ours.

use std::collections::BTreeMap;

use serde_json::Value;
use twinset_plugin_api::{DeviceError, Leftover};

use super::bucket::{Bucket, SMALL_MAX, path};
use super::errors::{failed, misused};
use super::listing;
use super::names::{self, Attempt, Kind};
use super::uploads;

/// Unfinished attempts and foreign objects, by name; `own` is the attempt that is open now.
pub(crate) async fn find(
    bucket: &Bucket,
    volume: &str,
    own: Option<&str>,
) -> Result<Vec<Leftover>, DeviceError> {
    let mut attempts: BTreeMap<Attempt, (u64, bool)> = BTreeMap::new();
    let mut sealed: BTreeMap<u64, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (key, length) in bucket.list(volume).await? {
        match names::classify(&key) {
            Kind::Data(attempt, _) => attempts.entry(attempt).or_default().0 += length,
            Kind::Work(attempt) => attempts.entry(attempt).or_default().1 = true,
            Kind::Seal(index) => {
                sealed.insert(index, 0);
            }
            Kind::Record(_) | Kind::Own => {}
            Kind::Foreign => found.push(Leftover {
                length,
                ..beside(key)
            }),
        }
    }
    for key in open_uploads(bucket, volume).await? {
        if let Some(attempt) = attempt_of(&key.0) {
            attempts.entry(attempt).or_default().1 = true;
        }
    }
    for attempt in attempts.keys() {
        sealed.entry(attempt.index).and_modify(|count| *count += 1);
    }
    for (attempt, (length, begun)) in attempts {
        let name = attempt.name();
        if own == Some(name.as_str()) {
            continue;
        }
        if let Some(count) = sealed.get(&attempt.index) {
            // One attempt behind a seal is the section itself, unless a work object is left too.
            if *count == 1 && !begun {
                continue;
            }
            let seal = listing::seal(bucket, volume, attempt.index).await?;
            let is_section = seal.is_some_and(|seal| seal.attempt == attempt);
            if is_section && !begun {
                continue;
            }
        }
        found.push(Leftover {
            name,
            run_id: Some(attempt.run_id),
            index: Some(attempt.index),
            length,
        });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.dedup_by(|a, b| a.name == b.name);
    Ok(found)
}

/// Something foreign; nobody asks how long it is.
pub(crate) fn beside(mut name: String) -> Leftover {
    let mut end = name.len().min(255);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    Leftover {
        name,
        run_id: None,
        index: None,
        length: 0,
    }
}

/// Removes a leftover by its name; never a section.
pub(crate) async fn remove_named(
    bucket: &Bucket,
    volume: &str,
    name: &str,
) -> Result<(), DeviceError> {
    let foreign = || misused("not unfinished work of ours; foreign objects are left alone");
    let attempt = Attempt::parse(name).ok_or_else(foreign)?;
    let seal = listing::seal(bucket, volume, attempt.index).await?;
    if seal.is_some_and(|seal| seal.attempt == attempt) {
        // The run died between the seal and its own tidying.
        abort_uploads(bucket, volume, &attempt).await?;
        return bucket.remove(&format!("{volume}/{}", attempt.work())).await;
    }
    remove(bucket, volume, &attempt).await
}

/// Removes everything of an attempt: uploads, objects, and the intent last.
pub(crate) async fn remove(
    bucket: &Bucket,
    volume: &str,
    attempt: &Attempt,
) -> Result<(), DeviceError> {
    abort_uploads(bucket, volume, attempt).await?;
    let folder = format!("{volume}/{}", attempt.folder());
    for (name, _) in bucket.list(&folder).await? {
        bucket.remove(&format!("{folder}/{name}")).await?;
    }
    bucket.remove(&format!("{volume}/{}", attempt.work())).await
}

async fn abort_uploads(
    bucket: &Bucket,
    volume: &str,
    attempt: &Attempt,
) -> Result<(), DeviceError> {
    let noted = bucket
        .get(&format!("{volume}/{}", attempt.work()), SMALL_MAX)
        .await?;
    let note: Option<Value> = noted.and_then(|small| serde_json::from_slice(&small.bytes).ok());
    let listed = note.as_ref().and_then(|note| note["uploads"].as_array());
    let folder = format!("{volume}/{}", attempt.folder());
    let mut uploads: Vec<(String, String)> = listed
        .into_iter()
        .flatten()
        .filter_map(|upload| Some((upload["key"].as_str()?, upload["upload"].as_str()?)))
        .filter(|(key, _)| key.starts_with(&folder))
        .map(|(key, id)| (key.to_owned(), id.to_owned()))
        .collect();
    // Some stores list the uploads of a whole key alone, others those of a folder.
    let mut places = vec![folder.clone()];
    let name = note.as_ref().and_then(|note| note["name"].as_str());
    places.extend(name.map(|name| format!("{folder}/{name}")));
    for place in places {
        uploads.extend(open_uploads(bucket, &place).await?);
    }
    uploads.sort();
    uploads.dedup();
    for (key, id) in uploads {
        match bucket.cloud.abort_multipart(&path(&key), &id).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            // An upload that was completed is gone, which radosgw and others call an error.
            Err(error) if !is_completed(bucket, &folder, &key, &id).await? => {
                return Err(failed("abort the upload of", &key, &error));
            }
            Err(_) => {}
        }
    }
    Ok(())
}

/// True when an upload is no more, because its object is there or the store lists it no longer.
async fn is_completed(
    bucket: &Bucket,
    folder: &str,
    key: &str,
    id: &str,
) -> Result<bool, DeviceError> {
    if bucket.head(key).await?.is_some() {
        return Ok(true);
    }
    let there = open_uploads(bucket, folder).await?;
    Ok(bucket.lists_uploads && there.iter().all(|(_, open)| open != id))
}

async fn open_uploads(bucket: &Bucket, place: &str) -> Result<Vec<(String, String)>, DeviceError> {
    // Azure forgets blocks that no list names by itself, and cannot list them before.
    match bucket.wire.as_ref().filter(|_| bucket.lists_uploads) {
        Some(wire) => uploads::list(wire, place).await,
        None => Ok(Vec::new()),
    }
}

fn attempt_of(key: &str) -> Option<Attempt> {
    key.split('/').find_map(Attempt::parse)
}
