//! A library as the source of cartridges for one of its drives.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use twinset_plugin_api::{DeviceError, Host, Level, Outcome};

use super::arm::{self, Arm};
use super::inventory::{At, Inventory};
use super::plan::{Choice, Known, Why, plan};
use super::{By, Robot, stacks};
use crate::tape::errors::refused;
use crate::tape::head::Head;
use crate::tape::medium::words;
use crate::tape::options::Options;
use crate::tape::os::{self, Claim};
use crate::tape::program;
use crate::tape::scan::Found;
use crate::tape::source::{Row, Source};
use crate::tape::station::{self, Who};

/// Longest time until a drive has threaded a cartridge; LTO drives need up to a minute.
const READY_MAX: Duration = Duration::from_secs(600);
/// Between two looks at a drive that threads.
const LOOK: Duration = Duration::from_millis(200);
/// Reasons that one message tells.
const TOLD_MAX: usize = 16;

/// A drive of a library, and its arm.
#[derive(Debug)]
pub(crate) struct Changer {
    robot: Robot,
    options: Options,
    who: Who,
    host: Host,
    /// What was looked at by this one.
    known: Known,
    /// The drive is nobody else's while this lives.
    drive: Option<Claim>,
    /// Cartridges of the row, and the one that is looked at.
    held: BTreeMap<String, Claim>,
    /// The cartridge that was chosen.
    chosen: Option<(String, Claim)>,
}

impl Changer {
    pub(crate) fn new(robot: Robot, options: Options, who: Who, host: Host) -> Self {
        Self {
            robot,
            options,
            who,
            host,
            known: Known::default(),
            drive: None,
            held: BTreeMap::new(),
            chosen: None,
        }
    }

    fn shown(&self) -> String {
        format!("the library {}", arm::name(&self.robot.by).display())
    }

    /// The drive's number.
    fn element(&self, inventory: &Inventory) -> Result<u32, DeviceError> {
        let bad = |text: String| Err(DeviceError::new(Outcome::BAD_OPTION, text));
        match (self.robot.element, &self.robot.by, &inventory.drives[..]) {
            (Some(number), By::Stacks(_), _) => Ok(number),
            (None, By::Stacks(_), _) => Ok(0),
            (Some(number), ..) if inventory.drive(number).is_some() => Ok(number),
            (Some(number), ..) => bad(format!(
                "drive_element: {} has no drive {number}",
                self.shown()
            )),
            (None, _, [only]) => Ok(only.number),
            (None, _, drives) => bad(format!(
                "drive_element: {} has {} drives; which one is this? (mtx counts from 0)",
                self.shown(),
                drives.len()
            )),
        }
    }

    fn claim(&self, what: &str) -> Result<Option<Claim>, DeviceError> {
        let library = arm::name(&self.robot.by);
        os::claim(library, what).map_err(|error| {
            refused(format!(
                "{}: {what} cannot be claimed: {error}",
                self.shown()
            ))
        })
    }

    /// Keeps the drive from others.
    fn own(&mut self, drive: u32) -> Result<(), DeviceError> {
        if self.drive.is_none() {
            self.drive = self.claim(&format!("drive {drive}"))?;
        }
        match self.drive {
            Some(_) => Ok(()),
            None => {
                let holder = station::holder(&self.options);
                Err(DeviceError::new(Outcome::LOCKED, holder))
            }
        }
    }

    /// The arm, what lies where, and the drive's number.
    fn begin(&mut self) -> Result<(Inventory, u32), DeviceError> {
        let inventory = Arm::take(&self.robot.by, &self.host)?.inventory()?;
        let drive = self.element(&inventory)?;
        Ok((inventory, drive))
    }

    fn plan(&self, inventory: &Inventory, row: &Row, drive: u32) -> Vec<Choice> {
        let known = Known {
            row: row.clone(),
            seen: self.known.seen.clone(),
        };
        plan(inventory, &self.robot.rules, &known, drive)
    }

