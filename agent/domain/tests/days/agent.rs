//! The service of one agent: what `agent/src/service` does with the decisions, in its order.

use std::collections::{BTreeMap, BTreeSet};

use twinset_domain::partner::{Allowed, Answer};
use twinset_domain::protection::{
    Action, End, Event, Phase, Record, Sight, Verdict, Voice, look, step,
};
use twinset_domain::schedule::{Clock, KINDS, Past, Subject, plan};
use twinset_domain::{BackupKind, Moment, code};

use super::catalog::Remembered;
use super::deeds::Blow;
use super::job::{Job, Outcome, What};
use super::lab::Lab;

/// Seconds between two looks while something goes on, and else.
const POLLS: [i64; 2] = [5, 300];
/// How long something goes on behind the last event.
const LIVELY: i64 = 60;
/// Names of the partners.
pub(crate) const NAMES: [&str; 2] = ["sql-a", "sql-b"];

/// One agent. What a crash takes stands below the line.
pub(crate) struct Agent {
    pub(crate) skew: i64,
    pub(crate) record: Record,
    pub(crate) catalog: Vec<Remembered>,
    /// Open alerts, and since when.
    pub(crate) alerts: BTreeMap<String, Moment>,
    /// Down until then.
    pub(crate) down: Option<i64>,
    /// What befalls it when a run of it comes to this step.
    pub(crate) doomed: Option<(u8, Blow)>,
    /// Its login is refused.
    pub(crate) forbidden: bool,
    // ---
    heard: [Option<Answer>; 2],
    doubt: BTreeSet<usize>,
    early: Vec<(BackupKind, Moment, Moment)>,
    pub(crate) past: Option<BTreeMap<BackupKind, Past>>,
    awake: Moment,
    looked: Moment,
    tells: Moment,
    pub(crate) jobs: Vec<Job>,
    pub(crate) ids: u64,
    next: i64,
    pub(crate) lively: i64,
}

impl Agent {
    pub(crate) fn new(now: i64) -> Self {
        Self {
            skew: 0,
            record: Record::new(Moment(now)),
            catalog: vec![Remembered::default(), Remembered::default()],
            alerts: BTreeMap::new(),
            down: None,
            doomed: None,
            forbidden: false,
            heard: [None, None],
            doubt: BTreeSet::new(),
            early: Vec::new(),
            past: None,
            awake: Moment(now),
            looked: Moment(now),
            tells: Moment(now),
            jobs: Vec::new(),
            ids: 0,
            next: now,
            lively: now,
        }
    }

    /// When it does something next.
    pub(crate) fn next(&self) -> Option<i64> {
        if let Some(down) = self.down {
            return Some(down);
        }
        let jobs = self.jobs.iter().filter_map(|job| job.at);
        Some(jobs.fold(self.next, i64::min))
    }

    /// Everything that a dead process takes with it.
    pub(crate) fn dies(&mut self, until: i64) {
        self.down = Some(until);
        self.doomed = None;
        self.heard = [None, None];
        self.doubt.clear();
        self.early.clear();
        self.past = None;
        self.jobs.clear();
    }

    fn subject(&self) -> Subject {
        let past = |kind: BackupKind| {
            let mut past = self.past(kind);
            let early = self.early.iter().filter(|(of, began, _)| {
                *of == kind && past.succeeded.is_none_or(|succeeded| *began > succeeded)
            });
            past.failed
                .extend(early.map(|(_, began, ended)| (*began, *ended)));
            past.failed.sort_unstable();
            past.failed.dedup();
            past
        };
        Subject {
            database: "Payroll".to_owned(),
            full: past(BackupKind::Full),
            differential: past(BackupKind::Differential),
            log: past(BackupKind::Log),
            running: self.record.running.clone(),
            excluded: Vec::new(),
            hold: None,
            since: self.record.taken_over,
        }
    }
}

impl Agent {
    /// What ran of a kind, as it was read when the catalog had changed last.
    pub(crate) fn past(&self, kind: BackupKind) -> Past {
        let past = self.past.as_ref();
        past.and_then(|past| past.get(&kind))
            .cloned()
            .unwrap_or_default()
    }
}

impl Lab {
    fn read_past(&mut self, me: usize) {
        if self.agents[me].past.is_none() {
            let now = self.clock(me);
            let past = KINDS.map(|kind| {
                let set = self.set_of(kind);
                (kind, self.agents[me].catalog[set].past(kind, now))
            });
            self.agents[me].past = Some(BTreeMap::from(past));
        }
    }

