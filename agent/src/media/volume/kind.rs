//! What differs between devices: how a volume is called, what a header looks like, what can go.

use twinset_domain::{MediaSetId, Slot, name};
use twinset_format::header::Form;
use twinset_plugin_api::{Capabilities, DeviceClass, Mount, Outcome, SectionEntry};

use super::Volume;
use crate::device::DeviceFault;

impl Volume {
    /// Mounts the media set's volume.
    ///
    /// # Errors
    /// [`Outcome::NO_MEDIUM`], [`Outcome::WRONG_MEDIUM`], [`Outcome::LOCKED`] and others.
    pub fn mount(&self, media_set: MediaSetId) -> Result<(), DeviceFault> {
        let keys = [self.key(media_set), media_set.to_string()];
        self.call(move |handle| {
            let [own, any] = &keys;
            match handle.mount(Mount::Existing(own)) {
                // A volume of another place is mounted too: its header says which, by a better name.
                Err(fault) if fault.outcome == Outcome::WRONG_MEDIUM && own != any => {
                    handle.mount(Mount::Existing(any))
                }
                other => other,
            }
        })
    }

    /// Mounts the volume of the media set that the device names first: before a library, the one in
    /// the drive.
    ///
    /// # Errors
    /// As [`Volume::mount`].
    pub fn mount_first(&self, media_set: MediaSetId) -> Result<(), DeviceFault> {
        let any = media_set.to_string();
        self.call(move |handle| {
            let listed = handle.volumes()?;
            let mut keys = listed.iter().map(|volume| volume.key.as_str());
            let first = keys.find(|key| key.split('.').next() == Some(&any));
            handle.mount(Mount::Existing(first.unwrap_or(&any)))
        })
    }

    /// What the volume is called for its device. Several tapes of a media set may lie in one
    /// library, so there the place is part of the name.
    pub(super) fn key(&self, media_set: MediaSetId) -> String {
        let Slot { mirror, family } = self.slot;
        if self.description.class == DeviceClass::TAPE {
            format!("{media_set}.m{}.f{}", mirror.0, family.0)
        } else {
            media_set.to_string()
        }
    }

    /// Whether single sections can be taken away again.
    #[must_use]
    pub const fn can_remove(&self) -> bool {
        self.description.capabilities & Capabilities::RANDOM_REMOVE != 0
    }

    /// The form of media headers on it.
    #[must_use]
    pub fn form(&self) -> Form {
        if self.description.class == DeviceClass::TAPE {
            Form::Tape
        } else {
            Form::Disk
        }
    }

    /// Data under a void counts for nothing; where it cannot be removed, the void stands alone.
    pub(super) fn standing(&self, mut sections: Vec<SectionEntry>) -> Vec<SectionEntry> {
        if !self.can_remove() {
            let voids = sections
                .iter()
                .filter(|s| name::parse_void(&s.name).is_some());
            let dead: Vec<u64> = voids.filter_map(|s| s.index.checked_sub(1)).collect();
            sections.retain(|section| dead.binary_search(&section.index).is_err());
        }
        sections
    }
}
