//! The volume of a device before a library: its tapes are looked for one after the other, and each
//! one that goes on names the next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use twinset_plugin_api::{DeviceError, Level, Outcome};

use super::{Tape, is_of};
use crate::tape::changer::make;
use crate::tape::device::State;
use crate::tape::drive::Errno;
use crate::tape::head::Head;
use crate::tape::medium::{Medium, words};
use crate::tape::os;
use crate::tape::scan::{self, Found};
use crate::tape::source::Source;

/// Whether it is the drive that does not answer.
fn is_dead(error: &DeviceError) -> bool {
    let dead = [Errno::NXIO, Errno::NODEV];
    dead.iter()
        .any(|errno| os::code(*errno) == Some(error.os_code))
}

/// What a library was looked through with.
struct Search {
    source: Box<dyn Source>,
    /// Cartridges that were not looked at yet.
    names: VecDeque<String>,
    /// Those that were, or could not be.
    tried: BTreeSet<String>,
    /// The one in the drive.
    out: Head,
    /// What was found instead.
    seen: Vec<String>,
}

impl Search {
    fn new(mut source: Box<dyn Source>) -> Result<Self, DeviceError> {
        source.look_through(true);
        Ok(Self {
            names: source.list()?.into(),
            tried: BTreeSet::new(),
            source,
            out: Head::none(""),
            seen: Vec::new(),
        })
    }

    fn name(&mut self) -> Result<Option<String>, DeviceError> {
        if self.names.is_empty() {
            // Another drive may have put one back since.
            let mut names = self.source.list()?;
            names.retain(|name| !self.tried.contains(name));
            self.names = names.into();
        }
        let name = self.names.pop_front();
        self.tried.extend(name.clone());
        Ok(name)
    }

    /// The next cartridge that can be looked at.
    fn next(&mut self, tape: &Tape) -> Result<Option<(Head, Found)>, DeviceError> {
        while let Some(name) = self.name()? {
            let out = std::mem::replace(&mut self.out, Head::none(""));
            let brought = self.source.bring(out, &name).and_then(|mut head| {
                let found = scan::identify(&mut head)?;
                Ok((head, found))
            });
            let error = match brought {
                Ok((head, found)) => {
                    self.source.saw(&name, &found);
                    return Ok(Some((head, found)));
                }
                Err(error) => error,
            };
            match error.outcome {
                Outcome::LOCKED | Outcome::CANCELLED | Outcome::BAD_OPTION => return Err(error),
                // No other cartridge will do better in a drive that is dead.
                _ if is_dead(&error) => return Err(error),
                // One that cannot be read is missed where it is needed.
                _ => tape.host.log(Level::Warn, &error.text),
            }
            self.source.let_go(&name);
            self.seen.push(format!("{name}: {}", error.text));
        }
        Ok(None)
    }

    fn was(&mut self, head: Head, found: &Found) {
        self.source.let_go(&head.cartridge);
        self.seen
            .push(format!("{}: {}", head.cartridge, words(found)));
        self.out = head;
    }

    /// Nothing was found. The one in the drive may be what another drive looks for.
    fn end(&mut self, tape: &Tape) {
        let out = std::mem::replace(&mut self.out, Head::none(""));
        if let Err(error) = self.source.put_back(out) {
            tape.host.log(Level::Warn, &error.text);
        }
        self.source.look_through(false);
    }

    fn none(&self, tape: &Tape, what: &str) -> DeviceError {
        let seen = match self.seen.is_empty() {
            true => "no cartridge can be brought".to_owned(),
            false => self.seen.join("; "),
        };
        let text = format!("{}: {what} is in the library; {seen}", tape.shown());
        DeviceError::new(Outcome::NO_MEDIUM, text)
    }
}

impl Tape {
    /// The last tape of the row. The cartridge that is in the drive comes first: where nothing was
    /// moved since, it is the one.
    pub(super) fn mount_from_library(&self, key: &str) -> Result<Medium, DeviceError> {
        let mut search = Search::new(self.source())?;
        let (mut broken, mut followed) = (BTreeMap::new(), BTreeSet::new());
        while let Some((head, found)) = search.next(self)? {
            let (label, beside) = match found {
                Found::Ours(label, beside) if is_of(&label.volume, key) => (label, beside),
                found => {
                    search.was(head, &found);
                    continue;
                }
            };
            let mut medium = Medium::open(head, *label, beside, search.source)?;
            let Err(error) = self.check_end(&mut medium) else {
                medium.hold_row();
                return Ok(medium);
            };
            let onward = medium.index.goes_on.as_ref();
            let next = onward.map_or_else(String::new, |onward| onward.cartridge.clone());
            broken.insert(medium.label.sequence, error);
            (search.out, search.source) = medium.into_source();
            search.names.retain(|name| *name != next);
            if search.source.list()?.contains(&next) {
                // Labels that name each other are followed once.
                if followed.insert(next.clone()) {
                    search.names.push_front(next);
                }
            } else if !next.is_empty() && !next.starts_with("slot ") {
                // Its barcode would be seen.
                break;
            }
        }
        search.end(self);
        // The last tape that is there says what follows it; the others are not the last.
        let last = broken.pop_last().map(|(_, error)| error);
        Err(last.unwrap_or_else(|| search.none(self, "no cartridge of this volume")))
    }

    /// The volume of the first cartridge of ours.
    pub(super) fn volume_in_library(&self) -> Result<Vec<String>, DeviceError> {
        let mut search = Search::new(self.source())?;
        while let Some((head, found)) = search.next(self)? {
            if let Found::Ours(label, _) = found {
                return Ok(vec![label.volume]);
            }
            search.was(head, &found);
        }
        search.end(self);
        Ok(Vec::new())
    }

    /// A blank cartridge, to be the first of a row.
    pub(super) fn blank_from_library(&self, key: &str) -> Result<State, DeviceError> {
        make(&self.options)?;
        let mut search = Search::new(self.source())?;
        while let Some((mut head, found)) = search.next(self)? {
            match &found {
                Found::Ours(label, _) if is_of(&label.volume, key) => {
                    let text = format!("{}: it is of this volume already", head.cartridge);
                    return Err(DeviceError::new(Outcome::EXISTS, text));
                }
                Found::Blank | Found::Free => {
                    if !head.status().is_ok_and(|status| status.protected) {
                        search.source.look_through(false);
                        return Ok(State::Blank(head, key.to_owned(), search.source));
                    }
                    search
                        .seen
                        .push(format!("{}: write-protected", head.cartridge));
                    search.out = head;
                }
                other => search.was(head, other),
            }
        }
        search.end(self);
        Err(search.none(self, "no blank cartridge"))
    }
}
