//! What lies on a row of tapes, as its labels tell. In memory alone; rebuilt at every mount.

mod row;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::label::{Kind, Label};

/// Bytes of small files that are kept in memory, and of one of them.
const KEPT_MAX: usize = 64 << 20;

/// A tape of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    /// What its label calls it.
    pub(crate) tape: String,
    /// Name of the cartridge where it was last: image or barcode, as far as known.
    pub(crate) cartridge: String,
}

/// A section whose parts so far lie on this tape and those before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Begun {
    pub(crate) index: u64,
    pub(crate) name: String,
    pub(crate) run: String,
    pub(crate) parts: Vec<Part>,
}

impl Begun {
    /// The byte with which it goes on.
    pub(crate) fn upto(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.from + part.length)
    }

    /// Whether a part goes on with it.
    fn goes_on_with(&self, label: &Label) -> bool {
        let same = (self.index, &self.run) == (label.index.unwrap_or(0), &label.run);
        same && self.upto() == label.from
    }
}

/// How a tape ends that is not the last of its row.
#[derive(Clone, Debug)]
pub(crate) struct Onward {
    /// What the next tape's label calls it.
    pub(crate) tape: String,
    /// The cartridge that was chosen for it; empty where hands choose.
    pub(crate) cartridge: String,
    /// BLAKE3 of its header, as hex.
    pub(crate) header: String,
}

/// A piece of a data section: one tape file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Place of its tape in the row.
    pub(crate) tape: u32,
    /// Its tape file; none for an empty section.
    pub(crate) file: Option<u32>,
    /// Byte of the section that it begins with.
    pub(crate) from: u64,
    /// Its bytes.
    pub(crate) length: u64,
    /// Bytes behind them in its tape file that do not count.
    #[serde(default)]
    pub(crate) over: u64,
    /// Bytes of all its blocks but the last.
    pub(crate) block: u32,
}

/// A small file: its content lies behind its label.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Small {
    /// Place of its tape in the row.
    pub(crate) tape: u32,
    /// Its tape file.
    pub(crate) file: u32,
    /// Blocks of its tape file before the content.
    pub(crate) skip: u32,
    /// Bytes.
    pub(crate) length: u64,
    /// Bytes of all its blocks but the last.
    pub(crate) block: u32,
    /// Its content, where that is kept.
    #[serde(skip)]
    pub(crate) kept: Option<Arc<Vec<u8>>>,
    /// Where its content stands in a list of tapes that carries it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<u64>,
}

/// Where a section lies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Lies {
    /// In tape files of its own.
    Data(Vec<Part>),
    /// Behind a label.
    Small(Small),
}

/// A section.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) lies: Lies,
}

impl Section {
    /// Bytes.
    pub(crate) fn length(&self) -> u64 {
        match &self.lies {
            Lies::Data(parts) => parts.iter().map(|part| part.length).sum(),
            Lies::Small(small) => small.length,
        }
    }

    /// The first tape file on a tape that belongs to it.
    pub(crate) fn first_file(&self, tape: u32) -> Option<u32> {
        match &self.lies {
            Lies::Data(parts) => parts
                .iter()
                .filter(|part| part.tape == tape)
                .find_map(|part| part.file),
            Lies::Small(small) => Some(small.file).filter(|_| small.tape == tape),
        }
    }
}

/// What lies on a row of tapes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(crate) sections: BTreeMap<u64, Section>,
    pub(crate) records: BTreeMap<String, Small>,
    /// Tape files of the tape in the drive that no label speaks for: unfinished work.
    pub(crate) loose: BTreeSet<u32>,
    /// Closed tape files of that tape: where the next one begins.
    pub(crate) files: u32,
    /// The last tape file has no filemark behind it.
    pub(crate) torn: bool,
    /// The last tape files from here on hold nothing and may be written over.
    pub(crate) gap: Option<u32>,
    /// This tape ends with the part of a section that goes on on the next one.
    pub(crate) goes_on: Option<Onward>,
    /// That section, or one that went on on this tape and is not ended.
    pub(crate) begun: Option<Begun>,
    /// The tapes before this one, by their numbers.
    pub(crate) cards: BTreeMap<u32, Card>,
    kept: usize,
}

