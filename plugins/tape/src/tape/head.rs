//! A drive and where its head stands. The plugin keeps the position by itself: what drivers show
//! after an open, a reset or a change of cartridge is not to be believed (facts of `st`).

use std::fs::File;
use std::sync::Arc;

use super::drive::{Done, Drive, Empty, Errno, Status};
use super::health::{Asker, Room};

/// Below this no buffer shrinks, in bytes.
const BUFFER_MIN: usize = 16 << 10;

/// A tape file, and a block of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: u32,
    pub(crate) block: u32,
}

/// What a read met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    /// A block of so many bytes.
    Block(usize),
    /// A filemark; the head stands behind it.
    Mark,
    /// The end of data.
    End,
}

/// The head of a drive.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) drive: Box<dyn Drive>,
    /// Name of the cartridge, where whoever brought it knows one.
    pub(crate) cartridge: String,
    /// Keeps others from the same drive, where its cartridges alone would not.
    pub(crate) lock: Option<Arc<File>>,
    /// Asks the drive how it is.
    pub(crate) asker: Option<Box<Asker>>,
    at: Option<Place>,
    /// Logical block with which each tape file begins, where the drive tells.
    starts: Vec<Option<u32>>,
    /// The drive tells addresses and goes to them. Asked once, before it matters: later, an error of
    /// these calls may be the only word of a reset or of another cartridge.
    locates: bool,
}

impl Head {
    pub(crate) fn new(drive: Box<dyn Drive>) -> Self {
        Self {
            drive,
            cartridge: String::new(),
            lock: None,
            asker: None,
            at: None,
            starts: Vec::new(),
            locates: false,
        }
    }

    /// The head of a drive without a cartridge.
    pub(crate) fn none(name: &str) -> Self {
        Self::new(Box::new(Empty(name.to_owned())))
    }

    /// Rewinds, and learns whether the drive tells addresses: two of them must be right. One alone may
    /// be what lay in the driver's buffer; so `st` answers for a drive that does not know the call
    /// and does not say so (seen with tgt).
    pub(crate) fn begin(&mut self) -> Done {
        self.lose();
        self.rewind()?;
        self.locates = self.drive.address() == Ok(0)
            && self.drive.skip_blocks(1).is_ok()
            && self.drive.address() == Ok(1);
        self.rewind()
    }

    /// Asks the drive for its TapeAlert flags and writes them down, where they may be cleared.
    /// Whatever is in the drive must be identified before it is written to: see [`super::health`].
    pub(crate) fn ask(&mut self) {
        let Some(asker) = self.asker.clone().filter(|asker| asker.takes) else {
            return;
        };
        let answer = self.drive.take_flags(&asker);
        let barcode = self.drive.facts().barcode;
        let known = barcode.unwrap_or_else(|| self.cartridge.clone());
        asker.hear(self.drive.name(), answer, &known);
    }

    /// Room on the cartridge, where the drive must be asked for it; as with [`Head::ask`].
    pub(crate) fn room(&mut self) -> Option<Room> {
        let asker = self.asker.clone()?;
        self.drive.room(&asker).unwrap_or_else(|why| {
            asker.hear(self.drive.name(), Err(why), "");
            None
        })
    }

    /// Where it stands, if that is known.
    pub(crate) fn at(&self) -> Option<Place> {
        self.at
    }

    /// From now on it stands nowhere known, and no address is believed.
    pub(crate) fn lose(&mut self) {
        self.at = None;
        self.starts.clear();
    }

    pub(crate) fn rewind(&mut self) -> Done {
        self.at = None;
        self.drive.rewind()?;
        self.at = Some(Place { file: 0, block: 0 });
        Ok(())
    }

    /// Goes to a block: by its address where the drive can, else by spacing over filemarks; never
    /// by reading.
    pub(crate) fn go_to(&mut self, place: Place) -> Done {
        if self.at == Some(place) {
            return Ok(());
        }
        let ahead = self
            .at
            .filter(|at| at.file == place.file && at.block < place.block);
        let known = self.starts.get(place.file as usize).copied().flatten();
        let known = known.filter(|_| self.locates && ahead.is_none());
        if let Some(address) = known.and_then(|start| start.checked_add(place.block)) {
            self.at = None;
            self.drive.locate(address)?;
            self.at = Some(place);
            return Ok(());
        }
        let at = match ahead.or(self.at.filter(|at| at.file < place.file)) {
            Some(at) => at,
            None => {
                self.rewind()?;
                Place { file: 0, block: 0 }
            }
        };
        self.at = None;
        if place.file > at.file {
            self.drive.skip_marks(place.file - at.file)?;
        }
        let block = if place.file > at.file { 0 } else { at.block };
        if place.block > block {
            self.drive.skip_blocks(place.block - block)?;
        }
        self.at = Some(place);
        Ok(())
    }

