//! What the keys of a volume mean. Pure.

use twinset_plugin_api::{DeviceError, Outcome};

#[cfg(test)]
mod tests;

/// Longest name of a section, record or volume, in bytes.
pub(crate) const NAME_MAX: usize = 200;
/// Digits of a section number in a key: keys are listed in the order of their bytes.
const DIGITS: usize = 8;
/// Largest section number that a key can say.
const INDEX_MAX: u64 = 99_999_999;

/// Who writes the volume.
pub(crate) const LOCK: &str = "lock";
/// What the store was found to honour.
pub(crate) const STORE: &str = "store.json";
/// Begins the name of an object that is put to try what the store honours.
pub(crate) const PROBE: &str = "probe.";
/// Seals of sections.
pub(crate) const SECTIONS: &str = "sections";
/// Bytes of sections.
pub(crate) const DATA: &str = "data";
/// Records.
pub(crate) const RECORDS: &str = "records";
/// Uploads that were begun.
pub(crate) const WORK: &str = "work";

/// One attempt to write a section: its number, the run, and a mark that no other attempt has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attempt {
    pub(crate) index: u64,
    pub(crate) run_id: [u8; 16],
    pub(crate) mark: u64,
}

impl Attempt {
    /// `00000001.RUN.MARK`: the folder of its data, its work object, its leftover.
    pub(crate) fn name(&self) -> String {
        let run = hex(&self.run_id);
        format!("{:0DIGITS$}.{run}.{:016x}", self.index, self.mark)
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let (index, run_id, mark) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = parts.next().is_none() && mark.len() == 16 && mark.bytes().all(is_hex);
        Some(Self {
            index: number(index)?,
            run_id: from_hex(run_id)?,
            mark: u64::from_str_radix(mark, 16).ok().filter(|_| whole)?,
        })
    }

    /// The key of its work object, within the volume.
    pub(crate) fn work(&self) -> String {
        format!("{WORK}/{}", self.name())
    }

    /// Where its data lies, within the volume.
    pub(crate) fn folder(&self) -> String {
        format!("{DATA}/{}", self.name())
    }
}

/// What a key within the volume is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The seal of a section.
    Seal(u64),
    /// An object of a section's bytes, and its own name.
    Data(Attempt, String),
    /// A record.
    Record(String),
    /// A begun upload.
    Work(Attempt),
    /// The lock, the store's facts.
    Own,
    /// Not ours.
    Foreign,
}

/// Reads a key within the volume.
pub(crate) fn classify(key: &str) -> Kind {
    known(key).unwrap_or(Kind::Foreign)
}

fn known(key: &str) -> Option<Kind> {
    let Some((folder, rest)) = key.split_once('/') else {
        let own = key == LOCK || key == STORE || key.starts_with(PROBE);
        return own.then_some(Kind::Own);
    };
    match folder {
        SECTIONS => number(rest).map(Kind::Seal),
        RECORDS if is_name(rest) => Some(Kind::Record(rest.to_owned())),
        WORK => Attempt::parse(rest).map(Kind::Work),
        DATA => {
            let (attempt, name) = rest.split_once('/')?;
            let name = Some(name).filter(|name| is_name(name))?;
            Some(Kind::Data(Attempt::parse(attempt)?, name.to_owned()))
        }
        _ => None,
    }
}

/// True for what may stand directly in a volume.
pub(crate) fn is_top(name: &str) -> bool {
    [SECTIONS, DATA, RECORDS, WORK].contains(&name) || classify(name) == Kind::Own
}

/// The key of a section's seal, within the volume.
pub(crate) fn seal(index: u64) -> String {
    format!("{SECTIONS}/{index:0DIGITS$}")
}

/// The key of a record, within the volume.
pub(crate) fn record(name: &str) -> Result<String, DeviceError> {
    if is_name(name) && name.len() <= NAME_MAX && !name.starts_with('.') {
        Ok(format!("{RECORDS}/{name}"))
    } else {
        Err(refuse("record name", name))
    }
}

/// The name of the object that continues a section; the first has the name itself.
pub(crate) fn further(name: &str, number: usize) -> String {
    if number == 1 {
        name.to_owned()
    } else {
        format!("{name}.{number:04}")
    }
}

/// Checks the number and name of a section that is to be begun.
pub(crate) fn check_section(index: u64, name: &str) -> Result<(), DeviceError> {
    if index > INDEX_MAX {
        let text = format!("section {index}: numbers end at {INDEX_MAX} in an object store");
        return Err(DeviceError::new(Outcome::PERMANENT, text));
    }
    // The disk plugin cannot take such a name, and mirrors are alike.
    if is_name(name) && name.len() <= NAME_MAX && !name.ends_with(".record") {
        Ok(())
    } else {
        Err(refuse("section name", name))
    }
}

/// Checks a volume's key before it becomes part of a prefix.
pub(crate) fn check_key(key: &str) -> Result<(), DeviceError> {
    if is_name(key) && !key.starts_with('.') {
        Ok(())
    } else {
        Err(refuse("volume key", key))
    }
}

fn number(digits: &str) -> Option<u64> {
    let whole = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| whole)
}

/// Letters, digits and `._-`, not empty, no `..`, and short enough to be continued.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let length = 1..=NAME_MAX + ".0002".len();
    length.contains(&name.len()) && name.bytes().all(allowed) && !name.contains("..")
}

fn refuse(what: &str, name: &str) -> DeviceError {
    let text = format!(
        "{what} `{}`: letters, digits and `._-` only, no `..`, 1 to {NAME_MAX} bytes",
        name.escape_debug()
    );
    DeviceError::new(Outcome::PERMANENT, text)
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn from_hex(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(is_hex) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}
