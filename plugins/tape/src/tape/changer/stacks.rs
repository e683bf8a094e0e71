//! A virtual library: a folder of virtual tapes, and drives that are names of files. `drive-N` says
//! which tape is in drive N; a tape's slot is its place among the names of all.

use std::fs;
use std::path::{Path, PathBuf};

use twinset_plugin_api::{DeviceError, Outcome};

use super::super::errors::refused;
use super::super::options::{Options, Where};
use super::super::station;
use super::NAME_MAX;
use super::inventory::{Element, Inventory};

/// How virtual tapes end.
const IMAGE: &str = ".tap";
/// How the file begins that says what is in a drive.
const DRIVE: &str = "drive-";
/// Most tapes of a virtual library, and its highest drive.
const SLOTS_MAX: usize = 10_000;
const DRIVE_MAX: u32 = 255;

fn fail(folder: &Path, why: &dyn std::fmt::Display) -> DeviceError {
    let text = format!("the library {}: {why}", folder.display());
    DeviceError::new(Outcome::NO_MEDIUM, text)
}

/// The image of a cartridge.
pub(crate) fn image(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{IMAGE}"))
}

/// Which drives hold which tape.
type Inside = Vec<(u32, String)>;

/// Names of all tapes in order, and what the drives hold.
fn look(folder: &Path) -> Result<(Vec<String>, Inside), DeviceError> {
    let entries = fs::read_dir(folder).map_err(|error| fail(folder, &error))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let (mut tapes, mut drives) = (Vec::new(), Vec::new());
    for name in names {
        let lawful = |tape: &str| {
            let length = (1..=NAME_MAX).contains(&tape.len());
            length && tape.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if let Some(tape) = name.strip_suffix(IMAGE).filter(|tape| lawful(tape)) {
            tapes.push(tape.to_owned());
        } else if let Some(number) = name.strip_prefix(DRIVE).and_then(|n| n.parse().ok()) {
            let inside = fs::read_to_string(folder.join(&name)).unwrap_or_default();
            let inside = inside.trim().to_owned();
            if number <= DRIVE_MAX && !inside.is_empty() {
                drives.push((number, inside));
            }
        }
    }
    if tapes.len() > SLOTS_MAX {
        return Err(fail(folder, &format!("more than {SLOTS_MAX} tapes")));
    }
    tapes.sort();
    Ok((tapes, drives))
}

/// What lies where. A drive that was never used is not listed.
pub(super) fn inventory(folder: &Path) -> Result<Inventory, DeviceError> {
    let (tapes, inside) = look(folder)?;
    let mut inventory = Inventory::default();
    let numbered = (1..).zip(&tapes);
    for (number, tape) in numbered {
        let drive = inside.iter().find(|(_, name)| name == tape);
        if let Some((drive, _)) = drive {
            inventory.drives.push(Element {
                number: *drive,
                full: true,
                barcode: Some(tape.clone()),
                from: Some(number),
                mail: false,
            });
        }
        inventory.slots.push(Element {
            number,
            full: drive.is_none(),
            barcode: drive.is_none().then(|| tape.clone()),
            ..Element::default()
        });
    }
    inventory.drives.sort_by_key(|drive| drive.number);
    Ok(inventory)
}

pub(super) fn load(folder: &Path, slot: u32, drive: u32) -> Result<(), DeviceError> {
    let (tapes, _) = look(folder)?;
    let at = (slot as usize).checked_sub(1);
    let Some(tape) = at.and_then(|at| tapes.get(at)) else {
        return Err(refused(format!("there is no slot {slot}")));
    };
    let file = folder.join(format!("{DRIVE}{drive}"));
    let beside = folder.join(format!("{DRIVE}{drive}.new"));
    let written = fs::write(&beside, tape).and_then(|()| fs::rename(&beside, &file));
    written.map_err(|error| fail(folder, &error))
}

pub(super) fn unload(folder: &Path, drive: u32) -> Result<(), DeviceError> {
    let file = folder.join(format!("{DRIVE}{drive}"));
    fs::remove_file(file).map_err(|error| fail(folder, &error))
}

/// Makes the tapes of a virtual library that are not there yet: so many, `V00001`, `V00002`, ...
pub(crate) fn make(options: &Options) -> Result<(), DeviceError> {
    let Where::Library(folder) = &options.place else {
        return Ok(());
    };
    let (tapes, _) = look(folder)?;
    let more = options.cartridges.min(SLOTS_MAX as u64);
    let have = tapes.len() as u64;
    let free = (1_u64..).map(|number| format!("V{number:05}"));
    let free = free.filter(|name| !tapes.contains(name));
    let missing = usize::try_from(more.saturating_sub(have)).unwrap_or(0);
    for name in free.take(missing) {
        station::make(&options.at(image(folder, &name)))?;
    }
    Ok(())
}
