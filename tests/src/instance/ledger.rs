//! What a database holds: its simulated writes, in the order of its log.
//!
//! Every write takes a place in the log. Backups carry the writes they cover in their log part, so
//! a restore knows exactly what it got back, and a stop point falls between two writes.

use serde::{Deserialize, Serialize};

use super::model::Lsn;
use super::moment::Moment;

/// Most writes of one database; their record fits the log part of any generated backup.
pub const MAX_WRITES: usize = 400;
/// Longest text of a write, in bytes.
pub const MAX_NOTE: usize = 64;
/// Log blocks of one write.
pub const BLOCKS_PER_WRITE: u32 = 8;
/// First bytes of the record in a backup.
const MAGIC: &[u8; 8] = b"TWLEDGER";

/// One committed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Number, from 1 on.
    pub id: i64,
    /// Its place in the log.
    pub lsn: Lsn,
    /// When it was committed.
    pub at: Moment,
    /// What was written.
    pub note: String,
    /// Mark of its transaction.
    pub mark: Option<String>,
    /// Minimally logged, under BULK_LOGGED.
    pub bulk: bool,
}

/// A write on the medium.
#[derive(Serialize, Deserialize)]
struct Written(i64, (u32, u32, u16), String, String, Option<String>, bool);

/// What the log part of a backup says beyond its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// recovery_model_desc of the database.
    pub recovery: String,
    /// First log backup of its chain.
    pub begins_chain: bool,
    /// Algorithm of a compressed set.
    pub compression: Option<String>,
    /// Algorithm and thumbprint of an encrypted set.
    pub encryption: Option<(String, Vec<u8>)>,
    /// The writes of the set: of a data backup all, of a log backup its own.
    pub writes: Vec<Write>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    recovery: String,
    begins_chain: bool,
    compression: Option<String>,
    encryption: Option<(String, Vec<u8>)>,
    writes: Vec<Written>,
}

/// The bytes that stand for a content in a backup.
#[must_use]
pub fn encode(content: &Content) -> Vec<u8> {
    let writes = content.writes.iter().map(|write| {
        let (note, mark) = (write.note.clone(), write.mark.clone());
        let at = write.at.to_iso();
        Written(write.id, write.lsn.parts(), at, note, mark, write.bulk)
    });
    let body = Body {
        recovery: content.recovery.clone(),
        begins_chain: content.begins_chain,
        compression: content.compression.clone(),
        encryption: content.encryption.clone(),
        writes: writes.collect(),
    };
    // Plain values can always be written.
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let length = body.len() as u32;
    [&MAGIC[..], &length.to_le_bytes(), &body].concat()
}

/// The content of a backup; `None` for backups that do not come from a double.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<Content> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk()?;
    let body = rest.get(..u32::from_le_bytes(*length) as usize)?;
    let body: Body = serde_json::from_slice(body).ok()?;
    let writes = body.writes.into_iter();
    let writes = writes.map(|Written(id, (file, block, slot), at, note, mark, bulk)| {
        Some(Write {
            id,
            lsn: Lsn::new(file, block, slot),
            at: Moment::parse(&at)?,
            note,
            mark,
            bulk,
        })
    });
    Some(Content {
        recovery: body.recovery,
        begins_chain: body.begins_chain,
        compression: body.compression,
        encryption: body.encryption,
        writes: writes.collect::<Option<_>>()?,
    })
}
