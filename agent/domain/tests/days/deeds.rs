//! What happens to the world, by chance.

use twinset_domain::protection::{Event, Phase, Record};
use twinset_domain::{BackupKind, Moment};

use super::agent::NAMES;
use super::catalog::Remembered;
use super::chance::Chance;
use super::job::What;
use super::lab::{Lab, Under};
use super::server::Database;
use super::set::Shared;

/// One thing that happens. Agents and servers are named by their number, spans are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Failover,
    /// The principal's machine is gone for so long.
    PrincipalDies(i64),
    PartnersPart,
    PartnersMeet,
    /// Service is forced on a mirror that is cut off.
    Force,
    Resume,
    Suspend,
    EndSession,
    NewSession,
    /// Somebody else takes a backup, perhaps a copy.
    Foreign(BackupKind, bool),
    CheckByHand(usize),
    BackupByHand(usize, BackupKind),
    Dies(usize, i64),
    /// Something befalls it when a run of it comes to a step.
    Doomed(usize, u8, Blow),
    Pause(usize, i64),
    /// The login of an agent is refused for so long.
    RightLost(usize, i64),
    /// The catalog is gone, and with it the state of protection.
    CatalogLost(usize),
    /// A mirror of all media sets of an agent is not there for so long.
    MirrorGone(usize, usize, i64),
    MirrorFull(usize, usize, i64),
    /// The data of a set are damaged on one mirror: one of so many, counted from the newest.
    Damage(usize, usize, u64),
    /// A clock is set, for so long.
    AgentClock(usize, i64, i64),
    /// The database is restored over itself, so many records back.
    RestoreBack(u64),
    TakeSnapshot,
    /// The machine is set back to its snapshot.
    RollBack,
    // What comes later of others.
    Up(usize),
    MirrorBack(usize, usize),
    MirrorFreed(usize, usize),
    ClockRight(usize),
    RightGiven(usize),
}

/// What befalls a run between two of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    AgentDies,
    Failover,
    /// The newest row of msdb is gone.
    HistoryLost,
    /// The first mirror of all media sets is gone for a while.
    MirrorGone,
}

/// A machine as it was.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    database: Database,
    msdb: Vec<Shared>,
    catalog: Vec<Remembered>,
    record: Record,
    checked: Option<Under>,
    at: i64,
}

const KINDS: [BackupKind; 3] = [BackupKind::Full, BackupKind::Differential, BackupKind::Log];

impl Deed {
    pub(crate) fn any(chance: &mut Chance) -> Self {
        let side = chance.side();
        let mirror = usize::try_from(chance.below(3)).unwrap();
        let span = chance.within(20, 9000);
        match chance.below(32) {
            0..=3 => Self::Failover,
            4 => Self::PrincipalDies(span),
            5 => Self::PartnersPart,
            6 => Self::PartnersMeet,
            7 | 8 => Self::Force,
            9 => Self::Resume,
            10 => Self::Suspend,
            11 => Self::EndSession,
            12 => Self::NewSession,
            13 => Self::Foreign(chance.of_these(&KINDS), chance.one_in(3)),
            14 => Self::CheckByHand(side),
            15 => Self::BackupByHand(side, chance.of_these(&KINDS)),
            16 => Self::Dies(side, span),
            17..=20 => {
                use Blow::{AgentDies, Failover, HistoryLost, MirrorGone};
                let blow =
                    chance.of_these(&[AgentDies, AgentDies, Failover, HistoryLost, MirrorGone]);
                Self::Doomed(side, u8::try_from(chance.below(9)).unwrap(), blow)
            }
            21 => Self::Pause(side, span),
            22 => Self::RightLost(side, span),
            23 => Self::CatalogLost(side),
            24 => Self::MirrorGone(side, mirror, span),
            25 => Self::MirrorFull(side, mirror, span),
            26 => Self::Damage(side, mirror, chance.below(60)),
            27 => {
                let by = chance.of_these(&[-7000, -600, 600, 7000, 100_000]);
                Self::AgentClock(side, by, span)
            }
            28 => Self::RestoreBack(chance.below(40)),
            29 => Self::TakeSnapshot,
            30 => Self::RollBack,
            _ => Self::Failover,
        }
    }

    /// It befalls a session, and there is none where one server stands alone.
    const fn is_of_pairs(self) -> bool {
        matches!(
            self,
            Self::Failover | Self::Force | Self::PartnersPart | Self::NewSession | Self::EndSession
        )
    }
}

