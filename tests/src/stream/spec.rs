//! What a generated backup set says and how large it is.

use uuid::Uuid;

use super::pages::mix;
use super::words::{DateTime, Kind, Lsn};

/// Most families of a media set.
const MAX_FAMILIES: u16 = 64;
/// Pages come in extents of this many bytes.
pub(super) const EXTENT: u64 = 65536;

/// Log sequence numbers of a backup set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lsns {
    /// First in the set.
    pub first: Lsn,
    /// One past the last in the set.
    pub last: Lsn,
    /// Of the checkpoint.
    pub checkpoint: Lsn,
    /// Of the last full backup; zero if there is none.
    pub database_backup: Lsn,
    /// Of the base of a differential; zero otherwise.
    pub differential_base: Lsn,
}

/// Everything that decides the bytes of a set; two equal values give equal bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Seed of the page contents and of what else nobody names.
    pub seed: u64,
    /// Bytes of pages or log over all families; rounded up to 64 KiB in each.
    pub size: u64,
    /// Number of families, 1 to 64.
    pub families: u16,
    /// Physical block size in bytes: a power of two from 512 to 65536.
    pub block_size: u32,
    /// Kind of backup.
    pub kind: Kind,
    /// Database name.
    pub database: String,
    /// Server (instance) name.
    pub server: String,
    /// Account that ran BACKUP.
    pub user: String,
    /// Name of the backup set; empty = none.
    pub set_name: String,
    /// Position of the set in its media set.
    pub position: u16,
    /// SQL Server version: major (11 or later), minor, build.
    pub version: (u8, u8, u16),
    /// Version of the database, such as 904 for 2019.
    pub database_version: u16,
    /// Compatibility level.
    pub compatibility: u8,
    /// Id of the database in its server.
    pub database_id: u16,
    /// Log sequence numbers.
    pub lsns: Lsns,
    /// GUID of the backup set.
    pub set_guid: Uuid,
    /// GUID of the media set.
    pub media_set_guid: Uuid,
    /// Family GUID of the database: equal on both partners.
    pub family_guid: Uuid,
    /// Recovery fork.
    pub fork_guid: Uuid,
    /// First recovery fork, if the set crosses one; else nil.
    pub first_fork_guid: Uuid,
    /// Binding GUID of the database.
    pub binding_guid: Uuid,
    /// Set GUID of the last full backup; nil if there is none.
    pub last_full_guid: Uuid,
    /// Set GUID of the base of a differential; nil otherwise.
    pub base_guid: Uuid,
    /// When the database was created.
    pub created: DateTime,
    /// When the backup began.
    pub started: DateTime,
    /// When it ended.
    pub finished: DateTime,
    /// Until when the set may not be overwritten; zero = no date.
    pub expires: DateTime,
    /// WITH CHECKSUM.
    pub checksum: bool,
    /// More bits of the set's flags, as HEADERONLY has them.
    pub flags: u32,
    /// Where the two forks part, if they differ.
    pub fork_point: Lsn,
    /// Description of the set; empty = none.
    pub description: String,
    /// Name of the medium; empty = none.
    pub media_name: String,
    /// Mirrors of the medium, 1 to 4.
    pub mirrors: u16,
    /// Files of the database; empty = one for data and one for the log, by its name.
    pub files: Vec<SpecFile>,
    /// What stands at the start of the log part of the first family.
    pub log: Vec<u8>,
}

/// A file of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecFile {
    /// file_id
    pub id: u32,
    /// Log file.
    pub is_log: bool,
    /// FILESTREAM container.
    pub is_filestream: bool,
    /// Logical name.
    pub logical: String,
    /// Path as the server sees it.
    pub physical: String,
    /// Size in pages.
    pub pages: u32,
}

impl Spec {
    /// A full backup of a database called `Payroll` by SQL Server 2019, everything else
    /// taken from the seed.
    #[must_use]
    pub fn new(seed: u64, size: u64, families: u16) -> Self {
        let guid = |n: u64| {
            let (high, low) = (mix(seed ^ (n << 8)), mix(seed ^ (n << 8) ^ 1));
            uuid::Builder::from_random_bytes(
                ((u128::from(high) << 64) | u128::from(low)).to_be_bytes(),
            )
            .into_uuid()
        };
        let at = |block, slot| Lsn {
            file: 37,
            block,
            slot,
        };
        let date = |hour, minute, second| DateTime {
            year: 2026,
            month: 11,
            day: 21,
            hour,
            minute,
            second,
        };
        Self {
            seed,
            size,
            families,
            block_size: 512,
            kind: Kind::Full,
            database: "Payroll".into(),
            server: "SQL1".into(),
            user: "CORP\\backup".into(),
            set_name: String::new(),
            position: 1,
            version: (15, 0, 4420),
            database_version: 904,
            compatibility: 150,
            database_id: 9,
            lsns: Lsns {
                first: at(2896, 1),
                last: at(2968, 1),
                checkpoint: at(2896, 138),
                ..Lsns::default()
            },
            set_guid: guid(1),
            media_set_guid: guid(2),
            family_guid: guid(3),
            fork_guid: guid(4),
            first_fork_guid: Uuid::nil(),
            binding_guid: guid(5),
            last_full_guid: Uuid::nil(),
            base_guid: Uuid::nil(),
            created: DateTime {
                month: 3,
                ..date(9, 30, 0)
            },
            started: date(1, 0, 0),
            finished: date(1, 0, 42),
            expires: DateTime::default(),
            checksum: false,
            flags: 0,
            fork_point: Lsn::default(),
            description: String::new(),
            media_name: String::new(),
            mirrors: 1,
            files: Vec::new(),
            log: Vec::new(),
        }
    }

    /// Media family id of a family, counted from 1.
    #[must_use]
    pub fn family_id(&self, family: u16) -> u32 {
        let (high, low) = self.media_set_guid.as_u64_pair();
        mix(high ^ mix(low) ^ u64::from(family)) as u32 | 1
    }

    /// The first reason why no stream can be made of this.
    ///
    /// # Errors
    /// A sentence for the person who asked.
    pub fn check(&self) -> Result<(), String> {
        let names = [&self.database, &self.server, &self.user, &self.set_name];
        let longest = names
            .into_iter()
            .map(|text| text.encode_utf16().count())
            .max();
        if !(1..=MAX_FAMILIES).contains(&self.families) {
            Err(format!(
                "{} families; there must be 1 to {MAX_FAMILIES}",
                self.families
            ))
        } else if !self.block_size.is_power_of_two() || !(512..=65_536).contains(&self.block_size) {
            Err(format!(
                "block size {}; it must be a power of two from 512 to 65536",
                self.block_size
            ))
        } else if self.version.0 < 11 {
            Err(format!(
                "version {}; the generator knows 11 and later",
                self.version.0
            ))
        } else if self.size > 1 << 50 {
            Err(format!("{} bytes; the largest set is 1 PiB", self.size))
        } else if longest > Some(128) {
            Err("a name has more than 128 characters".into())
        } else if self.log.len() as u64 > EXTENT {
            Err("the record of the log is longer than 64 KiB".into())
        } else {
            Ok(())
        }
    }

    /// Bytes of pages or log in each family.
    #[must_use]
    pub fn family_size(&self) -> u64 {
        let share = self.size.div_ceil(u64::from(self.families.max(1)));
        share.max(1).next_multiple_of(EXTENT)
    }
}