    /// Which media set of an agent takes a kind.
    pub(crate) fn set_of(&self, kind: BackupKind) -> usize {
        usize::from(self.plan.apart && kind == BackupKind::Log)
    }

    /// What an agent does at this moment.
    pub(crate) fn live(&mut self, me: usize) {
        if let Some(until) = self.agents[me].down {
            if until > self.now {
                return;
            }
            self.starts(me);
        }
        self.jobs(me);
        if self.agents[me].down.is_some() || self.agents[me].next > self.now {
            return;
        }
        self.poll(me);
        self.tick(me);
        let agent = &mut self.agents[me];
        let lively = agent.lively + LIVELY >= self.now || !agent.jobs.is_empty();
        let every = POLLS[usize::from(!lively)];
        agent.next = (self.now / every + 1) * every;
    }

    /// Something happened: looks are frequent for a while.
    pub(crate) fn stir(&mut self) {
        self.stirred = self.now;
        for agent in &mut self.agents {
            agent.lively = self.now;
            agent.next = agent.next.min(self.now + 1);
        }
    }

    fn starts(&mut self, me: usize) {
        let now = self.clock(me);
        let agent = &mut self.agents[me];
        agent.down = None;
        (agent.awake, agent.looked, agent.tells) = (now, now, now);
        (agent.next, agent.lively) = (self.now, self.now);
        self.tell(format!("agent {} starts", NAMES[me]));
        self.event(me, &Event::Restarted);
    }

    /// The instances are asked one after the other; each answer is looked at with the other's last.
    fn poll(&mut self, me: usize) {
        let partners: &[usize] = if self.plan.mirrored { &[0, 1] } else { &[0] };
        for partner in partners {
            let answer = self.pair.answer(*partner);
            self.agents[me].heard[*partner] = Some(answer);
            let Some(sight) = self.sight(me) else {
                continue;
            };
            if !self.doubts(me, &sight, *partner) {
                self.event(me, &Event::Seen(sight));
            }
        }
    }

    pub(crate) fn allowed(&self) -> Allowed {
        Allowed {
            ip: false,
            split: self.plan.rules.go_on_in_split,
        }
    }

    fn sight(&self, me: usize) -> Option<Sight> {
        if self.agents[me].forbidden {
            return Some(Sight::Forbidden("login failed".to_owned()));
        }
        let heard = &self.agents[me].heard;
        let voice = |at: usize| {
            let answer = heard[at].as_ref()?;
            let name = NAMES[at];
            Some(Voice { name, answer })
        };
        let other = if self.plan.mirrored {
            Some(voice(1 - me)?)
        } else {
            None
        };
        Some(look(
            voice(me)?,
            other.as_slice(),
            &[],
            self.allowed().into(),
        ))
    }

    /// As `service::follow` has it: of two that claim a role, both must have spoken again.
    fn doubts(&mut self, me: usize, sight: &Sight, heard: usize) -> bool {
        let doubt = &mut self.agents[me].doubt;
        if !matches!(sight, Sight::Split(_)) {
            doubt.clear();
            return false;
        }
        if doubt.is_empty() {
            doubt.insert(usize::MAX);
            return true;
        }
        doubt.insert(heard);
        doubt.len() <= 2
    }

    /// One event: step, remember, act.
    pub(crate) fn event(&mut self, me: usize, event: &Event) {
        let (now, rules) = (self.clock(me), self.plan.rules);
        let before = self.agents[me].record.clone();
        let (record, actions) = step(&before, event, now, (&rules, NAMES[me]));
        if record != before {
            let (was, is) = (before.shown().to_string(), record.shown().to_string());
            if record.phase == Phase::Standby {
                self.checked[me] = None;
            }
            self.agents[me].record = record;
            if was != is {
                self.tell(format!("{}: {is}", NAMES[me]));
            }
        }
        for action in actions {
            self.act(me, action);
        }
    }

    fn act(&mut self, me: usize, action: Action) {
        match action {
            Action::Backup(kind) => self.begin(me, What::Backup(kind)),
            Action::Check(_) => self.begin(me, What::Check),
            Action::Stop => self.stop(me),
            Action::Refuse(_) => {}
            Action::Raise(alarm) => self.raise(me, &format!("{alarm:?}")),
            Action::Resolve(alarm) => self.resolve(me, &format!("{alarm:?}")),
            Action::NoteBounce { switches } => {
                self.tell(format!("{}: bounced, {switches} switches", NAMES[me]));
            }
        }
    }

