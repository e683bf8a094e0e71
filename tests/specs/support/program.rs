//! Runs the programs that users run, with a deadline.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Nothing that is tested here takes longer; what does, hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A file beside the test's own folder of the build.
pub(crate) fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(
        path.exists(),
        "{} is missing; run: cargo build --workspace first",
        path.display()
    );
    path
}

/// Says that a test was left out, and why.
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code, -1 after a signal.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// How long it took.
    pub(crate) took: Duration,
    line: String,
}

impl Ran {
    /// It must have ended with this exit code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "{}\n{}\n{}",
            self.line, self.stdout, self.stderr
        );
        self
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub(crate) fn object(&self) -> Value {
        let text = self.stdout.trim();
        serde_json::from_str(text)
            .unwrap_or_else(|error| panic!("{}: {error}: {text:?}\n{}", self.line, self.stderr))
    }

    /// `result` of the JSON object.
    #[track_caller]
    pub(crate) fn result(&self) -> Value {
        self.object()["result"].clone()
    }

    /// It must have failed with this code of Twinset or SQL Server; gives the fault.
    #[track_caller]
    pub(crate) fn failed(&self, code: &str) -> Value {
        let fault = self.object()["error"].clone();
        assert_eq!(
            fault["code"], code,
            "{}\n{}\n{}",
            self.line, self.stdout, self.stderr
        );
        assert_ne!(fault["message"], "", "no message: {fault}");
        assert_ne!(fault["object"], "", "no object: {fault}");
        assert_ne!(fault["remedy"], "", "no remedy: {fault}");
        fault
    }
}

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    stdout: JoinHandle<String>,
    seen: String,
    begun: Instant,
    line: String,
}

impl Running {
    /// Starts a program; its standard error is read line by line.
    pub(crate) fn start(program: &Path, args: &[impl AsRef<OsStr>], folder: &Path) -> Self {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(folder)
            .env_remove("TWINSET_LOG");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let stdout = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = out.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(err).split(b'\n').map_while(Result::ok) {
                let _ = tell.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
        let line = format!("{command:?}");
        Self {
            child,
            lines,
            stdout,
            seen: String::new(),
            begun: Instant::now(),
            line,
        }
    }

    /// Waits until a line of standard error holds `text`; false when the program ends before.
    pub(crate) fn says(&mut self, text: &str) -> bool {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let found = line.contains(text);
                    self.seen.push_str(&line);
                    self.seen.push('\n');
                    if found {
                        return true;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => self.hangs(),
            }
        }
    }

    /// The next line of standard error that holds `text`.
    #[track_caller]
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        assert!(
            self.says(text),
            "it ended without saying {text:?}:\n{}",
            self.seen
        );
        self.seen.lines().last().unwrap_or_default().to_owned()
    }

    /// Lets it run for so long; false when it ended before.
    pub(crate) fn runs_for(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(line) => self.seen.push_str(&line),
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => return true,
            }
        }
    }

    /// Ends it as a power cut would: SIGKILL.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.stdout.join();
    }

    /// Stops it as an operator does, and waits for its end.
    pub(crate) fn stop(self) -> Ran {
        self.interrupt();
        self.end()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, as Ctrl-C does: SIGINT.
    pub(crate) fn interrupt(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ran {
        let until = Instant::now() + PATIENCE;
        loop {
            match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    self.seen.push_str(&line);
                    self.seen.push('\n');
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => self.hangs(),
            }
        }
        let status: ExitStatus = self.child.wait().unwrap();
        Ran {
            code: status.code().unwrap_or(-1),
            stdout: self.stdout.join().unwrap(),
            stderr: self.seen,
            took: self.begun.elapsed(),
            line: self.line,
        }
    }

    fn hangs(&mut self) -> ! {
        let _ = self.child.kill();
        let _ = self.child.wait();
        panic!("{} hangs; it said:\n{}", self.line, self.seen)
    }
}
