//! msdb's history: rows as backups and restores write them.

use uuid::Uuid;

use super::backup::flags;
use super::catalog::server::COLLATION_NAME;
use super::catalog::{Row, Table, msdb};
use super::model::Lsn;
use super::moment::Moment;
use crate::tds::types::Value;

/// The tables, row by row.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// msdb.dbo.backupset
    pub backupset: Vec<Vec<Value>>,
    /// msdb.dbo.backupmediaset
    pub backupmediaset: Vec<Vec<Value>>,
    /// msdb.dbo.backupmediafamily
    pub backupmediafamily: Vec<Vec<Value>>,
    /// msdb.dbo.backupfile
    pub backupfile: Vec<Vec<Value>>,
    /// msdb.dbo.restorehistory
    pub restorehistory: Vec<Vec<Value>>,
    /// msdb.dbo.logmarkhistory
    pub logmarkhistory: Vec<Vec<Value>>,
    /// msdb.dbo.suspect_pages
    pub suspect_pages: Vec<Vec<Value>>,
    /// msdb.dbo.sysjobs
    pub sysjobs: Vec<Vec<Value>>,
    /// msdb.dbo.sysjobsteps
    pub sysjobsteps: Vec<Vec<Value>>,
    /// msdb.dbo.sysjobschedules
    pub sysjobschedules: Vec<Vec<Value>>,
    /// msdb.dbo.sysschedules
    pub sysschedules: Vec<Vec<Value>>,
}

/// A backup set as history has it.
#[derive(Clone, Debug)]
pub struct SetFacts {
    /// backup_set_uuid
    pub set: Uuid,
    /// media_uuid
    pub media_set: Uuid,
    /// First bytes of each media family id, in order.
    pub family_ids: Vec<u32>,
    /// D, I or L.
    pub kind: char,
    /// Database.
    pub database: String,
    /// Server that took it.
    pub server: String,
    /// Machine that took it.
    pub machine: String,
    /// Login that took it.
    pub user: String,
    /// NAME.
    pub name: Option<String>,
    /// DESCRIPTION.
    pub description: Option<String>,
    /// MEDIANAME.
    pub media_name: Option<String>,
    /// LSNs: first, last, checkpoint, database_backup.
    pub lsns: [Lsn; 4],
    /// Base of a differential.
    pub base: Option<(Lsn, Uuid)>,
    /// When it began and ended.
    pub times: (Moment, Moment),
    /// Position on its media.
    pub position: u16,
    /// When the database was made.
    pub created: Moment,
    /// Bytes.
    pub size: u64,
    /// database_guid, family_guid.
    pub guids: (Uuid, Uuid),
    /// First and last recovery fork.
    pub forks: (Uuid, Uuid),
    /// Where they part.
    pub fork_point: Option<Lsn>,
    /// FULL, BULK-LOGGED, SIMPLE.
    pub recovery: &'static str,
    /// Server version that wrote it.
    pub version: (u8, u8, u16),
    /// Internal database version.
    pub database_version: i32,
    /// COPY_ONLY.
    pub copy_only: bool,
    /// CHECKSUM.
    pub checksums: bool,
    /// COMPRESSION.
    pub compressed: bool,
    /// First log of its chain.
    pub begins_chain: bool,
    /// Read-only database.
    pub read_only: bool,
    /// Block size of the media.
    pub block: u32,
    /// Flags beyond those that have a field here.
    pub flags: u32,
    /// Algorithm and thumbprint of an encrypted set.
    pub encryption: Option<(String, Vec<u8>)>,
    /// Algorithm of a compressed set.
    pub algorithm: Option<String>,
    /// MEDIADESCRIPTION.
    pub media_description: Option<String>,
    /// Until when the set may not be overwritten.
    pub expires: Option<Moment>,
    /// Mirrors of the media set.
    pub mirrors: usize,
}

