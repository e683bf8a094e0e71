//! What stands before and behind the pages of a family (facts/mtf.md 6.1-6.4).

use super::{Behind, config};
use crate::stream::compose::{Composer, Strings, put, put_date};
use crate::stream::pages::{PAGE, Pages};
use crate::stream::spec::{EXTENT, Spec};
use crate::stream::sum::BackupSum;
use crate::stream::words::{DateTime, Kind};

/// Microsoft's number in the format.
const VENDOR: u16 = 0x1200;
/// What writes; with two NULs, as SQL Server has it.
const SOFTWARE: &str = "Microsoft SQL Server\0\0";
/// A stream in pieces.
const VARIABLE: u16 = 2;
/// Last piece of a stream.
const VARIABLE_END: u16 = 4;
/// A checksum stream follows.
const SUMMED: u16 = 0x100;
/// First stream of a log block.
const LOG_BLOCK: usize = 0x254;

/// Head and tail of a family; the pages stand between.
pub(super) struct Layout {
    pub(super) head: Vec<u8>,
    pub(super) tail: Vec<u8>,
    sum_at: Option<usize>,
}

impl Layout {
    pub(super) fn new(spec: &Spec, family: u16, behind: Option<&Behind>) -> Self {
        // The size of the whole set stands in the tail but does not change its length.
        let overhead = match (spec.block_size, behind) {
            (_, Some(_)) => 0,
            (512, None) => 0x2200,
            (block, None) => 7 * u64::from(block),
        };
        let size = (1..=spec.families).map(|family| {
            let (head, tail) = compose(spec, family, 0, behind);
            let length = head.out.len() + tail.0.out.len();
            length as u64 + spec.family_size() - overhead
        });
        let size = size.sum();
        let (head, (tail, sum_at)) = compose(spec, family, size, behind);
        Self {
            head: head.out,
            tail: tail.out,
            sum_at,
        }
    }

    /// Puts the checksum of the pages into the tail.
    pub(super) fn set_sum(&mut self, sum: u32) {
        if let Some(at) = self.sum_at {
            put(&mut self.tail, at, &sum.to_le_bytes());
        }
    }
}

/// Head, and tail with the place of the checksum in it.
fn compose(
    spec: &Spec,
    family: u16,
    size: u64,
    behind: Option<&Behind>,
) -> (Composer, (Composer, Option<usize>)) {
    let head = head(spec, family, behind);
    let base = head.at() + spec.family_size();
    let tail = Composer::new(base, head.set_start, spec.block_size, head.next_block());
    let own = Behind {
        at: 0,
        marks: vec![u64::from(spec.block_size.max(1024))],
        map: Vec::new(),
        family_id: spec.family_id(family),
    };
    (
        head,
        tail_of(spec, size, tail, (family, behind.unwrap_or(&own))),
    )
}

fn head(spec: &Spec, family: u16, behind: Option<&Behind>) -> Composer {
    let start = behind.map_or(0, |behind| behind.at);
    let mut c = Composer::new(start, start, spec.block_size, 0);
    if behind.is_none() {
        media_header(&mut c, spec, family);
        c.filemark(&[]);
        c.set_start = c.at();
    }
    set_header(&mut c, spec);
    volume(&mut c, spec);
    config_block(
        &mut c,
        b"MSCI",
        &config::records(spec, DateTime::default(), spec.size),
    );
    c.pad_logical();
    let sum = if spec.checksum { SUMMED } else { 0 };
    let length = spec.family_size() + 2;
    if spec.kind == Kind::Log {
        log_block(&mut c, true);
        c.pad_before_data();
        c.stream_header(b"MQTL", sum, length);
    } else {
        c.set_block(b"MSDA", 0x3c, |block: &mut [u8]| put(block, 58, &[1]));
        c.pad_before_data();
        c.stream_header(b"MQDA", VARIABLE | sum, length);
    }
    c.out.extend([0, 0]);
    c
}

