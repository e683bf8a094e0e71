//! Reads a stream as SQL Server would and says what is wrong with it, by its own numbers.

mod blocks;
mod facts;
mod fields;
mod several;
mod streams;

pub use facts::{SetFacts, StreamFacts, StreamFault};

use super::container::{self, Container};
use super::sum::BackupSum;
use blocks::Place;

/// Longest block header with its fields; larger offsets to the first stream are refused.
const MAX_BLOCK: usize = 65536;
/// Longest stream that is looked at as a whole.
const MAX_RECORDS: u64 = 16 << 20;
/// Bytes kept of a set's log part.
const MAX_LOG: usize = 65536;

/// What to do with backup checksums (facts/mtf.md 6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SumPolicy {
    /// NO_CHECKSUM: do not look.
    Ignore,
    /// The default of RESTORE: verify them if they are there.
    IfPresent,
    /// WITH CHECKSUM: without them, fail with 3187.
    Require,
}

/// What the next bytes are for.
enum Want {
    /// Collect this many bytes, then act.
    Gather(usize, Then),
    /// Let this many bytes pass, then go on with the block's next stream.
    Pass(u64, Sink),
    /// Nothing is understood any more; only count and hash.
    Opaque,
}

/// What to do with gathered bytes.
#[derive(Clone, Copy)]
enum Then {
    Magic,
    Container,
    BlockHeader,
    BlockBody,
    Filemark,
    StreamHeader,
    Records([u8; 4]),
}

/// Where passing bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sink {
    Nothing,
    /// Data under the backup checksum; so many leading bytes do not count.
    Sum(u64),
    /// The last stream of a block.
    LastStream,
    /// The rest of a container's head.
    Container,
}

/// Takes one family's bytes as they come, cut anywhere.
///
/// The first fault is kept and answered to every later call. The hash and the length go on,
/// so that they always describe everything that was fed.
pub struct StreamCheck {
    policy: SumPolicy,
    hash: blake3::Hasher,
    // Everything since the last set was closed, inside of a container.
    set_hash: blake3::Hasher,
    at: u64,
    gathered: Vec<u8>,
    want: Want,
    place: Place,
    facts: StreamFacts,
    fault: Option<StreamFault>,
    marks: Vec<u64>,
    set_start: u64,
    next_block: u32,
    block_start: u64,
    block_kind: [u8; 4],
    first_end: u64,
    map_at: u64,
    // Entries of the last set map.
    map: Vec<u8>,
    // Where the first set begins.
    first_set: u64,
    // The set behind which nothing is looked at.
    last: Option<u16>,
    sum: Option<BackupSum>,
    is_summed: bool,
    // Bytes of the log stream that passes: how many to leave out first.
    log_skip: Option<u64>,
    // The container around everything that follows.
    container: Option<Container>,
    // The same while its head passes.
    opening: Option<Container>,
}

impl StreamCheck {
    /// A checker at the start of a stream.
    #[must_use]
    pub fn new(policy: SumPolicy) -> Self {
        Self {
            policy,
            hash: blake3::Hasher::new(),
            set_hash: blake3::Hasher::new(),
            at: 0,
            gathered: Vec::new(),
            want: Want::Gather(container::MAGIC.len(), Then::Magic),
            place: Place::Start,
            facts: StreamFacts::default(),
            fault: None,
            marks: Vec::new(),
            set_start: 0,
            next_block: 0,
            block_start: 0,
            block_kind: *b"    ",
            first_end: 0,
            map_at: 0,
            map: Vec::new(),
            first_set: 0,
            last: None,
            sum: None,
            is_summed: false,
            log_skip: None,
            container: None,
            opening: None,
        }
    }

