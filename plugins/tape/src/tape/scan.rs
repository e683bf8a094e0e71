//! What is on a tape, found by its filemarks: who wrote it, and its index. Of data sections only
//! the first block is read.

use twinset_plugin_api::DeviceError;

use super::drive::{Done, Errno};
use super::errors::{failed, refused};
use super::head::{Got, Head, Place};
use super::index::{Index, Lies, Section, Small};
use super::label::{Kind, Label};
use super::options::BLOCK_MAX;

/// Blocks of tape file 0 within which its label must stand.
pub(crate) const HEADER_BLOCKS: usize = 16;
/// Bytes of a buffer for blocks of any length: more than twice the longest of ours, for drives that
/// spoil shorter blocks otherwise.
const BUFFER: usize = 2 * BLOCK_MAX as usize;
/// Lengths in bytes of two reads by which a blank tape is told from one that cannot be read.
const ODD_BUFFERS: [usize; 2] = [20_000, 30_000];
/// Longest list of tapes that is read, in bytes.
const ROW_MAX: u64 = 192 << 20;
/// Longest small file that is read while scanning, in bytes.
const SMALL_MAX: u64 = 192 << 20;

/// Whose tape it is.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// Nothing was ever written, or all of it was erased.
    Blank,
    /// Ours, and given free.
    Free,
    /// Ours: its label, and what stands beside it.
    Ours(Box<Label>, Beside),
    /// Ours, but the labelling was cut off: nothing was ever kept on it.
    Begun(Box<Label>),
    /// Somebody else's, and what is seen of it.
    Foreign(String),
}

/// What stands beside the label of a tape.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// Section 0, where it was written first.
    pub(crate) header: Option<Vec<u8>>,
    /// What lies on the tapes before this one; none where it cannot be read.
    pub(crate) row: Option<Vec<u8>>,
}

/// Reads the beginning of the tape: rewinds first, whatever the driver believes.
pub(crate) fn identify(head: &mut Head) -> Result<Found, DeviceError> {
    let name = head.drive.name().to_owned();
    let fail = |errno| failed("identify", &name, errno);
    head.begin().map_err(fail)?;
    if is_blank(head).map_err(fail)? {
        return Ok(Found::Blank);
    }
    head.rewind().map_err(fail)?;
    let mut buffer = vec![0; BUFFER];
    let mut header = Vec::new();
    for number in 0..=HEADER_BLOCKS {
        match head.read_any(&mut buffer, BLOCK_MAX as usize) {
            Ok(Got::Block(got)) => {
                let block = buffer.get(..got).unwrap_or_default();
                match Label::parse(block).filter(|label| label.file == 0) {
                    Some(label) if label.kind == Kind::Free => return Ok(Found::Free),
                    Some(label) if label.kind == Kind::Volume => {
                        let own = label.index.is_some() && header.len() as u64 == label.length;
                        let header = Some(header).filter(|_| own);
                        return behind(head, label, header).map_err(fail);
                    }
                    Some(_) => return Ok(Found::Foreign("a label in the wrong place".to_owned())),
                    None => header.extend_from_slice(block),
                }
            }
            Ok(Got::Mark) if number == 0 => {
                return Ok(Found::Foreign("a filemark at its beginning".to_owned()));
            }
            Ok(Got::Mark | Got::End) => break,
            Err(Errno::NOMEM) => {
                return Ok(Found::Foreign("blocks longer than ours".to_owned()));
            }
            Err(errno) => return Err(fail(errno)),
        }
    }
    Ok(Found::Foreign(seen(&header)))
}

/// Reads the list of the tapes before this one, which stands behind its label.
fn behind(head: &mut Head, label: Label, header: Option<Vec<u8>>) -> Done<Found> {
    let mut beside = Beside { header, row: None };
    if label.row == 0 {
        return Ok(Found::Ours(Box::new(label), beside));
    }
    let size = label.block.clamp(1, BLOCK_MAX) as usize;
    let (mut row, mut buffer) = (Vec::new(), vec![0; 2 * size]);
    while (row.len() as u64) < label.row.min(ROW_MAX) {
        match head.read_any(&mut buffer, size) {
            Ok(Got::Block(got)) => row.extend_from_slice(buffer.get(..got).unwrap_or_default()),
            Ok(Got::Mark | Got::End) => return Ok(Found::Begun(Box::new(label))),
            Err(Errno::IO | Errno::NOMEM) => return Ok(Found::Ours(Box::new(label), beside)),
            Err(errno) => return Err(errno),
        }
    }
    let sound = blake3::hash(&row).to_hex().as_str() == label.hash;
    beside.row = Some(row).filter(|_| sound);
    Ok(Found::Ours(Box::new(label), beside))
}

/// Whether all that is on the tape is one block with this BLAKE3, as hex: the header of ours that a
/// killed run wrote, before its label.
pub(crate) fn is_only(head: &mut Head, hash: &str) -> Done<bool> {
    let mut buffer = vec![0; BUFFER];
    head.rewind()?;
    let Got::Block(got) = head.read_any(&mut buffer, BLOCK_MAX as usize)? else {
        return Ok(false);
    };
    let block = buffer.get(..got).unwrap_or_default();
    if blake3::hash(block).to_hex().as_str() != hash {
        return Ok(false);
    }
    Ok(match head.read_any(&mut buffer, BLOCK_MAX as usize)? {
        Got::End => true,
        Got::Mark => head.read_any(&mut buffer, BLOCK_MAX as usize)? == Got::End,
        Got::Block(_) => false,
    })
}

