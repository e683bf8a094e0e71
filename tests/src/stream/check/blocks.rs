//! Blocks: the order they may come in, and what must be true of each.

use super::fields::{BLOCK_HEADER, Fields};
use super::{MAX_BLOCK, SetFacts, StreamCheck, StreamFault, SumPolicy, Then, Want};
use crate::stream::sum::header_sum;

/// What blocks of a set are counted in.
const LOGICAL: u64 = 1024;
/// Offset of the list in filemarks since SQL Server 2008.
const MARK_LIST: u32 = 72;

/// Where in the order of blocks the stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Before the media header.
    Start,
    /// A filemark must follow the media header.
    AfterTape,
    /// A set or the end of the stream.
    SetOrEnd,
    /// In a set, before its volume and configuration.
    SetHead,
    /// In a set, among data and log.
    SetBody,
    /// A filemark must follow the last block of the set.
    AfterSet,
    /// The first end block.
    FirstEnd,
    /// The second end block.
    SecondEnd,
    /// The filemark that closes the set.
    LastMark,
}

impl StreamCheck {
    /// The common header of a block is there.
    pub(super) fn block_header(&mut self) -> Result<(), StreamFault> {
        self.block_start = self.at - BLOCK_HEADER as u64;
        let block = Fields(&self.gathered);
        let (Some(kind), Some(event), Some(sum)) =
            (block.bytes::<4>(0), block.u16(8), block.u16(50))
        else {
            return self.malformed("its header is too short");
        };
        self.block_kind = *kind;
        if self.place == Place::SetOrEnd && kind != b"SSET" {
            let what = "the bytes behind the last backup set are not a backup set";
            let number = if self.facts.sets.is_empty() {
                3241
            } else {
                3266
            };
            return self.fail(number, self.block_start, what);
        }
        let ended = self.facts.sets.last().map(|set| set.position);
        if self.place == Place::SetOrEnd && ended.is_some() && ended == self.last {
            // Another set begins: that is nobody's business here.
            self.want = Want::Opaque;
            return Ok(());
        }
        if header_sum(&self.gathered[..50]) != sum {
            return self.malformed("its header has a wrong checksum");
        }
        if kind == b"SFMB" {
            let length = self.facts.block_size as usize;
            if length < BLOCK_HEADER {
                return self.malformed("a filemark comes before the media header");
            }
            self.want = Want::Gather(length, Then::Filemark);
            return Ok(());
        }
        let event = usize::from(event);
        if !(BLOCK_HEADER..=MAX_BLOCK).contains(&event) || !event.is_multiple_of(4) {
            return self.malformed("its first stream stands at an impossible place");
        }
        self.want = Want::Gather(event, Then::BlockBody);
        if event == BLOCK_HEADER {
            self.block_body()
        } else {
            Ok(())
        }
    }

    /// The block with all its fields is there.
    pub(super) fn block_body(&mut self) -> Result<(), StreamFault> {
        let block = std::mem::take(&mut self.gathered);
        self.place = match (&self.block_kind, self.place) {
            (b"TAPE", Place::Start) => self.media_header(Fields(&block))?,
            (b"SSET", Place::SetOrEnd) => self.set_header(Fields(&block))?,
            (b"VOLB" | b"MSCI", Place::SetHead) => Place::SetHead,
            (b"MSDA" | b"MSTL", Place::SetHead | Place::SetBody) => Place::SetBody,
            (b"MSLS", Place::SetHead | Place::SetBody) => Place::AfterSet,
            (b"ESET", Place::FirstEnd) => Place::SecondEnd,
            (b"ESET", Place::SecondEnd) => Place::LastMark,
            (kind, Place::SetHead | Place::SetBody) if is_foreign(kind) => self.place,
            _ => return self.malformed("it may not stand here"),
        };
        if self.block_kind == *b"ESET" {
            self.end_block(Fields(&block))?;
        } else if self.block_kind != *b"TAPE" {
            self.set_block(Fields(&block))?;
        }
        self.sum = None;
        self.is_summed = false;
        self.want_stream();
        Ok(())
    }

    fn media_header(&mut self, block: Fields<'_>) -> Result<Place, StreamFault> {
        match block.u8(93) {
            Some(1) => {}
            Some(version) => {
                let what = format!("the media header has format version {version}");
                return self.fail(3243, 93, &what);
            }
            None => return self.malformed("it is too short"),
        }
        let facts = (|| {
            self.facts.family_id = block.u32(52)?;
            self.facts.block_size = u32::from(block.u16(64)?) * 512;
            self.facts.media_name = block.text(68)?;
            self.facts.software = block.text(80)?;
            self.facts.media_date = block.date(88)?;
            Some((block.u16(60)?, block.u16(84)?, block.u64(20)?))
        })();
        match facts {
            None => self.malformed("a field or a string lies outside of it"),
            Some((1, 1024, 0)) if matches!(self.facts.block_size, 512..=65536) => {
                Ok(Place::AfterTape)
            }
            Some((2.., 1024, 0)) => self.fail(3249, 60, "the medium continues another one"),
            Some(_) => self.malformed("it is not the header of a disk medium"),
        }
    }