    /// The next bytes.
    ///
    /// # Errors
    /// The first fault of the stream: 3241, 3242, 3243, 3249, 3187, 3189 or 3266.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), StreamFault> {
        self.hash.update(bytes);
        self.facts.length += bytes.len() as u64;
        let mut rest = bytes;
        while self.fault.is_none() && !rest.is_empty() && self.container.is_none() {
            let taken = self.take(rest);
            rest = &rest[taken..];
        }
        if let Some(container) = self.container.clone() {
            // Positions count from behind the head of the container.
            let mut plain = rest.to_vec();
            container.apply(self.at, &mut plain);
            let mut rest = plain.as_slice();
            while self.fault.is_none() && !rest.is_empty() {
                let taken = self.take(rest);
                rest = &rest[taken..];
            }
        }
        self.fault.clone().map_or(Ok(()), Err)
    }

    /// What is known so far.
    #[must_use]
    pub fn facts(&self) -> &StreamFacts {
        &self.facts
    }

    /// True between sets: the stream may end here, or the next set begins.
    #[must_use]
    pub fn is_at_end_of_set(&self) -> bool {
        matches!(self.want, Want::Opaque)
            || (matches!(self.place, Place::SetOrEnd)
                && self.gathered.is_empty()
                && !self.facts.sets.is_empty())
    }

    /// BLAKE3 of everything fed so far.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        *self.hash.finalize().as_bytes()
    }

    /// The end of the stream.
    ///
    /// # Errors
    /// A fault met before, or that the stream ends too early: 3254 before there is a media
    /// header, 3208 where a backup set should begin, 3256 between two blocks of a set, 3203
    /// inside a block, 3266 behind the last set.
    pub fn finish(mut self) -> Result<StreamFacts, StreamFault> {
        self.facts.blake3 = self.digest();
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.is_at_end_of_set() {
            return Ok(self.facts);
        }
        let between = matches!(self.want, Want::Gather(_, Then::BlockHeader));
        let (number, what) = match self.place {
            Place::Start => (3254, "the volume is empty or too short"),
            Place::AfterTape => (3208, "the stream ends before the first backup set"),
            Place::SetOrEnd if self.facts.sets.is_empty() => {
                (3208, "the stream ends before the first backup set")
            }
            Place::SetOrEnd => (3266, "there are bytes behind the last backup set"),
            _ if between && self.gathered.is_empty() => {
                (3256, "the stream ends between two blocks of the set")
            }
            _ => (
                3203,
                "the stream ends inside a block (38, reached the end of the file)",
            ),
        };
        Err(StreamFault {
            number,
            offset: self.at,
            what: what.to_owned(),
        })
    }

    /// Uses some of `bytes` and says how many.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let taken = match &self.want {
            Want::Opaque => bytes.len(),
            Want::Gather(wanted, _) => {
                let missing = wanted - self.gathered.len();
                let taken = missing.min(bytes.len());
                self.gathered.extend_from_slice(&bytes[..taken]);
                taken
            }
            Want::Pass(left, sink) => {
                let taken = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                if let (Sink::Sum(skip), Some(sum)) = (sink, &mut self.sum) {
                    let skip = usize::try_from(*skip).unwrap_or(usize::MAX).min(taken);
                    sum.add(&bytes[skip..taken]);
                }
                self.keep_log(taken, bytes);
                taken
            }
        };
        if !matches!(self.want, Want::Opaque) {
            self.set_hash.update(&bytes[..taken]);
        }
        self.at += taken as u64;
        if let Err(fault) = self.advance(taken as u64) {
            self.fault = Some(fault);
        }
        taken
    }

    /// Keeps the start of the log part: there the double finds what a set holds.
    fn keep_log(&mut self, taken: usize, bytes: &[u8]) {
        let Some(skip) = &mut self.log_skip else {
            return;
        };
        let left_out = usize::try_from(*skip).unwrap_or(usize::MAX).min(taken);
        *skip -= left_out as u64;
        if let Some(set) = self.facts.sets.last_mut() {
            let room = MAX_LOG.saturating_sub(set.log.len());
            let passed = &bytes[left_out..taken];
            set.log.extend_from_slice(&passed[..passed.len().min(room)]);
        }
    }

    /// Goes on once enough bytes were taken.
    fn advance(&mut self, taken: u64) -> Result<(), StreamFault> {
        match &mut self.want {
            Want::Opaque => Ok(()),
            Want::Gather(wanted, then) => {
                if self.gathered.len() < *wanted {
                    return Ok(());
                }
                let then = *then;
                self.gathered_all(then)
            }
            Want::Pass(left, sink) => {
                *left -= taken;
                if let Sink::Sum(skip) = sink {
                    *skip = skip.saturating_sub(taken);
                }
                if *left > 0 {
                    return Ok(());
                }
                let sink = *sink;
                self.passed_all(sink)
            }
        }
    }

    fn gathered_all(&mut self, then: Then) -> Result<(), StreamFault> {
        match then {
            Then::Magic => {
                let inside = self.container.is_some();
                if self.gathered == container::MAGIC && !inside {
                    self.facts.is_container = true;
                    self.want = Want::Gather(container::HEAD, Then::Container);
                } else if self.gathered.starts_with(b"TAPE") {
                    self.want = Want::Gather(fields::BLOCK_HEADER, Then::BlockHeader);
                } else {
                    return self.fail(3242, 0, "the stream does not begin with a media header");
                }
                Ok(())
            }
            Then::Container => {
                match Container::parse(&self.gathered) {
                    Some(found) => {
                        let left = u64::from(found.head) - container::HEAD as u64;
                        self.facts.certificate = found.certificate();
                        self.facts.is_compressed = found.is_compressed;
                        self.opening = Some(found);
                        self.want = Want::Pass(left, Sink::Container);
                        if left == 0 {
                            return self.passed_all(Sink::Container);
                        }
                    }
                    None => {
                        self.facts.is_opaque = true;
                        self.facts.is_compressed = true;
                        self.want = Want::Opaque;
                    }
                }
                Ok(())
            }
            Then::BlockHeader => self.block_header(),
            Then::BlockBody => self.block_body(),
            Then::Filemark => self.filemark(),
            Then::StreamHeader => self.stream_header(),
            Then::Records(id) => self.records(id),
        }
    }

    fn passed_all(&mut self, sink: Sink) -> Result<(), StreamFault> {
        self.gathered.clear();
        self.log_skip = None;
        if sink == Sink::Container {
            self.container = self.opening.take();
            self.at = 0;
            self.want = Want::Gather(container::MAGIC.len(), Then::Magic);
            return Ok(());
        }
        if sink == Sink::LastStream {
            return self.end_of_block();
        }
        self.want_stream();
        Ok(())
    }

    /// Next come the fill to a multiple of 4 and a stream header.
    fn want_stream(&mut self) {
        let fill = (self.at.next_multiple_of(4) - self.at) as usize;
        self.gathered.clear();
        self.want = Want::Gather(fill + fields::STREAM_HEADER, Then::StreamHeader);
    }

    /// A fault at `offset`.
    fn fail<T>(&self, number: u32, offset: u64, what: &str) -> Result<T, StreamFault> {
        Err(StreamFault {
            number,
            offset,
            what: what.to_owned(),
        })
    }

    /// The media family is incorrectly formed, at the current block.
    fn malformed<T>(&self, what: &str) -> Result<T, StreamFault> {
        let kind = String::from_utf8_lossy(&self.block_kind).into_owned();
        let what = format!("{kind} block at {:#x}: {what}", self.block_start);
        Err(StreamFault {
            number: 3241,
            offset: self.at,
            what,
        })
    }
}
