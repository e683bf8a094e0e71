//! Roles and chain guard, asked as `agent/src/backup` asks them.

use twinset_domain::chain::{self, Decision, Question, Reason, Source, Wanted};
use twinset_domain::partner::{Answer, Duty, Role, State, duty};
use twinset_domain::protection::{ByHand, Verdict, by_hand};
use twinset_domain::{BackupKind, Code, code};
use uuid::Uuid;

use super::catalog::others;
use super::job::Outcome;
use super::lab::Lab;
use super::set::{FAMILY, lsn};

/// What the guard says.
pub(crate) struct Guarded {
    pub(crate) decision: Decision,
    pub(crate) base: Option<Uuid>,
    /// The chain goes on from what the partner's agent wrote.
    pub(crate) follows_other: bool,
}

impl Lab {
    /// `backup::role::look` and `vdi::backupable`: why nothing may be taken here.
    pub(crate) fn stands(&self, me: usize) -> Result<(), (Code, String)> {
        let ours = self.pair.answer(me);
        if self.agents[me].forbidden {
            return Err((code::SQL_LOGIN, "login failed".to_owned()));
        }
        let Answer::Copy(copy) = &ours else {
            return Err((code::SILENT, "our instance does not answer".to_owned()));
        };
        if self.plan.mirrored {
            let theirs = self.pair.answer(1 - me);
            if let Duty::Refused(refusal) = duty(&ours, &theirs, &[], self.allowed()) {
                let code = if refusal.is_mirror_here() {
                    code::NOT_PRINCIPAL
                } else {
                    code::ROLE_UNSEEN
                };
                return Err((code, refusal.to_string()));
            }
        }
        let mirror = |session: &twinset_domain::partner::Session| session.role == Role::Mirror;
        if copy.session.as_ref().is_some_and(mirror) {
            return Err((
                code::NOT_PRINCIPAL,
                "the database is the mirror here".into(),
            ));
        }
        if copy.state != State::Online {
            return Err((code::DATABASE_STATE, format!("it is {:?}", copy.state)));
        }
        Ok(())
    }

    /// `cli::backup::stands`: what holds for the service holds for the operator too.
    pub(crate) fn may_by_hand(&mut self, me: usize, kind: BackupKind) -> Result<(), Outcome> {
        let refuse = |code, why: &str| Err(Outcome::Fault(code, why.to_owned()));
        match by_hand(&self.agents[me].record, kind, self.plan.rules.check_first) {
            ByHand::Free => Ok(()),
            ByHand::CheckRequired => refuse(code::CHECK_REQUIRED, "consistency check required"),
            ByHand::Refused => refuse(code::NOT_NOW, "not now"),
            ByHand::CheckFirst => match self.check(me, false) {
                Outcome::Checked(Verdict::Inconsistent(why)) => refuse(code::INCONSISTENT, &why),
                Outcome::Checked(_) => {
                    self.checked[me] = Some(self.under(me));
                    Ok(())
                }
                other => Err(other),
            },
        }
    }

    /// How the database stands.
    pub(crate) fn source(&self, at: usize) -> Source {
        let head = self.pair.tree.of(self.pair.servers[at].database.head);
        Source {
            is_master: false,
            is_simple: false,
            is_damaged: false,
            family: Some(FAMILY),
            fork: Some(self.pair.fork(at)),
            next_log: head.next_log.map(lsn),
            bases: vec![head.base.map(|(guid, _)| guid); 2],
        }
    }

    /// What an agent holds; where it looks at the media in any case is said of data and of logs.
    fn held_here(&mut self, me: usize, look: (bool, bool)) -> Vec<chain::Held> {
        let sets = self.media[me].iter().zip(&mut self.agents[me].catalog);
        let looks = [look.0, look.1].into_iter();
        sets.zip(looks)
            .flat_map(|((media, catalog), look)| catalog.held(media, look))
            .collect()
    }

    /// The chain guard; the partner's media are read only where ours do not suffice.
    pub(crate) fn guard(&mut self, me: usize, kind: BackupKind) -> Guarded {
        let source = self.source(me);
        let look = kind == BackupKind::Differential;
        let held = self.held_here(me, (look, false));
        let mut question = Question {
            wanted: Wanted {
                kind,
                copy_only: false,
                tail: false,
            },
            bridge: self.plan.bridge,
            source,
            held,
        };
        let mut decision = chain::judge(&question);
        let elsewhere = |decision: &Decision| {
            use Reason::{BaseNotHeld, Gap, OtherFork};
            matches!(
                decision.reason,
                Gap { .. } | OtherFork { .. } | BaseNotHeld { .. }
            )
        };
        if elsewhere(&decision) {
            question.held = self.held_here(me, (true, true));
            decision = chain::judge(&question);
        }
        if elsewhere(&decision) && self.plan.mirrored && self.plan.shared {
            for media in &self.media[1 - me] {
                question.held.extend(others(media).unwrap_or_default());
            }
            decision = chain::judge(&question);
        }
        let confirmed = question.held.iter();
        let confirmed = confirmed.filter(|held| held.confirmed && !held.copy_only);
        let newest = confirmed.max_by_key(|held| (held.last, held.written));
        let theirs = |key: &str| self.media[1 - me].iter().any(|media| media.key == key);
        Guarded {
            decision,
            base: question.source.bases.first().copied().flatten(),
            follows_other: newest.is_some_and(|held| theirs(&held.media_set)),
        }
    }
}
