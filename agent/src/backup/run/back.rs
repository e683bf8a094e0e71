//! What a failed run wrote is taken back: SQL Server was never answered for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use twinset_domain::{Fault, MirrorNo};
use twinset_format::record::{self, Outcome, Record};

use super::Reserved;
use crate::backup::desk::Desk;
use crate::backup::remember;
use crate::catalog::{RunEnd, RunState};
use crate::clock;
use crate::media::recover::Recovery;
use crate::media::volume::Volume;

impl Reserved {
    /// Takes everything back that this run wrote, on every mirror that lets it. A mirror that was
    /// lost on the way and cannot be cleaned is said to be out of step, so that what lies on it
    /// stops nobody.
    pub fn take_back(self, desk: &mut Desk<'_>, why: &Fault) {
        // What a volume could not take while its section was open comes first in the chain.
        let mut taken = self.ledger.bring_level();
        let (live, unsaid) = (self.ledger.live(), self.ledger.unsaid());
        let all: BTreeSet<MirrorNo> = live.union(&unsaid).copied().collect();
        taken = taken.and_then(|()| self.remove(&all));
        if taken.is_err() && !unsaid.is_empty() {
            taken = self.remove(&live).and_then(|()| self.ledger.settle());
        }
        if let Err(fault) = taken {
            // The run fails with its own fault; what stays is found by the next run.
            desk.progress
                .note(&format!("not everything could be taken back: {fault}"));
            self.leave(desk);
            return;
        }
        let (state, at, note) = (RunState::Failed, clock::now(), Some(why.message.as_str()));
        let end = RunEnd {
            state,
            at,
            bytes: 0,
            sequence: self.ledger.chain().sequence(),
            note,
        };
        let place = (self.open.key.as_str(), self.facts.media_set);
        let ended = desk.catalog.end(self.facts.run, &end);
        let told = ended.and_then(|()| match self.is_void() {
            true => remember::void(desk, place, self.facts.position),
            false => Ok(()),
        });
        if let Err(fault) = told {
            desk.progress
                .note(&format!("the catalog could not be told: {fault}"));
        }
        self.leave(desk);
    }

    /// Whether a void stands at the position: where nothing had been written there is none.
    fn is_void(&self) -> bool {
        let index = self.facts.position.manifest_section();
        let void = |volume: &Arc<Volume>| {
            let bytes = volume.read_section(index, record::MAX_BYTES).ok()?;
            let record = Record::parse(&bytes).ok()?;
            (record.outcome == Outcome::Void).then_some(())
        };
        self.open
            .matrix
            .volumes()
            .any(|volume| void(volume).is_some())
    }

    fn remove(&self, mirrors: &BTreeSet<MirrorNo>) -> Result<(), Fault> {
        let standings = self.open.matrix.standings();
        let matrix = self.open.matrix.only(mirrors, &standings);
        let mut recovery = Recovery {
            matrix: &matrix,
            media_set: self.facts.media_set,
            agent: self.facts.agent,
            now: clock::now(),
            chain: self.ledger.chain(),
            settled: BTreeSet::new(),
        };
        let taken = recovery.take_back(self.facts.position);
        self.ledger.went_on(recovery.chain);
        taken
    }
}
