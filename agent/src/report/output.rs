//! Results and faults, for people or for programs.

use std::fmt::{self, Display, Write as _};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use twinset_domain::{Exit, Fault};

use super::progress::{Progress, Reporter, Style, aside};

/// Where results, faults and progress of one command go.
pub struct Output {
    json: bool,
    progress: Arc<Reporter>,
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("json", &self.json)
            .finish_non_exhaustive()
    }
}

/// The one object of `--json`.
#[derive(Serialize)]
struct End<'a, R> {
    code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Fault>,
    /// All faults, when there are several; `error` is the first that decides the end.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
}

impl Output {
    /// The output of this process: `json` for programs, else for people, with a bar when
    /// standard error is a terminal and plain lines otherwise.
    #[must_use]
    pub fn new(json: bool, no_progress: bool) -> Self {
        let style = match (no_progress, json) {
            (true, false) => Style::Notes,
            (true, true) => Style::Silent,
            (false, true) => Style::Json,
            (false, false) if io::stderr().is_terminal() => Style::Bar,
            (false, false) => Style::Lines,
        };
        Self::with(json, style, Box::new(io::stdout()), Box::new(io::stderr()))
    }

    /// An output to other places.
    #[must_use]
    pub fn with(
        json: bool,
        style: Style,
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
    ) -> Self {
        let progress = Arc::new(Reporter::new(style));
        Self {
            json,
            progress,
            out: Mutex::new(out),
            err: Mutex::new(err),
        }
    }

    /// Whether a program reads this.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Where long work says how far it is.
    #[must_use]
    pub fn progress(&self) -> Arc<dyn Progress> {
        self.progress.clone()
    }

    /// A line of the result for people; nothing for programs, which get it at the end.
    pub fn line(&self, text: impl Display) {
        if !self.json {
            // A reader that went away does not stop a backup.
            let _ = aside(|| writeln!(lock(&self.out), "{text}"));
        }
    }

    /// Something to look at that is no failure of the command, for people.
    pub fn warn(&self, text: impl Display) {
        if !self.json {
            let _ = aside(|| writeln!(lock(&self.err), "warning {text}"));
        }
    }

    /// Ends the command: the JSON object for programs, the fault for people. Returns how the
    /// process ends: as the result says, or as the fault's code does.
    pub fn finish<R: Serialize>(&self, outcome: Result<(Exit, R), Fault>) -> Exit {
        match outcome {
            Ok((exit, result)) => self.end(exit, Some(result), &[]),
            Err(fault) => self.end(fault.exit(), None::<R>, &[fault]),
        }
    }

    /// Ends a command that failed with several faults: the worst decides.
    pub fn finish_faults(&self, faults: &[Fault]) -> Exit {
        let exits = faults.iter().map(Fault::exit);
        self.end(exits.fold(Exit::Done, Exit::worst), None::<()>, faults)
    }

    /// Ends a command that has a result and yet failed in parts.
    pub fn finish_both<R: Serialize>(&self, exit: Exit, result: R, faults: &[Fault]) -> Exit {
        let exits = faults.iter().map(Fault::exit);
        self.end(exits.fold(exit, Exit::worst), Some(result), faults)
    }

    fn end<R: Serialize>(&self, exit: Exit, result: Option<R>, faults: &[Fault]) -> Exit {
        self.progress.end();
        let written = if self.json {
            let errors = if faults.len() > 1 { faults } else { &[] };
            let deciding = faults.iter().find(|fault| fault.exit() == exit);
            let error = deciding.or(faults.first());
            let end = End {
                code: exit.code(),
                result,
                error,
                errors,
            };
            let text = serde_json::to_string(&end).map_err(io::Error::from);
            text.and_then(|text| {
                let mut out = lock(&self.out);
                writeln!(out, "{text}").and_then(|()| out.flush())
            })
        } else {
            let print = |fault: &Fault| writeln!(lock(&self.err), "{}", fault_text(fault));
            let told = faults.iter().try_for_each(print);
            lock(&self.out).flush().and(told)
        };
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => exit.worst(Exit::Failed),
            _ => exit,
        }
    }
}

/// A fault as people read it: `error CODE object: message`, causes, remedy.
#[must_use]
pub fn fault_text(fault: &Fault) -> String {
    let mut text = format!("error {} {}: {}", fault.code, fault.object, fault.message);
    for cause in &fault.causes {
        // Writing into a string cannot fail.
        let _ = write!(text, "\n  cause: {cause}");
    }
    if !fault.remedy.is_empty() {
        let _ = write!(text, "\n  remedy: {}", fault.remedy);
    }
    text
}

fn lock<T: ?Sized>(mutex: &Mutex<Box<T>>) -> std::sync::MutexGuard<'_, Box<T>> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
