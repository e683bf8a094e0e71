//! SQL Server's messages about backup and restore, by number.

mod texts;

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

/// 3032
#[must_use]
pub fn unsupported_option(name: &str) -> ServerMessage {
    let text = format!(
        "One or more of the options ({}) are not supported for this statement. Review the \
         documentation for supported options.",
        name.to_ascii_lowercase()
    );
    error(3032, text)
}

/// 3031
#[must_use]
pub fn conflicting_options(one: &str, other: &str) -> ServerMessage {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let text = format!(
        "Option '{one}' conflicts with option(s) '{other}'. Remove the conflicting option and \
         reissue the statement."
    );
    error(3031, text)
}

/// 1844
#[must_use]
pub fn not_in_edition(verb: Verb, option: &str, edition: &str) -> ServerMessage {
    let statement = verb.name();
    error(
        1844,
        format!("{statement} WITH {option} is not supported on {edition}."),
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
pub fn file_done(pages: u64, database: &str, file: &str, position: u64) -> ServerMessage {
    let text = format!(
        "Processed {pages} pages for database '{database}', file '{file}' on file {position}."
    );
    info(4035, text)
}

/// 4305 or 4326: the log of a set does not meet the database's position.
#[must_use]
pub fn out_of_order(number: i32, set: &str, position: &str) -> ServerMessage {
    let text = match number {
        4305 => format!(
            "The log in this backup set begins at LSN {set}, which is too recent to apply to the \
             database. An earlier log backup that includes LSN {position} can be restored."
        ),
        _ => format!(
            "The log in this backup set terminates at LSN {set}, which is too early to apply to \
             the database. A more recent log backup that includes LSN {position} can be restored."
        ),
    };
    error(number, text)
}

/// An information by number.
#[must_use]
pub fn note(number: i32, name: &str) -> ServerMessage {
    info(number, numbered(number, name).text)
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

/// 9002
#[must_use]
pub fn log_full(database: &str, why: &str) -> ServerMessage {
    let text = format!("The transaction log for database '{database}' is full due to '{why}'.");
    ServerMessage::new(9002, 17, text)
}

/// 3262
#[must_use]
pub fn valid(position: u64) -> ServerMessage {
    let text = format!("The backup set on file {position} is valid.");
    info(3262, text)
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

/// 33111 for a certificate that a set names by its thumbprint.
#[must_use]
pub fn no_certificate(thumbprint: &str) -> ServerMessage {
    let text = format!("Cannot find server certificate with thumbprint '0x{thumbprint}'.");
    error(33_111, text)
}

/// 18210: no memory for the buffers of a set.
#[must_use]
pub fn no_memory(device: &str) -> ServerMessage {
    let text = format!(
        "BackupVirtualDeviceSet::SetBufferParms: Request large buffers failure on backup device \
         '{device}'. Operating system error 0x8007000e(Not enough memory resources are available \
         to complete this operation.)."
    );
    error(18_210, text)
}

/// 3043: a page of the database is damaged.
#[must_use]
pub fn bad_page(database: &str, (file, page): (i32, i64)) -> ServerMessage {
    let text = format!(
        "BACKUP '{database}' detected an error on page ({file}:{page}) in file '{database}'."
    );
    error(3043, text)
}

/// 3183: a page of the backup set is damaged.
#[must_use]
pub fn bad_page_in_set(database: &str, (file, page): (i32, i64)) -> ServerMessage {
    let text = format!(
        "RESTORE detected an error on page ({file}:{page}) in database \"{database}\" as read from \
         the backup set."
    );
    error(3183, text)
}

/// 3284: the medium has blocks of another size than the statement reads with.
#[must_use]
pub fn misaligned(device: &str, block: u32) -> ServerMessage {
    let text = format!(
        "Filemark on device '{device}' is not aligned. Re-issue the Restore statement with the same \
         block size used to create the backupset: '{block}' looks like a possible value."
    );
    error(3284, text)
}

/// 3042: the backup went on over damaged pages.
#[must_use]
pub fn damaged_backup() -> ServerMessage {
    info(
        3042,
        "BACKUP WITH CONTINUE_AFTER_ERROR successfully generated a backup of the damaged \
         database. Refer to the SQL Server error log for information about the errors that were \
         encountered."
            .into(),
    )
}

/// 3201 with a code of the operating system.
#[must_use]
pub fn cannot_open_os(device: &str, code: i32) -> ServerMessage {
    let text = format!(
        "Cannot open backup device '{device}'. Operating system error {}.",
        os_error(code)
    );
    error(3201, text)
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
        2 => "The system cannot find the file specified.",
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
    let text = texts::statement(number, name)
        .or_else(|| texts::restore(number, name))
        .or_else(|| texts::media(number, name))
        .unwrap_or_else(|| format!("The lab was told to fail with message {number}."));
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

/// 3253
#[must_use]
pub fn bad_block_size(value: u64) -> ServerMessage {
    let text =
        format!("The block size parameter must supply a value that is a power of 2: {value}.");
    error(3253, text)
}

/// 3250: a number out of range.
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
