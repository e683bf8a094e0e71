//! Lists come in pages of fixed entries; here they become one vector, with an end.

use twinset_plugin_api::v1::{DeviceHandleV1, DeviceTableV1, Entry, TextV1};
use twinset_plugin_api::{Leftover, Outcome, RecordEntry, SectionEntry, VolumeEntry};

use super::call::Handle;
use super::fault::DeviceFault;

/// Most volumes that one device is asked for.
pub const VOLUMES_MAX: usize = 4096;
/// Most sections that are read of one volume: a log backup each 15 minutes for over three years.
pub const SECTIONS_MAX: usize = 262_144;
/// Most records that are read of one volume.
pub const RECORDS_MAX: usize = 524_288;
/// Most leftovers that are read of one volume.
pub const LEFTOVERS_MAX: usize = 65_536;
/// Entries in one call.
const PAGE: usize = 512;

/// What a list call is asked for: entries after this one.
struct Place {
    number: Option<u64>,
    name: String,
}

impl Place {
    /// From the first entry on.
    const START: Self = Self {
        number: None,
        name: String::new(),
    };
}

impl Handle {
    /// All volumes that the device can reach, in order of their keys.
    pub fn volumes(&mut self) -> Result<Vec<VolumeEntry>, DeviceFault> {
        // SAFETY: `pages` gives a live handle, room for `max` entries and a place for the count.
        self.pages(
            "volumes",
            VOLUMES_MAX,
            |table, raw, place, out, max, got| unsafe {
                (table.volumes)(raw, TextV1::lend(&place.name), out, max, got)
            },
        )
    }

    /// All closed sections of the mounted volume, in order of their numbers.
    pub fn sections(&mut self) -> Result<Vec<SectionEntry>, DeviceFault> {
        self.sections_after(None)
    }

    /// Closed sections with a number above this, in order.
    pub fn sections_after(&mut self, after: Option<u64>) -> Result<Vec<SectionEntry>, DeviceFault> {
        let from = Place {
            number: after,
            name: String::new(),
        };
        // SAFETY: as in `volumes`.
        self.pages_of(
            "sections",
            SECTIONS_MAX,
            from,
            |place| place,
            |table, raw, place, out, max, got| unsafe {
                let (known, after) = (place.number.is_some().into(), place.number.unwrap_or(0));
                (table.sections)(raw, known, after, out, max, got)
            },
        )
    }

    /// All records of the mounted volume, in order of their names.
    pub fn list_records(&mut self) -> Result<Vec<RecordEntry>, DeviceFault> {
        self.records_skipping(&[])
    }

    /// Records in order of their names. Of those that begin with the first text of a pair, the ones
    /// that sort before the second are left out, but for some at the start.
    pub fn records_skipping(
        &mut self,
        skips: &[(String, String)],
    ) -> Result<Vec<RecordEntry>, DeviceFault> {
        let skip = |mut place: Place| {
            let reached = |(kind, until): &&(String, String)| {
                place.name.starts_with(kind) && place.name < *until
            };
            if let Some((_, until)) = skips.iter().find(reached) {
                place.name.clone_from(until);
            }
            place
        };
        // SAFETY: as in `volumes`.
        self.pages_of(
            "list_records",
            RECORDS_MAX,
            Place::START,
            skip,
            |table, raw, place, out, max, got| unsafe {
                (table.list_records)(raw, TextV1::lend(&place.name), out, max, got)
            },
        )
    }

    /// All leftovers of the mounted volume, in order of their names.
    pub fn leftovers(&mut self) -> Result<Vec<Leftover>, DeviceFault> {
        // SAFETY: as in `volumes`.
        self.pages(
            "leftovers",
            LEFTOVERS_MAX,
            |table, raw, place, out, max, got| unsafe {
                (table.leftovers)(raw, TextV1::lend(&place.name), out, max, got)
            },
        )
    }

    fn pages<E: Listed>(
        &mut self,
        call: &'static str,
        most: usize,
        ask: impl Fn(&DeviceTableV1, *mut DeviceHandleV1, &Place, *mut E::Raw, usize, *mut usize) -> u32,
    ) -> Result<Vec<E>, DeviceFault> {
        self.pages_of(call, most, Place::START, |place| place, ask)
    }

    /// `next` says where the page behind this place begins.
    fn pages_of<E: Listed>(
        &mut self,
        call: &'static str,
        most: usize,
        mut place: Place,
        next: impl Fn(Place) -> Place,
        ask: impl Fn(&DeviceTableV1, *mut DeviceHandleV1, &Place, *mut E::Raw, usize, *mut usize) -> u32,
    ) -> Result<Vec<E>, DeviceFault> {
        let mut all: Vec<E> = Vec::new();
        let mut room = vec![E::Raw::default(); PAGE];
        loop {
            let mut got = 0;
            self.ask(call, |table, raw| {
                ask(table, raw, &place, room.as_mut_ptr(), PAGE, &raw mut got)
            })?;
            let Some(page) = room.get(..got) else {
                return Err(self.nonsense(call, "more entries than there was room for"));
            };
            let Some(last) = page.last() else {
                return Ok(all);
            };
            if all.len() + page.len() > most {
                return Err(self.nonsense(call, &format!("more than {most} entries")));
            }
            let last_place = E::from_raw(last).map(|entry| entry.place());
            for raw in page {
                let entry = E::from_raw(raw);
                let entry = entry.ok_or_else(|| self.nonsense(call, "a malformed name"))?;
                if all.last().is_some_and(|before| !before.is_before(&entry)) {
                    return Err(self.nonsense(call, "entries out of order"));
                }
                all.push(entry);
            }
            match last_place {
                Some(after) => place = next(after),
                None => return Ok(all),
            }
        }
    }

    fn nonsense(&self, call: &'static str, what: &str) -> DeviceFault {
        let text = format!("the plugin lists {what}");
        DeviceFault::new(self.label(), call, Outcome::PERMANENT, text)
    }
}

/// An entry that knows its place in its list.
trait Listed: Entry {
    fn place(&self) -> Place;
    fn is_before(&self, later: &Self) -> bool;
}

impl Listed for SectionEntry {
    fn place(&self) -> Place {
        Place {
            number: Some(self.index),
            name: String::new(),
        }
    }

    fn is_before(&self, later: &Self) -> bool {
        self.index < later.index
    }
}

macro_rules! listed_by_name {
    ($($entry:ident $name:ident;)*) => {$(
        impl Listed for $entry {
            fn place(&self) -> Place {
                Place { number: None, name: self.$name.clone() }
            }

            fn is_before(&self, later: &Self) -> bool {
                self.$name < later.$name
            }
        }
    )*};
}

listed_by_name! {
    VolumeEntry key;
    RecordEntry name;
    Leftover name;
}
