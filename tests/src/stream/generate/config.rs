//! The configuration records of a set: SCIN, SFGI and SFIN (facts/mtf.md 6.4).

use crate::stream::compose::{Strings, put, put_date};
use crate::stream::spec::{EXTENT, Spec, SpecFile};
use crate::stream::words::{DateTime, Kind};

/// Fixed part of SCIN since SQL Server 2012.
const SCIN_FIXED: usize = 400;
/// Fixed part of SFGI.
const SFGI_FIXED: usize = 224;
/// Fixed part of SFIN.
const SFIN_FIXED: usize = 1028;
/// Flag of every set.
const FLAG_ALWAYS: u32 = 0x200;
/// Flag of a differential.
const FLAG_DIFFERENTIAL: u32 = 0x800;
/// Flag of WITH CHECKSUM.
const FLAG_CHECKSUM: u32 = 0x10;

/// All records; `finish` is zero at the start of a set.
pub(super) fn records(spec: &Spec, finish: DateTime, size: u64) -> Vec<u8> {
    let mut all = set_record(spec, finish, size);
    all.extend(filegroup_record());
    let pages = spec.size.max(1).next_multiple_of(EXTENT) / 8192;
    let pages = u32::try_from(pages).unwrap_or(u32::MAX);
    for file in files(spec) {
        let expected = if file.is_log { 0 } else { pages };
        all.extend(file_record(spec, &file, expected));
    }
    all
}

/// The files as given, or the two of an ordinary database.
fn files(spec: &Spec) -> Vec<SpecFile> {
    if !spec.files.is_empty() {
        return spec.files.clone();
    }
    let folder = "C:\\Program Files\\Microsoft SQL Server\\MSSQL15.MSSQLSERVER\\MSSQL\\DATA\\";
    let file = |id, is_log, suffix: &str, extension: &str, pages| SpecFile {
        id,
        is_log,
        is_filestream: false,
        logical: format!("{}{suffix}", spec.database),
        physical: format!("{folder}{}{suffix}.{extension}", spec.database),
        pages,
    };
    vec![
        file(1, false, "", "mdf", 1024),
        file(2, true, "_log", "ldf", 1024),
    ]
}

fn set_record(spec: &Spec, finish: DateTime, size: u64) -> Vec<u8> {
    let mut strings = Strings::new(SCIN_FIXED);
    let database = strings.add(&spec.database);
    let server = strings.add(&spec.server);
    let mut r = vec![0; SCIN_FIXED];
    let mut flags = FLAG_ALWAYS | spec.flags;
    flags |= if spec.kind == Kind::Differential {
        FLAG_DIFFERENTIAL
    } else {
        0
    };
    flags |= if spec.checksum { FLAG_CHECKSUM } else { 0 };
    let (major, minor, build) = spec.version;
    let lsns = &spec.lsns;
    put(&mut r, 8, &flags.to_le_bytes());
    put(&mut r, 12, &[1, 0, 0, 0, 1]);
    put(&mut r, 24, &build.to_le_bytes());
    put(&mut r, 26, &[minor, major, 9]);
    put(&mut r, 32, &lsns.first.to_bytes());
    put(&mut r, 42, &lsns.last.to_bytes());
    put(&mut r, 52, &lsns.checkpoint.to_bytes());
    put(&mut r, 62, &lsns.database_backup.to_bytes());
    put_date(&mut r, 72, spec.created);
    put_date(&mut r, 77, spec.started);
    put_date(&mut r, 82, finish);
    put(
        &mut r,
        87,
        &[spec.kind.letter() as u8, 0, 1, 0, spec.compatibility],
    );
    put(&mut r, 92, &spec.database_id.to_le_bytes());
    put(&mut r, 94, &spec.database_version.to_le_bytes());
    put(&mut r, 96, &size.to_le_bytes());
    put(&mut r, 104, &database);
    put(&mut r, 108, &server);
    put(&mut r, 116, &0x409u32.to_le_bytes());
    put(&mut r, 120, &0x3_0001u32.to_le_bytes());
    put(&mut r, 124, &spec.binding_guid.to_bytes_le());
    put(&mut r, 144, &lsns.last.to_bytes());
    put(&mut r, 156, &spec.fork_guid.to_bytes_le());
    if !spec.first_fork_guid.is_nil() {
        put(&mut r, 172, &spec.fork_point.to_bytes());
        put(&mut r, 184, &spec.first_fork_guid.to_bytes_le());
    }
    put(&mut r, 200, &spec.last_full_guid.to_bytes_le());
    put(&mut r, 224, &spec.family_guid.to_bytes_le());
    put(&mut r, 242, &[1, 0, 0, 0, 1]);
    put(&mut r, 260, &lsns.differential_base.to_bytes());
    put(&mut r, 272, &spec.base_guid.to_bytes_le());
    put(&mut r, 344, &size.to_le_bytes());
    put(&mut r, 372, &[1]);
    closed(b"SCIN", r, strings)
}

fn filegroup_record() -> Vec<u8> {
    let mut strings = Strings::new(SFGI_FIXED);
    let name = strings.add("PRIMARY");
    let mut r = vec![0; SFGI_FIXED];
    put(&mut r, 8, &16u32.to_le_bytes());
    put(&mut r, 12, &1u32.to_le_bytes());
    put(&mut r, 16, &name);
    put(&mut r, 20, &[1]);
    closed(b"SFGI", r, strings)
}

fn file_record(spec: &Spec, file: &SpecFile, expected: u32) -> Vec<u8> {
    let mut strings = Strings::new(SFIN_FIXED);
    let name = strings.add(&file.logical);
    let path = strings.add(&file.physical);
    let length = u64::from(file.pages.max(expected)) * 8192;
    // What a container of FILESTREAM has here is not known; 3 is what the double reads again.
    let kind: u32 = match (file.is_log, file.is_filestream) {
        (true, _) => 2,
        (_, true) => 3,
        _ => 1,
    };
    let mut r = vec![0; SFIN_FIXED];
    put(&mut r, 8, &[if file.is_log { 4 } else { 0x84 }]);
    put(&mut r, 16, &8192u32.to_le_bytes());
    put(&mut r, 20, &file.id.to_le_bytes());
    put(&mut r, 24, &expected.to_le_bytes());
    put(&mut r, 28, &kind.to_le_bytes());
    put(&mut r, 32, &(spec.block_size as u16).to_le_bytes());
    put(&mut r, 36, &u32::from(!file.is_log).to_le_bytes());
    put(&mut r, 40, &length.to_le_bytes());
    put(&mut r, 48, &name);
    put(&mut r, 52, &path);
    put(&mut r, 1026, &[0x40]);
    closed(b"SFIN", r, strings)
}

fn closed(kind: &[u8; 4], mut record: Vec<u8>, strings: Strings) -> Vec<u8> {
    record.extend(strings.bytes);
    let length = record.len() as u32;
    put(&mut record, 0, kind);
    put(&mut record, 4, &length.to_le_bytes());
    record
}
