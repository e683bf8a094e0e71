//! Tries what the store honours, with a small object of its own beside the volume's, and looks at
//! what the bucket is set up to do.

use bytes::Bytes;
use twinset_plugin_api::{DeviceError, Observation, Observed, Outcome};

use super::bucket::{Bucket, Put};
use super::facts::{self, Deed, Known, Rule};
use super::inspect::inspect;
use super::listing;
use super::mount::ignores;
use super::names::PROBE;
use super::os;
use super::retain::{DAY, Lock, shown};
use super::wire::{Ask, Signer, encode};

/// How long the object of a probe is locked, in seconds: long enough to try to remove it.
const PROOF: i64 = 20;
/// Clocks that differ by more, in seconds, are told: signatures fail at 900.
const SKEW: i64 = 120;

type Told = Vec<Observation>;

fn say(told: &mut Told, level: Observed, text: impl Into<String>) {
    let text = text.into();
    told.push(Observation { level, text });
}

/// Everything that can be seen of the storage behind a volume.
///
/// # Errors
/// The store's, where it does not even answer.
pub(crate) async fn probe(bucket: &Bucket, volume: &str, now_ms: i64) -> Result<Told, DeviceError> {
    let mut told = Vec::new();
    tidy(bucket, volume).await?;
    writes(bucket, volume, now_ms, &mut told).await?;
    locked(bucket, volume, now_ms, &mut told).await?;
    let rules = facts::rules(bucket).await?;
    versions(bucket, &rules, &mut told).await?;
    lifecycle(bucket, &rules, &mut told);
    clock(bucket, now_ms, &mut told).await?;
    Ok(told)
}

