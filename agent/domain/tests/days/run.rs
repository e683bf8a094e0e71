//! One backup: look, guard, open, reserve, BACKUP, seal, acknowledge, judge, publish. The world may
//! change, and the agent may die, between any two of these.

use std::rc::Rc;

use twinset_domain::append::AppendPlan;
use twinset_domain::chain::Action;
use twinset_domain::partner::{Tenure, Term, taken_over, tenure};
use twinset_domain::standing::Change;
use twinset_domain::{BackupKind, Code, Moment, Position, RunId, code};
use uuid::Uuid;

use super::agent::NAMES;
use super::catalog::{self, RunState};
use super::deeds::{Blow, Deed};
use super::job::{Job, Outcome, What as Typed};
use super::lab::Lab;
use super::media::{Manifest, Record, What, number};
use super::server::Statement;

/// Within how many seconds of its happening an agent has seen everything.
const SEEN: i64 = 12;

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Begin,
    Stream,
    Seal(usize),
    Answer,
    Judge,
    Publish(usize),
    Told,
}

impl Step {
    /// For deeds that let an agent die at a step.
    const fn number(self) -> u8 {
        match self {
            Self::Begin => 0,
            Self::Stream => 1,
            Self::Seal(0) => 2,
            Self::Seal(_) => 3,
            Self::Answer => 4,
            Self::Judge => 5,
            Self::Publish(0) => 6,
            Self::Publish(_) => 7,
            Self::Told => 8,
        }
    }
}

/// A run that reserved a position.
#[derive(Debug)]
pub(crate) struct Run {
    pub(super) step: Step,
    pub(super) set: usize,
    pub(super) kind: BackupKind,
    pub(super) new_branch: bool,
    pub(super) base: Option<Uuid>,
    pub(super) position: Position,
    pub(super) id: RunId,
    pub(super) started: Moment,
    pub(super) least: usize,
    pub(super) live: Vec<usize>,
    pub(super) before: Option<Term>,
    pub(super) statement: Option<Statement>,
    pub(super) sealed: Option<Rc<Manifest>>,
    pub(super) counted: bool,
    pub(super) verdict: Option<Rc<Record>>,
}

pub(super) type Ends = Result<(), Outcome>;

pub(super) fn fault(code: Code, why: impl Into<String>) -> Outcome {
    Outcome::Fault(code, why.into())
}

impl Lab {
    /// The next step of a backup; its end, if that was the last one.
    pub(crate) fn backup_step(
        &mut self,
        me: usize,
        job: &mut Job,
        wanted: BackupKind,
    ) -> Option<Outcome> {
        let Some(mut run) = job.run.take() else {
            if job.stopping {
                return Some(fault(code::CANCELLED, "stopped before it began"));
            }
            let by_hand = matches!(job.what, Typed::Hand(_));
            return match self.reserve(me, wanted, by_hand) {
                Ok(run) => {
                    job.at = Some(self.now + 1);
                    job.run = Some(Box::new(run));
                    None
                }
                Err(outcome) => Some(outcome),
            };
        };
        if self.struck(me, &run) {
            return None;
        }
        let early = matches!(run.step, Step::Begin | Step::Stream | Step::Seal(_));
        let done = if job.stopping && early {
            self.gives_up(me, &mut run);
            Err(fault(code::CANCELLED, "stopped"))
        } else {
            self.advance(me, &mut run)
        };
        match done {
            Ok(()) if run.step == Step::Told => Some(self.told_catalog(me, &run)),
            Ok(()) => {
                let long = match (run.step, run.kind) {
                    (Step::Stream, BackupKind::Log) => 20,
                    (Step::Stream, BackupKind::Differential) => 60,
                    (Step::Stream, BackupKind::Full) => 400,
                    _ => 1,
                };
                job.at = Some(self.now + long);
                job.run = Some(run);
                None
            }
            Err(outcome) => Some(outcome),
        }
    }

