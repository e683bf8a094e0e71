//! Sections of a row: written medium by medium, read as one.

use twinset_plugin_api::{DeviceError, Outcome, SectionMode, SectionRequest, SpanRequest};

use super::{BLOCK, Open, PART, Reading, Row};

fn not_open() -> DeviceError {
    DeviceError::new(Outcome::PERMANENT, "no section is open")
}

impl Row {
    /// Begins a section on the medium that holds its first part, or on the last one.
    pub(super) fn begin(&mut self, request: &SectionRequest<'_>) -> Result<(), DeviceError> {
        let parts = self.parts(request.index)?;
        let header = request.index == 0 && request.mode == SectionMode::New;
        if !parts.is_empty() && request.mode == SectionMode::New && !header {
            let text = format!("section {} is there", request.index);
            return Err(DeviceError::new(Outcome::EXISTS, text));
        }
        let last = self.media.len().saturating_sub(1);
        let medium = parts.first().map_or(last, |(medium, _)| *medium);
        self.medium(medium)?.begin_section(request)?;
        self.open = Some(Open {
            index: request.index,
            name: request.name.to_owned(),
            run_id: request.run_id,
            mode: request.mode,
            from: 0,
            here: 0,
            warned: false,
            closed: false,
            medium,
        });
        Ok(())
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), DeviceError> {
        let open = self.open.as_ref().ok_or_else(not_open)?;
        let (medium, here, warned, data) =
            (open.medium, open.here, open.warned, open.index % 2 == 1);
        let mut room = self.options.medium_bytes;
        if warned {
            room += self.options.reserve;
        }
        let used = self.used(medium)? + here;
        let fits = if data {
            room.saturating_sub(used)
        } else {
            u64::MAX
        };
        if (bytes.len() as u64) <= fits {
            self.medium(medium)?.write(bytes)?;
            self.count(bytes.len() as u64);
            return Ok(());
        }
        let whole = fits - fits % BLOCK;
        let part = usize::try_from(whole).unwrap_or(0);
        self.medium(medium)?.write(&bytes[..part])?;
        self.count(whole);
        if let Some(open) = &mut self.open {
            open.warned = true;
        }
        let text = format!("medium {} is full", medium + 1);
        let mut error = DeviceError::new(Outcome::END_OF_MEDIUM, text);
        error.accepted = whole;
        Err(error)
    }

    fn count(&mut self, bytes: u64) {
        if let Some(open) = &mut self.open {
            open.here += bytes;
        }
    }

    /// Closes the part, once; then the next medium.
    pub(super) fn turn(&mut self, request: &SpanRequest<'_>) -> Result<(), DeviceError> {
        let open = self.open.as_ref().ok_or_else(not_open)?;
        let (index, medium, from, closed) = (open.index, open.medium, open.from, open.closed);
        let (name, run_id, mode) = (open.name.clone(), open.run_id, open.mode);
        if request.cut < from || request.cut - from > open.here {
            let text = format!("a cut at {} does not lie on this medium", request.cut);
            return Err(DeviceError::new(Outcome::PERMANENT, text));
        }
        if !closed {
            let run = u128::from_be_bytes(run_id);
            let part = format!("{} {run:032x}", request.cut - from);
            self.forget_part(medium, index)?;
            let disk = self.medium(medium)?;
            // First: a part must never look like the whole.
            disk.put_record(&format!("{PART}{index}"), part.as_bytes())?;
            disk.put_record(&format!("{PART}{index}.note"), request.note)?;
            disk.end_section()?;
            if let Some(open) = &mut self.open {
                open.closed = true;
            }
        }
        if medium + 1 == self.media.len() {
            self.blank()?;
            let disk = self.last()?;
            disk.begin_section(&SectionRequest {
                index: 0,
                name: "header.mtf",
                run_id,
                expected_length: None,
                mode: SectionMode::New,
            })?;
            disk.write(request.header)?;
            disk.end_section()?;
        }
        self.medium(medium + 1)?.begin_section(&SectionRequest {
            index,
            name: &name,
            run_id,
            expected_length: None,
            mode,
        })?;
        self.open = Some(Open {
            index,
            name,
            run_id,
            mode,
            from: request.cut,
            here: 0,
            warned: false,
            closed: false,
            medium: medium + 1,
        });
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), DeviceError> {
        let open = self.open.as_ref().ok_or_else(not_open)?;
        let medium = open.medium;
        self.medium(medium)?.end_section()?;
        self.open = None;
        Ok(())
    }

    /// Gives up what is open, and what was closed of it on the media before.
    pub(super) fn give_up(&mut self) -> Result<(), DeviceError> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        if !open.closed {
            self.medium(open.medium)?.abort_section()?;
        }
        if open.mode == SectionMode::New && open.index > 0 {
            self.remove(open.index)?;
        }
        Ok(())
    }

    /// Removes a section from all its media; whether there was one.
    pub(super) fn remove(&mut self, index: u64) -> Result<bool, DeviceError> {
        let parts = self.lies(index)?.parts;
        for (medium, _) in &parts {
            self.medium(*medium)?.remove_section(index)?;
            self.forget_part(*medium, index)?;
        }
        Ok(!parts.is_empty())
    }

    /// Removes what stands beside a part.
    fn forget_part(&mut self, medium: usize, index: u64) -> Result<(), DeviceError> {
        for name in [format!("{PART}{index}"), format!("{PART}{index}.note")] {
            match self.medium(medium)?.remove_record(&name) {
                Err(error) if error.outcome != Outcome::NOT_FOUND => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn open_for_reading(&mut self, index: u64) -> Result<u64, DeviceError> {
        let parts = self.parts(index)?;
        if parts.is_empty() {
            let text = format!("section {index} is not there");
            return Err(DeviceError::new(Outcome::NOT_FOUND, text));
        }
        let length = parts.iter().map(|(_, length)| length).sum();
        self.reading = Some(Reading {
            parts,
            at: 0,
            index,
            open: None,
        });
        Ok(length)
    }

    pub(super) fn go_to(&mut self, offset: u64) -> Result<(), DeviceError> {
        let reading = self.reading.as_mut().ok_or_else(not_open)?;
        let length: u64 = reading.parts.iter().map(|(_, length)| length).sum();
        if offset > length {
            let text = format!("the section ends at {length}");
            return Err(DeviceError::new(Outcome::END_OF_SECTION, text));
        }
        (reading.at, reading.open) = (offset, None);
        Ok(())
    }

    pub(super) fn take(&mut self, buffer: &mut [u8]) -> Result<usize, DeviceError> {
        let reading = self.reading.as_ref().ok_or_else(not_open)?;
        let (mut begin, index, at, open) = (0, reading.index, reading.at, reading.open);
        let mut place = None;
        for (medium, length) in &reading.parts {
            if at < begin + length {
                place = Some((*medium, at - begin, begin + length - at));
                break;
            }
            begin += length;
        }
        let Some((medium, offset, left)) = place else {
            return Ok(0);
        };
        let disk = self.medium(medium)?;
        if open != Some(medium) {
            disk.open_section(index)?;
            disk.seek(offset)?;
        }
        let most = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let got = disk.read(&mut buffer[..most])?;
        if let Some(reading) = &mut self.reading {
            reading.at += got as u64;
            reading.open = Some(medium);
        }
        Ok(got)
    }
}
