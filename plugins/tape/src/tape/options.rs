//! The `options` table of this device.

mod robot;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use twinset_plugin_api::{DeviceError, Outcome};

use super::changer::{self, By, Robot};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_windows;

/// Smallest block, in bytes.
pub(crate) const BLOCK_MIN: u32 = 4096;
/// Largest block, in bytes: what every host adapter moves in one request.
pub(crate) const BLOCK_MAX: u32 = 1 << 20;
/// Block size by default, in bytes.
const BLOCK: u32 = 256 << 10;
/// Smallest cartridge that is made, in bytes.
const CAPACITY_MIN: u64 = 1 << 20;

/// Where the tape is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    /// A drive: a node of `st` that does not rewind.
    Drive(PathBuf),
    /// An image file, a virtual tape that is always in its drive.
    Image(PathBuf),
    /// A folder of images: a virtual drive that takes its cartridges from there.
    Shelf(PathBuf),
    /// A folder of images: a virtual library with several drives.
    Library(PathBuf),
}

/// Checked options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Where the tape is.
    pub(crate) place: Where,
    /// Bytes of a data block.
    pub(crate) block: u32,
    /// Capacity of an image that is made, in bytes.
    pub(crate) capacity: Option<u64>,
    /// Compression by the drive; nothing leaves it as it is.
    pub(crate) compression: Option<bool>,
    /// Images that a shelf holds before no more are made.
    pub(crate) cartridges: u64,
    /// The row ends with this tape, although it says that it goes on: what followed was never
    /// written, or is lost.
    pub(crate) last: Option<u32>,
    /// The arm that changes its cartridges.
    pub(crate) robot: Option<Robot>,
    /// The program that asks a drive how it is.
    pub(crate) sg_logs: PathBuf,
}

impl Options {
    /// The same for one image of a shelf.
    pub(crate) fn at(&self, image: PathBuf) -> Self {
        Self {
            place: Where::Image(image),
            ..self.clone()
        }
    }

    /// A program that others may change is refused before anything is touched. One that is not
    /// there is missed where it is needed.
    pub(crate) fn check_programs(&self) -> Result<(), DeviceError> {
        let Some(By::Mtx { program, .. }) = self.robot.as_ref().map(|robot| &robot.by) else {
            return Ok(());
        };
        match changer::program(program).trusted() {
            Err(error) if error.outcome == Outcome::BAD_OPTION => Err(error),
            _ => Ok(()),
        }
    }
}

fn refuse(text: impl Into<String>) -> DeviceError {
    DeviceError::new(Outcome::BAD_OPTION, text)
}

/// Reads the options; every refusal begins with the key it concerns.
pub(crate) fn parse(text: &str) -> Result<Options, DeviceError> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| refuse(format!("options: not JSON: {error}")))?;
    let Value::Object(table) = value else {
        return Err(refuse("options: must be a table"));
    };
    let known = [
        "drive",
        "image",
        "shelf",
        "block_size",
        "capacity",
        "compression",
        "cartridges",
        "last",
        "library",
        "changer",
        "mtx",
        "drive_element",
        "slots",
        "barcodes",
        "sg_logs",
    ];
    if let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(refuse(format!(
            "{key}: unknown option; a tape device has {}",
            known.join(", ")
        )));
    }
    let place = place(&table)?;
    let block = size(&table, "block_size")?.unwrap_or(u64::from(BLOCK));
    let block = u32::try_from(block).unwrap_or(u32::MAX);
    if !block.is_power_of_two() || !(BLOCK_MIN..=BLOCK_MAX).contains(&block) {
        let text = format!("block_size: must be a power of two, {BLOCK_MIN} to {BLOCK_MAX}");
        return Err(refuse(text));
    }
    let capacity = size(&table, "capacity")?;
    let image = !matches!(place, Where::Drive(_));
    if capacity.is_some() && !image {
        return Err(refuse("capacity: a drive's cartridges have their own"));
    }
    if capacity.is_some_and(|bytes| bytes < CAPACITY_MIN) {
        return Err(refuse(format!("capacity: at least {CAPACITY_MIN} bytes")));
    }
    let compression = match table.get("compression") {
        None => None,
        Some(_) if image => return Err(refuse("compression: a virtual tape does not compress")),
        Some(Value::Bool(on)) => Some(*on),
        Some(_) => return Err(refuse("compression: must be true or false")),
    };
    let cartridges = count(&table, "cartridges")?;
    if cartridges.is_some() && !matches!(place, Where::Shelf(_) | Where::Library(_)) {
        return Err(refuse("cartridges: only of a `shelf` or a `library`"));
    }
    let last = count(&table, "last")?;
    let made = matches!(place, Where::Library(_)).then_some(0);
    let robot = robot::read(&table, &place)?;
    Ok(Options {
        place,
        block,
        capacity,
        compression,
        // A library has what lies in it, unless it is told to make some.
        cartridges: u64::from(cartridges.or(made).unwrap_or(u32::MAX)),
        last,
        robot,
        sg_logs: sg_logs(&table, image)?,
    })
}