fn tail_of(
    spec: &Spec,
    size: u64,
    mut c: Composer,
    (family, behind): (u16, &Behind),
) -> (Composer, Option<usize>) {
    let mut marks = behind.marks.clone();
    let sum = if spec.checksum { SUMMED } else { 0 };
    if spec.kind != Kind::Log {
        c.stream_header(b"MQDA", VARIABLE | VARIABLE_END | sum, 0);
    }
    let mut sum_at = None;
    if spec.checksum {
        c.stream(b"CSUM", 0, &[0; 4]);
        sum_at = Some(c.out.len() - 4);
    }
    c.pad_logical();
    if spec.kind != Kind::Log {
        log_of_a_data_backup(&mut c, spec, family);
    }
    config_block(&mut c, b"MSLS", &config::records(spec, spec.finished, size));
    c.pad_physical(b"SPAD", c.set_start);
    let first = c.at();
    c.filemark(&marks);
    marks.push(first);
    end_of_set(&mut c, spec, behind, size);
    c.filemark(&marks);
    (c, sum_at)
}

fn media_header(c: &mut Composer, spec: &Spec, family: u16) {
    let mut strings = Strings::new(94);
    let name = strings.add(&spec.media_name);
    let software = strings.add(SOFTWARE);
    let length = (94 + strings.bytes.len()).next_multiple_of(4);
    c.block(b"TAPE", 0x3_0000, length, 0, 0, |block: &mut [u8]| {
        put(block, 48, &[2]);
        put(block, 52, &spec.family_id(family).to_le_bytes());
        put(block, 56, &5u32.to_le_bytes());
        put(block, 60, &1u16.to_le_bytes());
        put(block, 64, &((spec.block_size / 512) as u16).to_le_bytes());
        put(block, 66, &3u16.to_le_bytes());
        put(block, 68, &name);
        put(block, 80, &software);
        put(block, 84, &1024u16.to_le_bytes());
        put(block, 86, &VENDOR.to_le_bytes());
        put_date(block, 88, spec.started);
        put(block, 93, &[1]);
        put(block, 94, &strings.bytes);
    });
    let mut raid = [0; 32];
    put(&mut raid, 0, &spec.media_set_guid.to_bytes_le());
    let words = [0x00ad, 0xf000, spec.families, spec.mirrors, family, 0, 0, 1];
    for (index, word) in words.into_iter().enumerate() {
        put(&mut raid, 16 + 2 * index, &word.to_le_bytes());
    }
    c.stream(b"RAID", 0, &raid);
    c.pad_physical(b"SPAD", 0);
}

fn attributes(kind: Kind) -> u32 {
    if kind == Kind::Differential { 8 } else { 4 }
}

fn set_header(c: &mut Composer, spec: &Spec) {
    let mut strings = Strings::new(122);
    let name = strings.add(&spec.set_name);
    let description = strings.add(&spec.description);
    let user = strings.add(&spec.user);
    let length = (122 + strings.bytes.len()).next_multiple_of(4);
    let start = c.set_start;
    c.set_block(b"SSET", length, |block: &mut [u8]| {
        put(block, 44, &[21, 0, 100, 0, 2]);
        put(block, 52, &attributes(spec.kind).to_le_bytes());
        put(block, 60, &VENDOR.to_le_bytes());
        put(block, 62, &spec.position.to_le_bytes());
        put(block, 64, &name);
        put(block, 68, &description);
        put(block, 76, &user);
        put(block, 80, &start.to_le_bytes());
        put_date(block, 88, spec.started);
        put(block, 93, &[spec.version.0, spec.version.1, 0, 0, 2]);
        put(block, 100, &spec.set_guid.to_bytes_le());
        put_date(block, 116, spec.expires);
        put(block, 122, &strings.bytes);
    });
    c.pad_logical();
}

/// Name of the machine: the server's without its instance.
fn machine(spec: &Spec) -> &str {
    spec.server.split('\\').next().unwrap_or_default()
}

fn volume(c: &mut Composer, spec: &Spec) {
    let mut strings = Strings::new(73);
    let device = strings.add("C:");
    let machine = strings.add(machine(spec));
    let length = (73 + strings.bytes.len()).next_multiple_of(4);
    c.set_block(b"VOLB", length, |block: &mut [u8]| {
        put(block, 48, &[2]);
        put(block, 52, &2u32.to_le_bytes());
        put(block, 56, &device);
        put(block, 64, &machine);
        put_date(block, 68, spec.started);
        put(block, 73, &strings.bytes);
    });
    c.pad_logical();
}

fn config_block(c: &mut Composer, kind: &[u8; 4], records: &[u8]) {
    c.set_block(kind, 0x38, |block: &mut [u8]| put(block, 48, &[2]));
    c.stream(b"MQCI", 0, records);
}

