//! Everything that the service knows, and how it takes in what it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Duration;

use twinset_domain::presence::Presence;
use twinset_domain::protection::{Event, Record, Rules, step};
use twinset_domain::system::HERE;
use twinset_domain::{AgentId, Fault, Moment, code};

use super::input::Input;
use super::jobs::{Jobs, Name};
use super::members::{Member, changes, is_sure, meant, rules};
use super::overview::Window;
use super::presence::signs;
use super::reload::keep;
use super::share::Share;
use super::watch::{Watch, Way};
use crate::catalog::{Catalog, Standings};
use crate::clock;
use crate::config::{self, Config};
use crate::sqlserver::partners::Told;
use crate::state::StateDir;

/// The service.
pub(super) struct Service {
    /// Where the configuration lies.
    pub(super) file: PathBuf,
    /// The configuration that holds: the last one without a fault.
    pub(super) config: Config,
    /// What is remembered across starts.
    pub(super) catalog: Catalog,
    /// Protected databases.
    pub(super) members: BTreeMap<Name, Member>,
    /// What instances said last.
    pub(super) heard: BTreeMap<String, Told>,
    /// Why instances do not answer.
    pub(super) silent: BTreeMap<String, Fault>,
    /// When instances were asked last, and how long that took.
    pub(super) polls: BTreeMap<String, (Moment, Duration)>,
    /// What is known of other agents, by the instance that showed it.
    pub(super) presence: BTreeMap<String, Presence>,
    /// What runs and waits.
    pub(super) jobs: Jobs,
    /// Where it can be looked at.
    pub(super) window: Window,
    /// When it started.
    pub(super) started: Moment,
    /// Since when it looks without a break.
    pub(super) awake: Moment,
    /// When it looked last.
    pub(super) looked: Moment,
    /// The catalog's own mark of changes, when what ran was read last.
    pub(super) mark: Option<i64>,
    /// What integrity checks came to, and the catalog's mark of them.
    pub(super) sound: (i64, Standings),
    /// The slot of each group's retention that was served last.
    pub(super) expired: BTreeMap<String, Moment>,
    /// How it goes with the shared catalog.
    pub(super) share: Share,
    /// When alerts are judged and told next.
    pub(super) tells: Moment,
    pub(super) agent: AgentId,
    watches: Vec<Watch>,
    pub(super) tell: Sender<Input>,
}

impl Service {
    /// Remembers what was, and begins to look.
    pub(super) fn start(
        file: &Path,
        config: Config,
        catalog: Catalog,
        tell: Sender<Input>,
    ) -> Result<Self, Fault> {
        let now = clock::now();
        let agent = StateDir::open(&config.agent.state_dir)?.agent;
        let program = std::env::current_exe().map_err(|error| {
            Fault::new(code::INTERNAL, "service", "cannot find its own program")
                .cause(error)
                .remedy("start it by its absolute path")
        })?;
        let mut service = Self {
            file: file.to_owned(),
            jobs: Jobs::new(
                (program, file.to_owned()),
                config.agent.max_parallel,
                tell.clone(),
            ),
            config,
            catalog,
            members: BTreeMap::new(),
            heard: BTreeMap::new(),
            silent: BTreeMap::new(),
            polls: BTreeMap::new(),
            window: Window::default(),
            started: now,
            presence: BTreeMap::new(),
            awake: now,
            looked: now,
            mark: None,
            sound: (-1, Standings::new()),
            expired: BTreeMap::new(),
            share: Share::default(),
            tells: now,
            agent,
            watches: Vec::new(),
            tell,
        };
        for (group, database, record) in service.catalog.protected()? {
            let name = Name { group, database };
            service.members.insert(name.clone(), Member::of(record));
            service.event(&name, &Event::Restarted, now)?;
        }
        service.look_at_members(now)?;
        service.watch()?;
        Ok(service)
    }

    /// What it begins anew from.
    pub(super) fn into_way(self) -> (PathBuf, Config) {
        (self.file, self.config)
    }

    /// Asks the instances that groups of this agent name; others no longer.
    pub(super) fn watch(&mut self) -> Result<(), Fault> {
        let mut ways: BTreeMap<String, Way> = BTreeMap::new();
        for group in self.config.groups.values() {
            if self.config.served(group).is_none() {
                continue;
            }
            for partner in &group.partners {
                let every = group.failover.poll;
                let instance = self.config.instance(partner)?.clone();
                let signs = signs(group);
                let way = ways.entry(partner.clone()).or_insert(Way {
                    instance,
                    every,
                    signs,
                });
                way.every = way.every.min(every);
                way.signs = [way.signs, signs].into_iter().flatten().min();
            }
        }
        self.watches
            .retain(|watch| ways.get(&watch.of.instance.name) == Some(&watch.of));
        let running: BTreeSet<String> = self
            .watches
            .iter()
            .map(|watch| watch.of.instance.name.clone())
            .collect();
        for (_, way) in ways.into_iter().filter(|(name, _)| !running.contains(name)) {
            let name = way.instance.name.clone();
            let started = Watch::start(way, self.agent, self.tell.clone());
            self.watches.push(started.map_err(|error| {
                Fault::new(
                    code::INTERNAL,
                    format!("instance {name}"),
                    "cannot start a thread",
                )
                .cause(error)
                .remedy(HERE.tasks)
            })?);
        }
        Ok(())
    }

