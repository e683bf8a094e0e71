//! What lies where in a library, as it was told.

use std::collections::BTreeMap;

/// A drive or a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Its number: drives from 0, slots from 1, as `mtx` counts them.
    pub(crate) number: u32,
    /// A cartridge is in it.
    pub(crate) full: bool,
    /// The cartridge's barcode, where the library reads one.
    pub(crate) barcode: Option<String>,
    /// The slot that the cartridge of a drive came from, where the library knows.
    pub(crate) from: Option<u32>,
    /// A slot through which cartridges come and go.
    pub(crate) mail: bool,
}

/// A whole library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    pub(crate) drives: Vec<Element>,
    pub(crate) slots: Vec<Element>,
}

/// Where a cartridge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum At {
    Drive(u32),
    Slot(u32),
}

impl Inventory {
    /// Every cartridge by its name: its barcode, where no other one has the same, else the slot that
    /// it belongs to.
    pub(crate) fn cartridges(&self) -> BTreeMap<String, (At, &Element)> {
        let drives = self
            .drives
            .iter()
            .map(|drive| (At::Drive(drive.number), drive));
        let slots = self.slots.iter().map(|slot| (At::Slot(slot.number), slot));
        let full = drives.chain(slots).filter(|(_, element)| element.full);
        let full: Vec<_> = full.collect();
        let alone = |barcode: &String| {
            let same = |(_, element): &&(At, &Element)| element.barcode.as_ref() == Some(barcode);
            full.iter().filter(same).count() == 1
        };
        let name = |at: At, element: &Element| {
            let barcode = element.barcode.clone().filter(alone);
            barcode.unwrap_or_else(|| match (at, element.from) {
                (At::Slot(slot), _) | (At::Drive(_), Some(slot)) => format!("slot {slot}"),
                (At::Drive(drive), None) => format!("drive {drive}"),
            })
        };
        let named = full
            .iter()
            .map(|(at, element)| (name(*at, element), (*at, *element)));
        named.collect()
    }

    pub(crate) fn drive(&self, number: u32) -> Option<&Element> {
        self.drives.iter().find(|drive| drive.number == number)
    }

    pub(crate) fn slot(&self, number: u32) -> Option<&Element> {
        self.slots.iter().find(|slot| slot.number == number)
    }
}