    /// Notes the address of the tape file that begins here.
    pub(crate) fn note_start(&mut self) -> Done {
        let Some(Place { file, block: 0 }) = self.at else {
            return Ok(());
        };
        if !self.locates {
            return Ok(());
        }
        let file = file as usize;
        let address = self.drive.address()?;
        if self.starts.len() <= file {
            self.starts.resize(file + 1, None);
        }
        if let Some(start) = self.starts.get_mut(file) {
            *start = Some(address);
        }
        Ok(())
    }

    /// Whether the drive, where it can tell, stands where a tape file was seen to begin. A
    /// cartridge that was changed without a word does not.
    pub(crate) fn is_where_it_was(&mut self) -> Done<bool> {
        let Some(Place { file, block: 0 }) = self.at else {
            return Ok(true);
        };
        let noted = self.starts.get(file as usize).copied().flatten();
        match noted.filter(|_| self.locates) {
            Some(noted) => Ok(self.drive.address()? == noted),
            None => Ok(true),
        }
    }

    /// Behind the next filemark.
    pub(crate) fn next_file(&mut self) -> Done {
        let at = self.at.take();
        self.drive.skip_marks(1)?;
        self.at = at.map(|at| Place {
            file: at.file + 1,
            block: 0,
        });
        Ok(())
    }

    /// Reads a block of at most `longest` bytes. A longer one than any that we wrote is what some
    /// drives repeat from their buffer at the end of data.
    pub(crate) fn read(&mut self, buffer: &mut [u8], longest: usize) -> Done<Got> {
        let at = self.at.take();
        let got = match self.drive.read(buffer) {
            Ok(0) if self.status()?.end_of_data => Got::End,
            Ok(0) => Got::Mark,
            // After such a read the driver refuses a write where it stands, as if the tape were full.
            Ok(got) if got > longest => return Ok(Got::End),
            Ok(got) => Got::Block(got),
            Err(Errno::IO) if self.status().is_ok_and(|status| status.end_of_data) => Got::End,
            // Longer than the drive's longest block: nothing was read.
            Err(Errno::INVAL) => {
                self.at = at;
                return Err(Errno::INVAL);
            }
            Err(errno) => return Err(errno),
        };
        self.at = match (at, got) {
            (Some(at), Got::Block(_)) => Some(Place {
                block: at.block + 1,
                ..at
            }),
            (Some(at), Got::Mark) => Some(Place {
                file: at.file + 1,
                block: 0,
            }),
            (at, Got::End) => at.filter(|at| at.block == 0),
            _ => None,
        };
        Ok(got)
    }

    /// [`Head::read`] of a block whose length is not known: the buffer shrinks to what the drive
    /// takes. At best it is more than twice the longest block, for drives that spoil others.
    pub(crate) fn read_any(&mut self, buffer: &mut Vec<u8>, longest: usize) -> Done<Got> {
        loop {
            match self.read(buffer, longest) {
                Err(Errno::INVAL) if buffer.len() > BUFFER_MIN => buffer.truncate(buffer.len() / 2),
                other => return other,
            }
        }
    }

    /// Writes a block where the head stands; true when the drive warned that the end is near. The
    /// write that meets the warning may be on the tape although the drive says that it is not, and
    /// the one after it is let through.
    pub(crate) fn write(&mut self, block: &[u8]) -> Done<bool> {
        let at = self.at.take().ok_or(Errno::IO)?;
        let mut warned = false;
        let mut written = self.drive.write(block);
        if written == Err(Errno::NOSPC) {
            warned = true;
            if self.has_landed(at)? {
                written = Ok(());
            } else {
                written = self.drive.write(block);
                if written == Err(Errno::NOSPC) && self.has_landed(at)? {
                    written = Ok(());
                }
            }
        }
        if written == Err(Errno::NOSPC) {
            // Nothing of it is there: the head stands where it stood.
            self.at = Some(at);
        }
        written?;
        self.at = Some(Place {
            block: at.block + 1,
            ..at
        });
        Ok(warned)
    }

    /// Whether the block that was written at a place is on the tape, by the drive's own count.
    fn has_landed(&mut self, at: Place) -> Done<bool> {
        let start = self.starts.get(at.file as usize).copied().flatten();
        match start.filter(|_| self.locates) {
            Some(start) => Ok(self.drive.address()? == start + at.block + 1),
            None => Ok(false),
        }
    }

    /// Closes the tape file.
    pub(crate) fn mark(&mut self, wait: bool) -> Done {
        let at = self.at.take().ok_or(Errno::IO)?;
        self.drive.mark(wait)?;
        self.at = Some(Place {
            file: at.file + 1,
            block: 0,
        });
        Ok(())
    }

    pub(crate) fn status(&mut self) -> Done<Status> {
        self.drive.status()
    }
}

#[cfg(test)]
mod tests;
