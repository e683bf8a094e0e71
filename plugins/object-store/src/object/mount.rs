//! Volumes of a prefix: finding, making, opening, locking one.

use serde_json::{Value, json};
use twinset_plugin_api::{Access, DeviceError, Leftover, Level, Mount, Outcome, VolumeEntry};

use super::bucket::{Bucket, SMALL_MAX};
use super::errors::misused;
use super::leftovers;
use super::lock::Lock;
use super::names;
use super::runner::Runner;

/// Keys that a message names before it stops.
const NAMED_KEYS: usize = 8;

/// A mounted volume.
#[derive(Debug)]
pub(crate) struct Volume {
    /// Its prefix in the bucket.
    pub(crate) folder: String,
    /// Held under write access.
    pub(crate) lock: Option<Lock>,
    /// The store was seen to refuse a create-only put where something is. Not known to readers.
    pub(crate) create_only: bool,
    /// It was mounted to be made.
    pub(crate) made: bool,
    /// What an operator should know of the store.
    pub(crate) alerts: String,
}

/// What is said of a store that ignores the condition of a create-only put.
pub(crate) fn ignores(bucket: &Bucket) -> String {
    format!(
        "{} does not honour create-only puts: two writers could replace each other's objects, so \
         the volume rests on its agent writing alone",
        bucket.shown
    )
}

/// Brings a volume in.
pub(crate) fn mount(
    bucket: &Bucket,
    wanted: Mount<'_>,
    agent: &str,
    access: Access,
    runner: &Runner,
) -> Result<Volume, DeviceError> {
    let (Mount::Existing(key) | Mount::Blank(key)) = wanted;
    names::check_key(key)?;
    let folder = bucket.volume(key);
    let blank = matches!(wanted, Mount::Blank(_));
    if blank {
        if access == Access::Read {
            return Err(misused("a blank volume needs write access"));
        }
    } else {
        runner.wait(find(bucket, &folder, key))?;
    }
    let lock = match access {
        Access::Read => None,
        Access::Write => Some(Lock::take(bucket, &folder, agent, false, runner)?),
        Access::TakeOver => Some(Lock::take(bucket, &folder, agent, true, runner)?),
    };
    let create_only = lock.as_ref().is_some_and(|lock| lock.create_only);
    let facts = format!("{folder}/{}", names::STORE);
    if blank {
        runner.wait(check_blank(bucket, &folder, key))?;
        let value = json!({ "format": 1, "create_only": create_only });
        runner.wait(bucket.put_over(&facts, format!("{value}\n").into()))?;
    }
    let honours = if lock.is_some() {
        create_only
    } else {
        let said = runner.wait(bucket.get(&facts, SMALL_MAX))?;
        let said = said.and_then(|small| serde_json::from_slice::<Value>(&small.bytes).ok());
        said.is_none_or(|value| value["create_only"] != json!(false))
    };
    let mut alerts = String::new();
    if !honours {
        alerts = ignores(bucket);
        runner.host.log(Level::Warn, &alerts);
    }
    Ok(Volume {
        folder,
        lock,
        create_only,
        made: blank,
        alerts,
    })
}

/// Removes what making a volume put, where nothing else was put into it.
pub(crate) async fn unmake(bucket: &Bucket, folder: &str) -> Result<(), DeviceError> {
    let found = bucket.list_after(folder, "", 4).await?;
    let ours = |name: &str| name == names::STORE || name == names::LOCK;
    if found.iter().all(|(name, _)| ours(name)) {
        bucket.remove(&format!("{folder}/{}", names::STORE)).await?;
    }
    Ok(())
}

/// Looks whether there is such a volume, and what else there is.
async fn find(bucket: &Bucket, folder: &str, key: &str) -> Result<(), DeviceError> {
    if !bucket.list_after(folder, "", 1).await?.is_empty() {
        return Ok(());
    }
    let shown = &bucket.shown;
    let others = keys(bucket).await?;
    if others.is_empty() {
        let text = format!("{shown} holds no volume {key}; is it the right bucket and prefix?");
        return Err(DeviceError::new(Outcome::NO_MEDIUM, text));
    }
    let more = if others.len() > NAMED_KEYS {
        ", ..."
    } else {
        ""
    };
    let named: Vec<&str> = others.iter().take(NAMED_KEYS).map(String::as_str).collect();
    let named = named.join(", ");
    let text = format!("{shown} holds no volume {key}, but {named}{more}");
    Err(DeviceError::new(Outcome::WRONG_MEDIUM, text))
}

async fn check_blank(bucket: &Bucket, folder: &str, key: &str) -> Result<(), DeviceError> {
    for (what, kind) in [(names::SECTIONS, "sections"), (names::RECORDS, "records")] {
        let found = bucket
            .list_after(&format!("{folder}/{what}"), "", 1)
            .await?;
        if !found.is_empty() {
            let text = format!("volume {key} is not blank: it holds {kind}");
            return Err(DeviceError::new(Outcome::EXISTS, text));
        }
    }
    Ok(())
}

/// Keys of the volumes below the prefix: folders that hold a section.
async fn keys(bucket: &Bucket) -> Result<Vec<String>, DeviceError> {
    let (_, folders) = bucket.level(&bucket.prefix).await?;
    let mut keys = Vec::new();
    for key in folders {
        if names::check_key(&key).is_err() {
            continue;
        }
        let sections = format!("{}/{}", bucket.volume(&key), names::SECTIONS);
        if !bucket.list_after(&sections, "", 1).await?.is_empty() {
            keys.push(key);
        }
    }
    keys.sort();
    Ok(keys)
}

/// The volumes below the prefix, by key. How many sections each holds would take a list of each.
pub(crate) async fn volumes(bucket: &Bucket) -> Result<Vec<VolumeEntry>, DeviceError> {
    let keys = keys(bucket).await?.into_iter();
    let sections = None;
    Ok(keys.map(|key| VolumeEntry { key, sections }).collect())
}

/// Objects beside the volumes that no volume of ours explains, by name: what formatting asks about
/// before it makes a volume here.
pub(crate) async fn foreign(bucket: &Bucket) -> Result<Vec<Leftover>, DeviceError> {
    let (objects, folders) = bucket.level(&bucket.prefix).await?;
    let mut found: Vec<String> = objects.into_iter().map(|(name, _)| name).collect();
    for name in folders {
        let ours = names::check_key(&name).is_ok() && {
            let (objects, folders) = bucket.level(&bucket.volume(&name)).await?;
            let mut inside = objects.iter().map(|(name, _)| name).chain(&folders);
            inside.all(|name| names::is_top(name))
        };
        if !ours {
            found.push(name);
        }
    }
    found.sort();
    Ok(found.into_iter().map(leftovers::beside).collect())
}
