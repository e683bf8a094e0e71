//! From tape to tape of a row.

use twinset_plugin_api::{DeviceError, Outcome};

use super::{Header, Medium, words, write_label};
use crate::tape::errors::refused;
use crate::tape::head::Head;
use crate::tape::index::{Card, Onward};
use crate::tape::label::{Kind, Label};
use crate::tape::scan::{self, Beside, Found};
use crate::tape::source::{self, Row, Source};

/// Bytes of data behind the warning of the end where the drive does not tell how many fit.
const SPARE: u64 = 1 << 20;
/// Bytes of small files that a tape carries on at most.
const CARRIED_MAX: u64 = 64 << 20;
/// Cartridges that cannot be read, one after the other, until it is the drive that is blamed.
const UNREADABLE_MAX: u32 = 3;

/// The tape that a row goes on with.
#[derive(Clone, Debug)]
pub(crate) struct Next {
    /// What its label will call it.
    pub(crate) tape: String,
    /// The cartridge that was chosen; empty where hands choose.
    pub(crate) cartridge: String,
}

impl Medium {
    /// A tape of the row.
    pub(super) fn card(&self, tape: u32) -> Result<Card, DeviceError> {
        if tape == self.label.sequence {
            let cartridge = match self.inside == tape {
                true => self.head.cartridge.clone(),
                false => {
                    self.index
                        .cards
                        .get(&tape)
                        .cloned()
                        .unwrap_or_default()
                        .cartridge
                }
            };
            let tape = self.label.tape.clone();
            return Ok(Card { tape, cartridge });
        }
        let card = self.index.cards.get(&tape).cloned();
        card.ok_or_else(|| refused(format!("{}: nobody knows tape {tape}", self.drive())))
    }

    /// Takes the tape out that is in the drive; whoever brings the next one gets it.
    fn take_out(&mut self) -> Head {
        let none = Head::none(self.head.drive.name());
        if self.inside == self.label.sequence {
            // Where the last one is to be found again.
            let card = Card {
                tape: self.label.tape.clone(),
                cartridge: self.head.cartridge.clone(),
            };
            self.index.cards.insert(self.inside, card);
        }
        if self.inside > 0 {
            // Its flags would be gone with it. It is identified when it comes back.
            self.head.ask();
        }
        self.inside = 0;
        std::mem::replace(&mut self.head, none)
    }

    /// The same, with all on it that was written: who takes it out would not be told that the
    /// drive's buffer did not get onto it.
    fn take_out_whole(&mut self) -> Result<Head, DeviceError> {
        if self.unsynced && self.inside == self.label.sequence {
            self.sync()?;
        }
        Ok(self.take_out())
    }

    /// Changes the tape in the drive for another one of the row.
    pub(super) fn fetch(&mut self, tape: u32, card: &Card) -> Result<(), DeviceError> {
        let out = self.take_out_whole()?;
        self.head = source::find(&mut *self.source, out, tape, card)?;
        Ok(())
    }

    /// Whether so many bytes of data may still go behind the warning: labels, manifest and records
    /// must find room there as well.
    pub(crate) fn has_spare(&mut self, bytes: u64) -> bool {
        match self.head.drive.facts().spare {
            Some(spare) => bytes <= spare,
            None => self.behind + bytes <= SPARE,
        }
    }

    /// Ends the tape with the part of a section, durable with it: `say` fills in which.
    pub(crate) fn close_part(
        &mut self,
        file: u32,
        note: &[u8],
        say: impl FnOnce(&mut Label),
    ) -> Result<(), DeviceError> {
        let mut label = self.new_label(file, Kind::Next);
        label.block = self.label.block;
        label.length = note.len() as u64;
        label.hash = blake3::hash(note).to_hex().to_string();
        say(&mut label);
        self.write_small(&label, note)
    }

