//! Which mirrors of a family still take part, and what it means that one fails.

use std::sync::Arc;

use twinset_domain::{Fault, code};
use twinset_plugin_api::Outcome;

use super::FamilyWriter;
use crate::device::{DeviceFault, Handle, Pending};
use crate::media::volume::Volume;

impl FamilyWriter<'_> {
    /// The family's volumes on mirrors that still take part.
    pub(super) fn live(&self) -> impl Iterator<Item = &Arc<Volume>> {
        let live = self.ledger.live();
        let taking_part = move |volume: &&Arc<Volume>| live.contains(&volume.slot.mirror);
        self.mirrors.iter().filter(taking_part)
    }

    /// Whether enough mirrors are still well; one that is not is lost to the run.
    ///
    /// # Errors
    /// The fault of a mirror without which too few remain.
    pub fn check(&self) -> Result<(), Fault> {
        for volume in self.live() {
            if let Some(fault) = volume.lane().fault() {
                self.lose(volume, fault)?;
            }
        }
        Ok(())
    }

    pub(super) fn lose(&self, volume: &Volume, fault: DeviceFault) -> Result<(), Fault> {
        self.ledger
            .lose(volume.slot.mirror, self.mirror_fault(fault))
    }

    /// Looks whether a mirror has outlived its deadline, and gives it up if so; turns the page of
    /// those that have met the end of their medium.
    ///
    /// # Errors
    /// The mirror's fault.
    pub fn enforce_deadlines(&mut self) -> Result<(), Fault> {
        for volume in self.live() {
            volume.lane().enforce_deadline();
        }
        self.check()?;
        self.follow()
    }

    /// Runs a call on all mirrors side by side and waits for all of them; those that fail are
    /// lost, if enough remain.
    pub(super) fn on_all<J>(&self, job: impl Fn() -> J) -> Result<(), Fault>
    where
        J: FnOnce(&mut Handle) -> Result<(), DeviceFault> + Send + 'static,
    {
        let pending: Vec<(&Arc<Volume>, Pending<_>)> = self
            .live()
            .map(|volume| (volume, volume.lane().submit(job())))
            .collect();
        let mut first = Ok(());
        for (volume, pending) in pending {
            if let Err(fault) = pending.wait().and_then(|outcome| outcome) {
                // A write that failed before says why; what came after it is a consequence.
                let fault = volume.lane().fault().unwrap_or(fault);
                first = first.and(self.lose(volume, fault));
            }
        }
        first
    }

    /// A mirror's fault says how far the family came.
    pub(super) fn mirror_fault(&self, fault: DeviceFault) -> Fault {
        let (full, awaited) = (fault.is_full(), fault.outcome == Outcome::NEEDS_OPERATOR);
        let written = self.hasher.length();
        let fault = Fault::from(fault);
        if full && fault.code == code::MEDIUM_FULL {
            let database = &self.facts.database;
            fault.cause(format!(
                "{written} bytes of {}, {database}, were taken",
                self.family
            ))
        } else if awaited {
            fault.remedy("bring the medium in time, or raise `medium_wait` of the media set")
        } else {
            fault
        }
    }
}
