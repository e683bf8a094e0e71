//! What a store says of an object without giving its bytes: length, tag, checksum, lock.

use jiff::Timestamp;
use object_store::ObjectStoreExt as _;
use twinset_plugin_api::DeviceError;

use super::bucket::{Bucket, path};
use super::errors::failed;
use super::wire::{Answer, Ask, Signer, Wire};

/// Checksums of S3 that cover a whole object, the strongest first.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
const SUMS: &[&str] = &["sha256", "crc64nvme", "sha1", "crc32c", "crc32"];

/// An object as its store describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its bytes.
    pub(crate) length: u64,
    /// Its tag, without quotes.
    pub(crate) tag: Option<String>,
    /// A checksum that the store keeps: `sha256:...`.
    pub(crate) sum: Option<String>,
    /// Until when it is locked, in seconds since 1970 UTC; the largest number under a legal hold.
    pub(crate) locked_until: Option<i64>,
}

impl Bucket {
    /// Describes an object; `None` when there is none.
    pub(crate) async fn look(&self, key: &str) -> Result<Option<Seen>, DeviceError> {
        let Some(wire) = &self.wire else {
            let found = self.cloud.head(&path(key)).await;
            return match found {
                Ok(meta) => Ok(Some(Seen {
                    length: meta.size,
                    tag: meta.e_tag.as_deref().and_then(tag),
                    ..Seen::default()
                })),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(failed("look at", key, &error)),
            };
        };
        let headers = match wire.signer {
            Signer::S3 { .. } => vec![("x-amz-checksum-mode", "ENABLED".into())],
            _ => Vec::new(),
        };
        let ask = Ask {
            method: "HEAD",
            key,
            headers,
            ..Ask::default()
        };
        let answer = wire.ask("look at", &ask).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        if !answer.is_done() {
            return Err(failed("look at", key, &answer.refusal()));
        }
        Ok(Some(read(wire, &answer)))
    }
}

fn read(wire: &Wire, answer: &Answer) -> Seen {
    let length = answer.header("content-length");
    let (sum, locked_until) = match wire.signer {
        Signer::S3 { .. } => (s3_sum(answer), s3_lock(answer)),
        Signer::Azure { .. } => (named(answer, "content-md5", "md5"), azure_lock(answer)),
        Signer::Gcs { .. } => (named(answer, "x-goog-hash", "goog"), None),
    };
    Seen {
        length: length.and_then(|text| text.parse().ok()).unwrap_or(0),
        tag: answer.header("etag").and_then(tag),
        sum,
        locked_until,
    }
}

/// A tag as it is compared: some stores quote it, some only sometimes.
pub(crate) fn tag(text: &str) -> Option<String> {
    let plain = text.trim_matches('"');
    (!plain.is_empty()).then(|| plain.to_owned())
}

fn named(answer: &Answer, header: &str, name: &str) -> Option<String> {
    let value = answer.header(header).filter(|value| !value.is_empty());
    value.map(|value| format!("{name}:{value}"))
}

fn s3_sum(answer: &Answer) -> Option<String> {
    let mut found = SUMS.iter();
    found.find_map(|name| named(answer, &format!("x-amz-checksum-{name}"), name))
}

fn s3_lock(answer: &Answer) -> Option<i64> {
    if answer.header("x-amz-object-lock-legal-hold") == Some("ON") {
        return Some(i64::MAX);
    }
    answer
        .header("x-amz-object-lock-retain-until-date")
        .and_then(moment)
}

fn azure_lock(answer: &Answer) -> Option<i64> {
    if answer.header("x-ms-legal-hold") == Some("true") {
        return Some(i64::MAX);
    }
    answer
        .header("x-ms-immutability-policy-until-date")
        .and_then(moment)
}

/// A moment as stores write it, ISO 8601 or as in a header, in seconds.
pub(crate) fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_second());
    }
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(zoned.timestamp().as_second())
}