    /// The tapes of the row by the names of their cartridges.
    pub(crate) fn row(&self) -> Row {
        let cards = self.index.cards.iter();
        let mut row: Row = cards
            .map(|(number, card)| (card.cartridge.clone(), *number))
            .collect();
        if let Ok(last) = self.card(self.label.sequence) {
            row.insert(last.cartridge, self.label.sequence);
        }
        row
    }

    /// Chooses the cartridge that the row goes on with; none is moved.
    pub(crate) fn choose_next(&mut self) -> Result<String, DeviceError> {
        let row = self.row();
        self.source.choose(&self.label.volume, &row)
    }

    /// Looks at the chosen cartridge where nobody has, before its name goes onto the full one: had a
    /// run died between a wrong name and a better one, what lies there could not be told from what
    /// others wrote over a tape of the row. The choice, or the first one after it that can be
    /// written.
    pub(crate) fn look_at_next(&mut self, chosen: String) -> Result<String, DeviceError> {
        let (mut cartridge, mut unreadable) = (chosen, 0);
        while self.source.is_unseen(&cartridge) {
            let out = self.take_out_whole()?;
            let mut head = self.bring_blank(out, &cartridge)?;
            let why = match scan::identify(&mut head) {
                Ok(found) => self.unfit(&mut head, &found),
                Err(error) => {
                    unreadable += 1;
                    if unreadable == UNREADABLE_MAX || error.outcome == Outcome::CANCELLED {
                        return Err(error);
                    }
                    Some(format!("it cannot be read: {}", error.text))
                }
            };
            let Some(why) = why else {
                self.source.fits(&cartridge);
                self.head = head;
                break;
            };
            self.source.refuse(head, &why);
            cartridge = self.choose_next()?;
        }
        Ok(cartridge)
    }

    fn bring_blank(&mut self, out: Head, cartridge: &str) -> Result<Head, DeviceError> {
        let number = self.label.sequence + 1;
        let brought = self.source.bring(out, cartridge);
        brought.map_err(|error| match error.outcome {
            Outcome::NO_MEDIUM => source::wish_blank(number, &error.text),
            _ => error,
        })
    }

    /// Why the row cannot go on on the cartridge in the drive, if it cannot.
    fn unfit(&self, head: &mut Head, found: &Found) -> Option<String> {
        let blank = match found {
            Found::Blank | Found::Free => true,
            Found::Begun(label) => label.volume == self.label.volume,
            _ => false,
        };
        if !blank {
            return Some(words(found));
        }
        let protected = head.status().is_ok_and(|status| status.protected);
        protected.then(|| "it is write-protected".to_owned())
    }

    /// It is found: no other run takes a cartridge of this row.
    pub(crate) fn hold_row(&mut self) {
        for cartridge in self.row().keys() {
            self.source.hold(cartridge);
        }
        self.source.look_through(false);
    }

    /// Gives back who changes cartridges, and the one that is in the drive.
    pub(crate) fn into_source(self) -> (Head, Box<dyn Source>) {
        (self.head, self.source)
    }

    /// Brings the next tape in and makes it the last one of the row.
    pub(crate) fn turn(&mut self, next: &Next, header: &Header<'_>) -> Result<(), DeviceError> {
        let number = self.label.sequence + 1;
        let this = (self.label.sequence, self.card(self.label.sequence)?);
        let row = self.row();
        let mut cartridge = self.source.instead(&next.cartridge, &row)?;
        self.name_next(next, &cartridge, header)?;
        let (mut head, label, beside) = loop {
            let out = self.take_out();
            let mut head = self.bring_blank(out, &cartridge)?;
            let found = match scan::identify(&mut head)? {
                // An earlier try had labelled it, and was not believed.
                Found::Ours(label, beside) if label.tape == next.tape => {
                    break (head, *label, beside);
                }
                found => found,
            };
            let Some(why) = self.unfit(&mut head, &found) else {
                let (label, beside) = self.label_next(&mut head, next, (number, this), header)?;
                break (head, label, beside);
            };
            let text = format!("{} is left alone: {why}", head.drive.name());
            let changes = self.source.changes();
            self.source.refuse(head, if changes { &why } else { &text });
            // A library has others; each is refused once.
            let another = self.source.instead(&next.cartridge, &row)?;
            if another == cartridge {
                return Err(source::wish_blank(number, &text));
            }
            self.name_next(next, &another, header)?;
            cartridge = another;
        };
        self.index = scan::index(&mut head, &label, beside)?;
        (self.head, self.label, self.inside) = (head, label, number);
        (self.suspect, self.doubted, self.warned, self.behind) = (false, false, false, 0);
        self.unsynced = false;
        Ok(())
    }

