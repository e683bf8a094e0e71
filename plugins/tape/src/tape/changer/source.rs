//! A library as the source of cartridges for one of its drives.

use twinset_plugin_api::{DeviceError, Level, Outcome};

use super::arm::Arm;
use super::inventory::At;
use super::library::Changer;
use super::plan::{Choice, Why};
use crate::tape::head::Head;
use crate::tape::medium::words;
use crate::tape::scan::Found;
use crate::tape::source::{Row, Source};

/// Reasons that one message tells.
const TOLD_MAX: usize = 16;

/// Reasons, for people.
fn told(choices: &[Choice]) -> String {
    let mut lines: Vec<String> = choices.iter().map(ToString::to_string).collect();
    if lines.len() > TOLD_MAX {
        let more = lines.len() - TOLD_MAX;
        lines.truncate(TOLD_MAX);
        lines.push(format!("and {more} more"));
    }
    match lines.is_empty() {
        true => "it is empty".to_owned(),
        false => lines.join("; "),
    }
}

impl Source for Changer {
    fn choose(&mut self, _: &str, row: &Row) -> Result<String, DeviceError> {
        let (inventory, drive) = self.begin()?;
        let mut choices = self.plan(&inventory, row, drive);
        for at in 0..choices.len() {
            let Some(choice) = choices.get_mut(at) else {
                break;
            };
            if !choice.may_go_on() || !matches!(choice.at, At::Slot(_)) {
                continue;
            }
            let claim = match self.chosen.take() {
                Some((name, claim)) if name == choice.name => Some(claim),
                // One that was looked at before is this one's already.
                _ => match self.held.remove(&choice.name) {
                    Some(held) => Some(held),
                    None => self.claim(&choice.name)?,
                },
            };
            let Some(claim) = claim else {
                choice.why = Why::Chosen;
                continue;
            };
            let name = choice.name.clone();
            let text = format!("the row goes on on {name}, of: {}", told(&choices));
            self.host.log(Level::Info, &text);
            self.chosen = Some((name.clone(), claim));
            return Ok(name);
        }
        let text = format!(
            "put a blank cartridge into {}; there is: {}",
            self.shown(),
            told(&choices)
        );
        Err(DeviceError::new(Outcome::NEEDS_OPERATOR, text))
    }

    fn instead(&mut self, chosen: &str, row: &Row) -> Result<String, DeviceError> {
        match self.known.seen.get(chosen) {
            Some(Some(_)) => self.choose("", row),
            _ => Ok(chosen.to_owned()),
        }
    }

    fn bring(&mut self, out: Head, cartridge: &str) -> Result<Head, DeviceError> {
        let (by, host) = (self.robot.by.clone(), self.host.clone());
        let mut out = Some(out);
        let (arm, inventory, drive) = self.reach((&by, &host), cartridge, &mut out)?;
        let out = out.unwrap_or_else(|| Head::none(""));
        let at = inventory.cartridges().get(cartridge).map(|(at, _)| *at);
        let slot = match at {
            Some(At::Drive(here)) if here == drive => {
                drop((arm, out));
                self.hold(cartridge);
                return self.open_when_ready(cartridge, drive);
            }
            Some(At::Drive(other)) => {
                let text = format!(
                    "{cartridge} is in drive {other} of {}; it is not taken out of there",
                    self.shown()
                );
                return Err(DeviceError::new(Outcome::NO_MEDIUM, text));
            }
            Some(At::Slot(slot)) => slot,
            None => {
                let gone = Some("taken away".to_owned());
                self.known.seen.insert(cartridge.to_owned(), gone);
                return Err(self.absent(cartridge));
            }
        };
        self.may_move(&self.plan(&inventory, &Row::new(), drive), cartridge)?;
        let claim = match self.chosen.take() {
            Some((name, claim)) if name == cartridge => Some(claim),
            other => {
                self.chosen = other;
                match self.held.remove(cartridge) {
                    Some(held) => Some(held),
                    None => self.claim(cartridge)?,
                }
            }
        };
        let Some(claim) = claim else {
            let text = format!("{cartridge} of {}: another run has chosen it", self.shown());
            return Err(DeviceError::new(Outcome::NO_MEDIUM, text));
        };
        self.held.insert(cartridge.to_owned(), claim);
        self.take_out(&arm, &inventory, drive, out)?;
        arm.load(slot, drive)?;
        drop(arm);
        self.open_when_ready(cartridge, drive)
    }

