//! The exclusive lock of a volume: a small object, put create-only, with the agent's id.
//!
//! An object does not go away with the process that put it. So the holder renews it, whoever is the
//! same agent takes it from a process that is gone, and everybody else may take it once it was not
//! renewed for [`LEASE`]. Before anything is sealed the holder looks whether the lock is still its
//! own: a writer that slept through its lease seals nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use twinset_plugin_api::{DeviceError, Level, Outcome};

use super::bucket::{Bucket, Put, SMALL_MAX, Small};
use super::holder::Holder;
use super::names;
use super::runner::Runner;

/// How long a lock stands that nobody renews. Signed requests fail when the clocks of host and
/// store differ by 15 minutes, so this cannot be a mere difference of clocks.
const LEASE: Duration = Duration::from_secs(30 * 60);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(5 * 60);
/// Times that a lock may change under our hands before we give up.
const ATTEMPTS: usize = 4;
/// How long letting go may take.
const LETTING_GO: Duration = Duration::from_secs(10);

/// Marks of the locks that this process holds.
static OURS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn ours() -> std::sync::MutexGuard<'static, Vec<String>> {
    OURS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lock; dropping lets go of it.
#[derive(Debug)]
pub(crate) struct Lock {
    bucket: Bucket,
    key: String,
    holder: Holder,
    lost: Arc<AtomicBool>,
    renewing: tokio::task::JoinHandle<()>,
    runner: Runner,
    /// The store refuses a create-only put where something is.
    pub(crate) create_only: bool,
}

impl Lock {
    /// Takes the lock of a volume for an agent.
    ///
    /// # Errors
    /// [`Outcome::LOCKED`] with the holder, and the store's.
    pub(crate) fn take(
        bucket: &Bucket,
        volume: &str,
        agent: &str,
        take_over: bool,
        runner: &Runner,
    ) -> Result<Self, DeviceError> {
        let key = format!("{volume}/{}", names::LOCK);
        let holder = Holder::here(agent);
        let now = runner.host.now();
        ours().push(holder.mark.clone());
        let taken = runner.wait(acquire(bucket, &key, &holder, take_over, now));
        let create_only = match taken {
            Ok(create_only) => create_only,
            Err(error) => {
                forget(&holder.mark);
                return Err(error);
            }
        };
        let lost = Arc::new(AtomicBool::new(false));
        let renewing = runner.spawn(renew(
            bucket.clone(),
            key.clone(),
            holder.clone(),
            Arc::clone(&lost),
            runner.clone(),
        ));
        Ok(Self {
            bucket: bucket.clone(),
            key,
            holder,
            lost,
            renewing,
            runner: runner.clone(),
            create_only,
        })
    }

