//! zstd: one standard frame with a content checksum, and what it costs.

use zstd::stream::raw::{CParameter, Encoder as Raw, InBuffer, Operation, OutBuffer};

use super::Zstd;

/// Largest window that is written or read, as a power of two of bytes: 8 MiB, that of level 19.
pub(super) const WINDOW: u32 = 23;
/// Memory of one compressing thread by level, in MiB; a test compares it with what zstd takes.
const MEMORY: [u64; 20] = [
    0, 3, 3, 5, 7, 8, 8, 10, 10, 18, 28, 28, 48, 48, 56, 72, 72, 72, 72, 96,
];
/// A job of several threads by level, in MiB: four windows.
const JOB: [u64; 20] = [
    0, 2, 4, 8, 8, 8, 8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16, 32, 32, 32,
];
const MIB: u64 = 1 << 20;

/// Bytes of memory that compressing one family takes.
pub(super) fn memory(zstd: Zstd) -> u64 {
    let level = usize::from(zstd.level).min(MEMORY.len() - 1);
    let one = MEMORY.get(level).copied().unwrap_or_default();
    let job = JOB.get(level).copied().unwrap_or_default();
    let threads = u64::from(zstd.threads.max(1));
    // Jobs wait before and behind the threads, plain and compressed.
    let queues = if threads > 1 {
        job * (2 * threads + 4)
    } else {
        0
    };
    (one * threads + queues) * MIB
}

/// Compresses one section.
pub(super) struct Squeeze {
    raw: Raw<'static>,
}

/// How a call went.
pub(super) struct Step {
    /// Plain bytes taken.
    pub(super) taken: usize,
    /// Stored bytes given.
    pub(super) given: usize,
    /// Nothing more is to come of what was put in.
    pub(super) done: bool,
}

impl Squeeze {
    /// A frame at its start.
    ///
    /// # Errors
    /// The library's, when memory is short.
    pub(super) fn new(zstd: Zstd) -> std::io::Result<Self> {
        let mut raw = Raw::new(i32::from(zstd.level))?;
        raw.set_parameter(CParameter::ChecksumFlag(true))?;
        if zstd.threads > 1 {
            raw.set_parameter(CParameter::NbWorkers(u32::from(zstd.threads)))?;
        }
        Ok(Self { raw })
    }

    /// Takes from `plain` and gives to `room`.
    ///
    /// # Errors
    /// The library's.
    pub(super) fn step(&mut self, plain: &[u8], room: &mut [u8]) -> std::io::Result<Step> {
        let (mut input, mut output) = (InBuffer::around(plain), OutBuffer::around(room));
        self.raw.run(&mut input, &mut output)?;
        let (taken, given) = (input.pos(), output.pos());
        Ok(Step {
            taken,
            given,
            done: taken == plain.len(),
        })
    }

    /// Ends the frame; call until it is done.
    ///
    /// # Errors
    /// The library's.
    pub(super) fn end(&mut self, room: &mut [u8]) -> std::io::Result<Step> {
        let mut output = OutBuffer::around(room);
        let left = self.raw.finish(&mut output, true)?;
        Ok(Step {
            taken: 0,
            given: output.pos(),
            done: left == 0,
        })
    }
}