fn log_block(c: &mut Composer, has_log: bool) {
    c.set_block(b"MSTL", LOG_BLOCK, |block: &mut [u8]| {
        put(block, 58, &[1]);
        put(block, 76, &[2, 0, 0, 0, 0xf8, 1, 0x5c]);
        put(block, 92, &[if has_log { 37 } else { 0 }]);
        put(block, 112, &[2, 0, 0x40]);
    });
}

/// The log that a data backup carries: some in the first family, none in the others.
fn log_of_a_data_backup(c: &mut Composer, spec: &Spec, family: u16) {
    log_block(c, family == 1);
    if family == 1 {
        c.pad_before_data();
        let sum = if spec.checksum { SUMMED } else { 0 };
        c.stream_header(b"MQTL", sum, EXTENT + 2);
        c.out.extend([0, 0]);
        let (pages, start) = (Pages::new(spec.seed, family, true), c.out.len());
        c.out.resize(start + EXTENT as usize, 0);
        for (number, page) in c.out[start..].chunks_exact_mut(PAGE).enumerate() {
            pages.make(number as u64, page);
        }
        put(&mut c.out, start, &spec.log);
        if spec.checksum {
            let mut sum = BackupSum::default();
            sum.add(&c.out[start..]);
            c.stream(b"CSUM", 0, &sum.value().to_le_bytes());
        }
    }
    c.pad_logical();
}

/// The two end blocks with the set map between them.
fn end_of_set(c: &mut Composer, spec: &Spec, behind: &Behind, size: u64) {
    let first = c.at();
    let end_block = |c: &mut Composer, map: u64| {
        c.block(b"ESET", 0, 0x58, 0, 0, |block: &mut [u8]| {
            put(block, 52, &attributes(spec.kind).to_le_bytes());
            put(block, 60, &map.to_le_bytes());
            put(block, 78, &spec.position.to_le_bytes());
            put_date(block, 80, spec.started);
        });
    };
    end_block(c, 0);
    c.pad_physical(b"OTCP", first);
    c.stream(b"TSMP", 0, &set_map(c, spec, behind, size));
    c.pad_physical(b"SPAD", first);
    let second = c.at();
    end_block(c, first);
    c.pad_physical(b"SPAD", second);
}

/// The set map: all earlier entries again, then that of this set.
fn set_map(c: &Composer, spec: &Spec, behind: &Behind, size: u64) -> Vec<u8> {
    let mut map = behind.family_id.to_le_bytes().to_vec();
    map.extend(spec.position.to_le_bytes());
    map.extend([0, 0]);
    map.extend(&behind.map);

    let mut strings = Strings::new(92);
    let name = strings.add(&spec.set_name);
    let user = strings.add(&spec.user);
    let mut entry = vec![0; 92];
    put(
        &mut entry,
        0,
        &((92 + strings.bytes.len()) as u16).to_le_bytes(),
    );
    put(&mut entry, 2, &1u16.to_le_bytes());
    put(&mut entry, 8, &attributes(spec.kind).to_le_bytes());
    put(&mut entry, 12, &c.set_start.to_le_bytes());
    put(&mut entry, 30, &spec.position.to_le_bytes());
    put(&mut entry, 52, &size.to_le_bytes());
    put(&mut entry, 60, &1u16.to_le_bytes());
    put(&mut entry, 64, &name);
    put(&mut entry, 76, &user);
    put_date(&mut entry, 80, spec.started);
    put(&mut entry, 85, &[0, 14, 1, 2, 0, 2]);
    map.extend(entry);
    map.extend(strings.bytes);

    let mut strings = Strings::new(62);
    let device = strings.add("C:");
    let machine = strings.add(machine(spec));
    let mut volume = vec![0; 62];
    put(
        &mut volume,
        0,
        &((62 + strings.bytes.len()) as u16).to_le_bytes(),
    );
    put(&mut volume, 2, b"VOLB");
    put(&mut volume, 6, &1u16.to_le_bytes());
    put(&mut volume, 12, &1u64.to_le_bytes());
    put(&mut volume, 32, &[14, 1, 2, 0, 2]);
    put(&mut volume, 40, &device);
    put(&mut volume, 48, &machine);
    put_date(&mut volume, 56, spec.started);
    map.extend(volume);
    map.extend(strings.bytes);
    map
}
