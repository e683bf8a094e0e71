//! A closed section, read from anywhere, with what comes next already on its way.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use tokio::task::JoinHandle;
use twinset_plugin_api::{DeviceError, Outcome};

use super::bucket::Bucket;
use super::errors::missing;
use super::listing;
use super::runner::Runner;

/// Bytes of one request.
const PIECE: u64 = 2 * 1024 * 1024;
/// Requests that are on their way while one is used: not more memory than a lane that writes has.
const AHEAD: usize = 4;

/// One object of the section: its place in the section, and its key.
#[derive(Debug)]
struct Object {
    begins: u64,
    length: u64,
    key: String,
}

/// A piece that was asked for.
#[derive(Debug)]
struct Asked {
    range: Range<u64>,
    task: JoinHandle<Result<Bytes, DeviceError>>,
}

/// An open section.
#[derive(Debug)]
pub(crate) struct Reader {
    bucket: Bucket,
    name: String,
    objects: Vec<Object>,
    length: u64,
    position: u64,
    /// The piece in use, and where it begins.
    piece: (u64, Bytes),
    asked: VecDeque<Asked>,
    /// Reading goes on where it was: worth asking for more than is wanted now.
    runs_on: bool,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.forget();
    }
}

impl Reader {
    /// Opens a section.
    pub(crate) async fn open(
        bucket: &Bucket,
        volume: &str,
        index: u64,
    ) -> Result<Self, DeviceError> {
        let seal = listing::seal(bucket, volume, index).await?;
        let seal = seal.ok_or_else(|| missing(&format!("section {index}")))?;
        let folder = format!("{volume}/{}", seal.attempt.folder());
        let (mut objects, mut begins) = (Vec::new(), 0);
        for piece in &seal.pieces {
            let key = format!("{folder}/{}", piece.name);
            // What is there counts, not what was: behind a cut object everything is displaced.
            let there = bucket.head(&key).await?;
            let length = there.as_ref().map_or(0, |meta| meta.size);
            objects.push(Object {
                begins,
                length,
                key,
            });
            begins += length;
            if length != piece.length {
                break;
            }
        }
        Ok(Self {
            bucket: bucket.clone(),
            name: seal.name,
            objects,
            length: begins,
            position: 0,
            piece: (0, Bytes::new()),
            asked: VecDeque::new(),
            runs_on: true,
        })
    }

    /// Bytes in the section when it was opened.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// Moves to `offset`, at most the end.
    pub(crate) fn seek(&mut self, offset: u64) -> Result<(), DeviceError> {
        if offset > self.length {
            let name = &self.name;
            let text = format!("seek to {offset} of {name}: it ends at {}", self.length);
            return Err(DeviceError::new(Outcome::END_OF_SECTION, text));
        }
        if offset != self.position {
            self.position = offset;
            // On from within what was asked for, or somewhere else altogether?
            let next = self.asked.front().map(|asked| asked.range.start);
            let inside = self.unread().is_some();
            if !inside && next != Some(offset) {
                self.forget();
                self.runs_on = false;
            }
        }
        Ok(())
    }

    /// Reads some bytes; 0 at the end.
    pub(crate) fn read(
        &mut self,
        buffer: &mut [u8],
        runner: &Runner,
    ) -> Result<usize, DeviceError> {
        if self.position >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        if self.unread().is_none() {
            self.ask(runner);
            self.take(runner)?;
            self.ask(runner);
        }
        let Some(unread) = self.unread() else {
            let text = format!(
                "{}: the store gave no bytes at {}",
                self.name, self.position
            );
            return Err(DeviceError::new(Outcome::TRANSIENT, text));
        };
        let taken = unread.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..taken), unread.get(..taken)) {
            to.copy_from_slice(from);
        }
        self.position += taken as u64;
        Ok(taken)
    }

    /// What is left of the piece in use.
    fn unread(&self) -> Option<Bytes> {
        let (begins, bytes) = &self.piece;
        let from = usize::try_from(self.position.checked_sub(*begins)?).ok()?;
        (from < bytes.len()).then(|| bytes.slice(from..))
    }

    /// Asks for the piece at the position, and for those behind it where reading runs on.
    fn ask(&mut self, runner: &Runner) {
        let wanted = if self.runs_on { AHEAD } else { 1 };
        if self.unread().is_none()
            && self
                .asked
                .front()
                .is_some_and(|a| a.range.start != self.position)
        {
            self.forget();
        }
        let behind = self.piece.0 + self.piece.1.len() as u64;
        let start = if self.unread().is_some() {
            behind
        } else {
            self.position
        };
        let mut from = self.asked.back().map_or(start, |asked| asked.range.end);
        let ahead_only = self.unread().is_some() && !self.runs_on;
        while !ahead_only && self.asked.len() < wanted {
            let Some((key, range, of)) = self.next(from) else {
                break;
            };
            from = range.end;
            let bucket = self.bucket.clone();
            let task =
                runner.enter(|| tokio::spawn(async move { bucket.get_range(&key, of).await }));
            self.asked.push_back(Asked { range, task });
        }
    }

    /// The piece at an offset: its object, its place in the section, its place in the object.
    fn next(&self, from: u64) -> Option<(String, Range<u64>, Range<u64>)> {
        let after = self.objects.partition_point(|object| object.begins <= from);
        let object = self.objects.get(after.checked_sub(1)?)?;
        let inside = from.checked_sub(object.begins)?;
        let length = object.length.checked_sub(inside)?.min(PIECE);
        let of = inside..inside + length;
        (length > 0).then(|| (object.key.clone(), from..from + length, of))
    }

    /// Waits for the first piece that was asked for.
    fn take(&mut self, runner: &Runner) -> Result<(), DeviceError> {
        let Some(mut asked) = self.asked.pop_front() else {
            return Ok(());
        };
        let name = self.name.clone();
        let got = runner.wait(async {
            (&mut asked.task).await.map_err(|error| {
                let text = format!("{name}: a request ended early: {error}");
                DeviceError::new(Outcome::TRANSIENT, text)
            })?
        });
        if got.is_err() {
            asked.task.abort();
        }
        let bytes = got?;
        self.piece = (asked.range.start, bytes);
        // The second piece in a row: the next reader wants the third.
        self.runs_on = true;
        Ok(())
    }

    fn forget(&mut self) {
        for asked in self.asked.drain(..) {
            asked.task.abort();
        }
    }
}
