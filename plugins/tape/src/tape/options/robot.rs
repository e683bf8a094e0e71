//! The options of a library: its arm, and what of it a device may use.

use std::path::PathBuf;

use serde_json::{Map, Value};
use twinset_plugin_api::DeviceError;

use super::{Where, path, refuse};
use crate::tape::changer::{By, Robot, Rules};
use crate::tape::os;

/// Where no program moves arms.
const NO_ARM: &str = "changer: a library's arm is moved by mtx, which this system does not have; \
                      leave it out, and change cartridges by hand";
/// Highest number of a drive or a slot: addresses in a library have 16 bits.
const ELEMENT_MAX: u32 = 65_535;

/// The arm that the options name.
pub(super) fn read(
    table: &Map<String, Value>,
    place: &Where,
) -> Result<Option<Robot>, DeviceError> {
    let (node, program) = (path(table, "changer")?, path(table, "mtx")?);
    let by = match (place, node) {
        (Where::Library(_), Some(_)) => {
            return Err(refuse("changer: a virtual `library` has its own arm"));
        }
        (Where::Library(folder), None) => By::Stacks(folder.clone()),
        (Where::Drive(_), Some(node)) => By::Mtx {
            program: match os::MTX {
                Some(usual) => program.clone().unwrap_or_else(|| PathBuf::from(usual)),
                None => return Err(refuse(NO_ARM)),
            },
            node,
        },
        (_, Some(_)) => return Err(refuse("changer: only with a `drive`")),
        (_, None) => {
            let alone = ["mtx", "drive_element", "slots", "barcodes"];
            let alone = alone.iter().find(|key| table.contains_key(**key));
            return match alone {
                Some(key) => Err(refuse(format!("{key}: only with a `changer`"))),
                None => Ok(None),
            };
        }
    };
    if program.is_some() && !matches!(by, By::Mtx { .. }) {
        return Err(refuse("mtx: only with a `changer`"));
    }
    Ok(Some(Robot {
        by,
        element: element(table)?,
        rules: Rules {
            slots: slots(table)?,
            barcodes: barcodes(table)?,
        },
    }))
}

fn element(table: &Map<String, Value>) -> Result<Option<u32>, DeviceError> {
    let Some(value) = table.get("drive_element") else {
        return Ok(None);
    };
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    let number = number.filter(|number| *number <= ELEMENT_MAX);
    number
        .map(Some)
        .ok_or_else(|| refuse("drive_element: must be the drive's number in the library, from 0"))
}

/// `1-4,7`.
fn slots(table: &Map<String, Value>) -> Result<Vec<(u32, u32)>, DeviceError> {
    let wrong = || refuse("slots: must be a text such as \"1-4,7\"");
    let text = match table.get("slots") {
        None => return Ok(Vec::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err(wrong()),
    };
    let number = |text: &str| {
        let number = text.trim().parse().ok();
        number.filter(|number| (1..=ELEMENT_MAX).contains(number))
    };
    let range = |piece: &str| {
        let (from, to) = piece.split_once('-').unwrap_or((piece, piece));
        let (from, to) = (number(from)?, number(to)?);
        (from <= to).then_some((from, to))
    };
    let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
    ranges.ok_or_else(wrong)
}

fn barcodes(table: &Map<String, Value>) -> Result<Option<String>, DeviceError> {
    match table.get("barcodes") {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.is_ascii() => Ok(Some(text.clone())),
        Some(_) => Err(refuse("barcodes: must be a text such as \"TWN*\"")),
    }
}
