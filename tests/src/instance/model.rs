//! What an instance consists of: databases, files, mirroring, positions in the log.

use std::path::PathBuf;

use uuid::Uuid;

pub use super::access::Access;
use super::availability::Joined;
use super::ledger::Write;
pub use super::mirroring::side::Mirroring;
use super::moment::Moment;

/// A log sequence number: `vlf * 10^15 + block * 10^5 + slot`, as numeric(25,0) shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub i128);

impl Lsn {
    /// From its three parts.
    #[must_use]
    pub fn new(vlf: u32, block: u32, slot: u16) -> Self {
        let (vlf, block, slot) = (i128::from(vlf), i128::from(block), i128::from(slot));
        Self(vlf * 1_000_000_000_000_000 + block * 100_000 + slot)
    }

    /// Virtual log file, block, slot.
    #[must_use]
    pub const fn parts(self) -> (u32, u32, u16) {
        let vlf = self.0 / 1_000_000_000_000_000;
        let rest = self.0 % 1_000_000_000_000_000;
        (vlf as u32, (rest / 100_000) as u32, (rest % 100_000) as u16)
    }

    /// A later position, so many log blocks on.
    #[must_use]
    pub fn plus_blocks(self, blocks: u32) -> Self {
        let (vlf, block, _) = self.parts();
        Self::new(vlf, block.saturating_add(blocks), 1)
    }
}

/// sys.databases.state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DbState {
    /// 0
    Online,
    /// 1
    Restoring,
    /// 2
    Recovering,
    /// 3
    RecoveryPending,
    /// 4
    Suspect,
    /// 5
    Emergency,
    /// 6
    Offline,
}

impl DbState {
    /// Number and description of the catalogue.
    #[must_use]
    pub const fn describe(self) -> (i64, &'static str) {
        match self {
            Self::Online => (0, "ONLINE"),
            Self::Restoring => (1, "RESTORING"),
            Self::Recovering => (2, "RECOVERING"),
            Self::RecoveryPending => (3, "RECOVERY_PENDING"),
            Self::Suspect => (4, "SUSPECT"),
            Self::Emergency => (5, "EMERGENCY"),
            Self::Offline => (6, "OFFLINE"),
        }
    }

    /// From the catalogue's description.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        [
            Self::Online,
            Self::Restoring,
            Self::Recovering,
            Self::RecoveryPending,
            Self::Suspect,
            Self::Emergency,
            Self::Offline,
        ]
        .into_iter()
        .find(|state| state.describe().1.eq_ignore_ascii_case(text))
    }
}

/// sys.databases.recovery_model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryModel {
    /// 1
    Full,
    /// 2
    BulkLogged,
    /// 3
    Simple,
}

impl RecoveryModel {
    /// Number and description of the catalogue.
    #[must_use]
    pub const fn describe(self) -> (i64, &'static str) {
        match self {
            Self::Full => (1, "FULL"),
            Self::BulkLogged => (2, "BULK_LOGGED"),
            Self::Simple => (3, "SIMPLE"),
        }
    }

    /// From the catalogue's description.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        [Self::Full, Self::BulkLogged, Self::Simple]
            .into_iter()
            .find(|model| model.describe().1.eq_ignore_ascii_case(text))
    }
}

/// A file of a database.
#[derive(Clone, Debug)]
pub struct DbFile {
    /// file_id
    pub id: i32,
    /// file_guid
    pub guid: Uuid,
    /// Log file, not a data file.
    pub is_log: bool,
    /// FILESTREAM container.
    pub is_filestream: bool,
    /// Logical name.
    pub logical: String,
    /// Path as the server sees it.
    pub physical: String,
    /// Size in pages of 8 KiB.
    pub pages: i64,
}

/// Where the bytes of a backup come from.
#[derive(Clone, Debug, Default)]
pub struct DataSource {
    /// Bytes of generated data pages of a full backup, all families together.
    pub size: u64,
    /// Seed of generated data.
    pub seed: u64,
    /// Real files for full backups, one per device; empty = generated.
    pub full: Vec<PathBuf>,
    /// The same for differentials.
    pub differential: Vec<PathBuf>,
    /// The same for log backups.
    pub log: Vec<PathBuf>,
}

/// The full backup that differentials refer to.
#[derive(Clone, Copy, Debug)]
pub struct DiffBase {
    /// Its begin-checkpoint.
    pub lsn: Lsn,
    /// Its backup_set_uuid.
    pub set: Uuid,
    /// When it was taken.
    pub at: Moment,
}

/// A range of log that was released to an acknowledged log backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released {
    /// First record.
    pub first: Lsn,
    /// Record behind the last.
    pub last: Lsn,
    /// backup_set_uuid of the backup that shall hold it.
    pub set: Uuid,
}

