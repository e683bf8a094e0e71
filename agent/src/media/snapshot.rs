//! Lists of a volume that are made once: a look at thousands of sets asks for each of them several
//! times, and nothing of what it shows needs the last moment's truth.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use twinset_plugin_api::{RecordEntry, SectionEntry};

use crate::device::DeviceFault;

/// Lists that are remembered from the moment on that somebody asks for it.
#[derive(Default)]
pub(super) struct Snapshot {
    frozen: AtomicBool,
    sections: OnceLock<Vec<SectionEntry>>,
    records: OnceLock<Vec<RecordEntry>>,
}

impl Snapshot {
    pub(super) fn freeze(&self) {
        self.frozen.store(true, Ordering::Relaxed);
    }

    pub(super) fn sections(
        &self,
        list: impl FnOnce() -> Result<Vec<SectionEntry>, DeviceFault>,
    ) -> Result<Vec<SectionEntry>, DeviceFault> {
        once(&self.frozen, &self.sections, list)
    }

    pub(super) fn records(
        &self,
        list: impl FnOnce() -> Result<Vec<RecordEntry>, DeviceFault>,
    ) -> Result<Vec<RecordEntry>, DeviceFault> {
        once(&self.frozen, &self.records, list)
    }
}

fn once<T: Clone>(
    frozen: &AtomicBool,
    place: &OnceLock<Vec<T>>,
    list: impl FnOnce() -> Result<Vec<T>, DeviceFault>,
) -> Result<Vec<T>, DeviceFault> {
    if !frozen.load(Ordering::Relaxed) {
        return list();
    }
    if let Some(found) = place.get() {
        return Ok(found.clone());
    }
    let found = list()?;
    // Two threads that ask at once both have a good list.
    let _ = place.set(found.clone());
    Ok(found)
}
