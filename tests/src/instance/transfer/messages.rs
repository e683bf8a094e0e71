//! SQL Server's messages about backup and restore, by number.

use super::grammar::Verb;
use crate::tds::tokens::ServerMessage;

fn error(number: i32, text: impl Into<String>) -> ServerMessage {
    ServerMessage::new(number, 16, text)
}

/// An information; these have class 0 on the wire.
fn info(number: i32, text: String) -> ServerMessage {
    ServerMessage {
        number,
        state: 1,
        class: 0,
        text,
    }
}

/// 155: the one failure without 3013.
#[must_use]
pub fn unknown_option(name: &str, verb: Verb) -> ServerMessage {
    let statement = if verb.is_backup() {
        "BACKUP"
    } else {
        "RESTORE"
    };
    ServerMessage::new(
        155,
        15,
        format!("'{name}' is not a recognized {statement} option."),
    )
}

/// 3011
#[must_use]
pub fn mixed_devices() -> ServerMessage {
    error(
        3011,
        "All backup devices must be of the same general class (for example, DISK and TAPE).",
    )
}

/// 3013, always last.
#[must_use]
pub fn terminating(verb: Verb) -> ServerMessage {
    error(3013, format!("{} is terminating abnormally.", verb.name()))
}

/// 3211
#[must_use]
pub fn percent(percent: u64) -> ServerMessage {
    info(3211, format!("{percent} percent processed."))
}

/// 4035
#[must_use]
pub fn file_done(pages: u64, database: &str, file: &str) -> ServerMessage {
    let text =
        format!("Processed {pages} pages for database '{database}', file '{file}' on file 1.");
    info(4035, text)
}

/// 3014
#[must_use]
pub fn processed(verb: Verb, pages: u64, seconds: f64) -> ServerMessage {
    let rate = pages as f64 * 8192.0 / 1_048_576.0 / seconds.max(0.001);
    let text = format!(
        "{} successfully processed {pages} pages in {seconds:.3} seconds ({rate:.3} MB/sec).",
        verb.name()
    );
    info(3014, text)
}

/// 3262
#[must_use]
pub fn valid() -> ServerMessage {
    info(3262, "The backup set on file 1 is valid.".into())
}

/// 3201 for a virtual device set.
#[must_use]
pub fn cannot_open(device: &str, code: i32) -> ServerMessage {
    let text = format!(
        "Cannot open backup device '{device}'. Operating system error 0x{code:08x}(failed to \
         retrieve text for this error. Reason: 15105)."
    );
    error(3201, text).state(7)
}

/// 3201 for a file.
#[must_use]
pub fn cannot_open_file(device: &str, fault: &std::io::Error, writing: bool) -> ServerMessage {
    let (code, words) = match fault.kind() {
        std::io::ErrorKind::NotFound => (2, "The system cannot find the file specified."),
        std::io::ErrorKind::PermissionDenied => (5, "Access is denied."),
        _ => (
            1117,
            "The request could not be performed because of an I/O device error.",
        ),
    };
    let text =
        format!("Cannot open backup device '{device}'. Operating system error {code}({words}).");
    error(3201, text).state(if writing { 1 } else { 2 })
}

/// `112(There is not enough space on the disk.)`
fn os_error(code: i32) -> String {
    let words = match code {
        29 => "The system cannot write to the specified device.",
        30 => "The system cannot read from the specified device.",
        38 => "Reached the end of the file.",
        39 => "The disk is full.",
        50 => "The request is not supported.",
        112 => "There is not enough space on the disk.",
        995 => {
            "The I/O operation has been aborted because of either a thread exit or an \
             application request."
        }
        1117 => "The request could not be performed because of an I/O device error.",
        1129 => "The physical end of the tape has been reached.",
        _ => "failed to retrieve text for this error. Reason: 15105",
    };
    format!("{code}({words})")
}

/// 3202
#[must_use]
pub fn write_failed(device: &str, code: i32) -> ServerMessage {
    error(
        3202,
        format!("Write on \"{device}\" failed: {}", os_error(code)),
    )
}

/// 3203
#[must_use]
pub fn read_failed(device: &str, code: i32) -> ServerMessage {
    error(
        3203,
        format!("Read on \"{device}\" failed: {}", os_error(code)),
    )
}

/// 3271
#[must_use]
pub fn nonrecoverable(device: &str, code: i32) -> ServerMessage {
    let text = format!(
        "A nonrecoverable I/O error occurred on file \"{device}:\" {}.",
        os_error(code)
    );
    error(3271, text)
}

