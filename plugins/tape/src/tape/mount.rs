//! Which tape is in the drive, and whether it may become the volume.

use std::sync::atomic::{AtomicU64, Ordering};

use twinset_plugin_api::{Access, DeviceError, Outcome};

use super::device::{State, Tape};
use super::head::Head;
use super::label::{Kind, Label, hex};
use super::medium::{Header, Medium, words};
use super::scan::{self, Found};
use super::station::{self, Who};

impl Tape {
    pub(super) fn load(&self) -> Result<Head, DeviceError> {
        let who = Who {
            agent: &self.agent_id,
            writes: self.access != Access::Read,
        };
        station::load(&self.options, who)
    }

    /// Makes the blank tape one of its volume.
    pub(super) fn label(&mut self, header: Option<Header<'_>>) -> Result<(), DeviceError> {
        let (head, key) = match std::mem::replace(&mut self.state, State::Out) {
            State::Blank(head, key) => (head, key),
            other => {
                self.state = other;
                return Ok(());
            }
        };
        let mut label = Label::new(&hex(&self.mark()), 0, Kind::Volume);
        label.volume.clone_from(&key);
        label.sequence = 1;
        label.block = self.options.block;
        match Medium::make(head, label, header) {
            Ok(medium) => {
                self.state = State::In(Box::new(medium));
                Ok(())
            }
            Err((head, error)) => {
                self.state = State::Blank(head, key);
                Err(error)
            }
        }
    }

    /// Sixteen bytes unlike those of any other process, host or call.
    fn mark(&self) -> [u8; 16] {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff;
        let low = u64::from(std::process::id()) << 32 | count;
        let time = self.host.now().to_be_bytes();
        let mut mark = [0; 16];
        mark[..8].copy_from_slice(&time);
        mark[8..].copy_from_slice(&low.to_be_bytes());
        mark
    }

    pub(super) fn mount_existing(&self, key: &str) -> Result<Medium, DeviceError> {
        let mut head = self.load()?;
        match scan::identify(&mut head)? {
            Found::Ours(label, header) if is_of(&label.volume, key) => {
                Medium::open(head, *label, header)
            }
            found @ (Found::Blank | Found::Free) => {
                let text = format!("{}: {}", head.drive.name(), words(&found));
                Err(DeviceError::new(Outcome::NO_MEDIUM, text))
            }
            other => Err(wrong(&head, &other)),
        }
    }

    pub(super) fn mount_blank(&self, key: &str) -> Result<State, DeviceError> {
        self.may_write()?;
        station::make(&self.options)?;
        let mut head = self.load()?;
        let found = scan::identify(&mut head)?;
        match &found {
            Found::Blank | Found::Free => {}
            Found::Ours(label, _) if is_of(&label.volume, key) => {
                let text = format!("{}: the tape is of this volume already", head.drive.name());
                return Err(DeviceError::new(Outcome::EXISTS, text));
            }
            _ => return Err(wrong(&head, &found)),
        }
        if head.status().is_ok_and(|status| status.protected) {
            let text = format!("{}: the tape is write-protected", head.drive.name());
            return Err(DeviceError::new(Outcome::WRITE_PROTECTED, text));
        }
        Ok(State::Blank(head, key.to_owned()))
    }
}

/// Whether a volume is the one of a key, or of the part of a key before one of its dots.
fn is_of(volume: &str, key: &str) -> bool {
    let rest = volume.strip_prefix(key);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What is on the tape is somebody's, and is never written over.
fn wrong(head: &Head, found: &Found) -> DeviceError {
    let text = format!("{}: {}", head.drive.name(), words(found));
    DeviceError::new(Outcome::WRONG_MEDIUM, text)
}
