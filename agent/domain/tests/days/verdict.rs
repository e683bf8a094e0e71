//! The end of a backup: evidence, verdict, publication, the catalog.

use std::rc::Rc;

use twinset_domain::code;
use twinset_domain::partner::Tenure;
use twinset_domain::repair::Scope;
use twinset_domain::standing::Change;
use twinset_domain::verdict::{Evidence, History, Statement as Word, Verdict, judge};

use super::catalog::RunState;
use super::job::Outcome;
use super::lab::Lab;
use super::media::{What, number};
use super::run::{Ends, Run, Step, fault};

impl Lab {
    pub(super) fn judges(&mut self, me: usize, run: &mut Run) -> Ends {
        let sealed = Rc::clone(run.sealed.as_ref().unwrap());
        let lost = self.look_again(me, run, !run.counted);
        let server = &self.pair.servers[me];
        let known = server.msdb.iter().any(|set| set.guid == sealed.set.guid);
        let other_base = run.base.zip(sealed.set.base);
        let evidence = Evidence {
            statement: if run.counted {
                Word::Clean
            } else {
                Word::Error(3013)
            },
            history: match (server.up, known) {
                (false, _) => History::Unknown,
                (true, true) => History::Found,
                (true, false) => History::Absent,
            },
            all_answered: true,
            all_closed: run.counted,
            all_sealed: true,
            facts_agree: other_base.is_none_or(|(base, (taken, _))| base == taken),
        };
        let verdict = match judge(&evidence) {
            Verdict::Success | Verdict::SuccessHistoryMissing if lost.is_some() => {
                Verdict::Unconfirmed
            }
            verdict => verdict,
        };
        let succeeds = matches!(verdict, Verdict::Success | Verdict::SuccessHistoryMissing);
        if succeeds && !(server.up && known) {
            self.breaks("P2: a run succeeds, and SQL Server does not know its set");
        } else if succeeds && run.before.is_some() && !self.pair.serving().contains(&me) {
            self.breaks("row 12: a run succeeds, and its server is no principal any more");
        }
        match verdict {
            Verdict::Success | Verdict::SuccessHistoryMissing => {
                run.step = Step::Publish(0);
                Ok(())
            }
            Verdict::Unconfirmed => {
                let now = self.clock(me);
                let sequence = self.media[me][run.set].tail().map_or(0, |t| t.sequence);
                let catalog = &mut self.agents[me].catalog[run.set];
                catalog.end(run.id, RunState::Unconfirmed, now);
                catalog.attach(run.position.get(), sequence);
                self.remember(me, run);
                let code = match lost {
                    Some(lost) if lost != Tenure::Unknown => code::ROLE_LOST,
                    _ => code::UNCONFIRMED,
                };
                Err(fault(code, "kept unconfirmed"))
            }
            Verdict::Failed => {
                self.gives_up(me, run);
                Err(self.failed(me, run, "failed".to_owned()))
            }
        }
    }

    fn remember(&mut self, me: usize, run: &Run) {
        let ours = self.media[me][run.set].read_of(Some(run.position.get()));
        self.agents[me].catalog[run.set].remember(&ours);
    }

    /// The verdict goes onto one mirror after the other.
    pub(super) fn publishes(&mut self, me: usize, run: &mut Run, at: usize) -> Ends {
        let Some(mirror) = run.live.get(at).copied() else {
            run.step = Step::Told;
            return Ok(());
        };
        let now = self.clock(me);
        let media = &mut self.media[me][run.set];
        if run.verdict.is_none() {
            let tail = media.tail();
            let what = (What::Verdict, run.position.get());
            let record = media.next_record(tail.as_ref(), what, run.live.len(), now);
            run.verdict = Some(record);
        }
        let record = Rc::clone(run.verdict.as_ref().unwrap());
        if media.takes(mirror) {
            media.put_record(mirror, &record);
            run.step = Step::Publish(at + 1);
            return Ok(());
        }
        if run.live.len() <= run.least.max(1) {
            return Err(fault(code::MIRROR_MISSING, "no verdict on a mirror"));
        }
        // Said behind the verdict, on those that have it.
        run.live.retain(|live| *live != mirror);
        let last = run.live.iter().copied().skip(at);
        for mirror in last.collect::<Vec<_>>() {
            self.media[me][run.set].put_record(mirror, &record);
        }
        let what = What::Mirrors(Change::OutOfStep, vec![number(mirror)]);
        let (set, position) = (run.set, run.position.get());
        self.media[me][set].say(&run.live.clone(), what, position, now);
        run.step = Step::Told;
        Ok(())
    }

    pub(super) fn told_catalog(&mut self, me: usize, run: &Run) -> Outcome {
        let now = self.clock(me);
        let sequence = self.media[me][run.set].tail().map_or(0, |t| t.sequence);
        let catalog = &mut self.agents[me].catalog[run.set];
        catalog.end(run.id, RunState::Published, now);
        catalog.attach(run.position.get(), sequence);
        self.remember(me, run);
        // The clock of truth.
        let began = run.started.0 - self.agents[me].skew;
        self.taken.insert(run.kind, began);
        self.published(
            me,
            run.set,
            run.sealed.as_ref().unwrap(),
            &run.live,
            run.least,
        );
        if run.live.len() < self.plan.mirrors {
            self.media[me][run.set].repair(Scope::Returned(run.position), false, now);
        }
        Outcome::Published(run.kind)
    }
}
