//! The store as the rest of the plugin sees it: keys, bytes, outcomes.

use std::fmt;
use std::future::{Future, ready};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
    UpdateVersion,
};
use twinset_plugin_api::{DeviceError, Outcome};

use super::errors::{failed, is_broken, is_corrupt, is_expired};
use super::pace::Pace;
use super::retain::Lock;
use super::wire::Wire;

/// Times that bytes are sent which did not arrive as they were sent.
const SENDINGS: usize = 3;
/// Times that is asked with credentials that have expired, and the pause in between: whoever renews
/// them may be a moment late.
const RENEWALS: usize = 16;
const RENEWAL: Duration = Duration::from_secs(2);
/// Times that is asked for whose answer broke off, within this time.
const ASKINGS: u32 = 4;
const ASKING: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(100);
/// Longest small object that is read, in bytes.
pub(crate) const SMALL_MAX: u64 = 8 * 1024 * 1024;

/// What a store must be able to do.
pub(crate) trait Cloud: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Cloud for T {}

/// A bucket and the prefix in it that the device was given.
#[derive(Clone)]
pub(crate) struct Bucket {
    pub(crate) cloud: Arc<dyn Cloud>,
    /// Requests that the library does not make; none to a store in memory.
    pub(crate) wire: Option<Arc<Wire>>,
    /// The store lists unfinished uploads.
    pub(crate) lists_uploads: bool,
    /// What locks each section, if the operator wants it.
    pub(crate) lock: Option<Lock>,
    /// Bytes per second, if they are limited.
    pub(crate) pace: Option<Arc<Pace>>,
    /// Parts that a lane has on their way at most.
    pub(crate) parallel: usize,
    /// Without slashes at the ends; may be empty.
    pub(crate) prefix: String,
    /// How messages name it: `s3://bucket/prefix`.
    pub(crate) shown: String,
    /// Most parts and bytes of one object.
    pub(crate) limits: Limits,
}

/// What one object of a provider may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) parts: u64,
    pub(crate) object: u64,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.shown)
    }
}

/// A create-only put that found its place taken.
#[derive(Debug)]
pub(crate) enum Put {
    /// Written, with its tag and its version, where the store tells them.
    Done(Option<String>, Option<String>),
    /// Something has this key.
    Taken,
}

/// A small object with its tag.
#[derive(Debug)]
pub(crate) struct Small {
    pub(crate) bytes: Bytes,
    pub(crate) meta: ObjectMeta,
}

/// A full key as it is. The options have refused prefixes that the library would not take.
pub(crate) fn path(key: &str) -> Path {
    Path::parse(key).unwrap_or_else(|_| Path::from(key))
}

/// Asks, and asks again while the credentials have expired.
pub(crate) async fn renewed<T, F>(ask: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut sent = 1;
    loop {
        match ask().await {
            Err(error) if is_expired(&error) && again(&error, &mut sent).await => {}
            other => return other,
        }
    }
}

/// Asks, and asks again when the answer broke off.
async fn whole<T, F>(ask: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let begun = Instant::now();
    let mut asked = 1;
    loop {
        match renewed(&ask).await {
            Err(error) if asked < ASKINGS && is_broken(&error) && begun.elapsed() < ASKING => {
                tokio::time::sleep(PAUSE * asked).await;
                asked += 1;
            }
            other => return other,
        }
    }
}

/// Whether the same is worth sending once more: bytes that did not arrive as they were sent, at
/// once; credentials that have expired, after a pause in which somebody renews them.
async fn again(error: &Error, sent: &mut usize) -> bool {
    let expired = is_expired(error);
    let most = if expired { RENEWALS } else { SENDINGS };
    if *sent >= most || !(expired || is_corrupt(error)) {
        return false;
    }
    *sent += 1;
    if expired {
        tokio::time::sleep(RENEWAL).await;
    }
    true
}

/// What a condition came to.
pub(crate) fn is_taken(error: &Error, mode: &PutMode) -> bool {
    match (error, mode) {
        (_, PutMode::Overwrite) => false,
        (Error::NotFound { .. }, PutMode::Update(_)) => true,
        (error, _) => matches!(
            error,
            Error::AlreadyExists { .. } | Error::Precondition { .. }
        ),
    }
}

