//! What the program `mtx` prints of a library (`mtx -f NODE status`, mtx 1.3), read strictly: a
//! move that follows a misread line would put a cartridge where another one lies.

use super::NAME_MAX;
use super::inventory::{Element, Inventory};

#[cfg(test)]
mod tests;

/// Highest number of an element: SMC addresses have 16 bits.
const ELEMENT_MAX: u32 = 65_535;

/// Why what was printed is not believed.
pub(crate) type Odd = String;

/// Reads the status.
pub(crate) fn parse(text: &str) -> Result<Inventory, Odd> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let (drives, slots) = counts(first).ok_or_else(|| odd(first))?;
    let mut inventory = Inventory::default();
    for line in lines {
        let trimmed = line.trim();
        if let Some(rest) = trimmed.strip_prefix("Data Transfer Element ") {
            let element = drive(rest).ok_or_else(|| odd(line))?;
            follows(&inventory.drives, &element).ok_or_else(|| odd(line))?;
            inventory.drives.push(element);
        } else {
            let rest = trimmed.strip_prefix("Storage Element ");
            let element = rest.and_then(slot).ok_or_else(|| odd(line))?;
            follows(&inventory.slots, &element).ok_or_else(|| odd(line))?;
            inventory.slots.push(element);
        }
    }
    let told = (inventory.drives.len(), inventory.slots.len());
    if told != (drives as usize, slots as usize) {
        return Err(format!(
            "it says {drives} drives and {slots} slots, and lists {} and {}",
            told.0, told.1
        ));
    }
    Ok(inventory)
}

fn odd(line: &str) -> Odd {
    let shown: String = line.chars().filter(|c| !c.is_control()).take(80).collect();
    format!("the line `{shown}` is not understood")
}

/// Elements come in the order of their numbers, each once.
fn follows(before: &[Element], next: &Element) -> Option<()> {
    let last = before.last();
    last.is_none_or(|last| last.number < next.number)
        .then_some(())
}

/// `Storage Changer /dev/sg3:2 Drives, 7 Slots ( 1 Import/Export )`.
fn counts(line: &str) -> Option<(u32, u32)> {
    let rest = line.trim().strip_prefix("Storage Changer ")?;
    let (rest, tail) = rest.split_once(" Slots")?;
    if !tail.is_empty() && !tail.trim_start().starts_with('(') {
        return None;
    }
    let (rest, slots) = rest.rsplit_once(" Drives, ")?;
    let (_, drives) = rest.rsplit_once(':')?;
    Some((number(drives)?, number(slots)?))
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|n| digits && *n <= ELEMENT_MAX)
}

/// `0:Full (Storage Element 1 Loaded):VolumeTag = TVM001L8` or `1:Empty`.
fn drive(rest: &str) -> Option<Element> {
    let (told, rest) = rest.split_once(':')?;
    let told = number(told)?;
    let mut element = Element {
        number: told,
        ..Element::default()
    };
    let Some(rest) = rest.strip_prefix("Full") else {
        return (rest.trim_end() == "Empty").then_some(element);
    };
    element.full = true;
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix("(Unknown Storage Element Loaded)") {
        Some(rest) => rest,
        None => {
            let rest = rest.strip_prefix("(Storage Element ")?;
            let (from, rest) = rest.split_once(" Loaded)")?;
            element.from = Some(number(from)?);
            rest
        }
    };
    element.barcode = barcode(rest)?;
    Some(element)
}

/// `2:Full :VolumeTag=TVM002L8`, `7 IMPORT/EXPORT:Empty`.
fn slot(rest: &str) -> Option<Element> {
    let (told, rest) = rest.split_once(':')?;
    let (told, mail) = match told.strip_suffix(" IMPORT/EXPORT") {
        Some(told) => (told, true),
        None => (told, false),
    };
    let mut element = Element {
        number: number(told).filter(|number| *number > 0)?,
        mail,
        ..Element::default()
    };
    let Some(rest) = rest.strip_prefix("Full") else {
        let rest = rest.strip_prefix("Empty")?;
        // Some libraries keep the barcode that lay there.
        barcode(rest)?;
        return Some(element);
    };
    element.full = true;
    element.barcode = barcode(rest)?;
    Some(element)
}

/// `:VolumeTag=X`, perhaps with `:AlternateVolumeTag=Y` behind it. A barcode with odd characters is
/// none: the cartridge is known by its slot.
fn barcode(rest: &str) -> Option<Option<String>> {
    let rest = rest.trim();
    if rest.is_empty() {
        return Some(None);
    }
    let rest = rest.strip_prefix(':')?;
    let (tag, _) = rest.split_once(":AlternateVolumeTag").unwrap_or((rest, ""));
    let Some(tag) = tag.strip_prefix("VolumeTag") else {
        return tag.starts_with("AlternateVolumeTag").then_some(None);
    };
    let tag = tag.trim_start().strip_prefix('=')?.trim();
    let sound = (1..=NAME_MAX).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_graphic());
    Some(sound.then(|| tag.to_owned()))
}
