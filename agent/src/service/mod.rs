//! `twinset run`: the service that follows protected databases (design 7 and 10.3).
//!
//! One loop decides; everything else tells it something (`input`): threads that ask the
//! instances (`watch`), processes that take backups and run checks (`jobs`, `child`), the
//! control socket (`control`), changed files (`reload`). The loop turns what it is told into
//! events of the protection's state machine (`follow`, `due`) and carries out what follows
//! (`act`). Nothing here talks to a device or takes a backup by itself. What cannot be remembered
//! is not done: then it stops all that runs, and begins anew when it can (`anew`).

mod act;
mod alarms;
mod anew;
mod answer;
mod child;
pub mod control;
mod due;
mod follow;
pub mod input;
mod integrity;
mod jobs;
mod leave;
mod members;
pub mod notify;
mod os;
mod outcome;
mod overview;
mod pairs;
mod presence;
mod reload;
mod retention;
mod share;
mod state;
mod watch;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use twinset_domain::{Exit, Fault, code};

use crate::catalog::Catalog;
use crate::clock;
use crate::config::{self, Standing};
use crate::report::Output;
use crate::state::StateDir;
use input::Input;
use notify::Stands;
use state::Service;

/// Longest time that nothing is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How long running backups may take to end once the service is to stop; then they are aborted,
/// and nothing of them is published.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// Runs until `stop` is set.
pub fn run(file: &Path, output: &Output, stop: &AtomicBool) -> Exit {
    let standing = match config::standing(file) {
        Ok(standing) => standing,
        Err(faults) => return output.finish_faults(&faults),
    };
    match serve(file, standing, stop) {
        Ok(()) => output.finish(Ok((Exit::Done, ()))),
        Err(fault) => output.finish::<()>(Err(fault)),
    }
}

/// From start to stop.
fn serve(file: &Path, standing: Standing, stop: &AtomicBool) -> Result<(), Fault> {
    let state = StateDir::open(&standing.config.agent.state_dir)?;
    let _lock = state.lock_service()?;
    let catalog = Catalog::open(state.path())?;
    let (tell, told) = channel();
    let _control = control::listen(state.path(), &tell)?;
    let _files = reload::watch(file, &standing.config, &tell);
    let kept = reload::keep(&standing, clock::now());
    let mut service = Service::start(file, standing.config, catalog, tell.clone())?;
    service.stands(kept, clock::now())?;
    notify::tell(Stands::Ready);
    tracing::info!(databases = service.members.len(), "the service runs");
    let mut stumble = anew::Stumble::default();
    while let Err(fault) = until_stopped(&mut service, &told, stop) {
        let Some(begun) = stumble.anew(service, fault, (&tell, &told), stop) else {
            return Ok(());
        };
        service = begun;
    }
    notify::tell(Stands::Stopping);
    finish(&mut service, &told)
}

fn until_stopped(
    service: &mut Service,
    told: &Receiver<Input>,
    stop: &AtomicBool,
) -> Result<(), Fault> {
    while !stop.load(Ordering::Relaxed) {
        one(service, told, TICK)?;
        notify::tell(Stands::Alive);
    }
    Ok(())
}

/// Takes in what comes within a time, then does what the time itself asks for.
fn one(service: &mut Service, told: &Receiver<Input>, longest: Duration) -> Result<(), Fault> {
    match told.recv_timeout(longest) {
        Ok(input) => service.take(input)?,
        Err(RecvTimeoutError::Timeout) => {}
        Err(RecvTimeoutError::Disconnected) => {
            return Err(
                Fault::new(code::INTERNAL, "service", "nobody tells it anything")
                    .remedy("report this with the log"),
            );
        }
    }
    // What has piled up is taken in before anything is decided.
    while let Ok(input) = told.try_recv() {
        service.take(input)?;
    }
    service.tick(clock::now())
}

/// Lets what runs end, or aborts it.
fn finish(service: &mut Service, told: &Receiver<Input>) -> Result<(), Fault> {
    service.jobs.forget_queued();
    service.jobs.stop_integrity();
    service.jobs.end_sharing();
    let until = Instant::now() + STOP_LIMIT;
    while service.jobs.are_running() && Instant::now() < until {
        tracing::info!(running = service.jobs.running(), "waits for what runs");
        if let Ok(input) = told.recv_timeout(TICK) {
            service.take(input)?;
        }
    }
    service.jobs.stop_all();
    while service.jobs.are_running() {
        if let Ok(input) = told.recv_timeout(TICK) {
            service.take(input)?;
        }
        service.jobs.kill_late();
    }
    tracing::info!("the service ends");
    Ok(())
}