/// One database.
#[derive(Clone, Debug)]
pub struct Database {
    /// database_id
    pub id: i32,
    /// Name.
    pub name: String,
    /// State.
    pub state: DbState,
    /// Recovery model.
    pub recovery: RecoveryModel,
    /// create_date
    pub created: Moment,
    /// is_read_only
    pub read_only: bool,
    /// is_in_standby
    pub standby: bool,
    /// source_database_id of a snapshot.
    pub snapshot_of: Option<i32>,
    /// Identity of this copy.
    pub database_guid: Uuid,
    /// Identity of the data, across copies.
    pub family_guid: Uuid,
    /// recovery_fork_guid
    pub fork_guid: Uuid,
    /// first_recovery_fork_guid
    pub first_fork_guid: Uuid,
    /// Where the fork began.
    pub fork_point: Option<Lsn>,
    /// service_broker_guid
    pub broker_guid: Uuid,
    /// Whether Service Broker delivers messages.
    pub broker: bool,
    /// Who may open it.
    pub access: Access,
    /// End of the log.
    pub log_end: Lsn,
    /// Checkpoint of the newest full that is not copy-only.
    pub full_checkpoint: Option<Lsn>,
    /// Where the next log backup starts.
    pub last_log_backup: Option<Lsn>,
    /// The log before this was released (what an early acknowledgement would lose).
    pub truncated_to: Option<Lsn>,
    /// Log that exists in backups alone, oldest first.
    pub released: Vec<Released>,
    /// A log backup of this chain was taken.
    pub chain_begun: bool,
    /// What was written to it.
    pub writes: Vec<Write>,
    /// Minimally logged changes since the last log backup.
    pub bulk_changes: bool,
    /// Writes that fit between two log backups; more fail with 9002.
    pub log_limit: Option<usize>,
    /// Time that restores have rolled it to.
    pub rolled_to: Option<Moment>,
    /// Damaged pages of data files: file and page.
    pub bad_pages: Vec<(i32, i64)>,
    /// When DBCC CHECKDB last found nothing.
    pub last_good_check: Option<Moment>,
    /// Base of differentials.
    pub base: Option<DiffBase>,
    /// Files.
    pub files: Vec<DbFile>,
    /// Mirroring session.
    pub mirroring: Option<Mirroring>,
    /// Its part in an availability group.
    pub joined: Option<Joined>,
    /// Partner named by SET PARTNER on a copy that still restores.
    pub partner_wanted: Option<String>,
    /// What a backup of it streams.
    pub source: DataSource,
    /// Session that takes a full or differential of it, or restores it.
    pub busy: Option<i16>,
    /// Session that takes a log of it, which goes on beside a full.
    pub busy_log: Option<i16>,
}

impl Database {
    /// Whether any BACKUP or RESTORE works on it.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.busy.is_some() || self.busy_log.is_some()
    }

    /// A session works on it no longer.
    pub fn let_go(&mut self, session: i16) {
        for busy in [&mut self.busy, &mut self.busy_log] {
            if *busy == Some(session) {
                *busy = None;
            }
        }
    }

    /// A new online database with one data and one log file under `folder`.
    #[must_use]
    pub fn new(id: i32, name: &str, ids: &mut Ids, created: Moment, folder: &str) -> Self {
        let fork = ids.fresh();
        let file = |id, is_log, suffix: &str, extension: &str, pages, guid| DbFile {
            id,
            guid,
            is_log,
            is_filestream: false,
            logical: format!("{name}{suffix}"),
            physical: format!("{folder}/{name}{suffix}.{extension}"),
            pages,
        };
        let files = vec![
            file(1, false, "", "mdf", 1024, ids.fresh()),
            file(2, true, "_log", "ldf", 512, ids.fresh()),
        ];
        Self {
            id,
            name: name.to_owned(),
            state: DbState::Online,
            recovery: RecoveryModel::Full,
            created,
            read_only: false,
            standby: false,
            snapshot_of: None,
            database_guid: ids.fresh(),
            family_guid: ids.fresh(),
            fork_guid: fork,
            first_fork_guid: fork,
            fork_point: None,
            broker_guid: ids.fresh(),
            broker: false,
            access: Access::Multi,
            log_end: Lsn::new(39, 1720, 1),
            full_checkpoint: None,
            last_log_backup: None,
            truncated_to: None,
            released: Vec::new(),
            chain_begun: false,
            writes: Vec::new(),
            bulk_changes: false,
            log_limit: None,
            rolled_to: None,
            bad_pages: Vec::new(),
            last_good_check: None,
            base: None,
            files,
            mirroring: None,
            joined: None,
            partner_wanted: None,
            source: DataSource {
                size: 16 << 20,
                seed: 1,
                ..DataSource::default()
            },
            busy: None,
            busy_log: None,
        }
    }

    /// Whether there is log that only a log backup can release.
    #[must_use]
    pub fn log_waits(&self) -> bool {
        let from = self.last_log_backup;
        from.is_some_and(|from| self.writes.iter().any(|write| write.lsn >= from))
    }

    /// Whether log that was backed up cannot go, because a mirror has not got it.
    #[must_use]
    pub fn held_by_mirror(&self) -> bool {
        let session = self.mirroring.as_ref();
        session.is_some_and(|session| session.principal && session.state < 2)
    }

    /// Whether log that was backed up cannot go, because another copy has not got it.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let joined = self.joined.as_ref();
        self.held_by_mirror() || joined.is_some_and(|joined| joined.held)
    }

    /// Whether it is the copy of a secondary, or of a replica without a role.
    #[must_use]
    pub fn is_secondary(&self) -> bool {
        let joined = self.joined.as_ref();
        joined.is_some_and(|joined| joined.role != super::availability::Role::Primary)
    }

    /// Whether this is one of the system databases.
    #[must_use]
    pub const fn is_system(&self) -> bool {
        self.id <= 4
    }
}

/// Seeded source of GUIDs, so that a scene is the same on every run.
#[derive(Clone, Debug)]
pub struct Ids {
    seed: u64,
    count: u64,
}

impl Ids {
    /// Starts a sequence.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    /// The next GUID, formed as a random one.
    pub fn fresh(&mut self) -> Uuid {
        self.count += 1;
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(b"twinset lab guid")
            .update(&self.seed.to_le_bytes());
        hasher.update(&self.count.to_le_bytes());
        let mut bytes = [0_u8; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}