impl Lab {
    /// It happens, if it can.
    pub(crate) fn happens(&mut self, deed: Deed) {
        if !self.plan.mirrored && deed.is_of_pairs() {
            return;
        }
        self.tell(format!("* {deed:?}"));
        let now = self.now;
        match deed {
            Deed::Failover => drop(self.pair.failover()),
            Deed::PrincipalDies(span) => {
                if let Some(at) = self.pair.serving().first().copied() {
                    self.pair.goes_down(at);
                    self.later.push((now + span, Deed::Up(at)));
                    self.crash(at, span + 20);
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
            // A fork that is begun before the full that marks a rolled back machine cannot be told
            // from one that was begun before it was rolled back: not promised.
            Deed::RestoreBack(_) if self.rolled => {}
            Deed::RestoreBack(records) => {
                let at = self.pair.serving().first().copied().unwrap_or(0);
                self.pair.restore_back(at, records);
            }
            Deed::TakeSnapshot => self.take_snapshot(),
            Deed::RollBack => self.roll_back(),
            Deed::Up(at) => self.pair.comes_up(at),
            of_agents => self.befalls(of_agents),
        }
        self.stir();
    }

    /// What befalls an agent or its media.
    fn befalls(&mut self, deed: Deed) {
        let now = self.now;
        match deed {
            Deed::CheckByHand(me) if self.agents[me].down.is_none() => {
                self.event(me, &Event::CheckAsked);
            }
            Deed::BackupByHand(me, kind) if self.agents[me].down.is_none() => {
                self.begin(me, What::Hand(kind));
            }
            Deed::Dies(me, span) => self.crash(me, span),
            Deed::Doomed(me, step, blow) => self.agents[me].doomed = Some((step, blow)),
            Deed::Pause(me, span) if self.agents[me].down.is_none() => {
                let until = Moment(self.clock(me).0 + span);
                self.event(me, &Event::Pause(until));
            }
            Deed::RightLost(me, span) => {
                self.agents[me].forbidden = true;
                self.later.push((now + span, Deed::RightGiven(me)));
            }
            Deed::RightGiven(me) => self.agents[me].forbidden = false,
            Deed::CatalogLost(me) => self.loses_catalog(me),
            Deed::MirrorGone(me, mirror, span) => {
                self.volumes(me, mirror, |volume| volume.there = false);
                self.later.push((now + span, Deed::MirrorBack(me, mirror)));
            }
            Deed::MirrorBack(me, mirror) => self.volumes(me, mirror, |volume| volume.there = true),
            Deed::MirrorFull(me, mirror, span) => {
                self.volumes(me, mirror, |volume| volume.full = true);
                self.later.push((now + span, Deed::MirrorFreed(me, mirror)));
            }
            Deed::MirrorFreed(me, mirror) => {
                self.volumes(me, mirror, |volume| volume.full = false);
            }
            Deed::Damage(me, mirror, back) => self.damages(me, mirror, back),
            Deed::AgentClock(me, by, span) => {
                self.agents[me].skew += by;
                self.later.push((now + span, Deed::ClockRight(me)));
            }
            Deed::ClockRight(me) => self.agents[me].skew = 0,
            _ => {}
        }
    }

    fn volumes(&mut self, me: usize, mirror: usize, how: impl Fn(&mut super::media::Volume)) {
        for media in &mut self.media[me] {
            if let Some(volume) = media.volumes.get_mut(mirror) {
                how(volume);
            }
        }
    }

    /// Where a twin has the data sound.
    fn damages(&mut self, me: usize, mirror: usize, back: u64) {
        let back = usize::try_from(back).unwrap();
        for media in &mut self.media[me] {
            let Some(volume) = media.volumes.get(mirror) else {
                continue;
            };
            let Some(position) = volume.sets.keys().rev().nth(back).copied() else {
                continue;
            };
            let twin = |(at, volume): (usize, &super::media::Volume)| {
                let piled = volume.sets.get(&position);
                at != mirror && piled.is_some_and(|piled| piled.data == Some(true))
            };
            if media.volumes.iter().enumerate().any(twin)
                && let Some(piled) = media.volumes[mirror].sets.get_mut(&position)
            {
                piled.data = piled.data.map(|_| false);
            }
        }
    }

    fn loses_catalog(&mut self, me: usize) {
        self.crash(me, 5);
        let now = self.clock(me);
        let agent = &mut self.agents[me];
        agent.catalog.fill(Remembered::default());
        agent.record = Record::new(now);
        agent.alerts.clear();
    }

    fn take_snapshot(&mut self) {
        if self.plan.mirrored {
            return;
        }
        let (server, agent) = (&self.pair.servers[0], &self.agents[0]);
        self.snapshot = Some(Snapshot {
            database: server.database.clone(),
            msdb: server.msdb.clone(),
            catalog: agent.catalog.clone(),
            record: agent.record.clone(),
            checked: self.checked[0],
            at: self.now,
        });
    }

    /// The machine with database, catalog and state; the media lie elsewhere.
    fn roll_back(&mut self) {
        let Some(snapshot) = self.snapshot.take().filter(|_| self.pair.is_open(0)) else {
            return;
        };
        self.tell(format!(
            "{} is as it was at {}",
            NAMES[0],
            Moment(snapshot.at)
        ));
        self.crash(0, 20);
        self.rolled = true;
        let server = &mut self.pair.servers[0];
        super::server::Pair::cut(server);
        server.database = snapshot.database;
        server.msdb = snapshot.msdb;
        self.agents[0].catalog = snapshot.catalog;
        self.agents[0].record = snapshot.record;
        self.checked[0] = snapshot.checked;
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
        for (_, deed) in std::mem::take(&mut self.later) {
            self.befalls(deed);
        }
        self.pair.meet();
        if let [one, _] = self.pair.serving()[..]
            && self.pair.servers[one].database.session.is_none()
        {
            self.pair.give_up(1 - self.pair.heir);
        }
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

    /// An hour later operators look at what waits for them.
    pub(crate) fn agreed(&mut self) {
        for me in 0..2 {
            if matches!(self.agents[me].record.phase, Phase::Inconsistent { .. }) {
                self.begin(me, What::Hand(BackupKind::Full));
            }
            if self.agents[me].down.is_none() {
                self.event(me, &Event::Resume);
                self.event(me, &Event::Reprotect);
            }
        }
    }
}
