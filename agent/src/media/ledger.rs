//! Who still takes part in a run, and what is said of it in the chain.
//!
//! All families of a run share one ledger: a mirror that is lost in one of them is lost in all.
//! Before anything is acknowledged on fewer mirrors, a record on every mirror that is left says so
//! (design 4.3, lost lanes).
//!
//! A volume whose data section is open takes no record meanwhile: on a tape there is no place
//! beside the data. It takes what is due when its own family is sealed, so the last family's seal,
//! without which SQL Server's statement does not end, finds every record everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use twinset_domain::append::Tail;
use twinset_domain::{FamilyNo, Fault, MirrorNo, Moment, Slot};
use twinset_format::record::{Outcome, Record};
use twinset_plugin_api::Outcome as Class;

use super::publish::{self, Chain, Statement};
use super::volume::{Volume, own_fault};

/// What the ledger of a run begins with.
pub struct Opening {
    /// What all records of the run share: media set, position, run, agent.
    pub statement: Statement,
    /// How many whole mirrors must take part to the end.
    pub min_mirrors: u8,
    /// Volumes of the mirrors that take part.
    pub volumes: Vec<Arc<Volume>>,
    /// Mirrors that fell out before, of which no record speaks yet.
    pub fallen: Vec<(MirrorNo, Fault)>,
    /// End of the chain.
    pub chain: Chain,
    /// Tells the time, for records.
    pub now: fn() -> Moment,
}

/// The mirrors of a run and its records.
pub struct Ledger {
    opening: Opening,
    state: Mutex<State>,
}

struct State {
    chain: Chain,
    live: BTreeSet<MirrorNo>,
    /// In the order of their loss; records name them in the same order.
    lost: Vec<(MirrorNo, Fault)>,
    /// Families whose data sections are open.
    open: BTreeSet<FamilyNo>,
    /// This run's records, in the order of the chain.
    records: Vec<Record>,
    /// How many of them each volume holds, always the first ones.
    held: BTreeMap<Slot, usize>,
}

