//! Where cartridges come from: hands that put them into a drive, the arm of a library, or a shelf of
//! images.

mod shelf;

use std::collections::BTreeMap;
use std::fmt::Debug;

use twinset_plugin_api::{DeviceError, Host, Outcome};

use super::changer::Changer;

use super::head::Head;
use super::index::Card;
use super::medium::words;
use super::options::{Options, Where};
use super::scan::{self, Found};
use super::station::{self, Who};

pub(crate) use shelf::Shelf;

/// Tapes of the row that goes on, by the name of their cartridge.
pub(crate) type Row = BTreeMap<String, u32>;

/// Who changes the cartridge in the drive.
pub(crate) trait Source: Debug + Send {
    /// Chooses the cartridge that a volume goes on with, without moving any. Its name; empty where
    /// that is seen only when it is in the drive.
    ///
    /// # Errors
    /// [`Outcome::NEEDS_OPERATOR`] when there is none.
    fn choose(&mut self, volume: &str, row: &Row) -> Result<String, DeviceError>;
    /// What to bring where one was chosen: another one, if that was refused since.
    ///
    /// # Errors
    /// As [`Source::choose`].
    fn instead(&mut self, chosen: &str, _: &Row) -> Result<String, DeviceError> {
        Ok(chosen.to_owned())
    }
    /// Takes the one in the drive out and brings a cartridge in: by its name, or the one that hands
    /// put there.
    fn bring(&mut self, out: Head, cartridge: &str) -> Result<Head, DeviceError>;
    /// Whether all are looked through from now on: what is brought meanwhile comes out again soon,
    /// and who wants it waits for it.
    fn look_through(&mut self, _looks: bool) {}
    /// Takes the one in the drive out, and brings none.
    ///
    /// # Errors
    /// As [`Source::bring`].
    fn put_back(&mut self, _out: Head) -> Result<(), DeviceError> {
        Ok(())
    }
    /// The same as [`Source::bring`], beside the one in the drive, to look at it; not where there is one place.
    fn look(&mut self, cartridge: &str) -> Result<Head, DeviceError>;
    /// Names of all cartridges it can bring by itself, in order.
    fn list(&mut self) -> Result<Vec<String>, DeviceError>;
    /// Names under which a tape may be found that was last seen under this one, in order.
    fn places_of(&mut self, card: &str) -> Result<Vec<String>, DeviceError>;
    /// A cartridge that was brought is not the one that is wanted.
    fn refuse(&mut self, head: Head, why: &str);
    /// A cartridge that was brought is this.
    fn saw(&mut self, _cartridge: &str, _found: &Found) {}
    /// Whether a cartridge was chosen that nobody has looked at.
    fn is_unseen(&self, _cartridge: &str) -> bool {
        false
    }
    /// A cartridge that was brought can be gone on with.
    fn fits(&mut self, _cartridge: &str) {}
    /// A cartridge is this row's, and no other run takes it; or it is given back to all.
    fn hold(&mut self, _cartridge: &str) {}
    fn let_go(&mut self, _cartridge: &str) {}
    /// It changes cartridges by itself, one drive's after the other.
    fn changes(&self) -> bool {
        false
    }
    /// What becomes of each cartridge that it could bring, and why.
    fn explain(&mut self, _: &Row) -> Result<Vec<String>, DeviceError> {
        Ok(Vec::new())
    }
}

/// The source that the options name.
pub(crate) fn of(options: &Options, who: Who, host: Host) -> Box<dyn Source> {
    if let Some(robot) = &options.robot {
        let robot = robot.clone();
        return Box::new(Changer::new(robot, options.clone(), who, host));
    }
    match &options.place {
        Where::Shelf(folder) => Box::new(Shelf::new(folder.clone(), options.clone(), who)),
        _ => Box::new(Hands {
            options: options.clone(),
            who,
            refused: String::new(),
        }),
    }
}

/// Somebody puts cartridges into the one drive.
#[derive(Debug)]
struct Hands {
    options: Options,
    who: Who,
    /// Why the last one was given out.
    refused: String,
}

impl Source for Hands {
    fn choose(&mut self, _: &str, _: &Row) -> Result<String, DeviceError> {
        Ok(String::new())
    }

    fn bring(&mut self, mut out: Head, _: &str) -> Result<Head, DeviceError> {
        // One that cannot be ejected is found in the drive again, and said so.
        let _ = out.drive.eject();
        drop(out);
        let head = station::load(&self.options, &self.who);
        let asked = head.map(|mut head| {
            head.ask();
            head
        });
        asked.map_err(|mut error| {
            if error.outcome == Outcome::NO_MEDIUM && !self.refused.is_empty() {
                error.text = format!("{} ({})", error.text, self.refused);
            }
            error
        })
    }

    fn look(&mut self, _: &str) -> Result<Head, DeviceError> {
        Err(DeviceError::not_supported("looking at another cartridge"))
    }

    fn list(&mut self) -> Result<Vec<String>, DeviceError> {
        Ok(Vec::new())
    }

    fn places_of(&mut self, card: &str) -> Result<Vec<String>, DeviceError> {
        Ok(vec![card.to_owned()])
    }

    fn refuse(&mut self, mut head: Head, why: &str) {
        why.clone_into(&mut self.refused);
        let _ = head.drive.eject();
    }
}

/// Brings a tape of a row in, wherever it is by now.
pub(crate) fn find(
    source: &mut dyn Source,
    out: Head,
    number: u32,
    card: &Card,
) -> Result<Head, DeviceError> {
    source.look_through(true);
    let found = find_among(source, out, number, card);
    source.look_through(false);
    found
}

fn find_among(
    source: &mut dyn Source,
    out: Head,
    number: u32,
    card: &Card,
) -> Result<Head, DeviceError> {
    let name = out.drive.name().to_owned();
    let names = source.places_of(&card.cartridge)?;
    // Where nobody stands at a drive, nobody is waited for.
    let waits = source.changes() || source.list()?.is_empty();
    let outcome = match waits {
        true => Outcome::NEEDS_OPERATOR,
        false => Outcome::NO_MEDIUM,
    };
    let (mut out, mut seen) = (Some(out), String::new());
    for cartridge in names {
        let before = out.take().unwrap_or_else(|| Head::none(&name));
        let mut head = match source.bring(before, &cartridge) {
            Ok(head) => head,
            Err(error) if matches!(error.outcome, Outcome::LOCKED | Outcome::CANCELLED) => {
                return Err(error);
            }
            Err(error) => {
                seen = error.text;
                continue;
            }
        };
        match scan::identify(&mut head) {
            Ok(Found::Ours(label, _)) if label.tape == card.tape => return Ok(head),
            Ok(other) => {
                seen = format!("{}: {}", head.drive.name(), words(&other));
                source.refuse(head, &seen);
            }
            Err(error) => seen = error.text,
        }
    }
    let known = match card.cartridge.as_str() {
        "" => String::new(),
        known => format!(", last seen as {known}"),
    };
    let text = format!("put tape {number} of this row in{known}; there is: {seen}");
    Err(DeviceError::new(outcome, text))
}

/// What the operator is asked for when a row goes on.
pub(crate) fn wish_blank(number: u32, seen: &str) -> DeviceError {
    let text = format!("put a blank cartridge in: number {number} of this row; {seen}");
    DeviceError::new(Outcome::NEEDS_OPERATOR, text)
}
