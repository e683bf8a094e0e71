//! What a device tells of itself: room, and what an operator should know.

use twinset_plugin_api::{Access, DeviceError, DeviceStatus, Outcome};

use super::device::{State, Tape};
use super::errors::failed;
use super::health::Asker;

impl Tape {
    /// Who asks drives how they are. What is cleared by asking is for who writes.
    pub(super) fn asker(&self) -> Asker {
        Asker {
            book: self.book.clone(),
            host: self.host.clone(),
            program: self.options.sg_logs.clone(),
            takes: self.access != Access::Read,
        }
    }

    pub(super) fn tell(&mut self) -> Result<DeviceStatus, DeviceError> {
        let idle = self.is_idle();
        let (head, room) = match &mut self.state {
            State::In(medium) => {
                let room = if idle { medium.ask() } else { None };
                (medium.head(), room)
            }
            State::Blank(head, ..) => (head, None),
            State::Out => return Err(DeviceError::new(Outcome::NO_MEDIUM, "no tape is mounted")),
        };
        let name = head.drive.name().to_owned();
        let state = head.status().map_err(|errno| failed("ask", &name, errno))?;
        let facts = head.drive.facts();
        let mut alerts = self.book.lines();
        alerts.extend(facts.alerts.lines().map(str::to_owned));
        if state.cleaning {
            alerts.push("the drive wants to be cleaned".to_owned());
        }
        Ok(DeviceStatus {
            free: facts.free.or(room.map(|room| room.free)),
            capacity: facts.capacity.or(room.map(|room| room.capacity)),
            alerts: alerts.join("\n"),
        })
    }
}
