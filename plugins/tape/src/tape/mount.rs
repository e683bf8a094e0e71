//! Which tape is in the drive, and whether it may become the volume.

mod library;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use twinset_plugin_api::{Access, DeviceError, Leftover, Level, Outcome};

use super::device::{State, Tape};
use super::errors::refused;
use super::head::Head;
use super::label::{Kind, Label, hex};
use super::left;
use super::medium::{Header, Medium, words};
use super::options::Where;
use super::scan::{self, Found};
use super::source::{self, Source};
use super::station::{self, Who};

impl Tape {
    pub(super) fn source(&self) -> Box<dyn Source> {
        let who = Who {
            agent: self.agent_id.clone(),
            writes: self.access != Access::Read,
            asker: self.asker(),
        };
        source::of(&self.options, who, self.host.clone())
    }

    /// Makes the blank tape one of its volume.
    pub(super) fn label(&mut self, header: Option<Header<'_>>) -> Result<(), DeviceError> {
        let (head, key, source) = match std::mem::replace(&mut self.state, State::Out) {
            State::Blank(head, key, source) => (head, key, source),
            other => {
                self.state = other;
                return Ok(());
            }
        };
        let mut label = Label::new(&hex(&self.mark()), 0, Kind::Volume);
        label.volume.clone_from(&key);
        label.sequence = 1;
        label.block = self.options.block;
        match Medium::make(head, label, header.as_ref(), source) {
            Ok(medium) => {
                self.state = State::In(Box::new(medium));
                Ok(())
            }
            Err(failed) => {
                let (head, error) = *failed;
                let source = self.source();
                self.state = State::Blank(head, key, source);
                Err(error)
            }
        }
    }

    /// Sixteen bytes unlike those of any other process, host or call.
    pub(super) fn mark(&self) -> [u8; 16] {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff;
        let low = u64::from(std::process::id()) << 32 | count;
        let time = self.host.now().to_be_bytes();
        let mut mark = [0; 16];
        mark[..8].copy_from_slice(&time);
        mark[8..].copy_from_slice(&low.to_be_bytes());
        mark
    }

