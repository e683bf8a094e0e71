//! Sections: begin, write, end; open, seek, read; remove.

use twinset_plugin_api::v1::{self, SectionRequestV1, SpanRequestV1, TextV1};
use twinset_plugin_api::{Outcome, SectionMode, SectionRequest, SpanRequest};

use super::Handle;
use crate::device::DeviceFault;

// SAFETY (for the blocks of this file): `ask` passes the open handle, and `&mut self` is its only
// user; every pointer comes from a borrow that outlives the call.

impl Handle {
    /// Begins a section.
    pub fn begin_section(&mut self, request: &SectionRequest<'_>) -> Result<(), DeviceFault> {
        let request = SectionRequestV1 {
            index: request.index,
            name: TextV1::lend(request.name),
            run_id: request.run_id,
            length_known: request.expected_length.is_some().into(),
            mode: match request.mode {
                SectionMode::New => v1::SECTION_NEW,
                SectionMode::Repair => v1::SECTION_REPAIR,
            },
            expected_length: request.expected_length.unwrap_or(0),
        };
        // SAFETY: see above.
        self.ask("begin_section", |table, raw| unsafe {
            (table.begin_section)(raw, &raw const request)
        })?;
        self.broken = None;
        Ok(())
    }

    /// Takes all of `bytes`, or breaks the section; the end of a medium breaks none of a device
    /// that spans. Large writes are cut to the device's largest
    /// transfer.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceFault> {
        self.unbroken()?;
        let mut taken = 0;
        for part in bytes.chunks(self.transfer_max) {
            // SAFETY: see above; `part` is lent for the call.
            let written = self.ask("write", |table, raw| unsafe {
                (table.write)(raw, part.as_ptr(), part.len())
            });
            if let Err(mut fault) = written {
                fault.accepted = taken + fault.accepted.min(part.len() as u64);
                // A row of media goes on where it came.
                if !(self.spans && fault.outcome == Outcome::END_OF_MEDIUM) {
                    self.broken = Some(fault.clone());
                }
                return Err(fault);
            }
            taken += part.len() as u64;
        }
        Ok(())
    }

    /// Makes all written bytes durable; the section stays open.
    pub fn sync(&mut self) -> Result<(), DeviceFault> {
        self.unbroken()?;
        // SAFETY: see above.
        let result = self.ask("sync", |table, raw| unsafe { (table.sync)(raw) });
        // What a failed sync left unwritten may be gone from the system's memory for good.
        self.broken = result.as_ref().err().cloned();
        result
    }

    /// Makes the section durable and puts it in its place.
    pub fn end_section(&mut self) -> Result<(), DeviceFault> {
        self.unbroken()?;
        // SAFETY: see above.
        let result = self.ask("end_section", |table, raw| unsafe {
            (table.end_section)(raw)
        });
        self.broken = result.as_ref().err().cloned();
        result
    }

    /// Gives the open section up. Ends a cancelled state.
    pub fn abort_section(&mut self) -> Result<(), DeviceFault> {
        self.canceller.clear();
        self.broken = None;
        // SAFETY: see above.
        self.ask_always("abort_section", |table, raw| unsafe {
            (table.abort_section)(raw)
        })
    }

    /// Goes on with the open section on the next medium; to be called again after
    /// [`Outcome::NEEDS_OPERATOR`].
    pub fn span(&mut self, request: &SpanRequest<'_>) -> Result<(), DeviceFault> {
        self.unbroken()?;
        let request = SpanRequestV1 {
            cut: request.cut,
            note: request.note.as_ptr(),
            note_len: request.note.len(),
            header: request.header.as_ptr(),
            header_len: request.header.len(),
        };
        // SAFETY: see above; note and header are lent for the call.
        self.ask("span", |table, raw| unsafe {
            (table.span)(raw, &raw const request)
        })
    }

    /// Opens a closed section for reading and gives its length in bytes.
    pub fn open_section(&mut self, index: u64) -> Result<u64, DeviceFault> {
        let mut length = 0;
        // SAFETY: see above.
        self.ask("open_section", |table, raw| unsafe {
            (table.open_section)(raw, index, &raw mut length)
        })?;
        Ok(length)
    }

    /// Moves the reading position, in bytes from the start of the section.
    pub fn seek(&mut self, offset: u64) -> Result<(), DeviceFault> {
        // SAFETY: see above.
        self.ask("seek", |table, raw| unsafe { (table.seek)(raw, offset) })
    }

    /// Reads some bytes; 0 only at the end of the section (or for an empty buffer).
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeviceFault> {
        let size = buffer.len().min(self.transfer_max);
        let mut got = 0;
        // SAFETY: see above; the buffer is initialised and lent for the call.
        self.ask("read", |table, raw| unsafe {
            (table.read)(raw, buffer.as_mut_ptr(), size, &raw mut got)
        })?;
        if got > size {
            let text = format!("the plugin says it read {got} bytes of at most {size}");
            return Err(DeviceFault::new(
                &self.label,
                "read",
                Outcome::PERMANENT,
                text,
            ));
        }
        Ok(got)
    }

    /// Removes a closed section.
    pub fn remove_section(&mut self, index: u64) -> Result<(), DeviceFault> {
        // SAFETY: see above.
        self.ask("remove_section", |table, raw| unsafe {
            (table.remove_section)(raw, index)
        })
    }

    /// Removes this section and all after it.
    pub fn truncate(&mut self, index: u64) -> Result<(), DeviceFault> {
        // SAFETY: see above.
        self.ask("truncate", |table, raw| unsafe {
            (table.truncate)(raw, index)
        })
    }

    fn unbroken(&self) -> Result<(), DeviceFault> {
        self.broken.clone().map_or(Ok(()), Err)
    }
}
