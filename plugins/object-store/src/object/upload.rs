//! Bytes on their way into the store: parts in parallel, objects one after the other.
//!
//! The border lends a buffer for the length of a call, and a part is on its way longer than that,
//! so each byte is copied once, into a part. A part that has arrived gives its memory to a later
//! one: a lane holds [`IN_FLIGHT`] parts and the one that is being filled, never more.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use object_store::multipart::PartId;
use tokio::task::JoinSet;
use twinset_plugin_api::{DeviceError, Outcome};

use super::bucket::{Bucket, Limits, Put, path, renewed};
use super::errors::failed;
use super::look::{Seen, tag};
use super::names::{self, Attempt};
use super::seal::{PIECES_MAX, Piece};

/// Bytes of a part: the smallest that stores take, and larger ones were not faster.
pub(crate) const PART: usize = 5 * 1024 * 1024;
/// Bytes of a part of a section that would need too many objects otherwise.
const LARGE_PART: usize = 2 * PART;
/// Bytes in parts that are on their way.
const IN_FLIGHT: usize = 3 * PART;
/// Bytes of payload that a lane holds.
pub(crate) const BYTES_HELD: u64 = (IN_FLIGHT + PART) as u64;

/// How a section is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Bytes of a part.
    pub(crate) part: usize,
    /// Parts that are on their way at a time.
    pub(crate) in_flight: usize,
    /// Parts of an object, after which the next one begins.
    pub(crate) parts: u64,
}

/// Plans for a section of this length, if one was told. It may be wrong: whatever comes beyond
/// what one object takes goes into the next.
pub(crate) fn plan(expected: Option<u64>, limits: Limits, parallel: usize) -> Plan {
    let small = PART as u64 * limits.parts;
    let part = if expected.is_some_and(|length| length > small) {
        LARGE_PART
    } else {
        PART
    };
    Plan {
        part,
        in_flight: ((IN_FLIGHT + PART) / part)
            .saturating_sub(1)
            .clamp(1, parallel.max(1)),
        parts: limits.parts.min(limits.object / part as u64).max(1),
    }
}

fn piece(name: String, seen: Seen) -> Piece {
    Piece {
        name,
        length: seen.length,
        tag: seen.tag,
        sum: seen.sum,
    }
}

/// A multipart upload that is open.
#[derive(Debug)]
struct Open {
    key: String,
    id: String,
    parts: Vec<Option<PartId>>,
    length: u64,
}

type Sent = (usize, Result<PartId, DeviceError>, Bytes);

/// The bytes of one attempt.
#[derive(Debug)]
pub(crate) struct Upload {
    bucket: Bucket,
    /// Prefix of the volume.
    volume: String,
    pub(crate) attempt: Attempt,
    name: String,
    plan: Plan,
    filling: BytesMut,
    spare: Vec<BytesMut>,
    open: Option<Open>,
    flying: JoinSet<Sent>,
    pieces: Vec<Piece>,
    /// Every upload that was begun, for whoever has to clean up.
    begun: Vec<(String, String)>,
}

impl Upload {
    pub(crate) fn new(
        bucket: Bucket,
        volume: String,
        attempt: Attempt,
        name: String,
        plan: Plan,
    ) -> Self {
        Self {
            bucket,
            volume,
            attempt,
            name,
            plan,
            filling: BytesMut::new(),
            spare: Vec::new(),
            open: None,
            flying: JoinSet::new(),
            pieces: Vec::new(),
            begun: Vec::new(),
        }
    }

    /// Takes bytes as far as the part that is filled has room; says how many.
    pub(crate) fn fill(&mut self, bytes: &[u8]) -> usize {
        if self.filling.capacity() == 0 {
            let part = self.plan.part;
            let new = || BytesMut::with_capacity(part);
            self.filling = self.spare.pop().unwrap_or_else(new);
        }
        let room = self.plan.part - self.filling.len();
        let (taken, _) = bytes.split_at(room.min(bytes.len()));
        self.filling.extend_from_slice(taken);
        taken.len()
    }

    /// True when the part is full and must be sent before more is taken.
    pub(crate) fn is_full(&self) -> bool {
        self.filling.len() >= self.plan.part
    }

    /// Sends the part that was filled. Waits while enough of them are on their way.
    pub(crate) async fn send(&mut self) -> Result<(), DeviceError> {
        while self.flying.len() >= self.plan.in_flight {
            self.land().await?;
        }
        if self.open.is_none() {
            self.open().await?;
        }
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        let bytes = std::mem::take(&mut self.filling).freeze();
        let number = open.parts.len();
        open.parts.push(None);
        open.length += bytes.len() as u64;
        let (bucket, key, id) = (self.bucket.clone(), open.key.clone(), open.id.clone());
        self.flying.spawn(async move {
            let sent = bucket.put_part(&key, &id, number, &bytes).await;
            (number, sent, bytes)
        });
        if open.parts.len() as u64 >= self.plan.parts {
            self.close().await?;
        }
        Ok(())
    }

