//! Records and leftovers by name.

use twinset_plugin_api::Outcome;
use twinset_plugin_api::v1::{RECORD_MAX, TextV1};

use super::Handle;
use crate::device::DeviceFault;

/// Size of the first attempt to read a record, in bytes; most are smaller.
const RECORD_ROOM: usize = 16 * 1024;

// SAFETY (for the blocks of this file): `ask` passes the open handle, and `&mut self` is its only
// user; every pointer comes from a borrow that outlives the call.

impl Handle {
    /// Writes a record of at most 1 MiB, durable and create-only.
    pub fn put_record(&mut self, name: &str, bytes: &[u8]) -> Result<(), DeviceFault> {
        // SAFETY: see above.
        self.ask("put_record", |table, raw| unsafe {
            (table.put_record)(raw, TextV1::lend(name), bytes.as_ptr(), bytes.len())
        })
    }

    /// Reads a whole record.
    pub fn get_record(&mut self, name: &str) -> Result<Vec<u8>, DeviceFault> {
        let mut room = vec![0; RECORD_ROOM];
        loop {
            let (mut got, size) = (0, room.len());
            // SAFETY: see above.
            let result = self.ask("get_record", |table, raw| unsafe {
                (table.get_record)(
                    raw,
                    TextV1::lend(name),
                    room.as_mut_ptr(),
                    size,
                    &raw mut got,
                )
            });
            match result {
                Ok(()) if got <= size => {
                    room.truncate(got);
                    return Ok(room);
                }
                Err(fault) if fault.outcome == Outcome::TOO_SMALL => {
                    if got <= size || got > RECORD_MAX {
                        return Err(fault);
                    }
                    room.resize(got, 0);
                }
                Err(fault) => return Err(fault),
                Ok(()) => {
                    let text = "the plugin says the record is larger than the buffer it filled";
                    let outcome = Outcome::PERMANENT;
                    return Err(DeviceFault::new(&self.label, "get_record", outcome, text));
                }
            }
        }
    }

    /// Removes a record.
    pub fn remove_record(&mut self, name: &str) -> Result<(), DeviceFault> {
        // SAFETY: see above.
        self.ask("remove_record", |table, raw| unsafe {
            (table.remove_record)(raw, TextV1::lend(name))
        })
    }

    /// Removes unfinished work by its leftover name.
    pub fn remove_leftover(&mut self, name: &str) -> Result<(), DeviceFault> {
        // SAFETY: see above.
        self.ask("remove_leftover", |table, raw| unsafe {
            (table.remove_leftover)(raw, TextV1::lend(name))
        })
    }
}
