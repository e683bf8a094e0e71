//! What lies in a volume: sections, and the attempts behind them.

use std::collections::{BTreeMap, BTreeSet};

use twinset_plugin_api::{DeviceError, SectionEntry};

use super::bucket::{Bucket, SMALL_MAX};
use super::names::{self, Attempt, DATA, Kind, SECTIONS, WORK};
use super::seal::Seal;

/// Objects of one attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The name of the first object, which is the section's.
    pub(crate) name: String,
    /// Bytes in all of them.
    pub(crate) length: u64,
}

/// The data of a volume by section and attempt.
pub(crate) type Data = BTreeMap<u64, BTreeMap<Attempt, Found>>;

/// Lists the data of sections with a number above `after`.
pub(crate) async fn data(
    bucket: &Bucket,
    volume: &str,
    after: Option<u64>,
) -> Result<Data, DeviceError> {
    let from = after.map_or_else(String::new, |index| {
        format!("{:08}", index.saturating_add(1))
    });
    let folder = format!("{volume}/{DATA}");
    let mut data = Data::new();
    for (key, length) in bucket.list_after(&folder, &from, usize::MAX).await? {
        let Kind::Data(attempt, name) = names::classify(&format!("{DATA}/{key}")) else {
            continue;
        };
        let found = data
            .entry(attempt.index)
            .or_default()
            .entry(attempt)
            .or_default();
        if found.name.is_empty() || name < found.name {
            found.name = name;
        }
        found.length = found.length.saturating_add(length);
    }
    Ok(data)
}

/// The seal of a section; `None` when it is not sealed.
pub(crate) async fn seal(
    bucket: &Bucket,
    volume: &str,
    index: u64,
) -> Result<Option<Seal>, DeviceError> {
    let key = format!("{volume}/{}", names::seal(index));
    let found = bucket.get(&key, SMALL_MAX).await?;
    found
        .map(|small| Seal::parse(index, &small.bytes))
        .transpose()
}

/// Closed sections with a number above `after`, in order. Lengths are those of the objects that
/// are there, so that a section whose bytes were cut or removed shows it.
pub(crate) async fn sections(
    bucket: &Bucket,
    volume: &str,
    after: Option<u64>,
) -> Result<Vec<SectionEntry>, DeviceError> {
    let folder = format!("{volume}/{SECTIONS}");
    let from = after.map_or_else(String::new, |index| format!("{index:08}"));
    let seals = bucket.list_after(&folder, &from, usize::MAX).await?;
    let mut data = data(bucket, volume, after).await?;
    let mut entries = Vec::with_capacity(seals.len());
    for (key, _) in seals {
        let Kind::Seal(index) = names::classify(&format!("{SECTIONS}/{key}")) else {
            continue;
        };
        let mut attempts = data.remove(&index).unwrap_or_default();
        let found = match attempts.len() {
            1 => attempts.pop_first().map(|(_, found)| found),
            // A dead repair beside it, or nothing at all: the seal says which one it is.
            _ => sealed(bucket, volume, index, &attempts).await?,
        };
        let found = found.unwrap_or_default();
        entries.push(SectionEntry {
            index,
            length: found.length,
            name: found.name,
        });
    }
    entries.sort_by_key(|entry| entry.index);
    entries.dedup_by_key(|entry| entry.index);
    Ok(entries)
}

async fn sealed(
    bucket: &Bucket,
    volume: &str,
    index: u64,
    attempts: &BTreeMap<Attempt, Found>,
) -> Result<Option<Found>, DeviceError> {
    // A damaged seal is a section that cannot be read; opening it tells why.
    let Ok(Some(seal)) = seal(bucket, volume, index).await else {
        return Ok(None);
    };
    let length = attempts.get(&seal.attempt).map_or(0, |found| found.length);
    let name = seal.name;
    Ok(Some(Found { name, length }))
}

/// Every attempt at one section that left anything.
pub(crate) async fn attempts_of(
    bucket: &Bucket,
    volume: &str,
    index: u64,
) -> Result<BTreeSet<Attempt>, DeviceError> {
    let mut attempts = BTreeSet::new();
    let wanted = format!("{index:08}.");
    for folder in [DATA, WORK] {
        // A list begins behind a key, and goes on until the keys are no longer the section's.
        let place = format!("{volume}/{folder}");
        let ours = |key: &str| key.starts_with(&wanted);
        let number = format!("{index:08}");
        for (key, _) in bucket.list_while(&place, &number, usize::MAX, ours).await? {
            let attempt = key.split('/').next().unwrap_or_default();
            attempts.extend(Attempt::parse(attempt));
        }
    }
    Ok(attempts)
}
