//! A section on its way: an attempt that becomes a section when its seal is put.

use std::time::Duration;

use bytes::Bytes;
use twinset_plugin_api::{DeviceError, Level, Outcome, SectionMode, SectionRequest};

use super::bucket::{Bucket, Put, SMALL_MAX};
use super::errors::exists;
use super::leftovers;
use super::listing;
use super::mount::Volume;
use super::names::{self, Attempt};
use super::os;
use super::retain::Lock;
use super::runner::Runner;
use super::seal::Seal;
use super::upload::{Upload, plan};

/// How long giving a section up may take.
const ABORT: Duration = Duration::from_secs(30);

/// An open section.
#[derive(Debug)]
pub(crate) struct Work {
    name: String,
    mode: SectionMode,
    upload: Upload,
}

impl Work {
    /// Begins a section; its number must be free, unless it repairs one.
    pub(crate) fn begin(
        bucket: &Bucket,
        volume: &Volume,
        request: &SectionRequest<'_>,
        runner: &Runner,
    ) -> Result<Self, DeviceError> {
        names::check_section(request.index, request.name)?;
        if request.mode == SectionMode::New {
            let key = format!("{}/{}", volume.folder, names::seal(request.index));
            if runner.wait(bucket.head(&key))?.is_some() {
                return Err(exists(&format!("section {}", request.index)));
            }
        }
        let attempt = Attempt {
            index: request.index,
            run_id: request.run_id,
            mark: os::mark(),
        };
        let name = request.name.to_owned();
        let plan = plan(request.expected_length, bucket.limits, bucket.parallel);
        let folder = volume.folder.clone();
        Ok(Self {
            name: name.clone(),
            mode: request.mode,
            upload: Upload::new(bucket.clone(), folder, attempt, name, plan),
        })
    }

    /// The attempt's name, which would be its leftover's.
    pub(crate) fn attempt(&self) -> String {
        self.upload.attempt.name()
    }

    /// Takes all of `bytes`.
    pub(crate) fn write(&mut self, bytes: &[u8], runner: &Runner) -> Result<(), DeviceError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.upload.fill(rest);
            rest = rest.get(taken..).unwrap_or_default();
            if self.upload.is_full() {
                runner.wait(self.upload.send())?;
            }
        }
        Ok(())
    }

    /// All bytes durable.
    pub(crate) fn sync(&mut self, runner: &Runner) -> Result<(), DeviceError> {
        runner.wait(self.upload.sync())
    }

    /// Complete, checked, sealed.
    pub(crate) fn end(
        &mut self,
        bucket: &Bucket,
        volume: &Volume,
        runner: &Runner,
    ) -> Result<(), DeviceError> {
        runner.wait(async {
            let pieces = self.upload.finish().await?;
            let seal = Seal {
                attempt: self.upload.attempt.clone(),
                name: self.name.clone(),
                pieces,
            };
            let until = bucket.lock.map(|lock| (lock, lock.end(runner.host.now())));
            if let Some((lock, until)) = until {
                for piece in &seal.pieces {
                    let folder = format!("{}/{}", volume.folder, seal.attempt.folder());
                    let key = format!("{folder}/{}", piece.name);
                    lock.set(bucket, &key, until).await?;
                }
            }
            if let Some(lock) = &volume.lock {
                lock.check().await?;
            }
            match self.mode {
                SectionMode::New => put_new(bucket, volume, &seal).await?,
                SectionMode::Repair => put_repaired(bucket, volume, &seal).await?,
            }
            match until {
                Some((lock, until)) => lock_seal(bucket, volume, &seal, lock, until).await,
                None => Ok(()),
            }
        })?;
        if self.upload.is_noted() {
            let work = format!("{}/{}", volume.folder, self.upload.attempt.work());
            if let Err(error) = runner.finish(ABORT, bucket.remove(&work)) {
                // The section is there; what stays is a leftover that recovery removes.
                runner.host.log(Level::Warn, &error.text);
            }
        }
        Ok(())
    }

    /// Removes what was written.
    pub(crate) fn abort(
        mut self,
        bucket: &Bucket,
        volume: &Volume,
        runner: &Runner,
    ) -> Result<(), DeviceError> {
        runner.finish(ABORT, async {
            self.upload.stop().await;
            leftovers::remove(bucket, &volume.folder, &self.upload.attempt).await
        })
    }

    /// Lets go of it without removing anything, as a crash would.
    pub(crate) fn leave(mut self, runner: &Runner) {
        let stopped = async {
            self.upload.stop().await;
            Ok(())
        };
        let _ = runner.finish(ABORT, stopped);
    }
}

/// Locks a seal as its objects are. A section that cannot be locked whole is none.
async fn lock_seal(
    bucket: &Bucket,
    volume: &Volume,
    seal: &Seal,
    lock: Lock,
    until: i64,
) -> Result<(), DeviceError> {
    let key = format!("{}/{}", volume.folder, names::seal(seal.attempt.index));
    let set = lock.set(bucket, &key, until).await;
    if set.is_err() {
        bucket.remove(&key).await?;
    }
    set
}

/// Puts the seal where none is. One that is there with our own bytes is our own put, whose answer
/// was lost.
async fn put_new(bucket: &Bucket, volume: &Volume, seal: &Seal) -> Result<(), DeviceError> {
    let index = seal.attempt.index;
    let key = format!("{}/{}", volume.folder, names::seal(index));
    let bytes = seal.to_bytes();
    if !volume.create_only && bucket.head(&key).await?.is_some() {
        return same(bucket, &key, index, &bytes).await;
    }
    match bucket.put_new(&key, bytes.clone()).await? {
        Put::Done(..) => Ok(()),
        Put::Taken => same(bucket, &key, index, &bytes).await,
    }
}

async fn same(bucket: &Bucket, key: &str, index: u64, bytes: &Bytes) -> Result<(), DeviceError> {
    match bucket.get(key, SMALL_MAX).await? {
        Some(there) if there.bytes == *bytes => Ok(()),
        Some(_) => Err(exists(&format!("section {index}"))),
        None => {
            let text = format!("{key}: the store says it exists and cannot show it");
            Err(DeviceError::new(Outcome::TRANSIENT, text))
        }
    }
}

/// Puts the seal over the one of the damaged section, then removes what no seal names any more.
async fn put_repaired(bucket: &Bucket, volume: &Volume, seal: &Seal) -> Result<(), DeviceError> {
    let index = seal.attempt.index;
    let key = format!("{}/{}", volume.folder, names::seal(index));
    bucket.put_over(&key, seal.to_bytes()).await?;
    let there = bucket.get(&key, SMALL_MAX).await?;
    if there.is_none_or(|there| there.bytes != seal.to_bytes()) {
        let text = format!("{key}: the store said done, but has another seal");
        return Err(DeviceError::new(Outcome::TRANSIENT, text));
    }
    for attempt in listing::attempts_of(bucket, &volume.folder, index).await? {
        if attempt != seal.attempt {
            leftovers::remove(bucket, &volume.folder, &attempt).await?;
        }
    }
    Ok(())
}
