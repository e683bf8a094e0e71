//! What the names in a volume's folder mean. Pure.

use twinset_plugin_api::{DeviceError, Outcome};

use super::os;

#[cfg(test)]
mod tests;

/// Longest name of a section, record or volume, in bytes.
pub(crate) const NAME_MAX: usize = 200;
/// The lock of a volume.
pub(crate) const LOCK: &str = ".lock";
const WORK: &str = ".work.";
const RECORD: &str = ".record";
/// Where the section number of a work file stands, a record's has this.
const WORK_OF_RECORD: &str = "r";

/// What a name in the folder says the file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `NNNN.<name>`: a closed section.
    Section {
        /// The number decides.
        index: u64,
        /// The name it was begun with.
        name: String,
    },
    /// `<name>.record`.
    Record {
        /// Its name.
        name: String,
    },
    /// `.work.<index>.<run id>`: unfinished; `index` is `None` for a record's.
    Work {
        /// The section it was to become.
        index: Option<u64>,
        /// Who wrote it.
        run_id: [u8; 16],
    },
    /// `.lock`.
    Lock,
    /// Not ours.
    Foreign,
}

/// Reads a file name.
pub(crate) fn classify(file: &str) -> Kind {
    if file == LOCK {
        return Kind::Lock;
    }
    if let Some(rest) = file.strip_prefix(WORK) {
        return work(rest).unwrap_or(Kind::Foreign);
    }
    if let Some(name) = file.strip_suffix(RECORD) {
        let name = if is_name(name) {
            Some(name.to_owned())
        } else {
            None
        };
        return name.map_or(Kind::Foreign, |name| Kind::Record { name });
    }
    section(file).unwrap_or(Kind::Foreign)
}

fn section(file: &str) -> Option<Kind> {
    let (digits, name) = file.split_once('.')?;
    let index = number(digits).filter(|_| digits.len() >= 4)?;
    is_name(name).then(|| Kind::Section {
        index,
        name: name.to_owned(),
    })
}

fn work(rest: &str) -> Option<Kind> {
    let (index, run_id) = rest.split_once('.')?;
    let run_id = from_hex(run_id)?;
    if index == WORK_OF_RECORD {
        return Some(Kind::Work {
            index: None,
            run_id,
        });
    }
    Some(Kind::Work {
        index: Some(number(index)?),
        run_id,
    })
}

/// Digits alone; `str::parse` would take a plus sign.
fn number(digits: &str) -> Option<u64> {
    let digits_only = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if digits_only {
        digits.parse().ok()
    } else {
        None
    }
}

/// Letters, digits and `._-`, not empty, no `..`, not longer than [`NAME_MAX`].
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty() && name.len() <= NAME_MAX && name.bytes().all(allowed) && !name.contains("..")
}

fn refuse(what: &str, name: &str) -> DeviceError {
    let text = format!(
        "{what} `{}`: letters, digits and `._-` only, no `..`, 1 to {NAME_MAX} bytes",
        name.escape_debug()
    );
    DeviceError::new(Outcome::PERMANENT, text)
}

/// Checks a key before it becomes a folder name.
pub(crate) fn check_key(key: &str) -> Result<(), DeviceError> {
    if is_name(key) && !key.starts_with('.') && !os::is_reserved(key) {
        Ok(())
    } else {
        Err(refuse("volume key", key))
    }
}

/// The file of a section.
pub(crate) fn section_file(index: u64, name: &str) -> Result<String, DeviceError> {
    let file = format!("{index:04}.{name}");
    if is_name(name) && !name.ends_with(RECORD) && !os::is_reserved(&file) {
        Ok(file)
    } else {
        Err(refuse("section name", name))
    }
}

/// The file of a record.
pub(crate) fn record_file(name: &str) -> Result<String, DeviceError> {
    let file = format!("{name}{RECORD}");
    if is_name(name) && !name.starts_with('.') && !os::is_reserved(&file) {
        Ok(file)
    } else {
        Err(refuse("record name", name))
    }
}

/// The work file of a section.
pub(crate) fn work_file(index: u64, run_id: &[u8; 16]) -> String {
    format!("{WORK}{index}.{}", hex(run_id))
}

/// The work file of a record.
pub(crate) fn record_work_file(mark: &[u8; 16]) -> String {
    format!("{WORK}{WORK_OF_RECORD}.{}", hex(mark))
}

fn hex(bytes: &[u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 16]> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 32 || !text.bytes().all(lower) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}
