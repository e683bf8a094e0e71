//! Between the values of the border and ordinary Rust values. Safe: only copies.

use super::{
    CHECKED_DIFFERS, CHECKED_NOT, CHECKED_SOUND, DescriptionV1, ErrorV1, InspectionV1, LeftoverV1,
    NAME_MAX, NameV1, OBSERVED_NOTE, OBSERVED_OK, OBSERVED_WARNING, ObservationV1, RecordEntryV1,
    SectionEntryV1, StatusV1, TEXT_MAX, TextV1, VolumeEntryV1,
};
use crate::{
    Checked, Description, DeviceClass, DeviceError, DeviceStatus, Inspection, Leftover,
    Observation, Observed, Outcome, RecordEntry, SectionEntry, VolumeEntry,
};

impl TextV1 {
    /// Lends `text`, which must outlive the call that gets it.
    #[must_use]
    pub const fn lend(text: &str) -> Self {
        Self {
            bytes: text.as_ptr(),
            len: text.len(),
        }
    }
}

impl NameV1 {
    /// The empty name.
    pub const EMPTY: Self = Self {
        len: 0,
        bytes: [0; NAME_MAX + 1],
    };

    /// A name; `None` when it is longer than [`NAME_MAX`] bytes.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.len() > NAME_MAX {
            return None;
        }
        let mut name = Self::EMPTY;
        name.bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        name.len = u32::try_from(text.len()).ok()?;
        Some(name)
    }

    /// The text; `None` when the other side gave a wrong length or no UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let len = usize::try_from(self.len)
            .ok()
            .filter(|len| *len <= NAME_MAX)?;
        std::str::from_utf8(self.bytes.get(..len)?).ok()
    }
}

impl Default for NameV1 {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// The longest piece of `text` that fits into `max` bytes and ends between two characters.
fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn put_text(text: &str, into: &mut [u8; TEXT_MAX]) -> u32 {
    let text = cut(text, TEXT_MAX);
    into[..text.len()].copy_from_slice(text.as_bytes());
    u32::try_from(text.len()).unwrap_or(0)
}

fn get_text(bytes: &[u8; TEXT_MAX], len: u32) -> String {
    let len = usize::try_from(len).unwrap_or(TEXT_MAX).min(TEXT_MAX);
    String::from_utf8_lossy(&bytes[..len]).into_owned()
}

impl Default for ErrorV1 {
    fn default() -> Self {
        let text = [0; TEXT_MAX];
        Self {
            outcome: 0,
            os_code: 0,
            accepted: 0,
            text_len: 0,
            reserved: 0,
            text,
        }
    }
}

impl From<&DeviceError> for ErrorV1 {
    fn from(error: &DeviceError) -> Self {
        let mut out = Self {
            outcome: error.outcome.0,
            os_code: error.os_code,
            accepted: error.accepted,
            ..Self::default()
        };
        out.text_len = put_text(&error.text, &mut out.text);
        out
    }
}

impl From<&ErrorV1> for DeviceError {
    fn from(error: &ErrorV1) -> Self {
        Self {
            outcome: Outcome(error.outcome),
            text: get_text(&error.text, error.text_len),
            os_code: error.os_code,
            accepted: error.accepted,
        }
    }
}

impl Default for StatusV1 {
    fn default() -> Self {
        Self {
            free_known: 0,
            capacity_known: 0,
            free: 0,
            capacity: 0,
            alerts_len: 0,
            reserved: 0,
            alerts: [0; TEXT_MAX],
        }
    }
}

impl From<&DeviceStatus> for StatusV1 {
    fn from(status: &DeviceStatus) -> Self {
        let mut out = Self {
            free_known: status.free.is_some().into(),
            capacity_known: status.capacity.is_some().into(),
            free: status.free.unwrap_or(0),
            capacity: status.capacity.unwrap_or(0),
            ..Self::default()
        };
        out.alerts_len = put_text(&status.alerts, &mut out.alerts);
        out
    }
}

impl From<&StatusV1> for DeviceStatus {
    fn from(status: &StatusV1) -> Self {
        Self {
            free: (status.free_known != 0).then_some(status.free),
            capacity: (status.capacity_known != 0).then_some(status.capacity),
            alerts: get_text(&status.alerts, status.alerts_len),
        }
    }
}

impl Default for InspectionV1 {
    fn default() -> Self {
        Self {
            checked: CHECKED_NOT,
            locked: 0,
            locked_until: 0,
            differs_len: 0,
            reserved: 0,
            differs: [0; TEXT_MAX],
        }
    }
}

impl From<&Inspection> for InspectionV1 {
    fn from(told: &Inspection) -> Self {
        let mut out = Self {
            locked: told.locked_until.is_some().into(),
            locked_until: told.locked_until.unwrap_or(0),
            ..Self::default()
        };
        out.checked = match &told.checked {
            Checked::Not => CHECKED_NOT,
            Checked::Sound => CHECKED_SOUND,
            Checked::Differs(how) => {
                out.differs_len = put_text(how, &mut out.differs);
                CHECKED_DIFFERS
            }
        };
        out
    }
}

impl From<&InspectionV1> for Inspection {
    fn from(raw: &InspectionV1) -> Self {
        Self {
            checked: match raw.checked {
                CHECKED_SOUND => Checked::Sound,
                CHECKED_DIFFERS => Checked::Differs(get_text(&raw.differs, raw.differs_len)),
                // What a later plugin may say proves nothing here.
                _ => Checked::Not,
            },
            locked_until: (raw.locked != 0).then_some(raw.locked_until),
        }
    }
}

impl Default for ObservationV1 {
    fn default() -> Self {
        Self {
            level: OBSERVED_NOTE,
            text_len: 0,
            text: [0; TEXT_MAX],
        }
    }
}

impl DescriptionV1 {
    /// As it crosses the border; `None` when a text is too long.
    #[must_use]
    pub fn new(description: &Description) -> Option<Self> {
        Some(Self {
            vendor: NameV1::new(&description.vendor)?,
            product: NameV1::new(&description.product)?,
            version: NameV1::new(&description.version)?,
            class: description.class.0,
            capabilities: description.capabilities,
            block_min: description.block_sizes.0,
            block_max: description.block_sizes.1,
            alignment: description.alignment,
            transfer_min: description.transfer_sizes.0,
            transfer_max: description.transfer_sizes.1,
            reserved: 0,
            bytes_held: description.bytes_held,
        })
    }

