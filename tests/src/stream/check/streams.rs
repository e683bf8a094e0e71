//! Streams inside blocks: headers, configuration records, checksums, the set map.

use super::blocks::Place;
use super::fields::{Fields, STREAM_HEADER};
use super::{MAX_RECORDS, Sink, StreamCheck, StreamFault, SumPolicy, Then, Want};
use crate::stream::sum::{BackupSum, header_sum};

/// The stream comes in pieces.
const VARIABLE: u16 = 2;
/// A checksum stream follows.
const SUMMED: u16 = 0x100;
/// No stream is longer, whatever its header says.
const LONGEST: u64 = 1 << 56;
/// Shortest SCIN, of SQL Server 2005.
const SHORTEST_SET_RECORD: usize = 344;

impl StreamCheck {
    /// A stream header is there, behind its fill.
    pub(super) fn stream_header(&mut self) -> Result<(), StreamFault> {
        let fill = self.gathered.len() - STREAM_HEADER;
        let header = self.gathered.split_off(fill);
        let fields = Fields(&header);
        let parts = (
            fields.bytes::<4>(0),
            fields.u16(6),
            fields.u64(8),
            fields.u16(20),
        );
        let (Some(id), Some(attributes), Some(length), Some(sum)) = parts else {
            return self.malformed("a stream header is too short");
        };
        if header_sum(&header[..20]) != sum {
            return self.malformed("a stream header has a wrong checksum");
        }
        if length > LONGEST {
            return self.malformed("a stream is impossibly long");
        }
        self.gathered.clear();
        match id {
            b"RAID" | b"MQCI" | b"TSMP" | b"CSUM" => {
                if length == 0 || length > MAX_RECORDS {
                    return self.malformed("a record stream has an impossible length");
                }
                if id == b"TSMP" {
                    self.map_at = self.at - STREAM_HEADER as u64;
                }
                self.want = Want::Gather(length as usize, Then::Records(*id));
                Ok(())
            }
            b"MQDA" | b"MQTL" => {
                self.data_stream(attributes, length);
                let kept = self
                    .facts
                    .sets
                    .last()
                    .is_some_and(|set| !set.log.is_empty());
                self.log_skip = (id == b"MQTL" && !kept).then_some(2);
                self.skip_empty(length)
            }
            b"SPAD" => {
                self.missing_sum()?;
                self.want = Want::Pass(length, Sink::LastStream);
                self.skip_empty(length)
            }
            id if id.iter().all(u8::is_ascii_alphanumeric) => {
                self.want = Want::Pass(length, Sink::Nothing);
                self.skip_empty(length)
            }
            _ => self.malformed("a stream has no name"),
        }
    }

    /// A stream without data is over at once.
    fn skip_empty(&mut self, length: u64) -> Result<(), StreamFault> {
        match self.want {
            Want::Pass(_, sink) if length == 0 => self.passed_all(sink),
            _ => Ok(()),
        }
    }

    fn data_stream(&mut self, attributes: u16, length: u64) {
        let goes_on = attributes & VARIABLE != 0 && self.sum.is_some();
        if attributes & SUMMED != 0 && self.policy != SumPolicy::Ignore {
            self.is_summed = true;
            if !goes_on {
                self.sum = Some(BackupSum::default());
            }
        }
        if let Some(set) = self.facts.sets.last_mut() {
            set.data_bytes += length;
        }
        let skip = if goes_on { 0 } else { 2 };
        self.want = Want::Pass(length, Sink::Sum(skip));
    }

    /// At the end of a block every checksum that was announced must have come.
    fn missing_sum(&self) -> Result<(), StreamFault> {
        if self.is_summed {
            self.malformed("a checksum is missing")
        } else {
            Ok(())
        }
    }

