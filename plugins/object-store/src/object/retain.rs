//! Locks on objects: set until a day, and believed only when the store has said them back.
//!
//! They are set by a call of their own after an object is complete. Headers on the upload would
//! lock what an upload that dies leaves behind, and some stores take them and lock nothing
//! (radosgw 16, multipart). An object is locked before the seal that names it is put.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use twinset_plugin_api::{DeviceError, Outcome};

use super::bucket::Bucket;
use super::errors::failed;
use super::look::moment;
use super::wire::{Ask, Signer, Wire, inside};

#[cfg(test)]
mod tests;

/// How a lock may end before its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Not at all.
    Compliance,
    /// By whoever has a right of its own for that.
    Governance,
}

impl Mode {
    const fn s3(self) -> &'static str {
        match self {
            Self::Compliance => "COMPLIANCE",
            Self::Governance => "GOVERNANCE",
        }
    }

    const fn azure(self) -> &'static str {
        match self {
            Self::Compliance => "Locked",
            Self::Governance => "Unlocked",
        }
    }
}

/// What the operator wants of every section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) span: Duration,
    pub(crate) mode: Mode,
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lock = \"{}d\"", self.span.as_secs() / DAY)
    }
}

/// Seconds of a day.
pub(crate) const DAY: u64 = 24 * 60 * 60;

impl Lock {
    /// When a lock that is set now ends, in seconds.
    pub(crate) fn end(&self, now_ms: i64) -> i64 {
        let span = i64::try_from(self.span.as_secs()).unwrap_or(i64::MAX);
        (now_ms / 1000).saturating_add(span)
    }

    /// Locks an object until this second, and looks whether it is.
    ///
    /// # Errors
    /// The store's, and [`Outcome::NOT_SUPPORTED`] where it said done and has no such lock.
    pub(crate) async fn set(
        &self,
        bucket: &Bucket,
        key: &str,
        until: i64,
    ) -> Result<(), DeviceError> {
        let Some(wire) = &bucket.wire else {
            let text = format!("{self}: this store has no locks");
            return Err(DeviceError::new(Outcome::NOT_SUPPORTED, text));
        };
        let ask = match wire.signer {
            Signer::S3 { .. } => s3(key, self.mode, until),
            Signer::Azure { .. } => azure(key, self.mode, until),
            Signer::Gcs { .. } => {
                let text = format!("{self}: gs:// has no locks in this release");
                return Err(DeviceError::new(Outcome::NOT_SUPPORTED, text));
            }
        };
        let answer = wire.ask("lock", &ask).await?;
        if !answer.is_done() {
            let mut told = failed("lock", key, &answer.refusal());
            told.text = format!("{self}: {}; {REMEDY}", told.text);
            return Err(told);
        }
        match read(bucket, wire, key).await? {
            Some(found) if found >= until => Ok(()),
            found => {
                let found = found.map_or_else(|| "none".to_owned(), shown);
                let text = format!(
                    "{self}: {key}: the store said done, but has another lock ({found}, wanted {}); {REMEDY}",
                    shown(until)
                );
                Err(DeviceError::new(Outcome::NOT_SUPPORTED, text))
            }
        }
    }
}

const REMEDY: &str = "object lock must be enabled where the bucket lies \
                      (docs/object-store.md), or leave `lock` out";

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html>
fn s3(key: &str, mode: Mode, until: i64) -> Ask<'_> {
    let body = format!(
        "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>{}</Mode>\
         <RetainUntilDate>{}</RetainUntilDate></Retention>",
        mode.s3(),
        iso(until)
    );
    let sum = BASE64_STANDARD.encode(Md5::digest(body.as_bytes()));
    let headers = vec![
        ("content-md5", sum),
        ("content-type", "application/xml".into()),
    ];
    Ask {
        method: "PUT",
        key,
        query: "retention=".into(),
        headers,
        body: Bytes::from(body),
    }
}

/// <https://learn.microsoft.com/rest/api/storageservices/set-blob-immutability-policy>
fn azure(key: &str, mode: Mode, until: i64) -> Ask<'_> {
    let until = Timestamp::from_second(until).unwrap_or(Timestamp::MAX);
    let until = until.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let headers = vec![
        ("x-ms-immutability-policy-until-date", until),
        ("x-ms-immutability-policy-mode", mode.azure().into()),
    ];
    Ask {
        method: "PUT",
        key,
        query: "comp=immutabilityPolicies".into(),
        headers,
        body: Bytes::new(),
    }
}

/// Until when an object is locked: what it says itself, or, where it says nothing, its retention.
async fn read(bucket: &Bucket, wire: &Wire, key: &str) -> Result<Option<i64>, DeviceError> {
    let seen = bucket.look(key).await?.unwrap_or_default();
    if seen.locked_until.is_some() || !matches!(wire.signer, Signer::S3 { .. }) {
        return Ok(seen.locked_until);
    }
    let ask = Ask {
        method: "GET",
        key,
        query: "retention=".into(),
        ..Ask::default()
    };
    let answer = wire.ask("read the lock of", &ask).await?;
    let until = inside(&answer.body, "RetainUntilDate").and_then(moment);
    Ok(until.filter(|_| answer.is_done()))
}

/// A second as ISO 8601.
pub(crate) fn iso(second: i64) -> String {
    let moment = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The end of a lock for people.
pub(crate) fn shown(second: i64) -> String {
    if second == i64::MAX {
        "a legal hold is lifted".into()
    } else {
        iso(second)
    }
}
