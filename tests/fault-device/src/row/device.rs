//! The row as the contract sees it.

use std::collections::BTreeMap;

use twinset_plugin_api::{
    Device, DeviceError, DeviceStatus, Disposition, Leftover, Mount, Outcome, RecordEntry,
    SectionEntry, SectionRequest, SpanRequest, VolumeEntry,
};

use super::{MANY, PART, Row};

/// How the leftover of a section is named whose last part is not there.
const BEGUN: &str = "begun-";

impl Row {
    /// Sections whose last part is not there, but for the one that is written.
    fn begun(&mut self) -> Result<Vec<(u64, [u8; 16], u64)>, DeviceError> {
        let mut found = Vec::new();
        for index in self.indices(None)?.into_keys() {
            let lies = self.lies(index)?;
            let open = self.open.as_ref().is_some_and(|open| open.index == index);
            if let Some(run_id) = lies.begun.filter(|_| !open) {
                found.push((
                    index,
                    run_id,
                    lies.parts.iter().map(|(_, length)| length).sum(),
                ));
            }
        }
        Ok(found)
    }

    fn indices(&mut self, after: Option<u64>) -> Result<BTreeMap<u64, SectionEntry>, DeviceError> {
        let mut found = BTreeMap::new();
        for disk in &mut self.media {
            for entry in disk.sections(after, MANY)? {
                found.insert(entry.index, entry);
            }
        }
        Ok(found)
    }
}

impl Device for Row {
    fn mount(&mut self, wanted: Mount<'_>) -> Result<(), DeviceError> {
        self.media.clear();
        let (Mount::Existing(key) | Mount::Blank(key)) = wanted;
        key.clone_into(&mut self.key);
        if matches!(wanted, Mount::Blank(_)) {
            return self.blank();
        }
        loop {
            let folder = self.folder(self.media.len());
            if !self.media.is_empty() && !folder.join(key).exists() {
                return Ok(());
            }
            let mut disk = self.disk(&folder)?;
            disk.mount(wanted)?;
            let headed = disk
                .sections(None, 1)?
                .first()
                .is_some_and(|s| s.index == 0);
            if !self.media.is_empty() && !headed {
                return Ok(());
            }
            self.media.push(disk);
        }
    }

    fn unmount(&mut self, disposition: Disposition) -> Result<(), DeviceError> {
        for mut disk in std::mem::take(&mut self.media) {
            disk.unmount(disposition)?;
        }
        Ok(())
    }

    fn volumes(&mut self, after: &str, max: usize) -> Result<Vec<VolumeEntry>, DeviceError> {
        self.disk(&self.folder(0))?.volumes(after, max)
    }

    fn sections(
        &mut self,
        after: Option<u64>,
        max: usize,
    ) -> Result<Vec<SectionEntry>, DeviceError> {
        let mut list = Vec::new();
        for (index, mut entry) in self.indices(after)? {
            if list.len() == max {
                break;
            }
            let lies = self.lies(index)?;
            if lies.begun.is_none() {
                entry.length = lies.parts.iter().map(|(_, length)| length).sum();
                list.push(entry);
            }
        }
        Ok(list)
    }

    fn begin_section(&mut self, request: &SectionRequest<'_>) -> Result<(), DeviceError> {
        self.begin(request)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DeviceError> {
        self.put(bytes)
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        let medium = self.open.as_ref().map_or(0, |open| open.medium);
        self.medium(medium)?.sync()
    }

    fn end_section(&mut self) -> Result<(), DeviceError> {
        self.end()
    }

    fn abort_section(&mut self) -> Result<(), DeviceError> {
        self.give_up()
    }

    fn span(&mut self, request: &SpanRequest<'_>) -> Result<(), DeviceError> {
        self.turn(request)
    }

    fn open_section(&mut self, index: u64) -> Result<u64, DeviceError> {
        self.open_for_reading(index)
    }

    fn seek(&mut self, offset: u64) -> Result<(), DeviceError> {
        self.go_to(offset)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeviceError> {
        self.take(buffer)
    }

    fn put_record(&mut self, name: &str, bytes: &[u8]) -> Result<(), DeviceError> {
        self.last()?.put_record(name, bytes)
    }

    fn get_record(&mut self, name: &str) -> Result<Vec<u8>, DeviceError> {
        for disk in &mut self.media {
            match disk.get_record(name) {
                Err(error) if error.outcome == Outcome::NOT_FOUND => {}
                other => return other,
            }
        }
        let text = format!("record {name} is not there");
        Err(DeviceError::new(Outcome::NOT_FOUND, text))
    }

    fn list_records(&mut self, after: &str, max: usize) -> Result<Vec<RecordEntry>, DeviceError> {
        let mut list = Vec::new();
        for disk in &mut self.media {
            list.extend(disk.list_records(after, MANY)?);
        }
        list.retain(|record| !record.name.starts_with(PART));
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list.truncate(max);
        Ok(list)
    }

    fn remove_record(&mut self, name: &str) -> Result<(), DeviceError> {
        for disk in &mut self.media {
            match disk.remove_record(name) {
                Err(error) if error.outcome == Outcome::NOT_FOUND => {}
                other => return other,
            }
        }
        let text = format!("record {name} is not there");
        Err(DeviceError::new(Outcome::NOT_FOUND, text))
    }

    fn remove_section(&mut self, index: u64) -> Result<(), DeviceError> {
        if self.remove(index)? {
            return Ok(());
        }
        let text = format!("section {index} is not there");
        Err(DeviceError::new(Outcome::NOT_FOUND, text))
    }

    fn truncate(&mut self, index: u64) -> Result<(), DeviceError> {
        for disk in &mut self.media {
            disk.truncate(index)?;
        }
        Ok(())
    }

    fn leftovers(&mut self, after: &str, max: usize) -> Result<Vec<Leftover>, DeviceError> {
        let mut list = Vec::new();
        for (number, disk) in self.media.iter_mut().enumerate() {
            for mut left in disk.leftovers("", MANY)? {
                left.name = format!("{:04}-{}", number + 1, left.name);
                list.push(left);
            }
        }
        for (index, run_id, length) in self.begun()? {
            list.push(Leftover {
                name: format!("{BEGUN}{index}"),
                run_id: Some(run_id),
                index: Some(index),
                length,
            });
        }
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list.retain(|left| left.name.as_str() > after);
        list.truncate(max);
        Ok(list)
    }

    fn remove_leftover(&mut self, name: &str) -> Result<(), DeviceError> {
        let none = || DeviceError::new(Outcome::NOT_FOUND, format!("{name} is not there"));
        if let Some(index) = name.strip_prefix(BEGUN) {
            self.remove(index.parse().map_err(|_| none())?)?;
            return Ok(());
        }
        let (number, name) = name.split_once('-').ok_or_else(none)?;
        let number: usize = number.parse().map_err(|_| none())?;
        self.medium(number.saturating_sub(1))?.remove_leftover(name)
    }

    fn status(&mut self) -> Result<DeviceStatus, DeviceError> {
        self.last()?.status()
    }
}