    /// As Rust sees it; `None` when a text is malformed.
    #[must_use]
    pub fn read(&self) -> Option<Description> {
        Some(Description {
            vendor: self.vendor.text()?.to_owned(),
            product: self.product.text()?.to_owned(),
            version: self.version.text()?.to_owned(),
            class: DeviceClass(self.class),
            capabilities: self.capabilities,
            block_sizes: (self.block_min, self.block_max),
            alignment: self.alignment,
            transfer_sizes: (self.transfer_min, self.transfer_max),
            bytes_held: self.bytes_held,
        })
    }
}

/// An entry of a list, on both sides of the border.
pub trait Entry: Sized {
    /// Its form on the border.
    type Raw: Copy + Default;

    /// As it crosses; `None` when its name is too long.
    fn to_raw(&self) -> Option<Self::Raw>;
    /// As Rust sees it; `None` when its name is malformed.
    fn from_raw(raw: &Self::Raw) -> Option<Self>;
}

impl Entry for VolumeEntry {
    type Raw = VolumeEntryV1;

    fn to_raw(&self) -> Option<VolumeEntryV1> {
        Some(VolumeEntryV1 {
            key: NameV1::new(&self.key)?,
            sections_known: self.sections.is_some().into(),
            sections: self.sections.unwrap_or(0),
        })
    }

    fn from_raw(raw: &VolumeEntryV1) -> Option<Self> {
        let sections = (raw.sections_known != 0).then_some(raw.sections);
        Some(Self {
            key: raw.key.text()?.to_owned(),
            sections,
        })
    }
}

impl Entry for SectionEntry {
    type Raw = SectionEntryV1;

    fn to_raw(&self) -> Option<SectionEntryV1> {
        let name = NameV1::new(&self.name)?;
        Some(SectionEntryV1 {
            index: self.index,
            length: self.length,
            name,
        })
    }

    fn from_raw(raw: &SectionEntryV1) -> Option<Self> {
        let name = raw.name.text()?.to_owned();
        Some(Self {
            index: raw.index,
            length: raw.length,
            name,
        })
    }
}

impl Entry for RecordEntry {
    type Raw = RecordEntryV1;

    fn to_raw(&self) -> Option<RecordEntryV1> {
        Some(RecordEntryV1 {
            length: self.length,
            name: NameV1::new(&self.name)?,
        })
    }

    fn from_raw(raw: &RecordEntryV1) -> Option<Self> {
        Some(Self {
            name: raw.name.text()?.to_owned(),
            length: raw.length,
        })
    }
}

impl Entry for Leftover {
    type Raw = LeftoverV1;

    fn to_raw(&self) -> Option<LeftoverV1> {
        Some(LeftoverV1 {
            length: self.length,
            index: self.index.unwrap_or(0),
            run_known: self.run_id.is_some().into(),
            index_known: self.index.is_some().into(),
            run_id: self.run_id.unwrap_or_default(),
            name: NameV1::new(&self.name)?,
        })
    }

    fn from_raw(raw: &LeftoverV1) -> Option<Self> {
        Some(Self {
            name: raw.name.text()?.to_owned(),
            run_id: (raw.run_known != 0).then_some(raw.run_id),
            index: (raw.index_known != 0).then_some(raw.index),
            length: raw.length,
        })
    }
}

impl Entry for Observation {
    type Raw = ObservationV1;

    fn to_raw(&self) -> Option<ObservationV1> {
        let mut out = ObservationV1 {
            level: match self.level {
                Observed::Ok => OBSERVED_OK,
                Observed::Note => OBSERVED_NOTE,
                Observed::Warning => OBSERVED_WARNING,
            },
            ..ObservationV1::default()
        };
        out.text_len = put_text(&self.text, &mut out.text);
        Some(out)
    }

    fn from_raw(raw: &ObservationV1) -> Option<Self> {
        let level = match raw.level {
            OBSERVED_OK => Observed::Ok,
            OBSERVED_WARNING => Observed::Warning,
            _ => Observed::Note,
        };
        let text = get_text(&raw.text, raw.text_len);
        Some(Self { level, text })
    }
}