/// Create-only puts and, where sections are to be locked, a lock that must hold.
async fn writes(
    bucket: &Bucket,
    volume: &str,
    now_ms: i64,
    told: &mut Told,
) -> Result<(), DeviceError> {
    let key = format!("{volume}/{PROBE}{:016x}", os::mark());
    let mut version = match bucket.put_new(&key, Bytes::from_static(b"probe\n")).await {
        Ok(Put::Done(_, version)) => version,
        Ok(Put::Taken) => None,
        Err(error) if error.outcome == Outcome::WRITE_PROTECTED => {
            let text = "the credentials may read alone: nothing was tried that writes";
            say(told, Observed::Note, text);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    match bucket.put_new(&key, Bytes::from_static(b"again\n")).await {
        Ok(Put::Taken) => {
            say(told, Observed::Ok, "create-only puts are honoured");
        }
        Ok(Put::Done(_, again)) => {
            // That one is what is locked next.
            version = again;
            say(told, Observed::Warning, ignores(bucket));
        }
        Err(error) if error.outcome == Outcome::NOT_SUPPORTED => {
            say(told, Observed::Warning, ignores(bucket));
        }
        Err(error) => return Err(error),
    }
    if let Some(lock) = &bucket.lock {
        prove(bucket, lock, (&key, version.as_deref()), now_ms, told).await?;
    }
    // What is locked is hidden by that; the next probe removes its version.
    bucket.remove(&key).await
}

/// Locks the probe's object and tries to remove it all the same.
async fn prove(
    bucket: &Bucket,
    lock: &Lock,
    (key, version): (&str, Option<&str>),
    now_ms: i64,
    told: &mut Told,
) -> Result<(), DeviceError> {
    if let Err(error) = lock.set(bucket, key, now_ms / 1000 + PROOF).await {
        say(told, Observed::Warning, error.text);
        return Ok(());
    }
    let refused = match remove_version(bucket, key, version).await? {
        None => return Ok(()),
        Some(refused) => refused,
    };
    if refused {
        let text =
            format!("{lock} is in force: the store refused to remove an object locked just now");
        say(told, Observed::Ok, text);
    } else {
        let text =
            format!("{lock} is not in force: the store removed an object that it had locked");
        say(told, Observed::Warning, text);
    }
    Ok(())
}

/// Removes one version for good; says whether the store refused. `None` where it cannot be asked.
async fn remove_version(
    bucket: &Bucket,
    key: &str,
    version: Option<&str>,
) -> Result<Option<bool>, DeviceError> {
    let Some(wire) = &bucket.wire else {
        return Ok(None);
    };
    let name = match wire.signer {
        Signer::S3 { .. } => "versionId",
        Signer::Azure { .. } => "versionid",
        Signer::Gcs { .. } => "generation",
    };
    let query = version.map_or_else(String::new, |id| format!("{name}={}", encode(id)));
    let ask = Ask {
        method: "DELETE",
        key,
        query,
        ..Ask::default()
    };
    let answer = wire.ask("try to remove", &ask).await?;
    Ok(Some(!answer.is_done()))
}

/// Removes what earlier probes had to leave because it was locked.
async fn tidy(bucket: &Bucket, volume: &str) -> Result<(), DeviceError> {
    let Some(wire) = bucket.wire.as_ref().filter(|_| bucket.lock.is_some()) else {
        return Ok(());
    };
    let prefix = format!("{volume}/{PROBE}");
    if let Signer::S3 { .. } = wire.signer {
        let query = format!("prefix={}&versions=", encode(&prefix));
        let ask = Ask {
            method: "GET",
            query,
            ..Ask::default()
        };
        let answer = wire.ask("list the versions of", &ask).await?;
        for (key, version) in facts::versions_in(&answer.body) {
            if key.starts_with(&prefix) {
                remove_version(bucket, &key, Some(&version)).await?;
            }
        }
        return Ok(());
    }
    // Azure lists versions with what else there is of a blob, and only when asked.
    let query = format!(
        "comp=list&include=versions&prefix={}&restype=container",
        encode(&prefix)
    );
    let ask = Ask {
        method: "GET",
        query,
        ..Ask::default()
    };
    let answer = wire.ask("list the versions of", &ask).await?;
    for (name, version) in facts::blobs_in(&answer.body) {
        if name.starts_with(&prefix) {
            remove_version(bucket, &name, version.as_deref()).await?;
        }
    }
    Ok(())
}

/// Whether the newest section is locked as the operator wants it.
async fn locked(
    bucket: &Bucket,
    volume: &str,
    now_ms: i64,
    told: &mut Told,
) -> Result<(), DeviceError> {
    let Some(lock) = &bucket.lock else {
        return Ok(());
    };
    match facts::lockable(bucket).await? {
        Known::Yes(true) | Known::Unasked => {}
        Known::Denied => say(
            told,
            Observed::Note,
            "whether the bucket has object lock is not known: the credentials lack \
             s3:GetBucketObjectLockConfiguration",
        ),
        Known::Yes(false) => {
            let text = format!(
                "{lock}, and the bucket has no object lock: nothing can be written; make a bucket \
                 with object lock, or leave `lock` out"
            );
            say(told, Observed::Warning, text);
            return Ok(());
        }
    }
    let sections = listing::sections(bucket, volume, None).await?;
    let Some(last) = sections.last() else {
        return Ok(());
    };
    let index = last.index;
    let until = inspect(bucket, volume, index).await?.locked_until;
    let now = now_ms / 1000;
    match until.map(|until| {
        if until == i64::MAX {
            until
        } else {
            until / 1000
        }
    }) {
        Some(until) if until > now => {
            let text = format!("section {index} is locked until {}", shown(until));
            say(told, Observed::Ok, text);
        }
        Some(until) => {
            let text = format!(
                "the lock of section {index}, the newest, ended {}",
                shown(until)
            );
            say(told, Observed::Note, text);
        }
        None => {
            let text = format!(
                "{lock}, and section {index}, the newest, is not locked: it was written before \
                 `lock` was set, or somebody took the lock off"
            );
            say(told, Observed::Warning, text);
        }
    }
    Ok(())
}

async fn versions(
    bucket: &Bucket,
    rules: &Known<Vec<Rule>>,
    told: &mut Told,
) -> Result<(), DeviceError> {
    let known = facts::versioned(bucket).await?;
    if known != Known::Yes(true) {
        return Ok(());
    }
    let tidies = match rules {
        Known::Yes(rules) => rules
            .iter()
            .any(|rule| rule.deed == Deed::Tidies && rule.reaches(&bucket.prefix)),
        Known::Denied | Known::Unasked => true,
    };
    if tidies {
        let text =
            "the bucket keeps versions: what is removed stays until its rules remove old ones";
        say(told, Observed::Ok, text);
    } else {
        let text = "the bucket keeps versions and no rule removes old ones: what retention drops \
                    goes on costing; add a lifecycle rule that expires noncurrent versions";
        say(told, Observed::Warning, text);
    }
    Ok(())
}

fn lifecycle(bucket: &Bucket, rules: &Known<Vec<Rule>>, told: &mut Told) {
    let rules = match rules {
        Known::Yes(rules) => rules,
        Known::Denied => {
            let text = "whether lifecycle rules remove objects is not known: the credentials lack \
                        s3:GetLifecycleConfiguration";
            say(told, Observed::Note, text);
            return;
        }
        Known::Unasked => {
            let text = "whether lifecycle rules remove objects cannot be seen from here: look at \
                        the rules of the account or bucket";
            say(told, Observed::Note, text);
            return;
        }
    };
    let mut sound = true;
    for rule in rules.iter().filter(|rule| rule.reaches(&bucket.prefix)) {
        let (name, below) = (&rule.name, &rule.prefix);
        let text = match &rule.deed {
            Deed::Removes(when) => format!(
                "lifecycle rule {name} removes objects below `{below}` {when}: backups would be \
                 lost; change its prefix, Twinset removes what retention lets go"
            ),
            Deed::Freezes(to) => format!(
                "lifecycle rule {name} moves objects below `{below}` to {to}: they cannot be \
                 restored before they are fetched back; change its prefix or its class"
            ),
            Deed::Tidies => continue,
        };
        sound = false;
        say(told, Observed::Warning, text);
    }
    if sound {
        say(
            told,
            Observed::Ok,
            "no lifecycle rule removes or freezes objects here",
        );
    }
}

/// The clock of the store, from the head of an answer.
async fn clock(bucket: &Bucket, now_ms: i64, told: &mut Told) -> Result<(), DeviceError> {
    let Some(wire) = &bucket.wire else {
        return Ok(());
    };
    let query = match wire.signer {
        Signer::Azure { .. } => "restype=container",
        _ => "",
    };
    let ask = Ask {
        method: "HEAD",
        query: query.into(),
        ..Ask::default()
    };
    let answer = wire.ask("look at", &ask).await?;
    let Some(theirs) = answer.header("date").and_then(super::look::moment) else {
        return Ok(());
    };
    let apart = theirs.saturating_sub(now_ms / 1000).abs();
    if apart > SKEW {
        let days = u64::try_from(apart).unwrap_or(0) / DAY;
        let apart = if days > 0 {
            format!("{days} days")
        } else {
            format!("{apart} seconds")
        };
        let text = format!(
            "the clocks of host and store differ by {apart}: set the host's clock (chrony); \
             requests are refused from 15 minutes on"
        );
        say(told, Observed::Warning, text);
    }
    Ok(())
}