    /// What befalls the run at this step; gives whether its agent is dead.
    fn struck(&mut self, me: usize, run: &Run) -> bool {
        let doomed = &mut self.agents[me].doomed;
        let Some((_, blow)) = doomed.take_if(|(step, _)| *step == run.step.number()) else {
            return false;
        };
        self.tell(format!("{}: {blow:?} at {:?}", NAMES[me], run.step));
        match blow {
            Blow::AgentDies => {
                if let Some(statement) = &run.statement {
                    self.pair.abort(statement);
                }
                self.crash(me, 40);
                return true;
            }
            Blow::Failover => self.happens(Deed::Failover),
            Blow::HistoryLost => drop(self.pair.servers[me].msdb.pop()),
            Blow::MirrorGone => self.happens(Deed::MirrorGone(me, 0, 600)),
        }
        false
    }

    /// Everything before the first byte: roles, chain guard, media, intent.
    fn reserve(&mut self, me: usize, wanted: BackupKind, by_hand: bool) -> Result<Run, Outcome> {
        self.stands(me).map_err(|(code, why)| fault(code, why))?;
        if by_hand {
            self.may_by_hand(me, wanted)?;
        }
        let guarded = self.guard(me, wanted);
        let (kind, new_branch) = match guarded.decision.action {
            Action::Take { kind, new_branch } => (kind, new_branch),
            Action::Skip => return Err(Outcome::Skipped),
            Action::Refuse => return Err(fault(code::CHAIN_BROKEN, guarded.decision.why())),
        };
        if kind != wanted || new_branch {
            self.tell(format!(
                "{}: a {kind} for a {wanted}: {}",
                NAMES[me],
                guarded.decision.why()
            ));
        }
        let set = self.set_of(kind);
        let mut others = self.agents[me]
            .jobs
            .iter()
            .filter_map(|job| job.run.as_ref());
        if others.any(|other| other.set == set) {
            return Err(fault(
                code::STATE_LOCKED,
                "another run writes the media set",
            ));
        }
        let opened = self.open(me, set, Some(kind));
        let (plan, news) = opened.map_err(|(code, why)| fault(code, why))?;
        if news {
            return Err(fault(code::CATALOG_SET_BACK, "the catalog was set back"));
        }
        self.unchecked(me, by_hand, wanted);
        self.runs += 1;
        let id = RunId(Uuid::from_u128(0x5_0000_0000 + self.runs));
        let started = self.clock(me);
        let at = plan.position.get();
        let catalog = &mut self.agents[me].catalog[set];
        catalog.runs.push(catalog::Run {
            run: id,
            position: at,
            kind,
            started,
            ended: None,
            state: RunState::Reserved,
            copy_only: false,
        });
        let sequence = catalog.known.map_or(0, |(_, sequence)| sequence);
        catalog.attach(at, sequence);
        let session = self.pair.servers[me].database.session.as_ref();
        let before = session.map(|session| Term {
            guid: session.guid,
            role_sequence: session.role_sequence,
        });
        let live = self.settles(me, set, &plan, started);
        Ok(Run {
            step: Step::Begin,
            set,
            kind,
            new_branch,
            base: guarded.base,
            position: plan.position,
            id,
            started,
            least: usize::from(self.media[me][set].min.of(kind)),
            live,
            before,
            statement: None,
            sealed: None,
            counted: false,
            verdict: None,
        })
    }

    /// P6: what is about to be extended was checked under this session, on this fork.
    fn unchecked(&mut self, me: usize, by_hand: bool, wanted: BackupKind) {
        let seen = by_hand || self.now > self.stirred + SEEN;
        let anew = by_hand && wanted == BackupKind::Full;
        if seen && !anew && self.checked[me] != Some(self.under(me)) {
            let (who, checked) = (NAMES[me], self.checked[me]);
            let now = self.under(me);
            self.breaks(format!(
                "P6: {who} extends {now:?}, and has checked {checked:?}"
            ));
        }
    }

    /// Mirrors that take part; those that cannot are said to be out of step.
    fn settles(&mut self, me: usize, set: usize, plan: &AppendPlan, started: Moment) -> Vec<usize> {
        let live: Vec<usize> = plan
            .mirrors
            .iter()
            .map(|mirror| usize::from(mirror.0) - 1)
            .collect();
        let fallen: Vec<_> = plan.fallen.iter().map(|fallen| fallen.mirror).collect();
        if !fallen.is_empty() {
            let what = What::Mirrors(Change::OutOfStep, fallen);
            self.media[me][set].say(&live, what, plan.position.get(), started);
        }
        live
    }

