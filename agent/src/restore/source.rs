//! A family of the media engine as the source of a virtual device.

use twinset_domain::Fault;

use crate::media::encoding::decoder::PlainReader;
use crate::media::reader::ReadReport;
use crate::report::Progress;
use crate::sqlserver::vdi::{RestoreSource, SinkFault, Win32};

/// Hands a family over, chunk by chunk, each checked before its first byte leaves.
///
/// This is the one copy of payload in the product: a chunk must be whole before it can be
/// checked, and SQL Server's buffers are smaller than a chunk.
pub(super) struct FamilySource<'a> {
    reader: PlainReader,
    chunk: Vec<u8>,
    used: usize,
    progress: &'a dyn Progress,
    /// The fault that ended it, kept for the report: SQL Server only tells a number.
    fault: Option<Fault>,
}

impl<'a> FamilySource<'a> {
    pub(super) fn new(reader: PlainReader, progress: &'a dyn Progress) -> Self {
        Self {
            reader,
            chunk: Vec::new(),
            used: 0,
            progress,
            fault: None,
        }
    }

    /// What reading came to. When `whole`, what SQL Server did not ask for is read too: only then
    /// is an encoded family proved.
    pub(super) fn finish(mut self, whole: bool) -> (ReadReport, Option<Fault>) {
        if whole && self.fault.is_none() {
            self.fault = self.reader.settle().err();
        }
        (self.reader.finish(), self.fault)
    }

    /// The next chunk in place of the used one; false at the end.
    fn refill(&mut self) -> Result<bool, Fault> {
        self.reader.reuse(std::mem::take(&mut self.chunk));
        self.used = 0;
        match self.reader.next_block()? {
            Some(chunk) => {
                self.chunk = chunk;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

impl RestoreSource for FamilySource<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SinkFault> {
        let mut filled = 0;
        while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
            let ready = self.chunk.get(self.used..).unwrap_or_default();
            if ready.is_empty() {
                match self.refill() {
                    Ok(true) => continue,
                    Ok(false) => break,
                    Err(fault) => {
                        self.fault.get_or_insert_with(|| fault.clone());
                        return Err(SinkFault::new(fault, Win32::READ_FAULT));
                    }
                }
            }
            let length = ready.len().min(room.len());
            if let (Some(to), Some(from)) = (room.get_mut(..length), ready.get(..length)) {
                to.copy_from_slice(from);
            }
            self.used += length;
            filled += length;
        }
        self.progress.advance(filled as u64);
        Ok(filled)
    }
}
