//! What a service says, read from its log: states, jobs, refusals, warnings.

use std::fmt;
use std::io;
use std::time::Instant;

use serde_json::Value;

use super::program::{Ran, Running};

/// One thing that a service said of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Its protection stands like this from now on, or something of it was noted.
    State(String),
    /// A job began: what, and why.
    Begins(String, String),
    /// A job ended: what, its exit code (none when it was killed), the code of its fault.
    Ended(String, Option<i64>, Option<String>),
    /// A warning.
    Warning(String),
    /// Anything else.
    Note(String),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(text) | Self::Note(text) => f.write_str(text),
            Self::Begins(what, why) => write!(f, "{what} begins ({why})"),
            Self::Ended(what, Some(0), _) => write!(f, "{what} is done"),
            Self::Ended(what, code, fault) => {
                let fault = fault.as_deref().unwrap_or("no fault");
                match code {
                    Some(code) => write!(f, "{what} ended with {code}: {fault}"),
                    None => write!(f, "{what} was killed"),
                }
            }
            Self::Warning(text) => write!(f, "warning: {text}"),
        }
    }
}

impl Said {
    /// Reads a line of the log in JSON; nothing when it is none.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(line).ok()?;
        let fields = line.get("fields")?;
        let text = |key: &str| fields.get(key).and_then(Value::as_str).map(str::to_owned);
        let message = text("message")?;
        if line["level"] != "INFO" {
            let code = text("code").map(|code| code + " ").unwrap_or_default();
            let about = text("message_1").or_else(|| text("instance"));
            let about = about.map(|about| about + " ").unwrap_or_default();
            return Some(Self::Warning(format!("{code}{about}{message}")));
        }
        let what = text("what").map(|what| plain(&what));
        Some(match (message.as_str(), what) {
            ("begins", Some(what)) => Self::Begins(what, text("why").unwrap_or_default()),
            ("has ended", Some(what)) => Self::Ended(what, fields["code"].as_i64(), text("error")),
            _ if fields.get("database").is_some() && fields.get("job").is_none() => {
                Self::State(message)
            }
            _ => Self::Note(message),
        })
    }
}

/// `Backup(Full)` as people say it.
fn plain(what: &str) -> String {
    let inner = what
        .strip_prefix("Backup(")
        .and_then(|rest| rest.strip_suffix(')'));
    match inner {
        Some(kind) => format!("{} backup", kind.to_lowercase()),
        None => what.to_lowercase(),
    }
}

/// The service of an agent.
#[derive(Debug)]
pub struct Service {
    /// The agent.
    pub agent: &'static str,
    running: Running,
}

impl Service {
    /// A running service of an agent.
    #[must_use]
    pub const fn new(agent: &'static str, running: Running) -> Self {
        Self { agent, running }
    }

    /// Waits until it says something of the kind, behind what was waited for before.
    ///
    /// # Errors
    /// It ends before, or says nothing of the kind within [`super::program::PATIENCE`].
    pub fn until(
        &mut self,
        wanted: &str,
        mut is_it: impl FnMut(&Said) -> bool,
    ) -> io::Result<(Instant, Said)> {
        let mut found = None;
        let line = self.running.finds(|line| {
            found = Said::parse(line).filter(&mut is_it);
            found.is_some()
        });
        match (line, found) {
            (Ok(Some(line)), Some(said)) => Ok((line.at, said)),
            (Err(_), _) => Err(self.mute(wanted, "did not say")),
            _ => Err(self.mute(wanted, "ended without saying")),
        }
    }

    /// Waits for a state that begins like this.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub fn state(&mut self, begins: &str) -> io::Result<(Instant, Said)> {
        let is_it = |said: &Said| matches!(said, Said::State(text) if text.starts_with(begins));
        self.until(begins, is_it)
    }

    /// Waits for the end of a job that did its work.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub fn done(&mut self, what: &str) -> io::Result<(Instant, Said)> {
        let is_it = |said: &Said| matches!(said, Said::Ended(job, Some(0 | 3), _) if job == what);
        self.until(&format!("{what} is done"), is_it)
    }

    /// Everything that it said, with the moments.
    #[must_use]
    pub fn said(&self) -> Vec<(Instant, Said)> {
        let lines = self.running.said().into_iter();
        lines
            .filter_map(|line| Some((line.at, Said::parse(&line.text)?)))
            .collect()
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.running.id()
    }

    /// Ends it as a power cut would; gives everything that it said.
    #[must_use]
    pub fn kill(mut self) -> Vec<(Instant, Said)> {
        self.running.kill();
        self.said()
    }

    /// Stops it as an operator does, and waits for its end; gives everything that it said, too.
    ///
    /// # Errors
    /// It hangs.
    pub fn stop(mut self) -> io::Result<(Ran, Vec<(Instant, Said)>)> {
        self.running.interrupt()?;
        let ran = self.running.ended()?;
        let said = self.said();
        Ok((ran, said))
    }

    fn mute(&self, wanted: &str, how: &str) -> io::Error {
        let said = self.said().into_iter();
        let said: Vec<String> = said.map(|(_, said)| format!("  {said}")).collect();
        let text = format!(
            "the service of {} {how} {wanted:?}; it said:\n{}",
            self.agent,
            said.join("\n")
        );
        io::Error::new(io::ErrorKind::TimedOut, text)
    }
}
