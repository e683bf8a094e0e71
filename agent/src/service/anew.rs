//! When the service cannot remember: a full disk under the state folder, an error of it, a catalog
//! that somebody holds.
//!
//! What is not on disk must not be done, for after a crash nobody would know of it. So all that
//! runs is stopped, and the service begins anew, as after a crash, as soon as the catalog can be
//! written. It goes on answering meanwhile, and tells receivers without its memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use twinset_domain::alert::{Entry, Event, Notice, Severity};
use twinset_domain::{Fault, code};

use super::input::{Answer, Input};
use super::notify::{self, Stands};
use super::state::Service;
use super::{TICK, clock};
use crate::alerts::{Channel, channels};
use crate::catalog::Catalog;
use crate::config::Config;

/// First wait before it begins anew; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// Longest wait.
const LONGEST: Duration = Duration::from_secs(60);
/// Who runs so long does not stumble any more.
const STEADY: Duration = Duration::from_secs(300);
/// How often receivers are told while it lasts.
const TOLD_EVERY: Duration = Duration::from_secs(3600);

/// How the service has stumbled so far.
#[derive(Debug, Default)]
pub(super) struct Stumble {
    wait: Duration,
    begun: Option<Instant>,
    told: Option<Instant>,
}

impl Stumble {
    /// Ends what runs, waits and begins anew; nothing when it is to stop.
    pub(super) fn anew(
        &mut self,
        mut service: Service,
        fault: Fault,
        (tell, told): (&Sender<Input>, &Receiver<Input>),
        stop: &AtomicBool,
    ) -> Option<Service> {
        if self.begun.is_some_and(|begun| begun.elapsed() > STEADY) {
            *self = Self::default();
        }
        let mut still = standing_still(&fault);
        self.say(&service.config, &still);
        end_all(&mut service, &still, told);
        let (file, config) = service.into_way();
        loop {
            self.wait = (self.wait * 2).clamp(FIRST, LONGEST);
            if !pause(self.wait, &still, told, stop) {
                return None;
            }
            let state_dir = &config.agent.state_dir;
            let begun = Catalog::open(state_dir)
                .and_then(|catalog| Service::start(&file, config.clone(), catalog, tell.clone()));
            match begun {
                Ok(service) => {
                    tracing::info!(databases = service.members.len(), "the service goes on");
                    self.begun = Some(Instant::now());
                    // Changes that were told meanwhile went unheard.
                    let _ = tell.send(Input::Files);
                    return Some(service);
                }
                Err(fault) => {
                    still = standing_still(&fault);
                    self.say(&config, &still);
                }
            }
        }
    }

    /// Into the log each time, to the receivers now and then.
    fn say(&mut self, config: &Config, still: &Fault) {
        let cause = still.causes.join("; ");
        tracing::error!(
            code = still.code.text(),
            object = still.object,
            cause,
            "{}",
            still.message
        );
        if self.told.is_some_and(|told| told.elapsed() < TOLD_EVERY) {
            return;
        }
        self.told = Some(Instant::now());
        match channels(config) {
            Ok(channels) => tell_aside(channels, notice(config, still)),
            Err(fault) => tracing::warn!(code = fault.code.text(), "{}", fault.message),
        }
    }
}

fn standing_still(fault: &Fault) -> Fault {
    let mut still = fault.clone();
    still.code = code::STANDS_STILL;
    still.message = "the service stands still: it cannot remember what it would do".to_owned();
    still
        .causes
        .insert(0, format!("{} {}", fault.code.text(), fault.message));
    still.remedy =
        "it goes on by itself once that is mended; check space and rights of state_dir, \
                    and who else has the catalog open"
            .to_owned();
    still
}

fn notice(config: &Config, still: &Fault) -> Notice {
    let now = clock::now();
    Notice {
        event: Event::Raised,
        agent: config.agent.name.clone(),
        at: now,
        alert: Entry {
            // None of the list: it cannot be written.
            id: 0,
            code: still.code.text().to_owned(),
            object: still.object.clone(),
            severity: Severity::Critical,
            message: format!("{} ({})", still.message, still.causes.join("; ")),
            remedy: still.remedy.clone(),
            group: None,
            database: None,
            first: now,
            last: now,
            times: 1,
            resolved: None,
        },
        left_out: 0,
    }
}

/// Tells receivers beside the loop: one that is slow must not hold it up.
fn tell_aside(channels: Vec<Channel>, notice: Notice) {
    let tell = move || {
        for channel in channels {
            if let Err(why) = channel.tell(&notice) {
                tracing::warn!(channel = channel.name(), "an alert was not taken: {why}");
            }
        }
    };
    // Without a thread it stands in the log alone.
    let _ = thread::Builder::new().name("alerts".to_owned()).spawn(tell);
}

/// Stops what runs and waits for its end: its numbers are given again.
fn end_all(service: &mut Service, still: &Fault, told: &Receiver<Input>) {
    service.jobs.forget_queued();
    service.jobs.stop_all();
    while service.jobs.are_running() {
        match told.recv_timeout(TICK) {
            Ok(Input::Ended { job, outcome }) => {
                for waiting in service
                    .jobs
                    .remove(job)
                    .into_iter()
                    .flat_map(|job| job.waiting)
                {
                    // Who waited may have gone.
                    let _ = waiting.send(outcome.answer());
                }
            }
            Ok(other) => turn_away(other, still),
            Err(_) => {}
        }
        service.jobs.kill_late();
        notify::tell(Stands::Alive);
    }
}

/// Waits, answering; `false` when the service is to stop.
fn pause(wait: Duration, still: &Fault, told: &Receiver<Input>, stop: &AtomicBool) -> bool {
    let until = Instant::now() + wait;
    loop {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        notify::tell(Stands::Alive);
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        if let Ok(input) = told.recv_timeout(left.min(TICK)) {
            turn_away(input, still);
        }
    }
}

/// What is asked is answered with why not; all else is read anew anyway.
fn turn_away(input: Input, still: &Fault) {
    if let Input::Asked { answer, .. } = input {
        // Who asked may have gone.
        let _ = answer.send(Answer::refused(still.clone()));
    }
}
