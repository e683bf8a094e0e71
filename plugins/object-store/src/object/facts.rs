//! What a bucket is set up to do with what lies in it: keep versions, lock, remove by rules.

use twinset_plugin_api::DeviceError;

use super::bucket::Bucket;
use super::wire::{Ask, Signer, inside, plain};

#[cfg(test)]
mod tests;

/// An answer about a bucket, where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known<T> {
    Yes(T),
    /// The credentials may not ask.
    Denied,
    /// The store has no such call.
    Unasked,
}

/// A rule that does something to objects by their age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) deed: Deed,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Removes what is there: `after 30 days`.
    Removes(String),
    /// Moves it to where it cannot be read at once.
    Freezes(String),
    /// Removes versions that were removed or replaced before.
    Tidies,
}

impl Rule {
    /// True when it reaches objects below this prefix.
    pub(crate) fn reaches(&self, prefix: &str) -> bool {
        prefix.starts_with(&self.prefix) || self.prefix.starts_with(prefix)
    }
}

async fn ask(bucket: &Bucket, query: &str) -> Result<Known<Option<String>>, DeviceError> {
    let Some(wire) = &bucket.wire else {
        return Ok(Known::Unasked);
    };
    if let Signer::Azure { .. } = wire.signer {
        // Azure tells its rules to the management interface alone.
        return Ok(Known::Unasked);
    }
    let ask = Ask {
        method: "GET",
        query: query.to_owned(),
        ..Ask::default()
    };
    let answer = wire.ask("look at the settings of", &ask).await?;
    Ok(match answer.status {
        200 => Known::Yes(Some(answer.body)),
        // Nothing is set.
        404 => Known::Yes(None),
        401 | 403 => Known::Denied,
        _ => Known::Unasked,
    })
}

/// Whether removed and replaced objects stay as old versions.
pub(crate) async fn versioned(bucket: &Bucket) -> Result<Known<bool>, DeviceError> {
    let status = |text: &str| inside(text, "Status").is_some_and(|text| text.trim() == "Enabled");
    Ok(match ask(bucket, "versioning=").await? {
        Known::Yes(text) => Known::Yes(text.as_deref().is_some_and(status)),
        Known::Denied => Known::Denied,
        Known::Unasked => Known::Unasked,
    })
}

/// Whether objects of the bucket can be locked.
pub(crate) async fn lockable(bucket: &Bucket) -> Result<Known<bool>, DeviceError> {
    if let Some(wire) = &bucket.wire
        && let Signer::Azure { .. } = wire.signer
    {
        let ask = Ask {
            method: "HEAD",
            query: "restype=container".into(),
            ..Ask::default()
        };
        let answer = wire.ask("look at", &ask).await?;
        let told = answer.header("x-ms-immutable-storage-with-versioning-enabled");
        return Ok(told.map_or(Known::Unasked, |told| Known::Yes(told == "true")));
    }
    let enabled = |text: &str| inside(text, "ObjectLockEnabled") == Some("Enabled");
    Ok(match ask(bucket, "object-lock=").await? {
        Known::Yes(text) => Known::Yes(text.as_deref().is_some_and(enabled)),
        Known::Denied => Known::Denied,
        Known::Unasked => Known::Unasked,
    })
}

/// The rules by which the store removes and moves objects of its own accord.
pub(crate) async fn rules(bucket: &Bucket) -> Result<Known<Vec<Rule>>, DeviceError> {
    Ok(match ask(bucket, "lifecycle=").await? {
        Known::Yes(text) => Known::Yes(text.as_deref().map_or_else(Vec::new, parse)),
        Known::Denied => Known::Denied,
        Known::Unasked => Known::Unasked,
    })
}

/// Keys and ids of the versions and markers in a list of versions.
pub(crate) fn versions_in(text: &str) -> Vec<(String, String)> {
    let parts = ["Version", "DeleteMarker"].into_iter().flat_map(|tag| {
        let mark = format!("<{tag}>");
        let parts = text.split(mark.as_str()).skip(1);
        parts.map(str::to_owned).collect::<Vec<_>>()
    });
    let of = |part: String| {
        Some((
            plain(inside(&part, "Key")?),
            plain(inside(&part, "VersionId")?),
        ))
    };
    parts.filter_map(of).collect()
}

/// Names and versions in Azure's list of blobs.
pub(crate) fn blobs_in(text: &str) -> Vec<(String, Option<String>)> {
    let parts = text.split("<Blob>").skip(1);
    let of = |part: &str| {
        Some((
            plain(inside(part, "Name")?),
            inside(part, "VersionId").map(plain),
        ))
    };
    parts.filter_map(of).collect()
}

/// Classes of S3 from which objects must be fetched before they can be read.
const FROZEN: &[&str] = &["GLACIER", "DEEP_ARCHIVE"];

/// Reads the rules of S3 and of Google Cloud Storage, which say the same with other words.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>
/// <https://docs.cloud.google.com/storage/docs/xml-api/put-bucket-lifecycle>
fn parse(text: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (number, part) in (1..).zip(text.split("<Rule>").skip(1)) {
        let part = part.split_once("</Rule>").map_or(part, |(part, _)| part);
        let enabled = inside(part, "Status").is_none_or(|status| status.trim() == "Enabled");
        // Our objects bear no tags.
        if !enabled || part.contains("<Tag>") {
            continue;
        }
        let name = inside(part, "ID").filter(|name| !name.is_empty());
        let name = name.map_or_else(|| format!("number {number}"), plain);
        let prefix = inside(part, "Prefix").or_else(|| inside(part, "MatchesPrefix"));
        let prefix = plain(prefix.unwrap_or_default());
        rules.extend(deeds(part).into_iter().map(|deed| Rule {
            name: name.clone(),
            prefix: prefix.clone(),
            deed,
        }));
    }
    rules
}

fn deeds(part: &str) -> Vec<Deed> {
    let when = |part: &str| {
        let days = inside(part, "Days").or_else(|| inside(part, "Age"));
        let date = inside(part, "Date").or_else(|| inside(part, "CreatedBefore"));
        match (days, date) {
            (Some(days), _) => Some(format!("after {} days", days.trim())),
            (None, Some(date)) => Some(format!("on {}", date.trim())),
            (None, None) => None,
        }
    };
    let mut deeds = Vec::new();
    if let Some(when) = inside(part, "Expiration").and_then(when) {
        deeds.push(Deed::Removes(when));
    }
    for moved in part.split("<Transition>").skip(1) {
        let class = inside(moved, "StorageClass").unwrap_or_default();
        if FROZEN.contains(&class) {
            let when = when(moved).unwrap_or_else(|| "at once".into());
            deeds.push(Deed::Freezes(format!("{class} {when}")));
        }
    }
    let old_alone = inside(part, "IsLive").is_some_and(|live| live.trim() == "false");
    if inside(part, "NoncurrentVersionExpiration").is_some() {
        deeds.push(Deed::Tidies);
    }
    if inside(part, "Action").is_some_and(|action| action.contains("<Delete")) {
        deeds.push(if old_alone {
            Deed::Tidies
        } else {
            Deed::Removes(when(part).unwrap_or_else(|| "when its condition holds".into()))
        });
    }
    deeds
}
