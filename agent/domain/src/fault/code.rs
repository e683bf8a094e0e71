//! The table of codes. A released code keeps its meaning for ever.

use super::{Code, Exit};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal $exit:ident;)*) => {
        $($(#[$doc])* pub const $name: Code = Code { text: $text, exit: Exit::$exit };)*
        /// Every code, for the reference page and its test.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

/// The code of a text that came from elsewhere.
#[must_use]
pub fn find(text: &str) -> Option<Code> {
    ALL.iter().find(|code| code.text == text).copied()
}

codes! {
    // Configuration and command line.
    /// A file is not TOML, or holds an unknown key or a wrong type.
    CONFIG_SYNTAX = "TW1001" Usage;
    /// A value is not allowed, or contradicts another.
    CONFIG_VALUE = "TW1002" Usage;
    /// A configuration file is missing or cannot be read.
    CONFIG_FILE = "TW1003" Usage;
    /// Others than the administrator may write a configuration or secret file.
    CONFIG_UNSAFE = "TW1004" Usage;
    /// A secret that is referred to cannot be read.
    SECRET = "TW1005" Usage;
    /// An argument names something the configuration does not have.
    UNKNOWN_NAME = "TW1006" Usage;
    /// Arguments that do not go together.
    USAGE = "TW1007" Usage;

    // Plugins and devices.
    /// The plugin file cannot be loaded.
    PLUGIN_LOAD = "TW2001" Failed;
    /// The plugin file, or a folder above it, may be written by others.
    PLUGIN_UNSAFE = "TW2002" Failed;
    /// The plugin was made for another revision of the border.
    PLUGIN_REVISION = "TW2003" Failed;
    /// The plugin's hash is not the pinned one.
    PLUGIN_HASH = "TW2004" Failed;
    /// The plugin panicked.
    PLUGIN_PANICKED = "TW2005" Failed;
    /// The plugin refused its options.
    DEVICE_OPTION = "TW2006" Usage;
    /// A device call failed.
    DEVICE = "TW2007" Failed;
    /// A device did not answer within its deadline.
    DEVICE_DEADLINE = "TW2008" Failed;
    /// A volume is locked by another agent or process.
    LOCKED = "TW2009" Refused;
    /// The medium is full.
    MEDIUM_FULL = "TW2010" Failed;
    /// No volume where one was expected.
    NO_VOLUME = "TW2011" Failed;
    /// A source or target file of an import or export cannot be used.
    FILE = "TW2012" Failed;

    // Media. Bare numbers are SQL Server's own for the same condition.
    /// Mirrors have different numbers of families.
    MIRROR_SHAPE = "3010" Usage;
    /// Disk and tape in one media set.
    MIXED_CLASS = "3011" Usage;
    /// Two mirrors' devices differ in a property.
    DEVICE_MISMATCH = "3212" Failed;
    /// More than four mirrors.
    TOO_MANY_MIRRORS = "3214" Usage;
    /// The media set was never formatted.
    NEEDS_FORMAT = "3215" Failed;
    /// The media set has another number of families.
    FAMILY_COUNT = "3231" Failed;
    /// A mirror is missing or behind; all are needed to append.
    MIRROR_MISSING = "3240" Failed;
    /// A media header is damaged or not one of ours.
    HEADER_MALFORMED = "3241" Failed;
    /// Written by a newer version.
    FORMAT_VERSION = "3243" Failed;
    /// The volume is not part of this media set.
    WRONG_MEDIA_SET = "3258" Failed;
    /// A family is missing.
    FAMILY_MISSING = "3132" Failed;
    /// No backup set at this position.
    SET_MISSING = "4038" Failed;
    /// The media still hold sets.
    NOT_EXPIRED = "4030" Refused;
    /// The media name is another one.
    MEDIA_NAME = "4037" Refused;
    /// Mirrors disagree about what was written.
    MIRROR_DIVERGED = "3210" Failed;
    /// A family was given twice.
    FAMILY_DUPLICATE = "3227" Failed;
    /// A backup set was cut off while it was written.
    SET_INCOMPLETE = "3256" Failed;
    /// The volume holds another family or mirror than its place.
    FAMILY_OTHER = "3133" Failed;
    /// The set's kind does not fit the restore.
    SET_TYPE = "3135" Failed;
    /// Compressed and uncompressed sets do not share a media set.
    COMPRESSION_MIX = "3098" Refused;
    /// Encrypted and plain sets do not share a media set.
    ENCRYPTION_MIX = "3095" Refused;
    /// A dead run left something unresolved.
    UNRESOLVED = "TW3008" Refused;
    /// A section was begun at a position that is taken.
    POSITION_TAKEN = "TW3001" Failed;
    /// Foreign files or another product's data.
    FOREIGN_DATA = "TW3002" Refused;
    /// Damage was found, everything is still readable.
    DAMAGED = "TW3003" Degraded;
    /// Some chunk is lost on every mirror.
    LOST = "TW3004" Lost;
    /// The set is written, but nothing proves SQL Server's verdict.
    UNCONFIRMED = "TW3005" Failed;
    /// Headers name another agent as the writer.
    OTHER_WRITER = "TW3006" Refused;
    /// A MTF stream does not say what was promised of it.
    STREAM = "TW3007" Failed;
    /// The media set was closed: it takes no more sets.
    CLOSED = "TW3009" Refused;
    /// Published on fewer mirrors than the media set has.
    DEGRADED = "TW3010" Degraded;
    /// No identity or passphrase opens an encrypted set.
    NO_KEY = "TW3020" Failed;
    /// Stored bytes are sound but do not decode.
    UNDECODABLE = "TW3021" Lost;
    /// The media set is signed with another key than the configured one.
    SIGNER = "TW3041" Refused;

    /// The clock jumped, or seems to: nothing is dropped.
    CLOCK = "TW3031" Refused;
    /// More sets would be dropped than one run may.
    MAX_DROP = "TW3032" Refused;
    /// The device cannot remove single sets.
    CANNOT_REMOVE = "TW3033" Refused;

    // SQL Server and VDI.
    /// Cannot connect.
    SQL_CONNECT = "TW4001" Failed;
    /// The server's certificate or name is not trusted.
    SQL_TLS = "TW4002" Failed;
    /// SQL Server refused the login.
    SQL_LOGIN = "18456" Failed;
    /// SQL Server answered with an error without a code of its own here.
    SQL_ERROR = "TW4003" Failed;
    /// Unknown database.
    SQL_NO_DATABASE = "911" Failed;
    /// The login is no sysadmin.
    SQL_NOT_SYSADMIN = "3265" Failed;
    /// Another backup of the database runs.
    SQL_BUSY = "3023" Refused;
    /// The VDI library cannot be used.
    VDI_LIBRARY = "TW4004" Failed;
    /// The virtual device session failed.
    VDI_SESSION = "TW4005" Failed;
    /// SQL Server never opened the virtual device set.
    VDI_NOT_OPENED = "TW4006" Failed;
    /// The connection was lost in the middle.
    SQL_LOST = "TW4007" Failed;
    /// The backup was taken but the source's state speaks against it.
    SQL_DISAGREES = "TW4008" Failed;
    /// SQL Server cannot use the virtual device configuration.
    VDI_CONFIG = "3261" Failed;
    /// The database is in a mirroring session and would be restored over itself.
    RESTORE_MIRRORED = "3104" Refused;
    /// The target database exists.
    RESTORE_EXISTS = "3141" Refused;
    /// The database is the mirror of its session here.
    NOT_PRINCIPAL = "954" Refused;
    /// A database snapshot cannot be backed up.
    SQL_SNAPSHOT = "3002" Failed;
    /// tempdb has no backups.
    SQL_TEMPDB = "3147" Failed;
    /// The database is not online.
    DATABASE_STATE = "TW4010" Failed;
    /// No partner is seen to be principal just now.
    ROLE_UNSEEN = "TW4061" Refused;
    /// Both partners claim to be principal.
    TWO_PRINCIPALS = "TW4062" Refused;
    /// The partners are no pair that can be protected.
    PAIR_UNFIT = "TW4063" Refused;
    /// The role was lost while a backup ran.
    ROLE_LOST = "TW4064" Failed;
    /// One of two branches was backed up: both partners claim to be principal.
    BRANCH = "TW4065" Degraded;
    /// Another replica of the availability group takes this backup.
    NOT_ON_SECONDARY = "3059" Refused;
    /// The log does not reach the secondary.
    NOT_SYNCHRONIZING = "3062" Refused;
    /// The secondary may not be read.
    NOT_READABLE = "976" Refused;
    /// The replica is neither primary nor secondary.
    RESOLVING = "983" Refused;
    /// BACKUP met a damaged page of the database.
    BAD_PAGE = "3043" Failed;
    /// DBCC CHECKDB found the database damaged.
    INTEGRITY = "TW4071" Lost;
    /// An integrity check came to no result.
    INTEGRITY_UNFINISHED = "TW4072" Failed;
    /// The group wants no backup of a damaged database.
    INTEGRITY_GATE = "TW4073" Refused;
    /// A tail cannot be taken of a database in a session.
    TAIL_IN_SESSION = "1468" Refused;
    /// Replica and source do not match.
    INCONSISTENT = "TW4050" Refused;
    /// There is no log to back up: the database is in the simple recovery model.
    LOG_OF_SIMPLE = "4208" Failed;
    /// There is no log of master.
    LOG_OF_MASTER = "4212" Failed;
    /// A log backup needs a full backup before it.
    NO_BASE = "4214" Failed;
    /// The chain of backups is broken, and the group wants it refused.
    CHAIN_BROKEN = "TW4020" Refused;
    /// The database stands before what was backed up of it: the machine was rolled back.
    ROLLED_BACK = "TW4021" Refused;
    /// Backups that other tools took stand in the chain.
    FOREIGN_BACKUP = "TW4022" Degraded;
    /// The version or edition of the instance cannot do what is asked.
    NOT_SUPPORTED = "TW4023" Failed;
    /// SQL Server found no memory for the buffers of the virtual devices.
    VDI_MEMORY = "TW4044" Failed;
    /// The stage folder cannot be used.
    STAGE_DIR = "TW4041" Failed;
    /// The stage folder has too little room for the backup.
    STAGE_SPACE = "TW4042" Failed;
    /// SQL Server's backup lies in the stage folder and is not on the media yet.
    STAGED = "TW4043" Failed;
    /// Families cannot be spooled there.
    SPOOL_DIR = "TW4045" Failed;
    /// The spool folder has too little room.
    SPOOL_SPACE = "TW4046" Failed;
    /// Nothing to restore.
    NO_RESTORE_POINT = "TW4009" Failed;
    /// The point lies behind or before everything that can be restored.
    POINT_UNREACHABLE = "TW4031" Refused;
    /// Log records on the way to the point are missing.
    CHAIN_GAP = "4305" Lost;
    /// SQL Server cannot stop inside a log that holds changes logged in bulk.
    INSIDE_BULK = "4341" Refused;
    /// The stop time lies behind every log that was restored.
    STOP_NOT_REACHED = "4322" Failed;
    /// The mark is in none of the logs that were restored.
    MARK_NOT_FOUND = "4329" Failed;
    /// The sets are on another recovery fork.
    CHAIN_FORK = "4330" Refused;

    // Protection.
    /// The mirror has become principal.
    SWITCHED = "TW6001" Refused;
    /// A consistency check is required first.
    CHECK_REQUIRED = "TW6002" Refused;
    /// The database is mirrored now.
    NEWLY_MIRRORED = "TW6003" Refused;
    /// The mirroring session is gone, or another one.
    MIRROR_BROKEN = "TW6004" Refused;
    /// Two groups protect one mirroring session.
    BOTH_PROTECTED = "TW6005" Refused;
    /// The pair cannot be protected so.
    UNFIT = "TW6006" Refused;
    /// No partner serves the database.
    NO_PRINCIPAL = "TW6007" Refused;
    /// Both partners claim to be principal.
    SPLIT = "TW6008" Refused;
    /// The database is not open, or not there.
    NOT_THERE = "TW6009" Refused;
    /// The instance refuses to tell.
    RIGHT = "TW6010" Failed;
    /// The instance does not answer.
    SILENT = "TW6011" Failed;
    /// The agent of the principal is not heard of.
    AGENT_MISSING = "TW6012" Failed;
    /// The group of the database is gone.
    ORPHANED = "TW6013" Refused;
    /// A backup of the service failed.
    BACKUP_FAILED = "TW6014" Failed;
    /// The changed configuration is faulty; the old one holds.
    CONFIG_KEPT = "TW6015" Usage;
    /// The state of the protection does not allow it now.
    NOT_NOW = "TW6016" Refused;
    /// No service runs.
    NO_SERVICE = "TW6017" Failed;
    /// The service ended before it answered.
    SERVICE = "TW6018" Failed;
    /// The service stands still: it cannot remember what it would do.
    STANDS_STILL = "TW6019" Failed;
    /// Status page and metrics cannot be served.
    STATUS_PAGE = "TW6041" Failed;
    /// Jobs of other tools still take backups of what is to be taken over.
    OTHER_JOBS = "TW6042" Refused;
    /// A group still means the database.
    STILL_MEANT = "TW6043" Refused;
    /// The service manager of Windows refused.
    MANAGER = "TW6044" Failed;

    // State of the agent.
    /// The catalog cannot be used.
    CATALOG = "TW5001" Failed;
    /// Another run or process holds the state folder.
    STATE_LOCKED = "TW5002" Refused;
    /// The agent's identity belongs to another machine.
    IDENTITY = "TW5003" Refused;
    /// The operator stopped it.
    CANCELLED = "TW5004" Cancelled;
    /// Cannot write to the state folder.
    STATE_DIR = "TW5005" Failed;
    /// What cannot be taken back must be confirmed.
    CONFIRM = "TW5006" Refused;
    /// The catalog is older than the media: what was decided by it is decided again.
    CATALOG_SET_BACK = "TW5007" Failed;

    // The shared catalog.
    /// The shared catalog does not answer.
    SHARED_AWAY = "TW5011" Failed;
    /// The shared catalog does not let the agent in, or not at its tables.
    SHARED_REFUSED = "TW5012" Failed;
    /// The server of the shared catalog cannot be trusted.
    SHARED_TRUST = "TW5013" Failed;
    /// The tables of the shared catalog are those of another release, or of something else.
    SHARED_SCHEMA = "TW5014" Refused;
    /// The shared catalog answered and could not take in what it was told.
    SHARED_WRITE = "TW5015" Failed;

    // What an operator must know.
    /// The last backup of a kind is older than the group allows.
    RPO = "TW6021" Degraded;
    /// Retention by the service failed, or may not drop so much.
    RETENTION_FAILED = "TW6031" Failed;
    /// The shared catalog has not been reached for long: what it shows of this agent is old.
    SHARED_BEHIND = "TW6024" Degraded;
    /// A device waits for the operator, and a run waits for it.
    OPERATOR = "TW6025" Degraded;
    /// A device says that it, or the medium in it, needs somebody to look after it.
    HEALTH = "TW6026" Degraded;
    /// A receiver of alerts did not take a message.
    NOT_TOLD = "TW6022" Failed;
    /// No open alert is meant by what was typed.
    NO_ALERT = "TW6023" Usage;

    /// A fault of Twinset itself.
    INTERNAL = "TW9001" Failed;
}