    fn look(&mut self, _: &str) -> Result<Head, DeviceError> {
        Err(DeviceError::not_supported("looking at another cartridge"))
    }

    fn list(&mut self) -> Result<Vec<String>, DeviceError> {
        let (inventory, drive) = self.begin()?;
        let mut choices = self.plan(&inventory, &Row::new(), drive);
        choices.retain(Choice::may_be_read);
        let mut names = Vec::new();
        for choice in choices {
            let other = match choice.why {
                Why::InDrive(other) if !self.looks_through(other)? => continue,
                Why::InDrive(_) => true,
                _ => false,
            };
            names.push((other, choice.at, choice.name));
        }
        // What another drive looks at comes last: it may be back in its slot by then.
        names.sort();
        Ok(names.into_iter().map(|(.., name)| name).collect())
    }

    fn places_of(&mut self, card: &str) -> Result<Vec<String>, DeviceError> {
        let mut names = self.list()?;
        if card.is_empty() || card.starts_with("slot ") || card.starts_with("drive ") {
            let first = names.iter().position(|name| name == card);
            if let Some(first) = first {
                names.swap(0, first);
            }
            return Ok(names);
        }
        // A barcode says where it is, and that it is not there.
        Ok(vec![card.to_owned()])
    }

    fn look_through(&mut self, looks: bool) {
        self.looks = looks;
        if !looks {
            self.look = None;
        }
    }

    fn put_back(&mut self, out: Head) -> Result<(), DeviceError> {
        if self.drive.is_none() {
            // Nothing was brought, so what is in the drive is somebody else's.
            return Ok(());
        }
        let (by, host) = (self.robot.by.clone(), self.host.clone());
        let arm = Arm::take(&by, &host)?;
        let inventory = arm.inventory()?;
        let drive = self.element(&inventory)?;
        self.take_out(&arm, &inventory, drive, out)
    }

    fn refuse(&mut self, head: Head, why: &str) {
        let name = head.cartridge.clone();
        let text = format!("{name} of {} is left alone: {why}", self.shown());
        self.host.log(Level::Info, &text);
        self.let_go(&name);
        self.known.seen.insert(name, Some(why.to_owned()));
    }

    fn hold(&mut self, cartridge: &str) {
        // One that another run holds is seen when it is brought.
        if !self.held.contains_key(cartridge)
            && let Ok(Some(claim)) = self.claim(cartridge)
        {
            self.held.insert(cartridge.to_owned(), claim);
        }
    }

    fn let_go(&mut self, cartridge: &str) {
        self.held.remove(cartridge);
    }

    fn saw(&mut self, cartridge: &str, found: &Found) {
        let seen = match found {
            Found::Blank | Found::Free => None,
            other => Some(words(other)),
        };
        self.known.seen.insert(cartridge.to_owned(), seen);
    }

    fn is_unseen(&self, cartridge: &str) -> bool {
        !self.known.seen.contains_key(cartridge)
    }

    fn fits(&mut self, cartridge: &str) {
        self.known.seen.insert(cartridge.to_owned(), None);
    }

    fn changes(&self) -> bool {
        true
    }

    fn explain(&mut self, row: &Row) -> Result<Vec<String>, DeviceError> {
        let (inventory, drive) = self.begin()?;
        let choices = self.plan(&inventory, row, drive);
        Ok(choices.iter().map(ToString::to_string).collect())
    }
}