    pub(crate) fn raise(&mut self, me: usize, alarm: &str) {
        let now = self.clock(me);
        if !self.agents[me].alerts.contains_key(alarm) {
            self.tell(format!("{}: alert {alarm}", NAMES[me]));
            self.agents[me].alerts.insert(alarm.to_owned(), now);
        }
    }

    pub(crate) fn resolve(&mut self, me: usize, alarm: &str) {
        if self.agents[me].alerts.remove(alarm).is_some() {
            self.tell(format!("{}: alert {alarm} is over", NAMES[me]));
        }
    }

    /// What the time itself asks for.
    fn tick(&mut self, me: usize) {
        let now = self.clock(me);
        let agent = &mut self.agents[me];
        let passed = now.0 - agent.looked.0;
        // Between two ticks of the service lies a second; between two of ours nothing happens.
        if !(0..=POLLS[1] + 120).contains(&passed) {
            agent.awake = now;
            agent.past = None;
        }
        agent.looked = now;
        self.event(me, &Event::Tick);
        self.read_past(me);
        let agent = &self.agents[me];
        let subject = agent.subject();
        let clock = Clock {
            now,
            awake: agent.awake,
        };
        for due in plan(&self.plan.schedule, &[subject], clock).due {
            self.event(me, &Event::Due(due.kind));
        }
        if now >= self.agents[me].tells {
            self.agents[me].tells = Moment(now.0 + 60);
            self.judge_ages(me);
        }
        self.start_ready(me);
    }

    /// A try that came to nothing.
    fn tried(&mut self, me: usize, job: &Job, kind: BackupKind) {
        let began = job.started.unwrap_or(job.queued);
        let now = self.clock(me);
        self.agents[me].early.push((kind, began, now));
    }

    /// What had not begun is taken out; what runs ends by itself.
    fn stop(&mut self, me: usize) {
        let jobs = std::mem::take(&mut self.agents[me].jobs);
        let (queued, running): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| job.started.is_none());
        self.agents[me].jobs = running;
        for job in &mut self.agents[me].jobs {
            job.stopping = true;
        }
        for job in queued {
            if let What::Backup(kind) = job.what {
                self.tried(me, &job, kind);
                self.event(me, &Event::Ended(kind, End::Interrupted));
            }
        }
    }

    /// A job has ended.
    pub(crate) fn ended(&mut self, me: usize, job: &Job, outcome: Outcome) {
        self.agents[me].lively = self.now;
        match job.what {
            What::Backup(kind) => {
                let end = outcome.end(job.stopping);
                self.tell(format!("{}: {kind} {outcome:?}", NAMES[me]));
                if outcome.published().is_none() {
                    self.tried(me, job, kind);
                }
                self.told(me, kind, &outcome);
                self.event(me, &Event::Ended(kind, end));
            }
            // By hand: nobody but who typed it learns of it, and the list of alerts.
            What::Hand(kind) => {
                self.tell(format!("{}: by hand, {kind} {outcome:?}", NAMES[me]));
                self.told(me, kind, &outcome);
            }
            What::Check if job.stopping => {
                let checking = matches!(self.agents[me].record.phase, Phase::Checking { .. });
                let other = |job: &Job| job.what == What::Check && !job.stopping;
                if checking && !self.agents[me].jobs.iter().any(other) {
                    let why = Verdict::Inconsistent("the check was stopped".to_owned());
                    self.event(me, &Event::Checked(why));
                }
            }
            What::Check => {
                let verdict = outcome.verdict();
                if !matches!(verdict, Verdict::Inconsistent(_)) {
                    self.checked[me] = Some(self.under(me));
                }
                self.tell(format!("{}: check {verdict:?}", NAMES[me]));
                self.event(me, &Event::Checked(verdict));
            }
        }
    }

    /// As `service::alarms` and `alerts::runs` have it.
    fn told(&mut self, me: usize, kind: BackupKind, outcome: &Outcome) {
        match outcome {
            Outcome::Skipped => {}
            Outcome::Published(taken) => {
                for kind in [*taken, kind] {
                    self.resolve(me, &format!("Failed {kind}"));
                    self.resolve(me, &format!("Rpo {kind}"));
                }
            }
            Outcome::Fault(fault, _) if [code::CANCELLED, code::NOT_PRINCIPAL].contains(fault) => {}
            Outcome::Fault(..) | Outcome::Checked(_) => self.raise(me, &format!("Failed {kind}")),
        }
    }
}