    /// Every cartridge that can be seen without hands, with what it is; the one in the drive, where
    /// there is but one place.
    fn look(&self, source: &mut dyn Source) -> Result<Vec<(Head, Found)>, DeviceError> {
        let names = source.list()?;
        let shelf = matches!(self.options.place, Where::Shelf(_));
        let names = if shelf { names } else { vec![String::new()] };
        let mut seen: Vec<(Head, Found)> = Vec::new();
        for name in names {
            let mut head = source.bring(Head::none(""), &name)?;
            match scan::identify(&mut head) {
                Ok(found) => seen.push((head, found)),
                // One that cannot be read is missed where it is needed.
                Err(error) if shelf => self.host.log(Level::Warn, &error.text),
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    }

    pub(super) fn volumes_there(&self) -> Result<Vec<String>, DeviceError> {
        if self.options.robot.is_some() {
            return self.volume_in_library();
        }
        let seen = match self.look(&mut *self.source()) {
            Ok(seen) => seen,
            Err(error) if error.outcome == Outcome::NO_MEDIUM => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut keys: Vec<String> = seen
            .into_iter()
            .filter_map(|(_, found)| match found {
                Found::Ours(label, _) => Some(label.volume),
                _ => None,
            })
            .collect();
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// What is not ours in the drive. What else lies on a shelf is in nobody's way.
    pub(super) fn strangers(&self) -> Vec<Leftover> {
        if matches!(self.options.place, Where::Shelf(_)) || self.options.robot.is_some() {
            return Vec::new();
        }
        let seen = self.look(&mut *self.source()).unwrap_or_default();
        let foreign = seen.iter().map(|(_, found)| found);
        let foreign = foreign.filter(|found| matches!(found, Found::Foreign(_)));
        foreign.map(|found| left::stranger(&words(found))).collect()
    }

    pub(super) fn mount_existing(&self, key: &str) -> Result<Medium, DeviceError> {
        if self.options.robot.is_some() {
            return self.mount_from_library(key);
        }
        let mut source = self.source();
        let seen = self.look(&mut *source)?;
        let mut others = DeviceError::new(
            Outcome::NO_MEDIUM,
            format!("{}: no cartridge of this volume is there", self.shown()),
        );
        let mut ours: BTreeMap<u32, (Head, Box<Label>, scan::Beside)> = BTreeMap::new();
        for (head, found) in seen {
            match found {
                Found::Ours(label, beside) if is_of(&label.volume, key) => {
                    let number = label.sequence;
                    let here = head.cartridge.clone();
                    if let Some((before, ..)) = ours.insert(number, (head, label, beside)) {
                        let text = format!(
                            "{}: {} and {here} are both tape {number} of this volume; take the \
                             one out that does not belong to it",
                            self.shown(),
                            before.cartridge
                        );
                        return Err(refused(text));
                    }
                }
                Found::Foreign(_) | Found::Ours(..) => others = wrong(&head, &found),
                found => {
                    let text = format!("{}: {}", head.drive.name(), words(&found));
                    if others.outcome == Outcome::NO_MEDIUM {
                        others = DeviceError::new(Outcome::NO_MEDIUM, text);
                    }
                }
            }
        }
        let Some((_, (head, label, beside))) = ours.pop_last() else {
            return Err(others);
        };
        let mut medium = Medium::open(head, *label, beside, source)?;
        for (number, (head, label, _)) in ours {
            let card = medium.index.cards.get_mut(&number);
            let Some(card) = card.filter(|card| card.tape == label.tape) else {
                let text = format!(
                    "{}: tape {number} is not the one that went before tape {}; take out what \
                     does not belong to this row",
                    head.drive.name(),
                    medium.label.sequence
                );
                return Err(refused(text));
            };
            card.cartridge.clone_from(&head.cartridge);
        }
        self.check_end(&mut medium)?;
        Ok(medium)
    }

    /// A tape that goes on is not the last one of its row, unless nothing was ever written to the
    /// next.
    pub(super) fn check_end(&self, medium: &mut Medium) -> Result<(), DeviceError> {
        let number = medium.label.sequence;
        let Some(onward) = medium.index.goes_on.clone() else {
            return Ok(());
        };
        if self.options.last == Some(number) {
            return Ok(());
        }
        let Err(why) = medium.ends_here(&onward) else {
            return Ok(());
        };
        let known = match onward.cartridge.as_str() {
            "" => String::new(),
            known => format!(" ({known})"),
        };
        let text = format!(
            "{}: tape {number} goes on on tape {}{known}, which {why}; bring the last one of \
             this row. Where it is lost or was never written: the option `last = {number}`",
            medium.drive(),
            number + 1
        );
        Err(DeviceError::new(Outcome::NO_MEDIUM, text))
    }

    pub(super) fn shown(&self) -> String {
        let (Where::Drive(path) | Where::Image(path) | Where::Shelf(path) | Where::Library(path)) =
            &self.options.place;
        path.display().to_string()
    }

    pub(super) fn mount_blank(&self, key: &str) -> Result<State, DeviceError> {
        self.may_write()?;
        if self.options.robot.is_some() {
            return self.blank_from_library(key);
        }
        station::make(&self.options)?;
        let mut source = self.source();
        let seen = self.look(&mut *source)?;
        for (head, found) in &seen {
            match found {
                Found::Ours(label, _) if is_of(&label.volume, key) => {
                    let text = format!("{}: the tape is of this volume already", head.drive.name());
                    return Err(DeviceError::new(Outcome::EXISTS, text));
                }
                _ => {}
            }
        }
        if matches!(self.options.place, Where::Shelf(_)) {
            drop(seen);
            let name = source.choose(key, &source::Row::new())?;
            let head = source.bring(Head::none(&name), &name)?;
            return Ok(State::Blank(head, key.to_owned(), source));
        }
        let Some((mut head, found)) = seen.into_iter().next() else {
            let text = format!("{}: there is no cartridge in the drive", self.shown());
            return Err(DeviceError::new(Outcome::NO_MEDIUM, text));
        };
        if !matches!(found, Found::Blank | Found::Free) {
            return Err(wrong(&head, &found));
        }
        if head.status().is_ok_and(|status| status.protected) {
            let text = format!("{}: the tape is write-protected", head.drive.name());
            return Err(DeviceError::new(Outcome::WRITE_PROTECTED, text));
        }
        Ok(State::Blank(head, key.to_owned(), source))
    }
}

/// Whether a volume is the one of a key, or of the part of a key before one of its dots.
pub(super) fn is_of(volume: &str, key: &str) -> bool {
    let rest = volume.strip_prefix(key);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What is on the tape is somebody's, and is never written over.
fn wrong(head: &Head, found: &Found) -> DeviceError {
    let text = format!("{}: {}", head.drive.name(), words(found));
    DeviceError::new(Outcome::WRONG_MEDIUM, text)
}
