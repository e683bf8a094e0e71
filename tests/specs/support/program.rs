//! Runs the programs that users run: what goes wrong with that fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use twinset_tests::hosts::program;
use twinset_tests::hosts::programs;

/// A file beside the test's own folder of the build.
#[track_caller]
pub(crate) fn built(name: &str) -> PathBuf {
    programs::built(name).unwrap()
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

impl From<program::Ran> for Ran {
    fn from(ran: program::Ran) -> Self {
        Self {
            code: ran.code,
            stdout: ran.stdout,
            stderr: ran.stderr,
            took: ran.took,
            line: ran.line,
        }
    }
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

/// A program that runs; killed when it is dropped.
pub(crate) struct Running(program::Running);

impl From<program::Running> for Running {
    fn from(running: program::Running) -> Self {
        Self(running)
    }
}

impl Running {
    /// Starts a program; its standard error is read line by line.
    #[track_caller]
    pub(crate) fn start(program: &Path, args: &[impl AsRef<OsStr>], folder: &Path) -> Self {
        Self(program::Running::start(program, args, folder).unwrap())
    }

    /// Waits until a line of standard error holds `text`; false when the program ends before.
    #[track_caller]
    pub(crate) fn says(&mut self, text: &str) -> bool {
        match self.0.says(text) {
            Ok(line) => line.is_some(),
            Err(hangs) => panic!("{hangs}"),
        }
    }

    /// Waits until so many lines of standard error hold `text`, whatever was waited for before; false
    /// when the program ends before.
    #[track_caller]
    pub(crate) fn has_said(&self, text: &str, times: usize) -> bool {
        self.0
            .has_said(text, times)
            .unwrap_or_else(|hangs| panic!("{hangs}"))
    }

    /// The next line of standard error that holds `text`.
    #[track_caller]
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        match self.0.says(text) {
            Ok(Some(line)) => line.text,
            Ok(None) => panic!("it ended without saying {text:?}"),
            Err(hangs) => panic!("{hangs}"),
        }
    }

    /// Lets it run for so long; false when it ended before.
    pub(crate) fn runs_for(&mut self, time: Duration) -> bool {
        self.0.runs_for(time)
    }

    /// Ends it as a power cut would: SIGKILL.
    pub(crate) fn kill(mut self) {
        self.0.kill();
    }

    /// Stops it as an operator does, and waits for its end.
    #[track_caller]
    pub(crate) fn stop(self) -> Ran {
        self.interrupt();
        self.end()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to stop, as Ctrl-C does: SIGINT.
    #[track_caller]
    pub(crate) fn interrupt(&self) {
        self.0.interrupt().unwrap();
    }

    /// Holds it, as a frozen virtual machine is held: SIGSTOP.
    pub(crate) fn freeze(&self) {
        self.send(rustix::process::Signal::STOP);
    }

    /// Lets it go on: SIGCONT.
    pub(crate) fn thaw(&self) {
        self.send(rustix::process::Signal::CONT);
    }

    fn send(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_raw(i32::try_from(self.id()).unwrap());
        rustix::process::kill_process(id.unwrap(), signal).unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(self) -> Ran {
        match self.0.end() {
            Ok(ran) => ran.into(),
            Err(hangs) => panic!("{hangs}"),
        }
    }
}
