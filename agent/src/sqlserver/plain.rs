//! One long statement without virtual devices, from its start to its end: BACKUP to files, DBCC.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use twinset_domain::Fault;

use super::cancel::Cancelled;
use super::facts::{self, Percent};
use super::{Connector, InstanceSettings, Purpose, Row, Running, Session, StatementEnd, cancel};

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
    /// How long it may run.
    pub limit: Option<Duration>,
    /// Told how far SQL Server says its statement is.
    pub percent: &'a dyn Fn(&Percent),
}

/// What it came to.
#[derive(Debug)]
pub enum PlainEnd {
    /// The statement ended.
    Ended(StatementEnd),
    /// The operator stopped it, or its time was over, and its session is gone.
    Stopped,
    /// The same; whether it still runs is not known.
    Lingers,
}

impl PlainJob<'_> {
    /// Runs it. A statement that is stopped is cancelled, and its session's end awaited.
    ///
    /// # Errors
    /// Those of the work connection: then the statement was never sent.
    pub fn run(&self, sql: String, control: &mut Session) -> Result<PlainEnd, Fault> {
        let running = self.work()?.start(sql)?;
        Ok(self.watch(running, control))
    }

    /// The same for a statement that returns any number of rows: `each` takes them as they come.
    ///
    /// # Errors
    /// As [`PlainJob::run`].
    pub fn run_each(
        &self,
        sql: String,
        each: impl FnMut(&Row) + Send + 'static,
        control: &mut Session,
    ) -> Result<PlainEnd, Fault> {
        let running = self.work()?.start_each(sql, each)?;
        Ok(self.watch(running, control))
    }

    fn work(&self) -> Result<Session, Fault> {
        Connector::new(self.settings.clone(), self.run).open(Purpose::Work)
    }

    fn watch(&self, running: Running, control: &mut Session) -> PlainEnd {
        let (begun, mut asked) = (Instant::now(), Instant::now());
        loop {
            if let Some(end) = running.wait(GLANCE) {
                return PlainEnd::Ended(end);
            }
            let over = self.limit.is_some_and(|limit| begun.elapsed() >= limit);
            if over || self.stop.load(Ordering::Relaxed) {
                return match cancel(running, control) {
                    Ok(Cancelled::Gone | Cancelled::Killed) => PlainEnd::Stopped,
                    Ok(_) => PlainEnd::Lingers,
                    Err(fault) => {
                        tracing::warn!(%fault, "the statement could not be cancelled");
                        PlainEnd::Lingers
                    }
                };
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
