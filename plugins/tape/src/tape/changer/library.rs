//! A drive of a library, with its arm: what it may take, what it keeps from others, and how a
//! cartridge gets into it and out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use twinset_plugin_api::{DeviceError, Host, Outcome};

use super::arm::{self, Arm};
use super::inventory::{At, Inventory};
use super::plan::{Choice, Known, plan};
use super::{By, Robot, stacks};
use crate::tape::errors::refused;
use crate::tape::head::Head;
use crate::tape::options::Options;
use crate::tape::os::{self, Claim};
use crate::tape::program;
use crate::tape::source::Row;
use crate::tape::station::{self, Who};

/// Longest time until a drive has threaded a cartridge; LTO drives need up to a minute.
const READY_MAX: Duration = Duration::from_secs(600);
/// Between two looks at a drive that threads, or at a cartridge that another drive looks at.
const LOOK: Duration = Duration::from_millis(200);
/// Tries to say that a drive looks through the library: whoever asks holds that for a moment.
const SAY_TRIES: u32 = 50;

/// A drive of a library, and its arm.
#[derive(Debug)]
pub(crate) struct Changer {
    pub(super) robot: Robot,
    options: Options,
    who: Who,
    pub(super) host: Host,
    /// What was looked at by this one.
    pub(super) known: Known,
    /// The drive is nobody else's while this lives.
    pub(super) drive: Option<Claim>,
    /// Cartridges of the row, and the one that is looked at.
    pub(super) held: BTreeMap<String, Claim>,
    /// The cartridge that was chosen.
    pub(super) chosen: Option<(String, Claim)>,
    /// It looks through the library: what it puts into its drive comes out again soon.
    pub(super) looks: bool,
    /// Says so to others, while the drive is this one's.
    pub(super) look: Option<Claim>,
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
            looks: false,
            look: None,
        }
    }

    pub(super) fn shown(&self) -> String {
        format!("the library {}", arm::name(&self.robot.by).display())
    }

    /// The drive's number.
    pub(super) fn element(&self, inventory: &Inventory) -> Result<u32, DeviceError> {
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

    pub(super) fn claim(&self, what: &str) -> Result<Option<Claim>, DeviceError> {
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
        if self.drive.is_none() {
            let holder = station::holder(&self.options);
            return Err(DeviceError::new(Outcome::LOCKED, holder));
        }
        for _ in 0..SAY_TRIES {
            if !self.looks || self.look.is_some() {
                break;
            }
            self.look = self.claim(&looking(drive))?;
            if self.look.is_none() {
                program::wait(&self.host, Duration::from_millis(1))?;
            }
        }
        Ok(())
    }

    /// Whether another drive looks through the library, so that what is in it comes out again.
    pub(super) fn looks_through(&self, other: u32) -> Result<bool, DeviceError> {
        Ok(self.claim(&looking(other))?.is_none())
    }

    /// Takes the arm for a cartridge, as soon as no other drive looks at that one: what lies where,
    /// and this drive's number. Two that wait for each other's both put theirs back.
    pub(super) fn reach<'a>(
        &mut self,
        (by, host): (&'a By, &'a Host),
        cartridge: &str,
        out: &mut Option<Head>,
    ) -> Result<(Arm<'a>, Inventory, u32), DeviceError> {
        let begun = Instant::now();
        loop {
            let arm = Arm::take(by, host)?;
            let inventory = arm.inventory()?;
            let drive = self.element(&inventory)?;
            self.own(drive)?;
            let at = inventory.cartridges().get(cartridge).map(|(at, _)| *at);
            match at {
                Some(At::Drive(other)) if other != drive && self.looks_through(other)? => {}
                _ => return Ok((arm, inventory, drive)),
            }
            if begun.elapsed() >= READY_MAX {
                return Ok((arm, inventory, drive));
            }
            if let Some(out) = out.take() {
                self.take_out(&arm, &inventory, drive, out)?;
            }
            drop(arm);
            program::wait(host, LOOK)?;
        }
    }

    /// The arm, what lies where, and the drive's number.
    pub(super) fn begin(&mut self) -> Result<(Inventory, u32), DeviceError> {
        let inventory = Arm::take(&self.robot.by, &self.host)?.inventory()?;
        let drive = self.element(&inventory)?;
        Ok((inventory, drive))
    }

    pub(super) fn plan(&self, inventory: &Inventory, row: &Row, drive: u32) -> Vec<Choice> {
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
    pub(super) fn open_when_ready(&self, cartridge: &str, drive: u32) -> Result<Head, DeviceError> {
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
    pub(super) fn take_out(
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
    pub(super) fn may_move(&self, choices: &[Choice], cartridge: &str) -> Result<(), DeviceError> {
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

    pub(super) fn absent(&self, cartridge: &str) -> DeviceError {
        let text = format!("{cartridge} is not in {}", self.shown());
        DeviceError::new(Outcome::NO_MEDIUM, text)
    }
}

/// What says that a drive looks through the library.
fn looking(drive: u32) -> String {
    format!("drive {drive} looks")
}
