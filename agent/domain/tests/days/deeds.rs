//! What happens to the world, by chance.

use twinset_domain::BackupKind;
use twinset_domain::protection::Event;

use super::chance::Chance;
use super::lab::Lab;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Failover,
    /// The principal's server goes, for so long.
    PrincipalDies(i64),
    /// The partners do not see each other, and service is forced on the mirror after so many more
    /// seconds.
    PartnersPart,
    PartnersMeet,
    Force,
    Resume,
    Suspend,
    EndSession,
    NewSession,
    Foreign(BackupKind, bool),
    CheckByHand(usize),
    Dies(usize, i64),
    /// Dies when a run of it comes to a step.
    Doomed(usize, u8),
}

const KINDS: [BackupKind; 3] = [BackupKind::Full, BackupKind::Differential, BackupKind::Log];

impl Deed {
    pub(crate) fn any(chance: &mut Chance) -> Self {
        match chance.below(16) {
            0..=2 => Self::Failover,
            3 => Self::PrincipalDies(chance.within(20, 4000)),
            4 => Self::PartnersPart,
            5 => Self::PartnersMeet,
            6 => Self::Force,
            7 => Self::Resume,
            8 => Self::Suspend,
            9 => Self::EndSession,
            10 => Self::NewSession,
            11 => Self::Foreign(chance.of_these(&KINDS), chance.one_in(3)),
            12 => Self::CheckByHand(chance.side()),
            13 => Self::Dies(chance.side(), chance.within(5, 5000)),
            _ => Self::Doomed(chance.side(), u8::try_from(chance.below(9)).unwrap()),
        }
    }
}

impl Lab {
    /// It happens, if it can.
    pub(crate) fn happens(&mut self, deed: Deed) {
        let of_pairs = [
            Deed::Failover,
            Deed::Force,
            Deed::PartnersPart,
            Deed::NewSession,
            Deed::EndSession,
        ];
        if !self.plan.mirrored && of_pairs.contains(&deed) {
            return;
        }
        self.tell(format!("* {deed:?}"));
        let now = self.now;
        match deed {
            Deed::Failover => drop(self.pair.failover()),
            Deed::PrincipalDies(span) => {
                if let Some(at) = self.pair.serving().first().copied() {
                    self.pair.goes_down(at);
                    self.returns.push((now + span, at));
                    self.agents[at].dies(now + span + 20);
                }
            }
            Deed::PartnersPart => self.pair.part(),
            Deed::PartnersMeet => self.pair.meet(),
            Deed::Force => drop(self.pair.force()),
            Deed::Resume => drop(self.pair.resume()),
            Deed::Suspend => drop(self.pair.suspend()),
            Deed::EndSession => drop(self.pair.end_session()),
            Deed::NewSession => drop(self.pair.create_session()),
            Deed::Foreign(kind, copy_only) => drop(self.pair.foreign(kind, copy_only, now)),
            Deed::CheckByHand(me) => {
                if self.agents[me].down.is_none() {
                    self.event(me, &Event::CheckAsked);
                }
            }
            Deed::Dies(me, span) => self.crash(me, span),
            Deed::Doomed(me, step) => self.agents[me].doomed = Some(step),
        }
        self.stir();
    }

    pub(crate) fn crash(&mut self, me: usize, span: i64) {
        let jobs = std::mem::take(&mut self.agents[me].jobs);
        for job in jobs {
            self.aborts(job);
        }
        self.agents[me].dies(self.now + span);
    }

    /// Everything is mended by its operators.
    pub(crate) fn mended(&mut self) {
        self.tell("* everything is mended");
        for at in 0..2 {
            self.pair.comes_up(at);
        }
        self.returns.clear();
        if let [kept, given_up] = self.pair.serving()[..]
            && self.pair.servers[kept].database.session.is_none()
        {
            self.pair.give_up(given_up);
        }
        self.pair.meet();
        if self.plan.mirrored && !self.pair.create_session() {
            self.pair.resume();
        }
        for agent in &mut self.agents {
            agent.doomed = None;
            if let Some(down) = &mut agent.down {
                *down = (*down).min(self.now + 30);
            }
        }
        self.stir();
    }
}
