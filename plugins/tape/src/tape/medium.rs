//! One tape in a drive: identified by its label before anything is written to it, and identified
//! again after every error.

mod write;

use rustix::io::Errno;
use twinset_plugin_api::{DeviceError, Outcome};

use super::errors::{failed, refused};
use super::head::{Got, Head, Place};
use super::index::{Index, Small};
use super::label::Label;
use super::scan::{self, Found, HEADER_BLOCKS};

/// A tape of ours.
#[derive(Debug)]
pub(crate) struct Medium {
    pub(super) head: Head,
    /// Its label.
    pub(crate) label: Label,
    /// What lies on it.
    pub(crate) index: Index,
    /// Something failed: which tape is in the drive, and where, is not known any more.
    pub(super) suspect: bool,
    /// A read failed: the tape is identified again, its index is as it was.
    doubted: bool,
    /// The drive warned that the end of the tape is near.
    pub(crate) warned: bool,
}

/// Section 0, where it is what makes a tape ours.
pub(crate) struct Header<'a> {
    pub(crate) name: &'a str,
    pub(crate) run: String,
    pub(crate) bytes: &'a [u8],
}

impl Medium {
    /// Takes a tape that was identified as ours, and reads its index.
    pub(crate) fn open(
        mut head: Head,
        label: Label,
        header: Option<Vec<u8>>,
    ) -> Result<Self, DeviceError> {
        let index = scan::index(&mut head, &label, header)?;
        Ok(Self {
            head,
            label,
            index,
            suspect: false,
            doubted: false,
            warned: false,
        })
    }

    /// Makes a blank tape ours: section 0 and the label, or the label alone.
    pub(crate) fn make(
        mut head: Head,
        mut label: Label,
        header: Option<Header<'_>>,
    ) -> Result<Self, (Head, DeviceError)> {
        let mut blocks: Vec<Vec<u8>> = Vec::new();
        if let Some(header) = &header {
            label.index = Some(0);
            label.name = header.name.to_owned();
            label.run.clone_from(&header.run);
            label.length = header.bytes.len() as u64;
            let block = label.block as usize;
            blocks.extend(header.bytes.chunks(block).map(<[u8]>::to_vec));
        }
        let block = match label.to_block() {
            Some(block) if blocks.len() <= HEADER_BLOCKS => block,
            _ => return Err((head, refused("names or header are too long for the label"))),
        };
        blocks.push(block);
        let write = |head: &mut Head| {
            head.rewind()?;
            for block in &blocks {
                head.write(block)?;
            }
            head.mark(true)
        };
        if let Err(errno) = write(&mut head) {
            let error = failed("label", head.drive.name(), errno);
            return Err((head, error));
        }
        let header = header.map(|header| header.bytes.to_vec());
        // Read back: what makes a tape ours must be on it, and in this order.
        let made = match scan::identify(&mut head) {
            Ok(Found::Ours(found, _)) if *found == label => Self::open_made(head, label, header),
            Ok(_) => {
                return Err((
                    head,
                    refused("the label that was written does not read back"),
                ));
            }
            Err(error) => return Err((head, error)),
        };
        Ok(made)
    }

    fn open_made(mut head: Head, label: Label, header: Option<Vec<u8>>) -> Self {
        let index = scan::index(&mut head, &label, header);
        let (index, suspect) = match index {
            Ok(index) => (index, false),
            Err(_) => (Index::default(), true),
        };
        Self {
            head,
            label,
            index,
            suspect,
            doubted: false,
            warned: false,
        }
    }

    /// Name of the drive.
    pub(crate) fn drive(&self) -> String {
        self.head.drive.name().to_owned()
    }

    /// What drive and cartridge tell.
    pub(crate) fn head(&mut self) -> &mut Head {
        &mut self.head
    }

    /// The error of a failed motion or write: from now on the tape is suspect.
    pub(super) fn fail(&mut self, doing: &str, errno: Errno) -> DeviceError {
        if errno != Errno::NOSPC {
            self.suspect = true;
            self.head.lose();
        }
        failed(doing, self.head.drive.name(), errno)
    }

    /// Makes sure that the tape in the drive is the one that was mounted. After an error it is
    /// identified by its label and its index is read again.
    pub(crate) fn ready(&mut self) -> Result<(), DeviceError> {
        if !self.suspect && !self.doubted {
            return Ok(());
        }
        let name = self.drive();
        let (label, header) = match scan::identify(&mut self.head)? {
            Found::Ours(label, header) if label.tape == self.label.tape => (label, header),
            other => {
                let text = format!(
                    "{name}: another tape is in the drive than was mounted: {}",
                    words(&other)
                );
                return Err(DeviceError::new(Outcome::WRONG_MEDIUM, text));
            }
        };
        self.doubted = false;
        if !self.suspect {
            return Ok(());
        }
        let before = self.index.next_file();
        self.index = scan::index(&mut self.head, &label, header)?;
        if self.index.files < before {
            let text = format!(
                "{name}: the tape ends at tape file {}, {before} were written",
                self.index.files
            );
            return Err(refused(text));
        }
        self.suspect = false;
        Ok(())
    }

