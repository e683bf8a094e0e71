//! The consistency check, as `backup::check` runs it.

use twinset_domain::chain::{Action, Reason};
use twinset_domain::confirm::{self, Finding, Log, Sealed, Source};
use twinset_domain::protection::Verdict;
use twinset_domain::recover::SetState;
use twinset_domain::repair::Scope;
use twinset_domain::{BackupKind, Code, Position, append, code};

use super::job::Outcome;
use super::lab::Lab;
use super::media::Read;
use super::set::{FAMILY, lsn};
use super::upkeep::Word;

impl Lab {
    /// The whole check, at once.
    pub(crate) fn check(&mut self, me: usize, stopping: bool) -> Outcome {
        if stopping {
            return Outcome::Fault(code::CANCELLED, "stopped".to_owned());
        }
        match self.checked(me) {
            Ok(verdict) => Outcome::Checked(verdict),
            Err((code, why)) => Outcome::Fault(code, why),
        }
    }

    fn checked(&mut self, me: usize) -> Result<Verdict, (Code, String)> {
        if self.agents[me].forbidden {
            return Err((code::SQL_LOGIN, "login failed".to_owned()));
        }
        // The check looks at its own server alone.
        if !self.pair.is_open(me) {
            return Err((code::NOT_PRINCIPAL, "not open here".to_owned()));
        }
        for set in 0..self.media[me].len() {
            self.recover(me, set)?;
            let now = self.clock(me);
            self.media[me][set].repair(Scope::All, false, now);
            let kind = [BackupKind::Full, BackupKind::Log][set];
            self.open(me, set, Some(kind))?;
        }
        let guarded = self.guard(me, BackupKind::Log);
        let reason = guarded.decision.reason;
        Ok(match guarded.decision.action {
            Action::Take { kind, .. } if kind != BackupKind::Log => Verdict::Take(kind),
            Action::Take { .. } if guarded.follows_other => Verdict::Take(BackupKind::Log),
            Action::Take { .. } => Verdict::Continue,
            Action::Skip | Action::Refuse if reason == Reason::NoBase => {
                Verdict::Take(BackupKind::Full)
            }
            Action::Skip | Action::Refuse => Verdict::Inconsistent(guarded.decision.why()),
        })
    }

    /// `media recover`: dead runs are set right, servers are asked about sealed sets.
    pub(crate) fn recover(&mut self, me: usize, set: usize) -> Result<(), (Code, String)> {
        self.recovered(me, set, true)
    }

    fn recovered(&mut self, me: usize, set: usize, ask: bool) -> Result<(), (Code, String)> {
        let now = self.clock(me);
        if !self.media[me][set]
            .volumes
            .iter()
            .any(|volume| volume.there)
        {
            return Err((code::NEEDS_FORMAT, "no volume answers".to_owned()));
        }
        let settled = self.agents[me].catalog[set].settled();
        let (pair, media) = (&self.pair, &mut self.media[me][set]);
        let words = |read: &Read, all: &[Read]| word(pair, read, all).filter(|_| ask);
        media.recover(&settled, now, &mut { words });
        let sets = media.read();
        let highest = sets.last().map_or(0, |set| set.position);
        let sequence = media.tail().map_or(0, |tail| tail.sequence);
        let known = &mut self.agents[me].catalog[set];
        known.attach(highest, sequence);
        if media.volumes.iter().all(|volume| volume.there) {
            known.remember(&sets);
        }
        known.settle_runs(&sets, now);
        Ok(())
    }

    /// `run::open`: may this run append? What a dead run left is set right first; what the catalog
    /// lacks is read, and said.
    pub(crate) fn open(
        &mut self,
        me: usize,
        set: usize,
        kind: Option<BackupKind>,
    ) -> Result<(append::AppendPlan, bool), (Code, String)> {
        let planned = |lab: &Self| {
            let known = &lab.agents[me].catalog[set];
            let media = &lab.media[me][set];
            let expected = media.expected(known.known, known.settled(), kind);
            append::plan(&expected, &media.seen())
        };
        let mut plan = planned(self);
        if let Err(faults) = &plan
            && faults.iter().all(|fault| fault.code == code::UNRESOLVED)
        {
            self.recovered(me, set, false)?;
            plan = planned(self);
        }
        let plan = plan.map_err(|faults| (faults[0].code, faults[0].to_string()))?;
        let media = &self.media[me][set];
        let known = &mut self.agents[me].catalog[set];
        let news = plan.is_news(&media.expected(known.known, known.settled(), kind));
        if news {
            known.remember(&media.read());
        }
        known.attach(plan.position.get() - 1, plan.sequence - 1);
        Ok((plan, news))
    }
}

/// `confirm::ask_servers`: every server that answers is asked.
fn word(pair: &super::server::Pair, read: &Read, all: &[Read]) -> Option<Word> {
    let set = &read.manifest.as_ref()?.set;
    let sealed = Sealed {
        kind: Some(set.kind),
        set: Some(set.guid),
        first_lsn: Some(lsn(set.first)),
        last_lsn: Some(lsn(set.last)),
        recovery_fork: Some(set.fork),
        family_guid: Some(FAMILY),
        complete: true,
        maybe_copy_only: set.copy_only,
    };
    let later: Vec<Log> = all
        .iter()
        .filter(|other| other.position > read.position && other.state == SetState::Published)
        .filter_map(|other| {
            let set = &other.manifest.as_ref()?.set;
            (set.kind == BackupKind::Log).then_some(Log {
                position: Position::new(other.position)?,
                first_lsn: lsn(set.first),
                recovery_fork: Some(set.fork),
            })
        })
        .collect();
    let mut best = confirm::judge(&sealed, None, &later);
    for (at, server) in pair.servers.iter().enumerate().filter(|(_, s)| s.up) {
        if server.msdb.iter().any(|known| known.guid == set.guid) {
            return Some(Word::Confirmed);
        }
        // A mirror is not open: its log and forks cannot be read.
        let open = pair.is_open(at);
        let head = pair.tree.of(server.database.head);
        let source = Source {
            in_history: false,
            busy: server.busy[usize::from(set.kind == BackupKind::Log)],
            family_guid: Some(FAMILY),
            recovery_fork: open.then(|| pair.fork(at)),
            last_log_backup_lsn: head.next_log.filter(|_| open).map(lsn),
            bases: vec![head.base.filter(|_| open).map(|(guid, _)| guid); 2],
        };
        let finding = confirm::judge(&sealed, Some(&source), &later);
        if best == Finding::Open || finding.confirms() {
            best = finding;
        }
    }
    match best {
        Finding::Open => None,
        Finding::NeverCounted => Some(Word::NeverCounted),
        _ => Some(Word::Confirmed),
    }
}