fn place(table: &Map<String, Value>) -> Result<Where, DeviceError> {
    let (drive, image) = (path(table, "drive")?, path(table, "image")?);
    if let Some(library) = path(table, "library")? {
        let others = ["drive", "image", "shelf"];
        return match others.iter().find(|key| table.contains_key(**key)) {
            None => Ok(Where::Library(library)),
            Some(_) => Err(refuse("library: has drives of its own, and no other place")),
        };
    }
    match (drive, image, path(table, "shelf")?) {
        (None, None, None) => Err(refuse(
            "drive: missing; name a drive (/dev/tape/by-id/...-nst), or virtual tapes with \
             `image`, `shelf` or `library`",
        )),
        (None, None, Some(shelf)) => Ok(Where::Shelf(shelf)),
        (None, Some(image), None) => Ok(Where::Image(image)),
        (Some(drive), None, None) if rewinds(&drive) => Err(refuse(format!(
            "drive: closing {} rewinds the tape; use the node whose name begins with n (nst)",
            drive.display()
        ))),
        (Some(drive), None, None) => Ok(Where::Drive(drive)),
        (_, _, shelf) => Err(refuse(format!(
            "{}: a device has one of `drive`, `image` and `shelf`",
            if shelf.is_some() { "shelf" } else { "image" }
        ))),
    }
}

/// The nodes of `st` that rewind at close: `st0`, `st1a`, and by-id names without `-nst`.
fn rewinds(drive: &Path) -> bool {
    let name = drive.file_name().unwrap_or_default().to_string_lossy();
    let by_id = drive.parent().is_some_and(|p| p.ends_with("tape/by-id"));
    let short = name
        .strip_prefix("st")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    short || (by_id && !name.ends_with("-nst"))
}

fn path(table: &Map<String, Value>, key: &str) -> Result<Option<PathBuf>, DeviceError> {
    match table.get(key) {
        None => Ok(None),
        Some(Value::String(path)) if Path::new(path).is_absolute() && !path.contains('\0') => {
            Ok(Some(PathBuf::from(path)))
        }
        Some(Value::String(path)) => Err(refuse(format!(
            "{key}: must be an absolute path, not `{path}`"
        ))),
        Some(_) => Err(refuse(format!("{key}: must be a text"))),
    }
}

/// Where Linux distributions put the program.
const SG_LOGS: &str = "/usr/bin/sg_logs";

fn sg_logs(table: &Map<String, Value>, image: bool) -> Result<PathBuf, DeviceError> {
    match path(table, "sg_logs")? {
        Some(_) if image => Err(refuse("sg_logs: only with a `drive`")),
        named => Ok(named.unwrap_or_else(|| PathBuf::from(SG_LOGS))),
    }
}

/// A number from 1.
fn count(table: &Map<String, Value>, key: &str) -> Result<Option<u32>, DeviceError> {
    let Some(value) = table.get(key) else {
        return Ok(None);
    };
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    let number = number.filter(|number| *number > 0);
    number
        .map(Some)
        .ok_or_else(|| refuse(format!("{key}: must be a number from 1")))
}

/// A number of bytes, or a text such as `256KiB`.
fn size(table: &Map<String, Value>, key: &str) -> Result<Option<u64>, DeviceError> {
    let wrong = || refuse(format!("{key}: must be bytes, or a text like \"256KiB\""));
    let text = match table.get(key) {
        None => return Ok(None),
        Some(Value::Number(number)) => return number.as_u64().map(Some).ok_or_else(wrong),
        Some(Value::String(text)) => text,
        Some(_) => return Err(wrong()),
    };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match &text[digits.len()..] {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(wrong()),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    bytes.map(Some).ok_or_else(wrong)
}