impl Index {
    /// Takes in what a label says; `content` is what followed it.
    pub(crate) fn take(
        &mut self,
        tape: u32,
        label: &Label,
        skip: u32,
        content: Vec<u8>,
        block: u32,
    ) {
        if label.kind != Kind::Gap {
            self.gap = None;
        }
        // Whatever else comes behind what was begun gives it up.
        let begun = self.begun.take();
        let named = self.goes_on.take();
        match label.kind {
            Kind::Section => {
                let lies = Lies::Small(self.small(tape, label, skip, content, block));
                let name = label.name.clone();
                self.sections
                    .insert(label.index.unwrap_or(0), Section { name, lies });
            }
            Kind::Record => {
                let small = self.small(tape, label, skip, content, block);
                self.records.insert(label.name.clone(), small);
            }
            Kind::Data => self.data(tape, label, begun),
            Kind::Gone => {
                self.records.remove(&label.name);
            }
            Kind::Gap => {
                for file in label.data.unwrap_or(label.file)..label.file {
                    self.loose.remove(&file);
                }
                if label.data == Some(label.file) {
                    self.gap = self.gap.or(Some(label.file));
                } else {
                    self.gap = None;
                }
            }
            Kind::Next if named.is_some_and(|named| named.tape == label.next) => {
                // The same end of the tape; another cartridge was chosen.
                self.begun = begun;
                self.loose.insert(label.file);
                self.go_on(label);
            }
            Kind::Next => self.onward(tape, label, begun),
            Kind::Volume | Kind::Free => {}
        }
    }

    fn data(&mut self, tape: u32, label: &Label, begun: Option<Begun>) {
        let part = Part {
            tape,
            file: label.data,
            from: label.from,
            length: label.length,
            over: 0,
            block: label.block,
        };
        let before = begun.filter(|begun| begun.goes_on_with(label));
        if label.from > 0 && before.is_none() {
            // Nobody knows what it goes on with: it stays unfinished work.
            return;
        }
        if let Some(file) = label.data {
            self.loose.remove(&file);
        }
        let mut parts = before.map(|begun| begun.parts).unwrap_or_default();
        parts.push(part);
        let (name, lies) = (label.name.clone(), Lies::Data(parts));
        self.sections
            .insert(label.index.unwrap_or(0), Section { name, lies });
    }

    /// The part with which this tape ends. Its tape files are unfinished work until the next tape
    /// is there.
    fn onward(&mut self, tape: u32, label: &Label, begun: Option<Begun>) {
        let mut begun = match begun.filter(|begun| begun.goes_on_with(label)) {
            Some(begun) => begun,
            None if label.from > 0 => return,
            None => Begun {
                index: label.index.unwrap_or(0),
                name: label.name.clone(),
                run: label.run.clone(),
                parts: Vec::new(),
            },
        };
        begun.parts.push(Part {
            tape,
            file: label.data,
            from: label.from,
            length: label.to.saturating_sub(label.from),
            over: label.over,
            block: label.block,
        });
        let file = label.data.unwrap_or(label.file);
        self.loose.extend(file..=label.file);
        self.begun = Some(begun);
        self.go_on(label);
    }

    fn go_on(&mut self, label: &Label) {
        self.goes_on = Some(Onward {
            tape: label.next.clone(),
            cartridge: label.cartridge.clone(),
            header: label.header.clone(),
        });
    }

    fn small(
        &mut self,
        tape: u32,
        label: &Label,
        skip: u32,
        content: Vec<u8>,
        block: u32,
    ) -> Small {
        let whole = content.len() as u64 == label.length;
        let fits = whole && self.kept + content.len() <= KEPT_MAX;
        if fits {
            self.kept += content.len();
        }
        Small {
            tape,
            file: label.file,
            skip,
            length: label.length,
            block,
            kept: fits.then(|| Arc::new(content)),
            at: None,
        }
    }

    /// Forgets what lies on a tape from a tape file on.
    pub(crate) fn forget_from(&mut self, tape: u32, file: u32) {
        self.torn = false;
        self.loose.retain(|loose| *loose < file);
        self.sections
            .retain(|_, section| section.first_file(tape).is_none_or(|first| first < file));
        self.records
            .retain(|_, record| record.tape != tape || record.file < file);
    }

    /// The next odd number: what a tape file that nobody speaks for was to become, as far as its
    /// tape tells.
    pub(crate) fn next_data(&self) -> u64 {
        let highest = self.sections.keys().next_back().copied();
        (highest.unwrap_or(0) + 1) | 1
    }

    /// The tape file that comes next: over a gap at the end.
    pub(crate) fn next_file(&self) -> u32 {
        self.gap.unwrap_or(self.files)
    }
}
