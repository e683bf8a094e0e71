//! The slots around now, found once for all databases of a group.

use super::cron::Cron;
use super::zone::Zone;
use super::{MAX_STAGGER, behind, last_until};
use crate::Moment;

/// More slots than a line has in the widest span: every minute of a day of 25 hours, and two.
const MAX_RECENT: usize = 1600;

/// The slots of a line from before `now - stagger` to the first behind now.
pub(super) struct Recent {
    slots: Vec<Moment>,
}

impl Recent {
    pub(super) fn of(cron: &Cron, zone: &Zone, now: Moment, stagger: u32) -> Self {
        let span = stagger.min(MAX_STAGGER);
        let begin = Moment(now.0.saturating_sub(span.into()));
        let first = last_until(cron, zone, begin);
        let mut slots: Vec<Moment> = first.into_iter().collect();
        for slot in behind(cron, zone, begin).take(MAX_RECENT) {
            slots.push(slot);
            if slot > now {
                break;
            }
        }
        Self { slots }
    }

    /// When a database with this offset was due last, at or before now.
    pub(super) fn last(&self, now: Moment, offset: u32) -> Option<Moment> {
        let until = now.0.saturating_sub(offset.into());
        let count = self.slots.partition_point(|slot| slot.0 <= until);
        let slot = self.slots.get(count.checked_sub(1)?)?;
        Some(Moment(slot.0.saturating_add(offset.into())))
    }

    /// When it is due next, behind now.
    pub(super) fn next(&self, now: Moment, offset: u32) -> Option<Moment> {
        let until = now.0.saturating_sub(offset.into());
        let count = self.slots.partition_point(|slot| slot.0 <= until);
        let slot = self.slots.get(count)?;
        Some(Moment(slot.0.saturating_add(offset.into())))
    }
}
