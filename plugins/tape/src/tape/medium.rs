//! A row of tapes with one of them in the drive: identified by its label before anything is written
//! to it, and identified again after every error. Only the last one of the row is written.

mod row;
mod write;

use twinset_plugin_api::{DeviceError, Outcome};

use super::drive::Errno;
use super::errors::{failed, refused};
use super::head::{Got, Head, Place};
use super::health::Room;
use super::index::{Index, Small};
use super::label::Label;
use super::scan::{self, Beside, Found, HEADER_BLOCKS};
use super::source::Source;

pub(crate) use row::Next;

/// A row of tapes of ours.
#[derive(Debug)]
pub(crate) struct Medium {
    pub(super) head: Head,
    /// Number of the tape in the drive; 0: none, or nobody knows which.
    inside: u32,
    /// Label of the last one.
    pub(crate) label: Label,
    /// What lies on the row.
    pub(crate) index: Index,
    /// Who changes them.
    pub(crate) source: Box<dyn Source>,
    /// Something failed: which tape is in the drive, and where, is not known any more.
    pub(super) suspect: bool,
    /// A read failed: the tape is identified again, its index is as it was.
    doubted: bool,
    /// Something was written since the drive's buffer was last known to be on the tape.
    unsynced: bool,
    /// The drive warned that the end of the tape is near.
    pub(crate) warned: bool,
    /// Bytes of data written since.
    pub(crate) behind: u64,
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
        beside: Beside,
        source: Box<dyn Source>,
    ) -> Result<Self, DeviceError> {
        let index = scan::index(&mut head, &label, beside)?;
        Ok(Self {
            inside: label.sequence,
            head,
            label,
            index,
            source,
            suspect: false,
            doubted: false,
            unsynced: false,
            warned: false,
            behind: 0,
        })
    }

    /// Makes a blank tape ours: section 0 and the label, or the label alone.
    pub(crate) fn make(
        mut head: Head,
        mut label: Label,
        header: Option<&Header<'_>>,
        source: Box<dyn Source>,
    ) -> Result<Self, Box<(Head, DeviceError)>> {
        let beside = match write_label(&mut head, &mut label, header, &[]) {
            Ok(beside) => beside,
            Err(error) => return Err(Box::new((head, error))),
        };
        let index = scan::index(&mut head, &label, beside);
        let (index, suspect) = match index {
            Ok(index) => (index, false),
            Err(_) => (Index::default(), true),
        };
        Ok(Self {
            inside: label.sequence,
            head,
            label,
            index,
            source,
            suspect,
            doubted: false,
            unsynced: false,
            warned: false,
            behind: 0,
        })
    }

    /// Name of the drive.
    pub(crate) fn drive(&self) -> String {
        self.head.drive.name().to_owned()
    }

    /// What drive and cartridge tell.
    pub(crate) fn head(&mut self) -> &mut Head {
        &mut self.head
    }

    /// Asks the drive how it is, unless it holds what is not on the tape yet. The tape is identified
    /// again before it is used.
    pub(crate) fn ask(&mut self) -> Option<Room> {
        if self.unsynced || self.inside == 0 {
            return None;
        }
        self.head.ask();
        let room = self.head.room();
        (self.suspect, self.doubted) = (true, true);
        self.head.lose();
        room
    }

    /// The error of a failed motion or write: from now on the tape is suspect.
    pub(super) fn fail(&mut self, doing: &str, errno: Errno) -> DeviceError {
        if errno != Errno::NOSPC {
            self.suspect = true;
            self.head.lose();
        }
        failed(doing, self.head.drive.name(), errno)
    }

    /// Makes sure that the last tape of the row is in the drive, the one that is written. After an
    /// error it is identified by its label and its index is read again.
    pub(crate) fn ready(&mut self) -> Result<(), DeviceError> {
        self.ready_on(self.label.sequence)
    }

    /// The same of any tape of the row, to read from.
    fn ready_on(&mut self, tape: u32) -> Result<(), DeviceError> {
        let again = self.suspect && tape == self.label.sequence;
        if self.inside == tape && !self.doubted && !again {
            return Ok(());
        }
        let card = self.card(tape)?;
        if self.inside != tape {
            self.fetch(tape, &card)?;
        }
        let name = self.drive();
        let (label, beside) = match scan::identify(&mut self.head)? {
            Found::Ours(label, beside) if label.tape == card.tape => (label, beside),
            other => {
                let text = format!(
                    "{name}: another tape is in the drive than was mounted: {}",
                    words(&other)
                );
                return Err(DeviceError::new(Outcome::WRONG_MEDIUM, text));
            }
        };
        (self.doubted, self.inside) = (false, tape);
        if !again {
            return Ok(());
        }
        let before = self.index.next_file();
        let cards = std::mem::take(&mut self.index.cards);
        self.index = scan::index(&mut self.head, &label, beside)?;
        self.index.cards = cards;
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
        self.stand(place)?;
        self.unsynced = true;
        let warned = self
            .head
            .write(block)
            .map_err(|errno| self.fail("write", errno))?;
        self.warned |= warned;
        Ok(warned)
    }

    /// Closes the tape file that was written up to a place; with `wait`, all of it is durable then.
    pub(crate) fn mark(&mut self, place: Place, wait: bool) -> Result<(), DeviceError> {
        self.stand(place)?;
        self.head
            .mark(wait)
            .map_err(|errno| self.fail("write a filemark", errno))?;
        self.unsynced = !wait;
        Ok(())
    }

    /// Stands where the next block goes. A reader may have had another tape of the row brought
    /// meanwhile: what is written goes on the last one, and nowhere else.
    fn stand(&mut self, place: Place) -> Result<(), DeviceError> {
        if self.inside != self.label.sequence {
            self.ready()?;
            let begin = Place { block: 0, ..place };
            let noted = self.head.go_to(begin).and_then(|()| self.head.note_start());
            noted.map_err(|errno| self.fail("position", errno))?;
        }
        let stands = self.head.go_to(place);
        stands.map_err(|errno| self.fail("position", errno))
    }

    /// All that was written is durable.
    pub(crate) fn sync(&mut self) -> Result<(), DeviceError> {
        self.head
            .drive
            .sync()
            .map_err(|errno| self.fail("make durable", errno))?;
        self.unsynced = false;
        Ok(())
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
            let got = self.read_block(
                small.tape,
                place,
                buffer.get_mut(..length).unwrap_or_default(),
            )?;
            content.extend_from_slice(buffer.get(..got).unwrap_or_default());
        }
        Ok(content)
    }

    /// Reads one block of exactly the length of the buffer, from a tape of the row; fewer bytes
    /// where the tape file ends.
    pub(crate) fn read_block(
        &mut self,
        tape: u32,
        place: Place,
        buffer: &mut [u8],
    ) -> Result<usize, DeviceError> {
        self.ready_on(tape)?;
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

/// Writes what makes a blank tape ours, and reads it back.
fn write_label(
    head: &mut Head,
    label: &mut Label,
    header: Option<&Header<'_>>,
    row: &[u8],
) -> Result<Beside, DeviceError> {
    let size = label.block as usize;
    let mut blocks: Vec<&[u8]> = Vec::new();
    if let Some(header) = header {
        label.index = Some(0);
        label.name = header.name.to_owned();
        label.run.clone_from(&header.run);
        label.length = header.bytes.len() as u64;
        blocks.extend(header.bytes.chunks(size));
    }
    if !row.is_empty() {
        label.row = row.len() as u64;
        label.hash = blake3::hash(row).to_hex().to_string();
    }
    let block = match label.to_block() {
        Some(block) if blocks.len() <= HEADER_BLOCKS => block,
        _ => return Err(refused("names or header are too long for the label")),
    };
    blocks.push(&block);
    blocks.extend(row.chunks(size));
    let mut write = || {
        head.rewind()?;
        for block in &blocks {
            head.write(block)?;
        }
        head.mark(true)
    };
    if let Err(errno) = write() {
        return Err(failed("label", head.drive.name(), errno));
    }
    // What makes a tape ours must be on it, and in this order.
    match scan::identify(head)? {
        Found::Ours(found, beside) if *found == *label => Ok(beside),
        _ => Err(refused("the label that was written does not read back")),
    }
}

/// What was found on a tape, for people.
pub(crate) fn words(found: &Found) -> String {
    match found {
        Found::Blank => "it is blank".to_owned(),
        Found::Free => "it was given free".to_owned(),
        Found::Ours(label, _) if label.sequence > 1 => {
            format!("it is tape {} of volume {}", label.sequence, label.volume)
        }
        Found::Ours(label, _) => format!("it belongs to volume {}", label.volume),
        Found::Begun(label) => format!("it was begun for volume {}", label.volume),
        Found::Foreign(seen) => format!("it holds {seen}"),
    }
}