impl History {
    /// Writes a backup: media set, families with their devices, the set. Returns backup_set_id.
    ///
    /// `devices` are the lists of all mirrors, the first one first.
    pub fn add_set(&mut self, facts: &SetFacts, devices: &[&[String]], device_type: i64) -> i64 {
        let table = Table::parse("backupmediaset", msdb::BACKUPMEDIASET);
        if let Some(known) = self.media_id(&table, facts.media_set) {
            return self.add_set_row(facts, known);
        }
        let media_id = self.backupmediaset.len() as i64 + 1;
        let row = Row::new(&table)
            .set("media_set_id", media_id)
            .set("media_uuid", facts.media_set)
            .set("media_family_count", facts.family_ids.len() as i64)
            .set("name", facts.media_name.as_deref())
            .set("description", facts.media_description.as_deref())
            .set("software_name", "Microsoft SQL Server")
            .set("software_vendor_id", 4608)
            .set("MTF_major_version", 1)
            .set("mirror_count", facts.mirrors as i64)
            .set("is_password_protected", false)
            .set("is_compressed", facts.compressed)
            .set("is_encrypted", facts.encryption.as_ref().map(|_| true));
        self.backupmediaset.push(row.build());
        let table = Table::parse("backupmediafamily", msdb::BACKUPMEDIAFAMILY);
        let mirrors = devices.iter().enumerate();
        let each = mirrors.flat_map(|mirror| {
            facts
                .family_ids
                .iter()
                .enumerate()
                .map(move |f| (mirror, f))
        });
        for ((mirror, devices), (at, id)) in each {
            let mut family = [0_u8; 16];
            family[..4].copy_from_slice(&id.to_le_bytes());
            let row = Row::new(&table)
                .set("media_set_id", media_id)
                .set("family_sequence_number", at as i64 + 1)
                .set("media_family_id", Uuid::from_bytes_le(family))
                .set("media_count", 1)
                .set("physical_device_name", devices.get(at).map(String::as_str))
                .set("device_type", device_type)
                .set("physical_block_size", i64::from(facts.block))
                .set("mirror", mirror as i64);
            self.backupmediafamily.push(row.build());
        }
        self.add_set_row(facts, media_id)
    }

    /// The row of a media set that is known.
    fn media_id(&self, table: &Table, media_set: Uuid) -> Option<i64> {
        let (uuid, id) = (
            table.position("media_uuid")?,
            table.position("media_set_id")?,
        );
        let mut rows = self.backupmediaset.iter();
        let row = rows.find(|row| row.get(uuid) == Some(&Value::Guid(media_set)))?;
        match row.get(id) {
            Some(Value::Int(id)) => Some(*id),
            _ => None,
        }
    }

    fn add_set_row(&mut self, facts: &SetFacts, media_id: i64) -> i64 {
        let id = self.backupset.len() as i64 + 1;
        let families = facts.family_ids.len() as i64;
        let [first, last, checkpoint, full] = facts.lsns;
        let (major, minor, build) = facts.version;
        let flags = 512 | (i64::from(facts.checksums) * 16) | i64::from(facts.flags);
        let table = Table::parse("backupset", msdb::BACKUPSET);
        let row = Row::new(&table)
            .set("backup_set_id", id)
            .set("backup_set_uuid", facts.set)
            .set("media_set_id", media_id)
            .set("first_family_number", 1)
            .set("first_media_number", 1)
            .set("last_family_number", families)
            .set("last_media_number", 1)
            .set("catalog_family_number", families)
            .set("catalog_media_number", 1)
            .set("position", i64::from(facts.position))
            .set("expiration_date", facts.expires)
            .set("software_vendor_id", 4608)
            .set("name", facts.name.as_deref())
            .set("description", facts.description.as_deref())
            .set("user_name", facts.user.as_str())
            .set("software_major_version", i64::from(major))
            .set("software_minor_version", i64::from(minor))
            .set("software_build_version", i64::from(build))
            .set("time_zone", 0)
            .set("mtf_minor_version", 0)
            .set("first_lsn", first)
            .set("last_lsn", last)
            .set("checkpoint_lsn", checkpoint)
            .set("database_backup_lsn", full)
            .set("database_creation_date", facts.created)
            .set("backup_start_date", facts.times.0)
            .set("backup_finish_date", facts.times.1)
            .set("type", facts.kind.to_string())
            .set("sort_order", 52)
            .set("code_page", 0)
            .set("compatibility_level", i64::from(major) * 10)
            .set("database_version", facts.database_version)
            .set("backup_size", facts.size as i64)
            .set("database_name", facts.database.as_str())
            .set("server_name", facts.server.as_str())
            .set("machine_name", facts.machine.as_str())
            .set("flags", flags)
            .set("unicode_locale", 1033)
            .set("unicode_compare_style", 196_609)
            .set("collation_name", COLLATION_NAME);
        self.backupset.push(details(row, facts).build());
        id
    }

    /// backup_set_id of a set that is in history already.
    #[must_use]
    pub fn find_set(&self, set: Uuid) -> Option<i64> {
        let wanted = Value::Guid(set);
        let hit = self
            .backupset
            .iter()
            .find(|row| row.get(1) == Some(&wanted))?;
        match hit.first() {
            Some(Value::Int(id)) => Some(*id),
            _ => None,
        }
    }

