//! Reads a MTF stream of SQL Server while it passes by: facts only, payload is skipped.
//!
//! The reader is fed whatever pieces the stream comes in and holds no more than one block or the
//! head of one configuration stream. Damage never stops a backup: the reader then says where it
//! lost the thread, and the facts it has are those before that place.

use serde::Serialize;

use super::block::{BlockHeader, HEADER, STREAM_HEADER, StreamHeader};
use super::facts::{Container, MediaFacts, SetFacts};
use super::fields::{u16_at, u32_at};

/// Largest head of a configuration stream (MQCI) that is kept: SCIN comes first in it.
const MAX_CONFIGURATION: u64 = 16 << 10;
/// RAID stream of a TAPE block: 32 bytes are known.
const RAID_BYTES: u64 = 32;
/// Blocks are at most one format logical block long; TAPE blocks of others may reach this.
const MAX_BLOCK: usize = 4096;
/// Sets in one stream that are listed; a tape of ten years of hourly logs stays below.
const MAX_SETS: usize = 100_000;
/// What a compressed or encrypted backup begins with.
const MSSQLBAK: &[u8; 8] = b"MSSQLBAK";

/// Everything a stream told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamFacts {
    /// How it is wrapped.
    pub container: Container,
    /// Its media header.
    pub media: Option<MediaFacts>,
    /// Its backup sets.
    pub sets: Vec<SetFacts>,
    /// Whether it ends behind the end of a backup set. Always false for opaque streams.
    pub complete: bool,
    /// Where and why the structure was lost, if it was.
    pub lost: Option<(u64, String)>,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The first eight bytes of all.
    Magic,
    /// A block's common header.
    BlockHeader,
    /// A block up to its first stream.
    Block,
    /// A stream's header.
    StreamHeader,
    /// The head of a stream that is kept.
    StreamData,
    /// Nothing more is understood.
    Lost,
}

/// The push parser.
pub struct StreamReader {
    step: Step,
    /// Bytes kept for the step.
    kept: Vec<u8>,
    /// Bytes that the step needs in `kept`.
    wanted: usize,
    /// Bytes that pass by before the step.
    skip: u64,
    /// Bytes seen.
    at: u64,
    block: [u8; 4],
    tape: Vec<u8>,
    stream: Option<StreamHeader>,
    physical_block: u64,
    sets_ended: usize,
    facts: StreamFacts,
}

impl Default for StreamReader {
    fn default() -> Self {
        Self::new()
    }
}

