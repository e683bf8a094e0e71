//! One long statement without virtual devices, from its start to its end: BACKUP to files.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use twinset_domain::Fault;

use super::cancel::Cancelled;
use super::facts::{self, Percent};
use super::{Connector, InstanceSettings, Purpose, Session, StatementEnd, cancel};

/// How often the waiting thread looks up.
const GLANCE: Duration = Duration::from_millis(100);
/// How often SQL Server is asked how far its statement is.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// A statement that runs as long as it needs.
pub struct PlainJob<'a> {
    /// The instance.
    pub settings: &'a InstanceSettings,
    /// Makes the name of the session unique.
    pub run: &'a str,
    /// Set when the operator wants it to stop.
    pub stop: &'a AtomicBool,
    /// Told how far SQL Server says its statement is.
    pub percent: &'a dyn Fn(&Percent),
}

/// What it came to.
#[derive(Debug)]
pub enum PlainEnd {
    /// The statement ended.
    Ended(StatementEnd),
    /// The operator stopped it, and its session is gone.
    Stopped,
    /// The operator stopped it; whether it still runs is not known.
    Lingers,
}

impl PlainJob<'_> {
    /// Runs it. A statement that is stopped is cancelled, and its session's end awaited.
    ///
    /// # Errors
    /// Those of the work connection: then the statement was never sent.
    pub fn run(&self, sql: String, control: &mut Session) -> Result<PlainEnd, Fault> {
        let work = Connector::new(self.settings.clone(), self.run).open(Purpose::Work)?;
        let running = work.start(sql)?;
        let mut asked = Instant::now();
        loop {
            if let Some(end) = running.wait(GLANCE) {
                return Ok(PlainEnd::Ended(end));
            }
            if self.stop.load(Ordering::Relaxed) {
                return Ok(match cancel(running, control) {
                    Ok(Cancelled::Gone | Cancelled::Killed) => PlainEnd::Stopped,
                    Ok(_) => PlainEnd::Lingers,
                    Err(fault) => {
                        tracing::warn!(%fault, "the statement could not be cancelled");
                        PlainEnd::Lingers
                    }
                });
            }
            if asked.elapsed() >= ASK_EVERY {
                asked = Instant::now();
                // A control connection that fails here is told of when its word matters.
                if let Ok(Some(percent)) = facts::progress(control, running.spid()) {
                    (self.percent)(&percent);
                }
            }
        }
    }
}
