//! Which cartridge of a library a device may take, and why not the others. Decides, moves nothing.

use std::collections::BTreeMap;
use std::fmt;

use super::inventory::{At, Inventory};

#[cfg(test)]
mod tests;

/// How the barcodes of cleaning cartridges begin, in every library.
const CLEANING: &str = "CLN";

/// What of a library a device may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// These slots alone, from and to; all but the mail slots, if there are none.
    pub(crate) slots: Vec<(u32, u32)>,
    /// Cartridges alone whose barcode is like this: `*` stands for anything.
    pub(crate) barcodes: Option<String>,
}

impl Rules {
    /// Whether a slot may be used at all. Mail slots only where they are named.
    pub(crate) fn allow_slot(&self, number: u32, mail: bool) -> bool {
        let named = self
            .slots
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&number));
        named || (self.slots.is_empty() && !mail)
    }
}

/// Why a cartridge is taken or left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It was looked at, and is blank.
    Blank,
    /// Nobody has looked yet: its label says what it is, before anything is written.
    Unknown,
    /// It was looked at: what it holds.
    Holds(String),
    /// It is a tape of the row that goes on.
    OfRow(u32),
    /// It cleans drives.
    Cleaning,
    /// It lies in a mail slot.
    Mail,
    /// Its slot is none of this device's.
    OtherSlot,
    /// Its barcode is none of this device's.
    OtherBarcode,
    /// It is in another drive.
    InDrive(u32),
    /// Another run has chosen it.
    Chosen,
}

/// A cartridge, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) name: String,
    pub(crate) at: At,
    pub(crate) why: Why,
}

impl Choice {
    /// Whether it may be brought to go on with.
    pub(crate) fn may_go_on(&self) -> bool {
        matches!(self.why, Why::Blank | Why::Unknown)
    }

    /// Whether it may be brought to look at it.
    pub(crate) fn may_be_read(&self) -> bool {
        let theirs = matches!(
            self.why,
            Why::Cleaning | Why::Mail | Why::OtherSlot | Why::OtherBarcode
        );
        !theirs
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            At::Slot(slot) if self.name == format!("slot {slot}") => write!(f, "slot {slot}: ")?,
            At::Slot(slot) => write!(f, "slot {slot} ({}): ", self.name)?,
            At::Drive(_) => write!(f, "{}: ", self.name)?,
        }
        match &self.why {
            Why::Blank => f.write_str("blank"),
            Why::Unknown => f.write_str("not looked at yet"),
            Why::Holds(what) => f.write_str(what),
            Why::OfRow(number) => write!(f, "tape {number} of this row"),
            Why::Cleaning => f.write_str("a cleaning cartridge"),
            Why::Mail => f.write_str("in a mail slot, which the option `slots` does not name"),
            Why::OtherSlot => f.write_str("outside of the option `slots`"),
            Why::OtherBarcode => f.write_str("not like the option `barcodes`"),
            Why::InDrive(drive) => write!(f, "in drive {drive}, which is not this one"),
            Why::Chosen => f.write_str("another run has chosen it"),
        }
    }
}

/// What a device knows beside the inventory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Tapes of the row that goes on, by the name of their cartridge.
    pub(crate) row: BTreeMap<String, u32>,
    /// What was looked at, by name: what it holds, or nothing where it is blank.
    pub(crate) seen: BTreeMap<String, Option<String>>,
}

/// Every cartridge of a library with what may be done with it: those that are known to be blank
/// first, then what nobody has looked at, each by slot. `drive`: the one that would take it.
pub(crate) fn plan(inventory: &Inventory, rules: &Rules, known: &Known, drive: u32) -> Vec<Choice> {
    let mut choices: Vec<Choice> = inventory
        .cartridges()
        .into_iter()
        .map(|(name, (at, element))| {
            let barcode = element.barcode.as_deref().unwrap_or_default();
            let like = rules.barcodes.as_deref();
            let slot = match at {
                At::Slot(slot) => Some((slot, element.mail)),
                // One in the drive may be used wherever it came from: somebody put it there.
                At::Drive(_) => None,
            };
            let why = match known.seen.get(&name) {
                _ if barcode.starts_with(CLEANING) => Why::Cleaning,
                _ if like.is_some_and(|like| !matches(like, barcode)) => Why::OtherBarcode,
                _ if slot.is_some_and(|(slot, mail)| !rules.allow_slot(slot, mail)) => match slot {
                    Some((_, true)) => Why::Mail,
                    _ => Why::OtherSlot,
                },
                _ if known.row.contains_key(&name) => {
                    Why::OfRow(known.row.get(&name).copied().unwrap_or_default())
                }
                _ if matches!(at, At::Drive(other) if other != drive) => match at {
                    At::Drive(other) | At::Slot(other) => Why::InDrive(other),
                },
                Some(Some(what)) => Why::Holds(what.clone()),
                Some(None) => Why::Blank,
                None => Why::Unknown,
            };
            Choice { name, at, why }
        })
        .collect();
    choices.sort_by_key(|choice| (choice.why != Why::Blank, choice.at));
    choices
}

/// Whether a text is like a pattern in which `*` stands for anything.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}