    /// Goes to the end of what is kept, and gives the tape file that begins there.
    pub(crate) fn go_to_end(&mut self) -> Result<u32, DeviceError> {
        self.ready()?;
        if self.index.torn {
            self.close_torn()?;
        }
        let file = self.index.next_file();
        let place = Place { file, block: 0 };
        self.head
            .go_to(place)
            .map_err(|errno| self.fail("position", errno))?;
        let told = self
            .head
            .status()
            .map_err(|errno| self.fail("ask", errno))?;
        if told
            .file
            .is_some_and(|told| told != file && told < 0x7f_ffff)
        {
            self.suspect = true;
            let text = format!("{}: it does not stand at tape file {file}", self.drive());
            return Err(refused(text));
        }
        let there = self.head.is_where_it_was();
        if !there.map_err(|errno| self.fail("ask", errno))? {
            self.suspect = true;
            let text = format!("{}: the tape was moved or changed meanwhile", self.drive());
            return Err(refused(text));
        }
        let noted = self.head.note_start();
        noted.map_err(|errno| self.fail("ask", errno))?;
        Ok(file)
    }

    /// A tape file that a power cut left without a filemark gets one, so that what is kept of it
    /// is not written over.
    fn close_torn(&mut self) -> Result<(), DeviceError> {
        let file = self.index.files;
        let mut close = || {
            self.head.go_to(Place { file, block: 0 })?;
            // Past the end it stops at the end of data.
            if self.head.drive.skip_marks(1).is_ok() {
                return Err(Errno::IO);
            }
            self.head.drive.mark(true)
        };
        let closed = close();
        closed.map_err(|errno| self.fail("close a torn tape file", errno))?;
        self.head.lose();
        self.index.torn = false;
        self.index.files = file + 1;
        Ok(())
    }

    /// Writes one block where the head must stand.
    pub(crate) fn write_block(&mut self, place: Place, block: &[u8]) -> Result<bool, DeviceError> {
        if self.suspect {
            return Err(refused(format!(
                "{}: an earlier write failed",
                self.drive()
            )));
        }
        self.head
            .go_to(place)
            .map_err(|errno| self.fail("position", errno))?;
        let warned = self
            .head
            .write(block)
            .map_err(|errno| self.fail("write", errno))?;
        self.warned |= warned;
        Ok(warned)
    }

    /// Closes the tape file that was written; with `wait`, all of it is durable then.
    pub(crate) fn mark(&mut self, wait: bool) -> Result<(), DeviceError> {
        self.head
            .mark(wait)
            .map_err(|errno| self.fail("write a filemark", errno))
    }

    /// All that was written is durable.
    pub(crate) fn sync(&mut self) -> Result<(), DeviceError> {
        self.head
            .drive
            .sync()
            .map_err(|errno| self.fail("make durable", errno))
    }

    /// Lets go of the drive.
    pub(crate) fn into_head(self) -> Head {
        self.head
    }

    /// Reads the content of a small file.
    pub(crate) fn read_small(&mut self, small: &Small) -> Result<Vec<u8>, DeviceError> {
        if let Some(kept) = &small.kept {
            return Ok(kept.to_vec());
        }
        self.ready()?;
        let mut content = Vec::new();
        let block = u64::from(small.block.max(1));
        let mut buffer = vec![0; small.block as usize];
        for number in 0..small.length.div_ceil(block) {
            let expected = block.min(small.length - number * block);
            let place = Place {
                file: small.file,
                block: small.skip + u32::try_from(number).unwrap_or(u32::MAX),
            };
            let length = usize::try_from(expected).unwrap_or(0);
            let got = self.read_block(place, buffer.get_mut(..length).unwrap_or_default())?;
            content.extend_from_slice(buffer.get(..got).unwrap_or_default());
        }
        Ok(content)
    }

    /// Reads one block of exactly the length of the buffer; fewer bytes where the tape file ends.
    pub(crate) fn read_block(
        &mut self,
        place: Place,
        buffer: &mut [u8],
    ) -> Result<usize, DeviceError> {
        self.ready()?;
        let longest = buffer.len();
        if let Err(errno) = self.head.go_to(place) {
            self.doubted = true;
            return Err(failed("position", self.head.drive.name(), errno));
        }
        match self.head.read(buffer, longest) {
            Ok(Got::Block(got)) => Ok(got),
            Ok(Got::Mark | Got::End) => Ok(0),
            // Perhaps the block is bad, perhaps this is another tape by now.
            Err(errno) => {
                self.doubted = true;
                Err(failed("read", self.head.drive.name(), errno))
            }
        }
    }
}

/// What was found on a tape, for people.
pub(crate) fn words(found: &Found) -> String {
    match found {
        Found::Blank => "it is blank".to_owned(),
        Found::Free => "it was given free".to_owned(),
        Found::Ours(label, _) => format!("it belongs to volume {}", label.volume),
        Found::Foreign(seen) => format!("it holds {seen}"),
    }
}