impl StreamReader {
    /// A reader at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self {
            step: Step::Magic,
            kept: Vec::with_capacity(MAX_BLOCK),
            wanted: MSSQLBAK.len(),
            skip: 0,
            at: 0,
            block: [0; 4],
            tape: Vec::new(),
            stream: None,
            physical_block: 512,
            sets_ended: 0,
            facts: StreamFacts {
                container: Container::Opaque,
                media: None,
                sets: Vec::new(),
                complete: false,
                lost: None,
            },
        }
    }

    /// How the stream is wrapped, once its first bytes have come.
    #[must_use]
    pub fn container(&self) -> Option<Container> {
        (self.at >= MSSQLBAK.len() as u64).then_some(self.facts.container)
    }

    /// The next bytes of the stream.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.step != Step::Lost {
            let passed = usize::try_from(self.skip)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            if passed > 0 {
                self.skip -= passed as u64;
                self.at += passed as u64;
                bytes = &bytes[passed..];
                continue;
            }
            let taken = (self.wanted - self.kept.len()).min(bytes.len());
            self.kept.extend_from_slice(&bytes[..taken]);
            self.at += taken as u64;
            bytes = &bytes[taken..];
            // A step that wants nothing more than it has goes on at once.
            while self.kept.len() == self.wanted && self.skip == 0 && self.step != Step::Lost {
                self.advance();
            }
        }
    }

    /// Whether the stream, if it ended here, would end behind the end of a backup set.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let at_border = self.step == Step::BlockHeader && self.kept.is_empty() && self.skip == 0;
        let closed = &self.block == b"SFMB" && self.sets_ended == self.facts.sets.len();
        at_border && closed && self.sets_ended > 0
    }

    /// Where and why the structure was lost, if it was.
    #[must_use]
    pub const fn lost(&self) -> Option<&(u64, String)> {
        self.facts.lost.as_ref()
    }

    /// The end of the stream.
    #[must_use]
    pub fn finish(mut self) -> StreamFacts {
        self.facts.complete = self.is_complete();
        self.facts
    }

    fn next(&mut self, step: Step, wanted: usize) {
        self.step = step;
        self.wanted = wanted;
    }

    fn lose(&mut self, why: &str) {
        self.facts.lost = Some((self.at, why.to_owned()));
        self.step = Step::Lost;
    }

    fn advance(&mut self) {
        match self.step {
            Step::Magic => self.magic(),
            Step::BlockHeader => self.block_header(),
            Step::Block => self.whole_block(),
            Step::StreamHeader => self.stream_header(),
            Step::StreamData => self.stream_data(),
            Step::Lost => {}
        }
    }

    fn magic(&mut self) {
        if self.kept == MSSQLBAK {
            self.facts.container = Container::Mssqlbak;
            self.step = Step::Lost;
        } else if self.kept.starts_with(b"TAPE") {
            self.facts.container = Container::Mtf;
            self.next(Step::BlockHeader, HEADER);
        } else {
            self.lose("it begins neither with TAPE nor with MSSQLBAK");
        }
    }

    fn block_header(&mut self) {
        let Some(header) = BlockHeader::parse(&self.kept) else {
            return self.lose("a block header's checksum is wrong");
        };
        let length = usize::from(header.first_event);
        self.block = header.kind;
        if &header.kind == b"SFMB" {
            // No streams: the block fills the soft filemark block size, where its header says
            // the first event would be.
            self.skip = (length as u64)
                .max(self.physical_block)
                .saturating_sub(HEADER as u64);
            self.kept.clear();
            return self.next(Step::BlockHeader, HEADER);
        }
        if length > MAX_BLOCK {
            return self.lose("a block is longer than a format logical block may be");
        }
        self.next(Step::Block, length);
    }

    fn whole_block(&mut self) {
        match &self.block {
            b"TAPE" => {
                self.tape.clone_from(&self.kept);
                self.physical_block = u16_at(&self.kept, 64).map_or(512, |n| u64::from(n) * 512);
            }
            b"SSET" if self.facts.sets.len() >= MAX_SETS => {
                return self.lose("more backup sets than are ever listed");
            }
            b"SSET" => self.facts.sets.push(SetFacts::from_sset(&self.kept)),
            b"ESET" => self.sets_ended = self.facts.sets.len(),
            _ => {}
        }
        self.kept.clear();
        self.expect_stream();
    }

    /// Stream headers stand on 4-byte borders, counted from the start of the stream.
    fn expect_stream(&mut self) {
        self.skip = self.at.next_multiple_of(4) - self.at;
        self.next(Step::StreamHeader, STREAM_HEADER);
    }

    fn stream_header(&mut self) {
        let Some(header) = StreamHeader::parse(&self.kept) else {
            return self.lose("a stream header's checksum is wrong");
        };
        self.kept.clear();
        self.stream = Some(header);
        let keep = match (&self.block, &header.id) {
            (b"TAPE", b"RAID") => RAID_BYTES,
            (b"MSCI" | b"MSLS", b"MQCI") => MAX_CONFIGURATION,
            _ => 0,
        };
        let kept = usize::try_from(header.length.min(keep)).unwrap_or(0);
        self.next(Step::StreamData, kept);
    }

    fn stream_data(&mut self) {
        let Some(header) = self.stream.take() else {
            return self.lose("data without a stream");
        };
        let kept = std::mem::take(&mut self.kept);
        match &header.id {
            b"RAID" => self.facts.media = MediaFacts::parse(&self.tape, &kept),
            b"MQCI" => self.configuration(&kept),
            _ => {}
        }
        self.kept = kept;
        let had = self.kept.len() as u64;
        self.kept.clear();
        let rest = header.length - had;
        let Some(end) = self.at.checked_add(rest) else {
            return self.lose("a stream's length is impossible");
        };
        self.skip = rest;
        if &header.id == b"SPAD" {
            self.next(Step::BlockHeader, HEADER);
        } else {
            self.skip = rest + (end.next_multiple_of(4) - end);
            self.next(Step::StreamHeader, STREAM_HEADER);
        }
    }

    /// Records of four letters and a length; SCIN is the first.
    fn configuration(&mut self, data: &[u8]) {
        let length = u32_at(data, 4)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(0);
        let record = data.get(..length.min(data.len())).unwrap_or(data);
        if record.starts_with(b"SCIN")
            && let Some(set) = self.facts.sets.last_mut()
        {
            set.add_scin(record);
        }
    }
}

#[cfg(test)]
mod tests;