/// The text of a number without arguments worth naming; `name` fills the one place there is.
#[must_use]
pub fn numbered(number: i32, name: &str) -> ServerMessage {
    let text = match number {
        3002 => "Cannot BACKUP or RESTORE a database snapshot.".into(),
        3008 => "The specified device type is not supported for backup mirroring.".into(),
        3009 => "Could not insert a backup or restore history/detail record in the msdb database. \
                 This may indicate a problem with the msdb database. The backup/restore operation \
                 was still successful."
            .into(),
        3021 => "Cannot perform a backup or restore operation within a transaction.".into(),
        3023 => "Backup, file manipulation operations (such as ALTER DATABASE ADD FILE) and \
                 encryption changes on a database must be serialized. Reissue the statement after \
                 the current backup or file manipulation operation is completed."
            .into(),
        3024 => "You can only perform a full backup of the master database. Use BACKUP DATABASE \
                 to back up the entire master database."
            .into(),
        3033 => "BACKUP DATABASE cannot be used on a database opened in emergency mode.".into(),
        3035 => format!(
            "Cannot perform a differential backup for database \"{name}\", because a current \
             database backup does not exist. Perform a full database backup by reissuing BACKUP \
             DATABASE, omitting the WITH DIFFERENTIAL option."
        ),
        3036 => format!(
            "The database \"{name}\" is in warm-standby state (set by executing RESTORE WITH \
             STANDBY) and cannot be backed up until the entire restore sequence is completed."
        ),
        3057 => "Invalid device name. The length of the device name provided exceeds supported \
                 limit (maximum length is:259)."
            .into(),
        3101 => "Exclusive access could not be obtained because the database is in use.".into(),
        3104 => format!(
            "RESTORE cannot operate on database '{name}' because it is configured for database \
             mirroring or has joined an availability group. If you intend to restore the \
             database, use ALTER DATABASE to remove mirroring or to remove the database from its \
             availability group."
        ),
        3110 => format!("User does not have permission to RESTORE database '{name}'."),
        3117 => "The log or differential backup cannot be restored because no files are ready to \
                 rollforward."
            .into(),
        3118 => format!(
            "The database \"{name}\" does not exist. RESTORE can only create a database when \
             restoring either a full backup or a file backup of the primary file."
        ),
        3132 => "The media set does not have all its media families on the devices named. All \
                 members must be provided."
            .into(),
        3135 => "The backup set cannot be used for this restore operation.".into(),
        3136 => "This differential backup cannot be restored because the database has not been \
                 restored to the correct earlier state."
            .into(),
        3147 => "Backup and restore operations are not allowed on database tempdb.".into(),
        3154 => format!(
            "The backup set holds a backup of a database other than the existing '{name}' \
             database."
        ),
        3159 => format!(
            "The tail of the log for the database \"{name}\" has not been backed up. Use BACKUP \
             LOG WITH NORECOVERY to backup the log if it contains work you do not want to lose. \
             Use the WITH REPLACE or WITH STOPAT clause of the RESTORE statement to just \
             overwrite the contents of the log."
        ),
        3187 => "RESTORE WITH CHECKSUM cannot be specified because the backup set does not \
                 contain checksum information."
            .into(),
        3189 => "Damage to the backup set was detected.".into(),
        3203 => "Read failed: 38(Reached the end of the file.)".into(),
        3205 => {
            "Too many backup devices specified for backup or restore; only 64 are allowed.".into()
        }
        3208 => "Unexpected end of file while reading beginning of backup set.".into(),
        3218 => "Backup mirroring is not available in this edition of SQL Server.".into(),
        3227 => format!(
            "The backup media on \"{name}\" is part of a media family which has already been \
             processed."
        ),
        3231 => format!(
            "The media loaded on \"{name}\" is formatted to support fewer media families than \
             expected according to the backup device specification."
        ),
        3234 => format!("Logical file '{name}' is not part of the database."),
        3241 => format!(
            "The media family on device '{name}' is incorrectly formed. SQL Server cannot \
             process this media family."
        ),
        3242 => format!(
            "The file on device '{name}' is not a valid Microsoft Tape Format \
                         backup set."
        ),
        3243 => format!(
            "The media family on device '{name}' was created using an unsupported \
                         Microsoft Tape Format version."
        ),
        3254 => format!("The volume on device '{name}' is empty."),
        3256 => format!(
            "The backup set on device '{name}' was terminated while it was being created and is \
             incomplete."
        ),
        3258 => format!("The volume on the device \"{name}\" is not part of the media set."),
        3261 => "SQL Server cannot use the virtual device configuration.".into(),
        3265 => "The login has insufficient authority. Membership of the sysadmin role is \
                 required to use VIRTUAL_DEVICE with BACKUP or RESTORE."
            .into(),
        3266 => format!("The backup data at the end of \"{name}\" is incorrectly formatted."),
        3287 => format!(
            "The file ID 1 on device '{name}' is incorrectly formed and can not be \
                         read."
        ),
        4208 => "The statement BACKUP LOG is not allowed while the recovery model is SIMPLE. Use \
                 BACKUP DATABASE or change the recovery model using ALTER DATABASE."
            .into(),
        4212 => {
            "Cannot back up the log of the master database. Use BACKUP DATABASE instead.".into()
        }
        4214 => {
            "BACKUP LOG cannot be performed because there is no current database backup.".into()
        }
        4305 => format!(
            "The log in this backup set begins too late to apply to the database. An earlier log \
             backup that includes LSN {name} can be restored."
        ),
        4326 => format!(
            "The log in this backup set terminates too early to apply to the database. A more \
             recent log backup that includes LSN {name} can be restored."
        ),
        other => format!("The lab was told to fail with message {other}."),
    };
    let class = match number {
        3110 => 14,
        _ => 16,
    };
    ServerMessage::new(number, class, text).state(match number {
        3021 | 3241 => 0,
        3154 => 4,
        3234 => 2,
        _ => 1,
    })
}

/// A number of range: 3253 or 3250.
#[must_use]
pub fn bad_number(option: &str, value: u64) -> ServerMessage {
    let text = format!("The value '{value}' is not within range for the {option} parameter.");
    error(3250, text)
}

/// 262
#[must_use]
pub fn backup_denied(verb: Verb, database: &str) -> ServerMessage {
    let text = format!(
        "{} permission denied in database '{database}'.",
        verb.name()
    );
    ServerMessage::new(262, 14, text)
}