    fn advance(&mut self, me: usize, run: &mut Run) -> Ends {
        match run.step {
            Step::Begin => self.backup_begins(me, run),
            Step::Stream => self.streams(me, run),
            Step::Seal(at) => self.seals(me, run, at),
            Step::Answer => {
                let statement = run.statement.clone().unwrap();
                if self.pair.lives(&statement) {
                    let set = Rc::clone(&run.sealed.as_ref().unwrap().set);
                    self.pair.count(&statement, &set, self.now);
                    run.counted = true;
                }
                run.step = Step::Judge;
                Ok(())
            }
            Step::Judge => self.judges(me, run),
            Step::Publish(at) => self.publishes(me, run, at),
            Step::Told => Ok(()),
        }
    }

    fn backup_begins(&mut self, me: usize, run: &mut Run) -> Ends {
        match self.pair.begin(me, run.kind, false, self.now) {
            Ok(statement) => {
                run.statement = Some(statement);
                run.step = Step::Stream;
                Ok(())
            }
            Err(number) => {
                self.gives_up(me, run);
                Err(self.failed(me, run, format!("error {number}")))
            }
        }
    }

    fn streams(&mut self, me: usize, run: &mut Run) -> Ends {
        let statement = run.statement.clone().unwrap();
        if !self.pair.lives(&statement) {
            self.gives_up(me, run);
            return Err(self.failed(me, run, "the statement died".to_owned()));
        }
        run.sealed = Some(Rc::new(Manifest {
            run: run.id,
            set: self.pair.streamed(&statement, self.now),
            written: run.started,
            new_branch: run.new_branch,
        }));
        run.step = Step::Seal(0);
        Ok(())
    }

    /// A run that failed before the answer: lost to a switch, if one is seen.
    pub(super) fn failed(&mut self, me: usize, run: &Run, why: String) -> Outcome {
        match self.look_again(me, run, true) {
            Some(tenure) if tenure != Tenure::Unknown => fault(code::ROLE_LOST, why),
            _ => fault(code::VDI_SESSION, why),
        }
    }

    /// What was written is taken back.
    pub(super) fn gives_up(&mut self, me: usize, run: &mut Run) {
        if let Some(statement) = run.statement.take() {
            self.pair.abort(&statement);
        }
        let now = self.clock(me);
        let media = &mut self.media[me][run.set];
        media.take_back(run.position.get(), now);
        let sequence = media.tail().map_or(0, |tail| tail.sequence);
        let catalog = &mut self.agents[me].catalog[run.set];
        catalog.end(run.id, RunState::Failed, now);
        catalog.attach(run.position.get(), sequence);
        catalog.remember(&media.read_of(Some(run.position.get())));
    }

    /// One mirror after the other: data, then manifest. One that fails is lost, if enough remain.
    fn seals(&mut self, me: usize, run: &mut Run, at: usize) -> Ends {
        let Some(mirror) = run.live.get(at).copied() else {
            run.step = Step::Answer;
            return Ok(());
        };
        let media = &mut self.media[me][run.set];
        if !media.takes(mirror) {
            if run.live.len() <= run.least.max(1) {
                self.gives_up(me, run);
                return Err(fault(code::MIRROR_MISSING, "a mirror failed"));
            }
            run.live.retain(|live| *live != mirror);
            let what = What::Mirrors(Change::OutOfStep, vec![number(mirror)]);
            let now = self.clock(me);
            let at = run.position.get();
            self.media[me][run.set].say(&run.live, what, at, now);
            return Ok(());
        }
        let piled = media.volumes[mirror]
            .sets
            .entry(run.position.get())
            .or_default();
        piled.data = Some(true);
        piled.manifest.clone_from(&run.sealed);
        run.step = Step::Seal(at + 1);
        Ok(())
    }

    /// `role::look_again`: nothing where the role was kept.
    pub(super) fn look_again(&self, me: usize, run: &Run, failed: bool) -> Option<Tenure> {
        let before = run.before?;
        let mut kept = tenure(before, &self.pair.answer(me));
        if kept == Tenure::Kept && !failed {
            return None;
        }
        let other = taken_over(before, &self.pair.answer(1 - me));
        if let Some(sequence) = other
            && matches!(kept, Tenure::Unknown | Tenure::Kept)
        {
            kept = Tenure::Switched {
                sequence: Some(sequence),
                back: false,
            };
        }
        (kept != Tenure::Kept).then_some(kept)
    }
}
