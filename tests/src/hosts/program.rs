//! Runs the programs that users run, with a deadline, and keeps what they say.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Nothing that is run here takes longer; what does, hangs.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Lines of one program that are kept; later ones are lost.
const MAX_LINES: usize = 200_000;

/// A program that has ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit code, -1 after a signal.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
    /// What was typed.
    pub line: String,
}

impl Ran {
    /// The one JSON object on standard output; null when there is none.
    #[must_use]
    pub fn object(&self) -> Value {
        serde_json::from_str(self.stdout.trim()).unwrap_or(Value::Null)
    }

    /// It must have ended with this exit code.
    ///
    /// # Errors
    /// It ended otherwise.
    pub fn ended(self, code: i32) -> io::Result<Self> {
        if self.code == code {
            return Ok(self);
        }
        let Self { line, stdout, .. } = &self;
        let text = format!("{line} ended with {}, not {code}: {stdout}", self.code);
        Err(io::Error::other(text))
    }
}

/// A line of standard error.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it came.
    pub at: Instant,
    /// The line.
    pub text: String,
}

/// What a program has said so far.
#[derive(Debug, Default)]
struct Heard {
    said: Mutex<(Vec<Line>, bool)>,
    more: Condvar,
}

impl Heard {
    fn listen(&self, pipe: impl Read) {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = Line {
                at: Instant::now(),
                text: String::from_utf8_lossy(&line).into_owned(),
            };
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.0.len() < MAX_LINES {
                said.0.push(line);
            }
            self.more.notify_all();
        }
        self.said.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.more.notify_all();
    }

    /// What comes behind the first `known` lines, waiting until then; `None` at its end.
    fn next(&self, known: usize, until: Instant) -> io::Result<Option<Line>> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(line) = said.0.get(known) {
                return Ok(Some(line.clone()));
            }
            let left = until.saturating_duration_since(Instant::now());
            if said.1 {
                return Ok(None);
            }
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let waited = self.more.wait_timeout(said, left);
            said = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A program that runs; killed when it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    heard: Arc<Heard>,
    stdout: Option<JoinHandle<String>>,
    known: usize,
    begun: Instant,
    line: String,
}

impl Running {
    /// Starts a program; its standard error is read line by line.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(program: &Path, args: &[impl AsRef<OsStr>], folder: &Path) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(folder)
            .env_remove("TWINSET_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let gone = || io::Error::other("a pipe is missing");
        let mut out = child.stdout.take().ok_or_else(gone)?;
        let err = child.stderr.take().ok_or_else(gone)?;
        let stdout = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = out.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let heard = Arc::new(Heard::default());
        let listening = Arc::clone(&heard);
        std::thread::spawn(move || listening.listen(err));
        Ok(Self {
            child,
            heard,
            stdout: Some(stdout),
            known: 0,
            begun: Instant::now(),
            line: format!("{command:?}"),
        })
    }

    /// Waits until a line of standard error holds `text`, behind those that were waited for before;
    /// gives that line, or nothing when the program ends before.
    ///
    /// # Errors
    /// Nothing of the kind within [`PATIENCE`].
    pub fn says(&mut self, text: &str) -> io::Result<Option<Line>> {
        self.finds(|line| line.contains(text))
            .map_err(|_| self.hangs(text))
    }

    /// Waits until so many of its lines hold `text`, those before what was waited for too: for what
    /// its threads say in any order. False when it ends before.
    ///
    /// # Errors
    /// As [`Self::says`].
    pub fn has_said(&self, text: &str, times: usize) -> io::Result<bool> {
        let until = Instant::now() + PATIENCE;
        let (mut known, mut met) = (0, 0);
        while met < times {
            match self.heard.next(known, until) {
                Ok(Some(line)) => met += usize::from(line.text.contains(text)),
                Ok(None) => return Ok(false),
                Err(_) => return Err(self.hangs(text)),
            }
            known += 1;
        }
        Ok(true)
    }

    /// As [`Self::says`], with any question to the line.
    ///
    /// # Errors
    /// As [`Self::says`].
    pub fn finds(&mut self, mut wanted: impl FnMut(&str) -> bool) -> io::Result<Option<Line>> {
        let until = Instant::now() + PATIENCE;
        while let Some(line) = self.heard.next(self.known, until)? {
            self.known += 1;
            if wanted(&line.text) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// Everything that it said so far.
    #[must_use]
    pub fn said(&self) -> Vec<Line> {
        let said = self.heard.said.lock();
        said.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Lets it run for so long; false when it ended before.
    #[must_use]
    pub fn runs_for(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            match self.heard.next(self.known, until) {
                Ok(Some(_)) => self.known += 1,
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }

    /// Whether it runs still.
    #[must_use]
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it as a power cut would: SIGKILL. What it said until then can still be read.
    pub fn kill(&mut self) {
        // One that has ended cannot be killed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its last words; whoever still holds the pipe has nothing to add.
        let _ = self.finds(|_| false);
    }

    /// Stops it as an operator does, and waits for its end.
    ///
    /// # Errors
    /// It does not end within [`PATIENCE`].
    pub fn stop(mut self) -> io::Result<Ran> {
        self.interrupt()?;
        self.ended()
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, as Ctrl-C does: SIGINT.
    ///
    /// # Errors
    /// The system's.
    pub fn interrupt(&self) -> io::Result<()> {
        let id = rustix::process::Pid::from_child(&self.child);
        Ok(rustix::process::kill_process(
            id,
            rustix::process::Signal::INT,
        )?)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It does not end within [`PATIENCE`].
    pub fn end(mut self) -> io::Result<Ran> {
        self.ended()
    }

    /// The same for one that is asked later what it said.
    ///
    /// # Errors
    /// As [`Self::end`].
    pub fn ended(&mut self) -> io::Result<Ran> {
        if self.finds(|_| false).is_err() {
            return Err(self.hangs("its end"));
        }
        let status = self.child.wait()?;
        let stdout = self.stdout.take().map(JoinHandle::join);
        Ok(Ran {
            code: status.code().unwrap_or(-1),
            stdout: stdout.and_then(Result::ok).unwrap_or_default(),
            stderr: self.text(),
            took: self.begun.elapsed(),
            line: self.line.clone(),
        })
    }

    fn text(&self) -> String {
        let said = self.said().into_iter();
        said.map(|line| line.text + "\n").collect()
    }

    fn hangs(&self, wanted: &str) -> io::Error {
        let text = format!(
            "waited for {wanted:?} of {} in vain; it said:\n{}",
            self.line,
            self.text()
        );
        io::Error::new(io::ErrorKind::TimedOut, text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be killed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(stdout) = self.stdout.take() {
            let _ = stdout.join();
        }
    }
}