/// A read fails alike on a blank tape and on one that cannot be read; spacing does not. What is not
/// proved to be blank is not.
fn is_blank(head: &mut Head) -> Done<bool> {
    let drive = &mut head.drive;
    if drive.skip_blocks(1) != Err(Errno::IO) {
        return Ok(false);
    }
    if drive.status()?.end_of_data {
        return Ok(true);
    }
    // Some emulated drives do not tell the end of data, and fill any buffer there. A block that can
    // be read in two lengths is none.
    let mut buffer = vec![0; ODD_BUFFERS[1]];
    for length in ODD_BUFFERS {
        drive.rewind()?;
        let place = buffer.get_mut(..length).unwrap_or_default();
        if drive.read(place) != Ok(length) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The first bytes of a tape that is not ours, for people.
fn seen(bytes: &[u8]) -> String {
    let first: String = bytes
        .iter()
        .take(16)
        .map(|byte| match byte {
            0x20..=0x7e => char::from(*byte),
            _ => '.',
        })
        .collect();
    match bytes.get(..4) {
        Some(b"TAPE") => "data in the Microsoft Tape Format, without a label of ours".to_owned(),
        _ => format!("data that begins with `{first}`"),
    }
}

/// Rebuilds the index of a tape that was identified.
pub(crate) fn index(head: &mut Head, label: &Label, beside: Beside) -> Result<Index, DeviceError> {
    let name = head.drive.name().to_owned();
    let index = match (label.row, beside.row) {
        (0, _) => Some(Index::default()),
        (_, row) => row.and_then(|row| Index::from_row(&row)),
    };
    let Some(index) = index else {
        let text = format!("{name}: its list of the tapes before it cannot be read");
        return Err(refused(text));
    };
    let mut scan = Scan {
        head,
        label,
        index,
        buffer: vec![0; 2 * label.block as usize],
        erred: false,
    };
    if let Some(header) = beside.header {
        let small = Small {
            tape: label.sequence,
            file: 0,
            skip: 0,
            length: header.len() as u64,
            block: label.block,
            kept: Some(std::sync::Arc::new(header)),
            at: None,
        };
        let name = label.name.clone();
        let lies = Lies::Small(small);
        scan.index.sections.insert(0, Section { name, lies });
    }
    scan.run().map_err(|errno| failed("scan", &name, errno))?;
    let (index, erred) = (scan.index, scan.erred);
    if erred {
        // An error may be the one word of another cartridge, of which all else would be unknown.
        match identify(head)? {
            Found::Ours(found, _) if found.tape == label.tape => {}
            _ => return Err(failed("scan", &name, Errno::IO)),
        }
    }
    Ok(index)
}

struct Scan<'a> {
    head: &'a mut Head,
    label: &'a Label,
    index: Index,
    buffer: Vec<u8>,
    /// Some call failed on the way.
    erred: bool,
}

impl Scan<'_> {
    fn run(&mut self) -> Done {
        if self.head.next_file().is_err() {
            self.erred = true;
            // The very first tape file was never closed.
            (self.index.files, self.index.torn) = (0, true);
            self.index.loose.insert(0);
            return Ok(());
        }
        for file in 1.. {
            self.head.note_start()?;
            match self
                .head
                .read_any(&mut self.buffer, self.label.block as usize)
            {
                Ok(Got::End) => {
                    self.index.files = file;
                    break;
                }
                Ok(Got::Mark) => continue,
                Ok(Got::Block(got)) => {
                    let block = self.buffer.get(..got).unwrap_or_default();
                    let ours = Label::parse(block)
                        .filter(|label| label.tape == self.label.tape && label.file == file);
                    match ours {
                        Some(label) => self.small(file, &label)?,
                        None => {
                            self.index.gap = None;
                            self.index.loose.insert(file);
                        }
                    }
                }
                Err(Errno::IO | Errno::NOMEM) => {
                    self.erred = true;
                    self.index.gap = None;
                    self.index.loose.insert(file);
                }
                Err(errno) => return Err(errno),
            }
            if !self.reach(file + 1)? {
                self.index.files = file;
                self.index.torn = true;
                self.index.loose.insert(file);
                break;
            }
        }
        Ok(())
    }

    /// Reads a small file. One that is shorter than its label says was cut off: unfinished work.
    fn small(&mut self, file: u32, label: &Label) -> Done {
        let length = label.content_length().min(SMALL_MAX);
        let mut content = Vec::new();
        let mut readable = true;
        while (content.len() as u64) < length {
            match self
                .head
                .read_any(&mut self.buffer, self.label.block as usize)
            {
                Ok(Got::Block(got)) => {
                    content.extend_from_slice(self.buffer.get(..got).unwrap_or_default());
                }
                Ok(Got::Mark | Got::End) => break,
                Err(Errno::IO | Errno::NOMEM) => {
                    (readable, self.erred) = (false, true);
                    break;
                }
                Err(errno) => return Err(errno),
            }
        }
        if readable && content.len() as u64 != length {
            self.index.gap = None;
            self.index.loose.insert(file);
            return Ok(());
        }
        let tape = self.label.sequence;
        self.index.take(tape, label, 1, content, self.label.block);
        Ok(())
    }

    /// To the next tape file; false when this one is not closed.
    fn reach(&mut self, file: u32) -> Done<bool> {
        let place = Place { file, block: 0 };
        if self.head.at() == Some(place) {
            return Ok(true);
        }
        match self.head.go_to(place) {
            Ok(()) => Ok(true),
            Err(Errno::IO) => {
                self.erred = true;
                Ok(false)
            }
            Err(errno) => Err(errno),
        }
    }
}
