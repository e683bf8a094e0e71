//! Records: small objects, create-only.

use bytes::Bytes;
use twinset_plugin_api::v1::RECORD_MAX;
use twinset_plugin_api::{DeviceError, RecordEntry};

use super::bucket::{Bucket, Put};
use super::errors::{exists, missing};
use super::mount::Volume;
use super::names::{self, RECORDS};

/// Writes a record where none of its name is.
pub(crate) async fn put(
    bucket: &Bucket,
    volume: &Volume,
    name: &str,
    bytes: Bytes,
) -> Result<(), DeviceError> {
    let key = format!("{}/{}", volume.folder, names::record(name)?);
    let taken = || exists(&format!("record {name}"));
    // Who only reads never probed the store; neither is bound to a store that ignores conditions.
    if !volume.create_only && bucket.head(&key).await?.is_some() {
        return Err(taken());
    }
    match bucket.put_new(&key, bytes).await? {
        Put::Done(..) => Ok(()),
        Put::Taken => Err(taken()),
    }
}

/// Reads a whole record.
pub(crate) async fn get(
    bucket: &Bucket,
    volume: &Volume,
    name: &str,
) -> Result<Vec<u8>, DeviceError> {
    let key = format!("{}/{}", volume.folder, names::record(name)?);
    let found = bucket.get(&key, RECORD_MAX as u64).await?;
    let found = found.ok_or_else(|| missing(&format!("record {name}")))?;
    Ok(found.bytes.to_vec())
}

/// Removes a record.
pub(crate) async fn remove(
    bucket: &Bucket,
    volume: &Volume,
    name: &str,
) -> Result<(), DeviceError> {
    let key = format!("{}/{}", volume.folder, names::record(name)?);
    // S3 does not say whether there was anything to remove.
    if bucket.head(&key).await?.is_none() {
        return Err(missing(&format!("record {name}")));
    }
    bucket.remove(&key).await
}

/// At most `max` records whose name sorts after `after`.
pub(crate) async fn list(
    bucket: &Bucket,
    volume: &Volume,
    after: &str,
    max: usize,
) -> Result<Vec<RecordEntry>, DeviceError> {
    let folder = format!("{}/{RECORDS}", volume.folder);
    let found = bucket.list_after(&folder, after, max).await?;
    let entries = found.into_iter();
    let named = entries.filter(|(name, _)| names::record(name).is_ok());
    Ok(named
        .map(|(name, length)| RecordEntry { name, length })
        .collect())
}