    /// Opens the drive with the cartridge in it.
    fn open(&self, cartridge: &str) -> Result<Head, DeviceError> {
        let mut head = match &self.robot.by {
            By::Mtx { .. } => station::load(&self.options, &self.who)?,
            By::Stacks(folder) => {
                let place = self.options.at(stacks::image(folder, cartridge));
                let who = Who {
                    writes: false,
                    ..self.who.clone()
                };
                station::load(&place, &who)?
            }
        };
        cartridge.clone_into(&mut head.cartridge);
        head.ask();
        Ok(head)
    }

    /// The same, as soon as the drive has threaded it.
    fn open_when_ready(&self, cartridge: &str, drive: u32) -> Result<Head, DeviceError> {
        let begun = Instant::now();
        loop {
            match self.open(cartridge) {
                Err(error) if error.outcome == Outcome::NO_MEDIUM => {
                    if begun.elapsed() >= READY_MAX {
                        let text = format!(
                            "{} put {cartridge} into its drive {drive}, and there it is not: {}; \
                             is `drive_element` right?",
                            self.shown(),
                            error.text
                        );
                        return Err(DeviceError::new(Outcome::NO_MEDIUM, text));
                    }
                    program::wait(&self.host, LOOK)?;
                }
                other => return other,
            }
        }
    }

    /// Takes the cartridge out of the drive, back to where it came from.
    fn take_out(
        &mut self,
        arm: &Arm<'_>,
        inventory: &Inventory,
        drive: u32,
        mut out: Head,
    ) -> Result<(), DeviceError> {
        let cartridges = inventory.cartridges();
        let inside = cartridges
            .iter()
            .find(|(_, (at, _))| *at == At::Drive(drive));
        let Some((name, (_, element))) = inside else {
            return Ok(());
        };
        if !out.status().is_ok_and(|status| status.online) {
            drop(out);
            out = match self.open(name) {
                Err(error) if error.outcome == Outcome::NO_MEDIUM => Head::none(""),
                other => other?,
            };
        }
        // Many libraries do not take what the drive has not given out.
        let _ = out.drive.eject();
        drop(out);
        let empty = |number: &u32| inventory.slot(*number).is_some_and(|slot| !slot.full);
        let others = inventory.slots.iter();
        let mut others =
            others.filter(|slot| !slot.full && self.robot.rules.allow_slot(slot.number, slot.mail));
        let home = element.from.filter(empty);
        let home = home.or_else(|| others.next().map(|slot| slot.number));
        let Some(home) = home else {
            let text = format!("{}: no slot is empty to put {name} into", self.shown());
            return Err(DeviceError::new(Outcome::NEEDS_OPERATOR, text));
        };
        arm.unload(home, drive)
    }

    /// Whether a cartridge may be moved out of its slot.
    fn may_move(&self, choices: &[Choice], cartridge: &str) -> Result<(), DeviceError> {
        let choice = choices.iter().find(|choice| choice.name == cartridge);
        match choice {
            Some(choice) if choice.may_be_read() => Ok(()),
            Some(choice) => {
                let text = format!("{}: {choice}; it is left alone", self.shown());
                Err(DeviceError::new(Outcome::NO_MEDIUM, text))
            }
            None => Err(self.absent(cartridge)),
        }
    }

    fn absent(&self, cartridge: &str) -> DeviceError {
        let text = format!("{cartridge} is not in {}", self.shown());
        DeviceError::new(Outcome::NO_MEDIUM, text)
    }
}

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
        let arm = Arm::take(&by, &host)?;
        let inventory = arm.inventory()?;
        let drive = self.element(&inventory)?;
        self.own(drive)?;
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
        choices.retain(|choice| choice.may_be_read() && !matches!(choice.why, Why::InDrive(_)));
        choices.sort_by_key(|choice| choice.at);
        Ok(choices.into_iter().map(|choice| choice.name).collect())
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