    /// Looks whether the lock is still ours.
    ///
    /// # Errors
    /// [`Outcome::LOCKED`] with the new holder when it is not.
    pub(crate) async fn check(&self) -> Result<(), DeviceError> {
        let found = self.bucket.get(&self.key, SMALL_MAX).await?;
        let found = found.map(|small| Holder::parse(&small.bytes));
        match found {
            Some(holder) if holder.mark == self.holder.mark => Ok(()),
            other => {
                self.lost.store(true, Ordering::Relaxed);
                let text = other.map_or_else(|| "nobody\tthe lock is gone".into(), |h| h.text());
                Err(DeviceError::new(Outcome::LOCKED, text))
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.renewing.abort();
        if !self.lost.load(Ordering::Relaxed) {
            let gone = self.runner.finish(LETTING_GO, async {
                self.check().await?;
                self.bucket.remove(&self.key).await
            });
            if let Err(error) = gone {
                // What stays is taken by this agent's next run, or by anyone after the lease.
                let text = format!("the lock {} stays behind: {}", self.key, error.text);
                self.runner.host.log(Level::Warn, &text);
            }
        }
        forget(&self.holder.mark);
    }
}

fn forget(mark: &str) {
    ours().retain(|known| known != mark);
}

/// Takes the lock; says whether the store honours create-only.
async fn acquire(
    bucket: &Bucket,
    key: &str,
    holder: &Holder,
    take_over: bool,
    now: i64,
) -> Result<bool, DeviceError> {
    for _ in 0..ATTEMPTS {
        // First a look: a store that ignores the condition would replace the lock of another.
        let done = match bucket.get(key, SMALL_MAX).await? {
            None => bucket.put_new(key, holder.to_bytes()).await?,
            Some(found) => {
                let theirs = Holder::parse(&found.bytes);
                if theirs.mark == holder.mark {
                    // Our own put, whose answer was lost.
                    return probe(bucket, key, holder).await;
                }
                if !take_over && !may_take(&theirs, holder, &found, now) {
                    return Err(DeviceError::new(Outcome::LOCKED, theirs.text()));
                }
                replace(bucket, key, holder, &found).await?
            }
        };
        if let Put::Done(..) = done {
            return probe(bucket, key, holder).await;
        }
    }
    let text = format!("the lock {key} is replaced again and again");
    Err(DeviceError::new(Outcome::TRANSIENT, text))
}

fn may_take(theirs: &Holder, us: &Holder, found: &Small, now: i64) -> bool {
    // Our own process: a device of it that is closed, or one that still writes.
    let same_process = theirs.process == us.process && theirs.host == us.host;
    if theirs.agent == us.agent && same_process {
        return !ours().contains(&theirs.mark);
    }
    let age = now.saturating_sub(found.meta.last_modified.timestamp_millis());
    let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
    theirs.left_to(us) || age > lease
}

/// Replaces a lock that nobody changed since we looked.
async fn replace(
    bucket: &Bucket,
    key: &str,
    holder: &Holder,
    found: &Small,
) -> Result<Put, DeviceError> {
    let put = bucket
        .put_instead(key, holder.to_bytes(), &found.meta)
        .await?;
    if let Put::Done(..) = put {
        return Ok(put);
    }
    // Some gateways refuse even the right tag (radosgw 16). Where the lock is unchanged, it goes
    // first and whoever puts it next has it.
    match bucket.get(key, SMALL_MAX).await? {
        Some(again) if again.bytes == found.bytes => {
            bucket.remove(key).await?;
            bucket.put_new(key, holder.to_bytes()).await
        }
        _ => Ok(Put::Taken),
    }
}

/// Puts our lock a second time, which must be refused. The bytes are ours either way.
async fn probe(bucket: &Bucket, key: &str, holder: &Holder) -> Result<bool, DeviceError> {
    match bucket.put_new(key, holder.to_bytes()).await {
        Ok(Put::Taken) => Ok(true),
        Ok(Put::Done(..)) => Ok(false),
        Err(error) if error.outcome == Outcome::NOT_SUPPORTED => Ok(false),
        Err(error) => Err(error),
    }
}

/// Renews the lock until told to stop. A renewal that fails is tried again with the next.
async fn renew(
    bucket: Bucket,
    key: String,
    mut holder: Holder,
    lost: Arc<AtomicBool>,
    runner: Runner,
) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        let Ok(Some(found)) = bucket.get(&key, SMALL_MAX).await else {
            continue;
        };
        let theirs = Holder::parse(&found.bytes);
        if theirs.mark != holder.mark {
            lost.store(true, Ordering::Relaxed);
            let text = format!("the lock {key} was taken by {}", theirs.text());
            runner.host.log(Level::Error, &text);
            return;
        }
        holder.renewal += 1;
        let put = bucket
            .put_instead(&key, holder.to_bytes(), &found.meta)
            .await;
        if let Ok(Put::Taken) = put {
            // The tag is refused though the lock is ours: see `replace`.
            let still = bucket.get(&key, SMALL_MAX).await;
            if still.is_ok_and(|still| still.is_some_and(|still| still.bytes == found.bytes)) {
                let _ = bucket.put_over(&key, holder.to_bytes()).await;
            }
        }
    }
}
