//! The file list in the configuration at the start of a backup set: SFIN records of MQCI.

use crate::tds::bytes::utf16;

/// Most files of one database taken.
const MAX_FILES: usize = 1000;

/// One file of the backed-up database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// file_id
    pub id: u32,
    /// Log file.
    pub is_log: bool,
    /// FILESTREAM container.
    pub is_filestream: bool,
    /// Bytes.
    pub size: u64,
    /// Logical name.
    pub logical: String,
    /// Path where it was.
    pub physical: String,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// A text by its size and offset pair, without a closing NUL.
fn text_at(record: &[u8], at: usize) -> Option<String> {
    let pair = u32_at(record, at)?;
    let (size, offset) = ((pair & 0xFFFF) as usize, (pair >> 16) as usize);
    let text = utf16(record.get(offset..offset.checked_add(size)?)?);
    Some(text.trim_end_matches('\0').to_owned())
}

/// The files that the configuration of a set lists; empty when there is no readable list.
#[must_use]
pub fn files(mut records: &[u8]) -> Vec<FileRecord> {
    let mut found = Vec::new();
    while let Some(length) = u32_at(records, 4).map(|length| length as usize) {
        let Some(record) = records.get(..length).filter(|record| record.len() >= 8) else {
            break;
        };
        if record.starts_with(b"SFIN") && found.len() < MAX_FILES {
            found.extend(file(record));
        }
        records = &records[length..];
    }
    found
}

fn file(record: &[u8]) -> Option<FileRecord> {
    Some(FileRecord {
        id: u32_at(record, 20)?,
        is_log: u32_at(record, 28)? == 2,
        is_filestream: u32_at(record, 28)? == 3,
        size: u64_at(record, 40)?,
        logical: text_at(record, 48)?,
        physical: text_at(record, 52)?,
    })
}