impl Ledger {
    /// The ledger of a run that begins.
    #[must_use]
    pub fn open(opening: Opening) -> Self {
        let live = opening.volumes.iter().map(|v| v.slot.mirror).collect();
        let state = State {
            chain: opening.chain.clone(),
            live,
            lost: opening.fallen.clone(),
            open: BTreeSet::new(),
            records: Vec::new(),
            held: BTreeMap::new(),
        };
        Self {
            opening,
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a mirror still takes part.
    #[must_use]
    pub fn is_live(&self, mirror: MirrorNo) -> bool {
        self.lock().live.contains(&mirror)
    }

    /// Mirrors that still take part.
    #[must_use]
    pub fn live(&self) -> BTreeSet<MirrorNo> {
        self.lock().live.clone()
    }

    /// Mirrors that were lost on the way, and why.
    #[must_use]
    pub fn lost(&self) -> Vec<(MirrorNo, Fault)> {
        self.lock().lost.clone()
    }

    /// Mirrors that were lost and of which no record speaks yet.
    #[must_use]
    pub fn unsaid(&self) -> BTreeSet<MirrorNo> {
        let state = self.lock();
        state.unsaid().iter().map(|(mirror, _)| *mirror).collect()
    }

    /// The chain went on elsewhere: what a run wrote was taken back.
    pub fn went_on(&self, chain: Chain) {
        self.lock().chain = chain;
    }

    /// End of the chain.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.lock().chain.clone()
    }

    /// Takes a mirror out of the run, in all families.
    ///
    /// # Errors
    /// `why`, when too few mirrors would remain: then the run fails, as with SQL Server's own
    /// mirrored media.
    pub fn lose(&self, mirror: MirrorNo, why: Fault) -> Result<(), Fault> {
        {
            let mut state = self.lock();
            if !state.live.contains(&mirror) {
                return Ok(());
            }
            if state.live.len() <= usize::from(self.opening.min_mirrors.max(1)) {
                return Err(why);
            }
            state.live.remove(&mirror);
            // The run itself tells it, with its own code.
            tracing::info!(%mirror, fault = %why, "mirror lost, the run goes on without it");
            state.lost.push((mirror, why));
        }
        for volume in self
            .opening
            .volumes
            .iter()
            .filter(|v| v.slot.mirror == mirror)
        {
            let text = "the mirror was given up for this run".to_owned();
            let fault = own_fault(&volume.label, "write", Class::CANCELLED, text);
            volume.lane().give_up(fault);
        }
        Ok(())
    }

    /// A family's data sections are open from now on: its volumes take no records.
    pub fn begun(&self, family: FamilyNo) {
        self.lock().open.insert(family);
    }

    /// A family's data sections are ended or given up: its volumes take records again.
    pub fn closed(&self, family: FamilyNo) {
        self.lock().open.remove(&family);
    }

    /// Makes sure that every volume that is left and takes records says which mirrors were lost.
    /// Before each acknowledgement.
    ///
    /// # Errors
    /// When too few mirrors remain that can.
    pub fn settle(&self) -> Result<(), Fault> {
        let mut state = self.bring_up(self.lock())?;
        while let Some((_, fault)) = state.unsaid().first() {
            let statement = Statement {
                outcome: Outcome::OutOfStep,
                written: (self.opening.now)(),
                note: Some(fault.message.clone()),
                ..self.opening.statement.clone()
            };
            let mirrors = state.unsaid().iter().map(|(mirror, _)| *mirror).collect();
            let record = state.chain.next(&statement, mirrors);
            state = self.append(state, record)?;
        }
        Ok(())
    }

    /// Puts what was said already on the volumes that could not take it then.
    ///
    /// # Errors
    /// When too few mirrors remain that can.
    pub fn bring_level(&self) -> Result<(), Fault> {
        self.bring_up(self.lock()).map(drop)
    }

    /// Publishes the set on every mirror that is left. One that fails meanwhile is lost, and said
    /// to be, behind the verdict.
    ///
    /// # Errors
    /// When too few mirrors remain. The set is then published on some mirrors only, or on none;
    /// `media recover` finishes that.
    pub fn publish(&self, statement: &Statement) -> Result<Record, Fault> {
        let state = self.bring_up(self.lock())?;
        let mirrors = state.live.iter().copied().collect();
        let record = state.chain.next(statement, mirrors);
        drop(self.append(state, record.clone())?);
        self.settle()?;
        Ok(record)
    }

    /// Adds a record to the chain, and puts it on the volumes that take records.
    fn append<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        record: Record,
    ) -> Result<MutexGuard<'a, State>, Fault> {
        state.chain.follow(&record);
        state.records.push(record);
        self.bring_up(state)
    }

    /// Puts every record on the volumes that take records and lack it, one after the other in the
    /// chain's order; mirrors that cannot take one are lost.
    fn bring_up<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> Result<MutexGuard<'a, State>, Fault> {
        for index in 0..state.records.len() {
            let lacking: Vec<_> = self
                .opening
                .volumes
                .iter()
                .filter(|volume| state.lacks(volume.slot, index))
                .collect();
            let Some(record) = state.records.get(index).cloned() else {
                break;
            };
            let ends = publish::put_record_on_each(&lacking, &record);
            for (volume, end) in lacking.iter().zip(&ends) {
                if end.is_ok() {
                    state.held.insert(volume.slot, index + 1);
                }
            }
            for (volume, end) in lacking.iter().zip(ends) {
                let Err(fault) = end else { continue };
                drop(state);
                let lost = self.lose(volume.slot.mirror, fault);
                state = self.lock();
                if let Err(fault) = lost {
                    state.forget_unheld();
                    return Err(fault);
                }
            }
        }
        Ok(state)
    }
}

impl State {
    /// Mirrors that were lost and of which no record of this run speaks yet.
    fn unsaid(&self) -> &[(MirrorNo, Fault)] {
        let about_mirrors = |record: &&Record| record.outcome == Outcome::OutOfStep;
        let said = self.records.iter().filter(about_mirrors);
        let said = said.map(|record| record.mirrors.len()).sum::<usize>();
        self.lost.get(said..).unwrap_or_default()
    }

    /// Whether a volume ought to hold the record at an index, can take it, and does not hold it.
    fn lacks(&self, slot: Slot, index: usize) -> bool {
        let held = self.held.get(&slot).copied().unwrap_or_default();
        held <= index && self.live.contains(&slot.mirror) && !self.open.contains(&slot.family)
    }

    /// Takes the last record out of the chain when no volume holds it. One that a volume holds
    /// keeps its place: whatever is written next must not take it.
    fn forget_unheld(&mut self) {
        let held = self.held.values().copied().max().unwrap_or_default();
        while self.records.len() > held
            && let Some(record) = self.records.pop()
        {
            self.chain.tail = record.previous.map(|hash| Tail {
                sequence: record.sequence - 1,
                hash,
            });
        }
    }
}
