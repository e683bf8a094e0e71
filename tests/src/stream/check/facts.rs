//! What a stream says about itself.

use std::fmt;

use uuid::Uuid;

use super::fields::Fields;
use crate::stream::spec::Lsns;
use crate::stream::words::{DateTime, Kind, Lsn};

/// Why RESTORE refuses a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFault {
    /// SQL Server's message number.
    pub number: u32,
    /// Where in the stream it was noticed.
    pub offset: u64,
    /// What exactly is wrong; for the log, not SQL Server's text.
    pub what: String,
}

impl fmt::Display for StreamFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at offset {:#x}: {}",
            self.number, self.offset, self.what
        )
    }
}

impl std::error::Error for StreamFault {}

/// One family of a media set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamFacts {
    /// Bytes of the stream.
    pub length: u64,
    /// BLAKE3 of the stream; filled in at its end.
    pub blake3: [u8; 32],
    /// A compressed or encrypted backup.
    pub is_container: bool,
    /// A compressed one, as far as is known.
    pub is_compressed: bool,
    /// A container of somebody else: nothing else is known.
    pub is_opaque: bool,
    /// Thumbprint of the certificate that an encrypted one needs.
    pub certificate: Option<[u8; 20]>,
    /// Media set GUID.
    pub media_set_guid: Uuid,
    /// Media family id.
    pub family_id: u32,
    /// Families in the media set.
    pub families: u16,
    /// Number of this family, from 1.
    pub family: u16,
    /// Mirrors in the media set.
    pub mirrors: u16,
    /// Index of this mirror, from 0.
    pub mirror: u16,
    /// Physical block size in bytes.
    pub block_size: u32,
    /// What wrote the medium.
    pub software: String,
    /// When the medium was written.
    pub media_date: DateTime,
    /// Media name; empty = none.
    pub media_name: String,
    /// The backup sets in their order.
    pub sets: Vec<SetFacts>,
}

/// One backup set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetFacts {
    /// Position in the media set, from 1.
    pub position: u16,
    /// Kind; `None` for those the double does not know.
    pub kind: Option<Kind>,
    /// Letter of the kind as recorded.
    pub kind_letter: u8,
    /// Set GUID.
    pub set_guid: Uuid,
    /// Name of the set; empty = none.
    pub name: String,
    /// Description; empty = none.
    pub description: String,
    /// Account that ran BACKUP.
    pub user: String,
    /// Machine that wrote it.
    pub machine: String,
    /// Server name.
    pub server: String,
    /// Database name.
    pub database: String,
    /// SQL Server's major, minor, build.
    pub version: (u8, u8, u16),
    /// Version of the database.
    pub database_version: u16,
    /// Compatibility level.
    pub compatibility: u8,
    /// Log sequence numbers.
    pub lsns: Lsns,
    /// Family GUID of the database.
    pub family_guid: Uuid,
    /// Recovery fork.
    pub fork_guid: Uuid,
    /// First recovery fork; nil if the set crosses none.
    pub first_fork_guid: Uuid,
    /// Binding GUID.
    pub binding_guid: Uuid,
    /// Set GUID of the last full backup.
    pub last_full_guid: Uuid,
    /// Set GUID of the differential base.
    pub base_guid: Uuid,
    /// When the database was created.
    pub created: DateTime,
    /// Until when the set may not be overwritten; zero = no date.
    pub expires: DateTime,
    /// When the backup began.
    pub started: DateTime,
    /// When it ended; zero until the end of the set was seen.
    pub finished: DateTime,
    /// Taken WITH CHECKSUM.
    pub has_checksum: bool,
    /// Backup size in bytes over all families, as recorded.
    pub backup_size: u64,
    /// Checksums that were verified in this stream.
    pub sums_verified: u32,
    /// Bytes of pages and log in this stream.
    pub data_bytes: u64,
    /// Offset of the set in this stream.
    pub start: u64,
    /// The set is closed by its end blocks.
    pub is_complete: bool,
    /// Flags, as HEADERONLY has them.
    pub flags: u32,
    /// Where the two forks part.
    pub fork_point: Lsn,
    /// Start of the log part.
    pub log: Vec<u8>,
    /// The configuration records at its start.
    pub config: Vec<u8>,
    /// BLAKE3 of its bytes, with what stands before the first set; zeros until it is closed.
    pub blake3: [u8; 32],
}

impl SetFacts {
    /// What the set's header block says.
    pub(super) fn of_header(block: Fields<'_>, start: u64) -> Option<Self> {
        let os_data = block.u16(44)? as usize;
        let guid_at = block.u16(46)? as usize;
        let set_guid = if os_data >= 16 {
            block.guid(guid_at)?
        } else {
            Uuid::nil()
        };
        let expires = match os_data {
            21.. => block.date(guid_at + 16)?,
            _ => DateTime::default(),
        };
        let nil = Uuid::nil();
        Some(Self {
            position: block.u16(62)?,
            kind: None,
            kind_letter: 0,
            set_guid,
            name: block.text(64)?,
            description: block.text(68)?,
            user: block.text(76)?,
            machine: String::new(),
            server: String::new(),
            database: String::new(),
            version: (block.u8(93)?, block.u8(94)?, 0),
            database_version: 0,
            compatibility: 0,
            lsns: Lsns::default(),
            family_guid: nil,
            fork_guid: nil,
            first_fork_guid: nil,
            binding_guid: nil,
            last_full_guid: nil,
            base_guid: nil,
            created: DateTime::default(),
            expires,
            started: block.date(88)?,
            finished: DateTime::default(),
            has_checksum: false,
            backup_size: 0,
            sums_verified: 0,
            data_bytes: 0,
            start,
            is_complete: false,
            flags: 0,
            fork_point: Lsn::default(),
            log: Vec::new(),
            config: Vec::new(),
            blake3: [0; 32],
        })
    }

    /// Takes over what a configuration record says.
    pub(super) fn learn(&mut self, r: Fields<'_>) -> Option<()> {
        self.flags = r.u32(8)?;
        self.has_checksum = self.flags & 0x10 != 0;
        self.version = (r.u8(27)?, r.u8(26)?, r.u16(24)?);
        self.lsns = Lsns {
            first: r.lsn(32)?,
            last: r.lsn(42)?,
            checkpoint: r.lsn(52)?,
            database_backup: r.lsn(62)?,
            differential_base: r.lsn(260)?,
        };
        self.created = r.date(72)?;
        self.finished = r.date(82)?;
        self.kind_letter = r.u8(87)?;
        self.kind = Kind::of_letter(self.kind_letter);
        self.compatibility = r.u8(91)?;
        self.database_version = r.u16(94)?;
        self.backup_size = r.u64(96)?;
        self.database = r.text(104)?;
        self.server = r.text(108)?;
        self.binding_guid = r.guid(124)?;
        self.fork_guid = r.guid(156)?;
        self.fork_point = r.lsn(172)?;
        self.first_fork_guid = r.guid(184)?;
        self.last_full_guid = r.guid(200)?;
        self.family_guid = r.guid(224)?;
        self.base_guid = r.guid(272)?;
        Some(())
    }
}