    /// Takes in one thing.
    pub(super) fn take(&mut self, input: Input) -> Result<(), Fault> {
        let now = clock::now();
        match input {
            Input::Heard {
                instance,
                heard,
                took,
            } => {
                self.polls.insert(instance.clone(), (now, took));
                self.hear(instance, heard, now)
            }
            Input::Traced { instance, traces } => self.traced(&instance, traces.as_ref(), now),
            Input::Ended { job, outcome } => self.ended(job, &outcome, now),
            Input::Wished { job, device, wish } => self.wished(job, &device, &wish, now),
            Input::Asked { request, answer } => self.asked(request, &answer, now),
            Input::Looked(answer) => {
                // Who looked may have gone.
                let _ = answer.send(self.overview(now));
                Ok(())
            }
            Input::Files => self.reload(now),
        }
    }

    /// New databases become members; those that nobody means any more are orphaned.
    pub(super) fn look_at_members(&mut self, now: Moment) -> Result<(), Fault> {
        let (mut all, mut unsure) = (BTreeSet::new(), BTreeSet::new());
        for group in self.config.groups.values() {
            if self.config.served(group).is_none() {
                continue;
            }
            if !is_sure(group, &self.heard) {
                unsure.insert(group.name.clone());
            }
            all.extend(meant(group, &self.heard).into_iter().map(|database| Name {
                group: group.name.clone(),
                database,
            }));
        }
        for (name, event) in changes(&self.members, &all, &unsure) {
            self.event(&name, &event, now)?;
        }
        let new = all
            .into_iter()
            .filter(|name| !self.members.contains_key(name));
        for name in new.collect::<Vec<_>>() {
            let record = Record::new(now);
            self.catalog
                .protect(&name.group, &name.database, &record, now)?;
            self.members.insert(name, Member::of(record));
            self.mark = None;
        }
        Ok(())
    }

    /// One event of one database: step, remember, act.
    pub(super) fn event(&mut self, name: &Name, event: &Event, now: Moment) -> Result<(), Fault> {
        let Some(member) = self.members.get_mut(name) else {
            return Ok(());
        };
        let group = self.config.groups.get(&name.group);
        let (rules, ours) = match group {
            Some(group) => (
                rules(group, member.grouped),
                self.config.served(group).unwrap_or_default(),
            ),
            None => (Rules::FOLLOW, ""),
        };
        let (record, actions) = step(&member.record, event, now, (&rules, ours));
        if record != member.record {
            let (was, is) = (member.record.shown(), record.shown());
            let full_elsewhere = record.full_elsewhere(&member.record);
            // Before anything is done or said about it: after a crash the same follows again.
            self.catalog
                .protect(&name.group, &name.database, &record, now)?;
            member.record = record;
            if was != is {
                self.catalog
                    .note(&name.group, &name.database, &is.to_string(), now)?;
                tracing::info!(group = name.group, database = name.database, "{is}");
            }
            if full_elsewhere {
                self.expire_behind(name, now)?;
            }
        }
        for action in actions {
            self.act(name, action, now)?;
        }
        Ok(())
    }

    /// What the time itself asks for.
    pub(super) fn tick(&mut self, now: Moment) -> Result<(), Fault> {
        self.leap(now);
        let names: Vec<Name> = self.members.keys().cloned().collect();
        for name in &names {
            self.event(name, &Event::Tick, now)?;
        }
        self.due(now)?;
        self.checks_due(now)?;
        self.look_into(now)?;
        self.expire_due(now)?;
        self.tell_alerts(now);
        self.share_due(now)?;
        self.show(now)?;
        self.jobs.kill_late();
        for (job, error) in self.jobs.start_ready(now) {
            self.never_began(job, &error, now)?;
        }
        Ok(())
    }

    /// A clock that was set, or a machine that slept: what was due meanwhile was missed.
    fn leap(&mut self, now: Moment) {
        /// Longest time between two looks that is no leap, in seconds.
        const BREAK: i64 = 120;
        let passed = now.0.saturating_sub(self.looked.0);
        if !(0..=BREAK).contains(&passed) {
            tracing::warn!(seconds = passed, "the clock leapt");
            self.awake = now;
            // What ran is believed or not by the clock: what a wrong one wrote is read anew.
            self.mark = None;
        }
        self.looked = now;
    }

    /// The files have changed: what is sound takes the place of what was, what is faulty is told and
    /// holds as it was last sound.
    fn reload(&mut self, now: Moment) -> Result<(), Fault> {
        let standing = match config::standing(&self.file) {
            Ok(standing) => standing,
            Err(faults) => return self.unsound(&faults, now),
        };
        tracing::info!(
            groups = standing.config.groups.len(),
            "the configuration was read again"
        );
        let kept = keep(&standing, now);
        self.jobs.bound(standing.config.agent.max_parallel);
        self.share.turned(&self.config, &standing.config);
        self.config = standing.config;
        let known = &self.config.instances;
        self.heard.retain(|name, _| known.contains_key(name));
        self.silent.retain(|name, _| known.contains_key(name));
        self.polls.retain(|name, _| known.contains_key(name));
        self.presence.retain(|name, _| known.contains_key(name));
        self.stands(kept, now)?;
        self.watch()?;
        self.look_at_members(now)
    }
}