    /// Writes a transaction mark.
    pub fn add_mark(&mut self, mark: &Mark<'_>) {
        let table = Table::parse("logmarkhistory", msdb::LOGMARKHISTORY);
        let row = Row::new(&table)
            .set("database_name", mark.database)
            .set("mark_name", mark.name)
            .set("description", mark.description)
            .set("user_name", mark.user)
            .set("lsn", mark.lsn)
            .set("mark_time", mark.at);
        self.logmarkhistory.push(row.build());
    }

    /// Writes a restore.
    pub fn add_restore(&mut self, restore: &RestoreFacts<'_>) {
        let table = Table::parse("restorehistory", msdb::RESTOREHISTORY);
        let row = Row::new(&table)
            .set("restore_history_id", self.restorehistory.len() as i64 + 1)
            .set("restore_date", restore.at)
            .set("destination_database_name", restore.database)
            .set("user_name", restore.user)
            .set("backup_set_id", restore.set_id)
            .set("restore_type", restore.kind.to_string())
            .set("replace", restore.replace)
            .set("recovery", restore.recovery)
            .set("restart", false)
            .set("stop_at", restore.stop_at)
            .set("device_count", restore.devices as i64)
            .set("stop_at_mark_name", restore.stop_mark.as_deref())
            .set("stop_before", restore.stop_before);
        self.restorehistory.push(row.build());
    }
}

/// Flags, forks, bases and sizes of a set.
fn details<'a>(row: Row<'a>, facts: &SetFacts) -> Row<'a> {
    let flag = |bit: u32| facts.flags & bit != 0;
    row.set("is_password_protected", false)
        .set("recovery_model", facts.recovery)
        .set("has_bulk_logged_data", flag(flags::BULK))
        .set("is_snapshot", false)
        .set("is_readonly", facts.read_only)
        .set("is_single_user", false)
        .set("has_backup_checksums", facts.checksums)
        .set("is_damaged", flag(flags::DAMAGED))
        .set("begins_log_chain", facts.begins_chain)
        .set("has_incomplete_metadata", flag(flags::INCOMPLETE))
        .set("is_force_offline", flag(flags::NO_RECOVERY))
        .set("is_copy_only", facts.copy_only)
        .set("first_recovery_fork_guid", facts.forks.0)
        .set("last_recovery_fork_guid", facts.forks.1)
        .set("fork_point_lsn", facts.fork_point)
        .set("database_guid", facts.guids.0)
        .set("family_guid", facts.guids.1)
        .set("differential_base_lsn", facts.base.map(|(lsn, _)| lsn))
        .set("differential_base_guid", facts.base.map(|(_, set)| set))
        .set("compressed_backup_size", facts.size as i64)
        .set("last_valid_restore_time", facts.times.1)
        .set("compression_algorithm", facts.algorithm.as_deref())
        .set(
            "key_algorithm",
            facts.encryption.as_ref().map(|(a, _)| a.as_str()),
        )
        .set(
            "encryptor_thumbprint",
            facts.encryption.as_ref().map(|(_, thumb)| thumb.clone()),
        )
        .set(
            "encryptor_type",
            facts.encryption.as_ref().map(|_| "CERTIFICATE"),
        )
}

/// A restore as history has it.
#[derive(Clone, Debug)]
pub struct RestoreFacts<'a> {
    /// When.
    pub at: Moment,
    /// Database made or changed.
    pub database: &'a str,
    /// Login.
    pub user: &'a str,
    /// backup_set_id of what was restored.
    pub set_id: i64,
    /// D, I, L or V.
    pub kind: char,
    /// REPLACE was given.
    pub replace: bool,
    /// The database was recovered.
    pub recovery: bool,
    /// Devices read.
    pub devices: usize,
    /// STOPAT.
    pub stop_at: Option<Moment>,
    /// Mark of STOPATMARK or STOPBEFOREMARK.
    pub stop_mark: Option<String>,
    /// STOPBEFOREMARK.
    pub stop_before: bool,
}

/// A transaction mark as history has it.
#[derive(Clone, Copy, Debug)]
pub struct Mark<'a> {
    /// Database written to.
    pub database: &'a str,
    /// Name of the transaction.
    pub name: &'a str,
    /// Its description.
    pub description: &'a str,
    /// Login.
    pub user: &'a str,
    /// Its place in the log.
    pub lsn: Lsn,
    /// When it was committed.
    pub at: Moment,
}