    fn set_header(&mut self, block: Fields<'_>) -> Result<Place, StreamFault> {
        self.set_start = self.block_start;
        self.next_block = 0;
        let Some(set) = SetFacts::of_header(block, self.block_start) else {
            return self.malformed("a field or a string lies outside of it");
        };
        let expected = self.facts.sets.last().map(|last| last.position + 1);
        if expected.is_some_and(|position| position != set.position) || set.position == 0 {
            return self.malformed("the backup sets are not numbered in order");
        }
        if block.u64(80) != Some(self.block_start) {
            return self.malformed("it says that it stands elsewhere");
        }
        self.facts.sets.push(set);
        Ok(Place::SetHead)
    }

    /// What is true of every block of a set: number, address, place.
    fn set_block(&mut self, block: Fields<'_>) -> Result<(), StreamFault> {
        let distance = self.block_start - self.set_start;
        if !distance.is_multiple_of(LOGICAL) || block.u64(20) != Some(distance / LOGICAL) {
            return self.malformed("its logical address is wrong");
        }
        if block.u32(36) != Some(self.next_block) {
            return self.malformed("its number is out of order");
        }
        self.next_block += 1;
        if self.block_kind == *b"VOLB" {
            let Some(machine) = block.text(64) else {
                return self.malformed("a string lies outside of it");
            };
            if let Some(set) = self.facts.sets.last_mut() {
                set.machine = machine;
            }
        }
        Ok(())
    }

    fn end_block(&mut self, block: Fields<'_>) -> Result<(), StreamFault> {
        let Some(set) = self.facts.sets.last() else {
            return self.malformed("there is no set to end");
        };
        if block.u16(78) != Some(set.position) || block.date(80) != Some(set.started) {
            return self.malformed("it ends another backup set");
        }
        if self.place == Place::SecondEnd {
            self.first_end = self.block_start;
        } else if ![Some(self.first_end), Some(self.map_at)].contains(&block.u64(60)) {
            // SQL Server 2005 points to the set map, later ones to the block around it.
            return self.malformed("it does not point to the set map");
        }
        Ok(())
    }

    /// A filemark is there as a whole.
    pub(super) fn filemark(&mut self) -> Result<(), StreamFault> {
        let mark = std::mem::take(&mut self.gathered);
        let block = Fields(&mark);
        let fields = (block.u32(52), block.u32(56), block.u32(60));
        let (Some(entries), Some(used), Some(list)) = fields else {
            return self.malformed("it is too short");
        };
        let room = |from: u32| (mark.len() as u32).saturating_sub(from) / 8;
        let list = if list == MARK_LIST && entries == room(MARK_LIST) {
            MARK_LIST
        } else {
            60
        };
        if entries != room(list) || used != entries.min(self.marks.len() as u32) {
            return self.malformed("its list of filemarks has a wrong length");
        }
        let listed = (0..used as usize).map(|index| block.u64(list as usize + 8 * index));
        let known = self.marks.iter().rev().map(|&place| Some(place));
        if !listed.eq(known.take(used as usize)) {
            return self.malformed("it lists filemarks that are not there");
        }
        self.place = match self.place {
            Place::AfterTape => {
                self.first_set = self.at;
                Place::SetOrEnd
            }
            Place::AfterSet => Place::FirstEnd,
            Place::LastMark => {
                if let Some(set) = self.facts.sets.last_mut() {
                    set.is_complete = true;
                    set.blake3 = *self.set_hash.finalize().as_bytes();
                }
                self.set_hash.reset();
                Place::SetOrEnd
            }
            _ => return self.malformed("it may not stand here"),
        };
        self.marks.push(self.block_start);
        self.want_block()
    }

    /// The last stream of a block is over; filemarks and end blocks stand on physical blocks.
    pub(super) fn end_of_block(&mut self) -> Result<(), StreamFault> {
        let on_physical = !matches!(self.place, Place::SetHead | Place::SetBody);
        let (unit, origin) = if on_physical {
            (u64::from(self.facts.block_size), 0)
        } else {
            (LOGICAL, self.set_start)
        };
        if !(self.at - origin).is_multiple_of(unit) {
            return self.malformed("it does not end where a block may begin");
        }
        if self.policy == SumPolicy::Require && self.is_unsummed_set() {
            let what = "the backup set was written without checksums";
            return self.fail(3187, self.at, what);
        }
        self.want_block()
    }

    fn is_unsummed_set(&self) -> bool {
        let set = self.facts.sets.last();
        self.block_kind == *b"MSCI" && set.is_some_and(|set| !set.has_checksum)
    }

    fn want_block(&mut self) -> Result<(), StreamFault> {
        self.gathered.clear();
        self.want = Want::Gather(BLOCK_HEADER, Then::BlockHeader);
        Ok(())
    }
}

/// A block type that is none of the known ones but has the form of one.
fn is_foreign(kind: &[u8; 4]) -> bool {
    const KNOWN: [&[u8; 4]; 9] = [
        b"TAPE", b"SSET", b"VOLB", b"MSCI", b"MSDA", b"MSTL", b"MSLS", b"ESET", b"SFMB",
    ];
    kind.iter().all(u8::is_ascii_alphanumeric) && !KNOWN.contains(&kind)
}
