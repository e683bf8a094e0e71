//! The whole world: the clock of truth, two servers, two agents with their media, the story.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use twinset_domain::BackupKind;
use twinset_domain::chain::Bridge;
use twinset_domain::protection::Rules;
use twinset_domain::schedule::Rules as Schedule;
use twinset_domain::{Moment, rpo};

use uuid::Uuid;

use super::agent::Agent;
use super::deeds::{Deed, Snapshot};
use super::media::MediaSet;
use super::server::Pair;

/// How a world is built.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) mirrored: bool,
    pub(crate) witness: bool,
    pub(crate) rules: Rules,
    pub(crate) schedule: Schedule,
    pub(crate) bridge: Bridge,
    pub(crate) mirrors: usize,
    pub(crate) least: u8,
    /// Logs lie in a media set of their own.
    pub(crate) apart: bool,
    /// The agents can read each other's media.
    pub(crate) shared: bool,
    /// Seconds to any moment of which a restore must be possible.
    pub(crate) window: i64,
    pub(crate) limits: rpo::Limits,
}

/// What a check looked at: session and recovery fork.
pub(crate) type Under = (Option<Uuid>, Uuid);

/// The world.
pub(crate) struct Lab {
    pub(crate) plan: Plan,
    /// True time.
    pub(crate) now: i64,
    pub(crate) pair: Pair,
    /// Of each agent: data, and logs where they lie apart.
    pub(crate) media: [Vec<MediaSet>; 2],
    pub(crate) agents: [Agent; 2],
    pub(crate) runs: u128,
    /// What comes later of what happened.
    pub(crate) later: Vec<(i64, Deed)>,
    /// When the last backup of a kind that was published began.
    pub(crate) taken: BTreeMap<BackupKind, i64>,
    /// Session and fork at the last check of each agent that passed, while it has not stood by.
    pub(crate) checked: [Option<Under>; 2],
    pub(crate) snapshot: Option<Snapshot>,
    /// The machine was set back once: numbers were given twice on one fork.
    pub(crate) rolled: bool,
    /// When something happened last: it is seen at the next poll, not before.
    pub(crate) stirred: i64,
    written: i64,
    story: String,
    pub(crate) broken: Option<String>,
}

/// Seconds between two changes of data.
const WRITES: i64 = 420;
/// Most that is kept of what was told.
const STORY: usize = 12_000;

impl Lab {
    pub(crate) fn new(plan: Plan, now: i64) -> Self {
        let min = |least| twinset_domain::append::MinMirrors {
            full: least,
            differential: least,
            log: least,
        };
        let sets = |agent: u128, name: &str| {
            let set = |number: u128, what: &str| {
                let key = format!("{name}/{what}");
                MediaSet::new(&key, agent * 16 + number, plan.mirrors, min(plan.least))
            };
            let mut sets = vec![set(1, "data")];
            if plan.apart {
                sets.push(set(2, "logs"));
            }
            sets
        };
        Self {
            pair: Pair::new(now, plan.mirrored, plan.witness),
            media: [sets(1, "a"), sets(2, "b")],
            agents: [Agent::new(now), Agent::new(now)],
            plan,
            now,
            runs: 0,
            later: Vec::new(),
            taken: BTreeMap::new(),
            checked: [None, None],
            snapshot: None,
            rolled: false,
            stirred: now,
            written: now,
            story: String::new(),
            broken: None,
        }
    }

    /// The session and the fork that a server serves under.
    pub(crate) fn under(&self, at: usize) -> Under {
        let session = self.pair.servers[at].database.session.as_ref();
        (session.map(|session| session.guid), self.pair.fork(at))
    }

    /// What an agent's clock shows.
    pub(crate) fn clock(&self, agent: usize) -> Moment {
        Moment(self.now + self.agents[agent].skew)
    }

    /// One line of the story.
    pub(crate) fn tell(&mut self, what: impl std::fmt::Display) {
        let _ = writeln!(self.story, "{} {what}", Moment(self.now));
        if self.story.len() > 2 * STORY {
            let cut = self.story.len() - STORY;
            let cut = self.story[cut..]
                .find('\n')
                .map_or(cut, |end| cut + end + 1);
            self.story.drain(..cut);
        }
    }

    pub(crate) fn story(&self) -> &str {
        &self.story
    }

    /// A promise is broken: the first one counts.
    pub(crate) fn breaks(&mut self, what: impl std::fmt::Display) {
        if self.broken.is_none() {
            self.broken = Some(format!("{}: {what}", Moment(self.now)));
            self.tell(format!("BROKEN: {what}"));
        }
    }

    /// When something happens next.
    fn next(&self) -> i64 {
        let write = self.written + WRITES;
        let count = if self.plan.mirrored { 2 } else { 1 };
        let agents = self.agents.iter().take(count).filter_map(Agent::next);
        let later = self.later.iter().map(|(at, _)| *at);
        agents.chain(later).fold(write, i64::min)
    }

    /// Lives until a moment, or until a promise is broken.
    pub(crate) fn until(&mut self, end: i64) {
        while self.broken.is_none() {
            let next = self.next().max(self.now);
            if next > end {
                break;
            }
            self.now = next;
            if self.written + WRITES <= self.now {
                self.written = self.now;
                for at in self.pair.serving() {
                    self.pair.write(at, self.now);
                }
            }
            let now = self.now;
            let due: Vec<(i64, Deed)> = self.later.extract_if(.., |(at, _)| *at <= now).collect();
            for (_, deed) in due {
                self.happens(deed);
            }
            for agent in 0..if self.plan.mirrored { 2 } else { 1 } {
                self.live(agent);
            }
        }
        self.now = self.now.max(end);
    }
}