    /// A stream that is looked at as a whole is there.
    pub(super) fn records(&mut self, id: [u8; 4]) -> Result<(), StreamFault> {
        let data = std::mem::take(&mut self.gathered);
        match &id {
            b"RAID" => self.media_set(Fields(&data))?,
            b"MQCI" => self.configuration(&data)?,
            b"CSUM" => self.checksum(Fields(&data))?,
            _ => self.set_map(Fields(&data))?,
        }
        self.want_stream();
        Ok(())
    }

    fn media_set(&mut self, data: Fields<'_>) -> Result<(), StreamFault> {
        let facts = (|| {
            self.facts.media_set_guid = data.guid(0)?;
            self.facts.families = data.u16(20)?;
            self.facts.mirrors = data.u16(22)?;
            self.facts.family = data.u16(24)?;
            self.facts.mirror = data.u16(26)?;
            Some(())
        })();
        let family = 1..=self.facts.families;
        if facts.is_none() || !family.contains(&self.facts.family) || self.facts.families > 64 {
            return self.malformed("its family numbers make no sense");
        }
        Ok(())
    }

    /// The records of a configuration: SCIN first, each with its own length.
    fn configuration(&mut self, data: &[u8]) -> Result<(), StreamFault> {
        let mut rest = data;
        let mut is_first = true;
        if self.place == Place::SetHead
            && let Some(set) = self.facts.sets.last_mut()
        {
            set.config = data.to_vec();
        }
        while !rest.is_empty() {
            let length = Fields(rest).u32(4).unwrap_or(0) as usize;
            if length < 8 || length > rest.len() {
                return self.malformed("a configuration record has an impossible length");
            }
            let (record, behind) = rest.split_at(length);
            if is_first {
                self.set_record(record)?;
            }
            is_first = false;
            rest = behind;
        }
        if is_first {
            return self.malformed("its configuration is empty");
        }
        Ok(())
    }

    fn set_record(&mut self, record: &[u8]) -> Result<(), StreamFault> {
        if !record.starts_with(b"SCIN") || record.len() < SHORTEST_SET_RECORD {
            return self.malformed("its configuration does not begin with the set");
        }
        let is_end = self.place == Place::AfterSet;
        let Some(set) = self.facts.sets.last_mut() else {
            return self.malformed("there is no set to configure");
        };
        let before = set.clone();
        if set.learn(Fields(record)).is_none() {
            return self.malformed("a field of the configuration lies outside of it");
        }
        let is_same = before.database == set.database
            && before.kind_letter == set.kind_letter
            && before.lsns.first <= set.lsns.first
            && before.family_guid == set.family_guid;
        if is_end && !is_same {
            return self.malformed("start and end of the set speak of different backups");
        }
        Ok(())
    }

    fn checksum(&mut self, data: Fields<'_>) -> Result<(), StreamFault> {
        let Some(stored) = data.u32(0) else {
            return self.malformed("a checksum is too short");
        };
        self.is_summed = false;
        let Some(sum) = self.sum.take() else {
            return Ok(());
        };
        if sum.value() != stored {
            let what = format!(
                "the checksum of the {} block at {:#x} is wrong: {:#010x}, stored {stored:#010x}",
                String::from_utf8_lossy(&self.block_kind),
                self.block_start,
                sum.value(),
            );
            return self.fail(3189, self.at, &what);
        }
        if let Some(set) = self.facts.sets.last_mut() {
            set.sums_verified += 1;
        }
        Ok(())
    }

    /// The set map names the family, and the set among its entries.
    fn set_map(&mut self, data: Fields<'_>) -> Result<(), StreamFault> {
        let entries = data.u16(4);
        if data.u32(0) != Some(self.facts.family_id) {
            return self.malformed("its set map belongs to another family");
        }
        if entries.is_none_or(|entries| usize::from(entries) < self.facts.sets.len()) {
            return self.malformed("its set map lacks a backup set");
        }
        self.map = data.0.get(8..).unwrap_or_default().to_vec();
        Ok(())
    }
}