    /// Says on the full tape which cartridge it goes on on, where that is another one than was said
    /// (somebody changed it since it was looked at): before it is touched, so that a run that dies can
    /// be told from a cartridge that is missing.
    fn name_next(
        &mut self,
        next: &Next,
        cartridge: &str,
        header: &Header<'_>,
    ) -> Result<(), DeviceError> {
        let onward = self.index.goes_on.as_ref();
        if onward.is_none_or(|onward| onward.cartridge == cartridge) {
            return Ok(());
        }
        self.append(Kind::Next, &[], |label| {
            label.next.clone_from(&next.tape);
            cartridge.clone_into(&mut label.cartridge);
            label.header = blake3::hash(header.bytes).to_hex().to_string();
        })
    }

    fn label_next(
        &self,
        head: &mut Head,
        next: &Next,
        (number, this): (u32, (u32, Card)),
        header: &Header<'_>,
    ) -> Result<(Label, Beside), DeviceError> {
        let most = head
            .drive
            .facts()
            .capacity
            .map_or(CARRIED_MAX, |all| all / 16);
        let most = usize::try_from(most.min(CARRIED_MAX)).unwrap_or(0);
        let row = self.index.to_row(this, most);
        let mut label = Label::new(&next.tape, 0, Kind::Volume);
        label.volume.clone_from(&self.label.volume);
        label.sequence = number;
        label.block = self.label.block;
        let beside = write_label(head, &mut label, Some(header), &row)?;
        Ok((label, beside))
    }

    /// Whether the row ends here although this tape says that it goes on: the next one was chosen,
    /// and nothing was ever written to it. Else what is wrong with the next one, for people.
    pub(crate) fn ends_here(&mut self, onward: &Onward) -> Result<(), String> {
        let absent = || "is not there".to_owned();
        if onward.cartridge.is_empty() {
            return Err(absent());
        }
        let looked = match self.source.changes() {
            // The last one comes back when it is needed.
            true => {
                let out = self.take_out();
                self.source.bring(out, &onward.cartridge)
            }
            false => self.source.look(&onward.cartridge),
        };
        let mut head = looked.map_err(|_| absent())?;
        let found = scan::identify(&mut head);
        let ends = match &found {
            Ok(Found::Blank | Found::Free) => true,
            Ok(Found::Begun(label)) => label.tape == onward.tape,
            Ok(Found::Foreign(_)) => scan::is_only(&mut head, &onward.header).unwrap_or(false),
            _ => false,
        };
        if self.source.changes() {
            self.head = head;
        }
        match found {
            _ if ends => Ok(()),
            Ok(found) => Err(format!("is another one by now: {}", words(&found))),
            Err(error) => Err(format!("cannot be read: {}", error.text)),
        }
    }

    /// Gives all tapes of the row free but the last, which [`Medium::free`] does.
    pub(crate) fn free_others(&mut self) -> Result<(), DeviceError> {
        for tape in 1..self.label.sequence {
            self.ready_on(tape)?;
            let tape = self.card(tape)?.tape.clone();
            self.give_free(&tape)?;
            // It is none of the row any more.
            self.inside = 0;
        }
        Ok(())
    }
}