impl Bucket {
    /// Waits until so many bytes may go or come.
    async fn paced(&self, bytes: u64) {
        if let Some(pace) = &self.pace {
            pace.take(bytes).await;
        }
    }

    /// The prefix of a volume.
    pub(crate) fn volume(&self, key: &str) -> String {
        if self.prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{}/{key}", self.prefix)
        }
    }

    /// Writes a small object, not replacing one that is there.
    pub(crate) async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Put, DeviceError> {
        self.put(key, bytes, PutMode::Create).await
    }

    /// Writes an object of our own, replacing what is there.
    pub(crate) async fn put_over(&self, key: &str, bytes: Bytes) -> Result<(), DeviceError> {
        self.put(key, bytes, PutMode::Overwrite).await?;
        Ok(())
    }

    /// Replaces an object that still has this tag.
    pub(crate) async fn put_instead(
        &self,
        key: &str,
        bytes: Bytes,
        meta: &ObjectMeta,
    ) -> Result<Put, DeviceError> {
        // Google Cloud Storage compares generations, the others tags.
        let (e_tag, version) = (meta.e_tag.clone(), meta.version.clone());
        let mode = PutMode::Update(UpdateVersion { e_tag, version });
        self.put(key, bytes, mode).await
    }

    async fn put(&self, key: &str, bytes: Bytes, mode: PutMode) -> Result<Put, DeviceError> {
        if let Some(wire) = self.sender() {
            self.paced(bytes.len() as u64).await;
            return wire.put(key, &bytes, &mode).await;
        }
        let place = path(key);
        let mut sent = 1;
        loop {
            let options = PutOptions::from(mode.clone());
            let payload = PutPayload::from_bytes(bytes.clone());
            self.paced(bytes.len() as u64).await;
            match self.cloud.put_opts(&place, payload, options).await {
                Ok(put) => return Ok(Put::Done(put.e_tag, put.version)),
                Err(error) if again(&error, &mut sent).await => {}
                Err(error) if is_taken(&error, &mode) => return Ok(Put::Taken),
                Err(error) => return Err(failed("put", key, &error)),
            }
        }
    }

    /// Where what is sent is compared with its checksum on arrival, if the library does not see
    /// to that.
    fn sender(&self) -> Option<&Arc<Wire>> {
        self.wire.as_ref().filter(|wire| wire.sends())
    }

    /// Sends one part.
    pub(crate) async fn put_part(
        &self,
        key: &str,
        id: &String,
        number: usize,
        bytes: &Bytes,
    ) -> Result<object_store::multipart::PartId, DeviceError> {
        if let Some(wire) = self.sender() {
            self.paced(bytes.len() as u64).await;
            return wire.put_part(key, id, number, bytes).await;
        }
        let place = path(key);
        let mut sent = 1;
        loop {
            let payload = PutPayload::from_bytes(bytes.clone());
            self.paced(bytes.len() as u64).await;
            match self.cloud.put_part(&place, id, number, payload).await {
                Ok(part) => return Ok(part),
                Err(error) if again(&error, &mut sent).await => {}
                Err(error) => {
                    let doing = format!("upload part {} of", number + 1);
                    return Err(failed(&doing, key, &error));
                }
            }
        }
    }

    /// Reads a small object whole; `None` when there is none.
    pub(crate) async fn get(&self, key: &str, most: u64) -> Result<Option<Small>, DeviceError> {
        let place = path(key);
        let read = whole(|| async {
            let got = self.cloud.get_opts(&place, GetOptions::default()).await?;
            let meta = got.meta.clone();
            if meta.size > most {
                return Ok((meta, None));
            }
            Ok((meta, Some(got.bytes().await?)))
        });
        match read.await {
            Ok((meta, Some(bytes))) => Ok(Some(Small { bytes, meta })),
            Ok((meta, None)) => {
                let text = format!("{key} has {} bytes, at most {most} expected", meta.size);
                Err(DeviceError::new(Outcome::PERMANENT, text))
            }
            Err(error) => none_if_missing(failed("get", key, &error)),
        }
    }

    /// Reads a piece of an object, into memory of its length: what is collected first and made one
    /// piece then is there twice.
    pub(crate) async fn get_range(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<Bytes, DeviceError> {
        let (place, wanted) = (path(key), range.end - range.start);
        self.paced(wanted).await;
        let got = whole(|| async {
            let options = GetOptions::new().with_range(Some(range.clone()));
            let mut pieces = self.cloud.get_opts(&place, options).await?.into_stream();
            let mut bytes = BytesMut::with_capacity(usize::try_from(wanted).unwrap_or_default());
            while let Some(piece) = pieces.try_next().await? {
                bytes.extend_from_slice(&piece);
            }
            Ok(bytes.freeze())
        });
        let bytes = got.await.map_err(|error| failed("read", key, &error))?;
        if bytes.len() as u64 == wanted {
            return Ok(bytes);
        }
        let text = format!("read {key}: {} bytes came of {wanted}", bytes.len());
        Err(DeviceError::new(Outcome::TRANSIENT, text))
    }

    /// Size and tag of an object; `None` when there is none.
    pub(crate) async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, DeviceError> {
        let place = path(key);
        match renewed(|| self.cloud.head(&place)).await {
            Ok(meta) => Ok(Some(meta)),
            Err(error) => none_if_missing(failed("look at", key, &error)),
        }
    }

    /// Removes an object; one that is not there is as good.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), DeviceError> {
        let place = path(key);
        match renewed(|| self.cloud.delete(&place)).await {
            Ok(()) => Ok(()),
            Err(error) => none_if_missing(failed("remove", key, &error)).map(|_: Option<()>| ()),
        }
    }

    /// Objects below a folder, in no promised order: key within `folder` and size.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<(String, u64)>, DeviceError> {
        self.list_after(folder, "", usize::MAX).await
    }

    /// At most `max` objects below a folder whose key within it sorts after this, in order.
    pub(crate) async fn list_after(
        &self,
        folder: &str,
        after: &str,
        max: usize,
    ) -> Result<Vec<(String, u64)>, DeviceError> {
        self.list_while(folder, after, max, |_| true).await
    }

    /// The same, up to the first key that is not `wanted`.
    pub(crate) async fn list_while(
        &self,
        folder: &str,
        after: &str,
        max: usize,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, u64)>, DeviceError> {
        let (place, from) = (path(folder), path(&format!("{folder}/{after}")));
        let read = whole(|| async {
            let found = if after.is_empty() {
                self.cloud.list(Some(&place))
            } else {
                self.cloud.list_with_offset(Some(&place), &from)
            };
            found
                .try_filter_map(|meta| ready(Ok(within(folder, &meta))))
                .try_filter(|(key, _)| ready(key.as_str() > after))
                .try_take_while(|(key, _)| ready(Ok(wanted(key))))
                .take(max)
                .try_collect()
                .await
        });
        read.await.map_err(|error| failed("list", folder, &error))
    }

    /// What stands directly in a folder: objects with their sizes, and folders.
    pub(crate) async fn level(
        &self,
        folder: &str,
    ) -> Result<(Vec<(String, u64)>, Vec<String>), DeviceError> {
        let place = Some(path(folder)).filter(|_| !folder.is_empty());
        let found = whole(|| self.cloud.list_with_delimiter(place.as_ref())).await;
        let shown = if folder.is_empty() {
            &self.shown
        } else {
            folder
        };
        let found = found.map_err(|error| failed("list", shown, &error))?;
        let objects = found.objects.iter().filter_map(|meta| within(folder, meta));
        let folders = found.common_prefixes.iter();
        let folders = folders.filter_map(|place| strip(folder, place.as_ref()).map(str::to_owned));
        Ok((objects.collect(), folders.collect()))
    }
}

fn none_if_missing<T>(error: DeviceError) -> Result<Option<T>, DeviceError> {
    match error.outcome {
        Outcome::NOT_FOUND => Ok(None),
        _ => Err(error),
    }
}

fn within(folder: &str, meta: &ObjectMeta) -> Option<(String, u64)> {
    let key = strip(folder, meta.location.as_ref())?;
    Some((key.to_owned(), meta.size))
}

fn strip<'a>(folder: &str, key: &'a str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(key);
    }
    key.strip_prefix(folder)?.strip_prefix('/')
}