    /// Takes in a part that has arrived, if any is on its way.
    async fn land(&mut self) -> Result<bool, DeviceError> {
        let Some(joined) = self.flying.join_next().await else {
            return Ok(false);
        };
        let lost = |error: tokio::task::JoinError| {
            DeviceError::new(
                Outcome::PERMANENT,
                format!("an upload ended early: {error}"),
            )
        };
        let (number, sent, bytes) = joined.map_err(lost)?;
        if let Ok(mut memory) = bytes.try_into_mut() {
            memory.clear();
            self.spare.push(memory);
        }
        let part = sent?;
        let slot = self
            .open
            .as_mut()
            .and_then(|open| open.parts.get_mut(number));
        if let Some(slot) = slot {
            *slot = Some(part);
        }
        Ok(true)
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.volume, self.attempt.folder())
    }

    fn next_name(&self) -> Result<String, DeviceError> {
        let number = self.pieces.len() + 1;
        if number > PIECES_MAX {
            let text = format!("{} needs more than {PIECES_MAX} objects", self.name);
            return Err(DeviceError::new(Outcome::END_OF_MEDIUM, text));
        }
        Ok(names::further(&self.name, number))
    }

    /// Begins a multipart upload: the intent first, so that a dead run's upload is found.
    async fn open(&mut self) -> Result<(), DeviceError> {
        let key = self.key(&self.next_name()?);
        if self.begun.is_empty() {
            self.note().await?;
        }
        let place = path(&key);
        let id = renewed(|| self.bucket.cloud.create_multipart(&place)).await;
        let id = id.map_err(|error| failed("begin the upload of", &key, &error))?;
        self.begun.push((key.clone(), id.clone()));
        self.note().await?;
        self.open = Some(Open {
            key,
            id,
            parts: Vec::new(),
            length: 0,
        });
        Ok(())
    }

    /// Writes down which uploads there are.
    async fn note(&self) -> Result<(), DeviceError> {
        let uploads: Vec<_> = self
            .begun
            .iter()
            .map(|(key, id)| serde_json::json!({ "key": key, "upload": id }))
            .collect();
        let note = serde_json::json!({ "name": self.name, "uploads": uploads });
        let key = format!("{}/{}", self.volume, self.attempt.work());
        self.bucket
            .put_over(&key, format!("{note}\n").into())
            .await?;
        Ok(())
    }

    /// True when an intent was written.
    pub(crate) const fn is_noted(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Closes the object that is open, or makes one of what there is, and looks whether the store
    /// has what was sent.
    async fn close(&mut self) -> Result<(), DeviceError> {
        while self.land().await? {}
        let name = self.next_name()?;
        let key = self.key(&name);
        let Some(open) = self.open.take() else {
            let bytes = std::mem::take(&mut self.filling).freeze();
            let length = bytes.len() as u64;
            let tag = match self.bucket.put_new(&key, bytes).await? {
                Put::Done(tag, _) => tag,
                // Nobody else has this key: it is our own put, whose answer was lost.
                Put::Taken => None,
            };
            let seen = self.agree(&key, length, tag).await?;
            self.pieces.push(piece(name, seen));
            return Ok(());
        };
        let parts: Option<Vec<PartId>> = open.parts.into_iter().collect();
        let parts = parts.ok_or_else(|| {
            DeviceError::new(
                Outcome::PERMANENT,
                format!("{key}: a part was never answered"),
            )
        })?;
        let cloud = Arc::clone(&self.bucket.cloud);
        let place = path(&key);
        let done = renewed(|| cloud.complete_multipart(&place, &open.id, parts.clone())).await;
        let tag = match done {
            Ok(result) => result.e_tag.filter(|tag| !tag.trim_matches('"').is_empty()),
            // Completed, and the answer was lost: the upload is gone, the object is there.
            Err(object_store::Error::NotFound { .. }) => None,
            Err(error) => match self.agree(&key, open.length, None).await {
                Ok(_) => None,
                Err(_) => return Err(failed("complete", &key, &error)),
            },
        };
        let seen = self.agree(&key, open.length, tag).await?;
        self.pieces.push(piece(name, seen));
        Ok(())
    }

    /// The store has an object of this length, with this tag where it gave one.
    async fn agree(
        &self,
        key: &str,
        length: u64,
        given: Option<String>,
    ) -> Result<Seen, DeviceError> {
        let refuse = |what: String| {
            let text = format!("{key}: the store said done, but {what}");
            Err(DeviceError::new(Outcome::TRANSIENT, text))
        };
        let Some(seen) = self.bucket.look(key).await? else {
            return refuse("has no such object".into());
        };
        if seen.length != length {
            return refuse(format!("it holds {} bytes of {length}", seen.length));
        }
        let given = given.as_deref().and_then(tag);
        if let (Some(given), Some(found)) = (given, &seen.tag)
            && given != *found
        {
            return refuse(format!("its tag is {found}, not {given}"));
        }
        Ok(seen)
    }

    /// Everything that was taken is durable. Stores take no small part but the last one, so what
    /// does not fill a part ends its object, and the section goes on in the next.
    pub(crate) async fn sync(&mut self) -> Result<(), DeviceError> {
        if !self.filling.is_empty() {
            return self.flush().await;
        }
        while self.land().await? {}
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), DeviceError> {
        if self.open.is_some() && !self.filling.is_empty() {
            self.send().await?;
        }
        // The last part may have been the one that closed the object.
        if self.open.is_some() || !self.filling.is_empty() {
            self.close().await?;
        }
        Ok(())
    }

    /// The objects, once all of them are complete.
    pub(crate) async fn finish(&mut self) -> Result<Vec<Piece>, DeviceError> {
        self.flush().await?;
        if self.pieces.is_empty() {
            self.close().await?;
        }
        Ok(self.pieces.clone())
    }

    /// Ends the tasks; nothing of them is left on its way.
    pub(crate) async fn stop(&mut self) {
        self.flying.shutdown().await;
        self.filling = BytesMut::new();
    }
}
