//! What a medium and a backup set of SQL Server say of themselves.
//!
//! Offsets are those of facts seen in 142 files of SQL Server 2005 to 2022 (docs/format.md).

use serde::{Deserialize, Serialize};
use twinset_domain::{BackupKind, LocalTime, Lsn};
use uuid::Uuid;

use super::fields::{guid_at, lsn_at, string_at, time_at, u8_at, u16_at, u32_at, u64_at};

/// How SQL Server wrapped the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// Plain Microsoft Tape Format.
    Mtf,
    /// `MSSQLBAK`: compressed or encrypted by SQL Server; opaque to every MTF reader.
    Mssqlbak,
    /// Something else.
    Opaque,
}

/// The TAPE block and its RAID stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaFacts {
    /// Media set id of SQL Server, equal in all stripes.
    pub media_set: Uuid,
    /// Families (stripes) it was written to.
    pub families: u16,
    /// Which of them this is, from 1.
    pub family: u16,
    /// Mirrors it was written to.
    pub mirrors: u16,
    /// Physical block size, in bytes.
    pub block_size: u32,
    /// Media name, if one was given.
    pub name: Option<String>,
    /// Who wrote it.
    pub software: Option<String>,
}

/// One backup set, from SSET and SCIN, or from msdb.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetFacts {
    /// `FILE = n` of RESTORE, from 1.
    pub number: u16,
    /// GUID of the backup set.
    pub set: Option<Uuid>,
    /// Database name.
    pub database: Option<String>,
    /// Server name.
    pub server: Option<String>,
    /// Kind; null for files and partial backups.
    pub kind: Option<BackupKind>,
    /// The letter of the kind as SQL Server writes it (D, I, L, F, G, P, Q).
    pub letter: Option<char>,
    /// Oldest record in the set.
    pub first_lsn: Option<Lsn>,
    /// Record after the set.
    pub last_lsn: Option<Lsn>,
    /// Where redo starts.
    pub checkpoint_lsn: Option<Lsn>,
    /// Checkpoint of the newest full there was.
    pub database_backup_lsn: Option<Lsn>,
    /// Base of a differential.
    pub differential_base_lsn: Option<Lsn>,
    /// GUID of that base.
    pub differential_base: Option<Uuid>,
    /// Ties all copies of the database together.
    pub family_guid: Option<Uuid>,
    /// Ties the files of this copy together.
    pub database_guid: Option<Uuid>,
    /// Recovery fork.
    pub recovery_fork: Option<Uuid>,
    /// WITH CHECKSUM.
    pub checksum: Option<bool>,
    /// Version of the server: major.minor.build.
    pub server_version: Option<String>,
    /// Version of the database's files.
    pub database_version: Option<u16>,
    /// Bytes of the set over all families, as SQL Server counts them.
    pub backup_size: Option<u64>,
    /// Start, in the server's own zone.
    pub started: Option<LocalTime>,
    /// End, in the server's own zone.
    pub finished: Option<LocalTime>,
    /// Taken beside the chain (COPY_ONLY); only msdb tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_only: Option<bool>,
    /// Fork that the set begins on, where it is another one than it ends on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_recovery_fork: Option<Uuid>,
    /// Where the two part; may lie long before the set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork_point_lsn: Option<Lsn>,
    /// First log of its chain; only msdb tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins_log_chain: Option<bool>,
    /// Holds changes that were logged in bulk: no stop inside it; only msdb tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bulk_logged: Option<bool>,
    /// Holds damaged pages; only msdb tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damaged: Option<bool>,
}

impl MediaFacts {
    /// From a whole TAPE block (up to its first stream) and the RAID stream's data.
    #[must_use]
    pub fn parse(tape: &[u8], raid: &[u8]) -> Option<Self> {
        Some(Self {
            media_set: guid_at(raid, 0)?,
            families: u16_at(raid, 20)?,
            family: u16_at(raid, 24)?,
            mirrors: u16_at(raid, 22)?,
            block_size: u32::from(u16_at(tape, 64)?) * 512,
            name: string_at(tape, 68),
            software: string_at(tape, 80),
        })
    }
}

impl SetFacts {
    /// From a whole SSET block.
    #[must_use]
    pub fn from_sset(sset: &[u8]) -> Self {
        let os_data = u16_at(sset, 46).map(usize::from);
        let size = u16_at(sset, 44).unwrap_or(0);
        Self {
            number: u16_at(sset, 62).unwrap_or(0),
            set: os_data
                .filter(|_| size >= 16)
                .and_then(|at| guid_at(sset, at)),
            ..Self::default()
        }
    }

    /// Adds what the SCIN record of a MQCI stream says. `record` begins at `SCIN`.
    ///
    /// Called for the record at the start of the set and again for the one at its end, which alone
    /// knows the finish time, the last LSN and the size.
    pub fn add_scin(&mut self, record: &[u8]) {
        let letter = u8_at(record, 87).filter(u8::is_ascii_uppercase);
        let flags = u32_at(record, 8).unwrap_or(0);
        self.letter = letter.map(char::from);
        self.kind = letter.and_then(BackupKind::from_letter);
        self.database = string_at(record, 104);
        self.server = string_at(record, 108);
        self.first_lsn = lsn_at(record, 32);
        self.last_lsn = lsn_at(record, 42);
        self.checkpoint_lsn = lsn_at(record, 52);
        self.database_backup_lsn = lsn_at(record, 62);
        self.started = time_at(record, 77);
        self.finished = time_at(record, 82);
        self.database_version = u16_at(record, 94);
        self.backup_size = u64_at(record, 96).filter(|size| *size > 0);
        self.database_guid = guid_at(record, 124);
        self.recovery_fork = guid_at(record, 156);
        self.first_recovery_fork = guid_at(record, 184).filter(|first| {
            let crosses = self.recovery_fork.is_some_and(|last| last != *first);
            crosses && !first.is_nil()
        });
        self.fork_point_lsn = lsn_at(record, 172).filter(|_| self.first_recovery_fork.is_some());
        self.family_guid = guid_at(record, 224);
        self.checksum = Some(flags & 0x10 != 0);
        let differential = self.kind == Some(BackupKind::Differential);
        self.differential_base_lsn = lsn_at(record, 260).filter(|_| differential);
        self.differential_base = guid_at(record, 272).filter(|_| differential);
        if let (Some(build), Some(minor), Some(major)) =
            (u16_at(record, 24), u8_at(record, 26), u8_at(record, 27))
        {
            self.server_version = Some(format!("{major}.{minor}.{build}"));
        }
    }
}
