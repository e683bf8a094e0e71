//! A program as a receiver: JSON on its standard input, its exit code as the answer.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::trust::{self, Keep};

/// Most bytes of its standard error that are read.
const MAX_ERRORS: u64 = 4096;
/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How long what it wrote is waited for behind its end: a child of its own may hold the pipe.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// What it finds in its environment, besides nothing: the agent's may hold passwords.
const ENVIRONMENT: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// A program with its arguments.
#[derive(Debug)]
pub struct Program {
    /// Whole path and arguments.
    pub line: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

impl Program {
    pub(super) fn tell(&self, body: String) -> Result<(), String> {
        let (program, arguments) = self.line.split_first().ok_or("no program")?;
        if let Some(found) = trust::unsafe_for(Path::new(program), Keep::FromWriting)
            .map_err(|error| format!("{program}: {error}"))?
        {
            return Err(format!(
                "{} {}: not started",
                found.path.display(),
                found.why
            ));
        }
        let kept = ENVIRONMENT.iter();
        let kept = kept.filter_map(|name| Some((*name, std::env::var_os(name)?)));
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(kept)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program} cannot be started: {error}"))?;
        let errors = talk(&mut child, body);
        let ended = self.wait(&mut child);
        let words = errors.recv_timeout(LAST_WORDS).unwrap_or_default();
        let said = match words.trim() {
            "" => String::new(),
            words => format!(": {words}"),
        };
        match ended? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("{program} ended with {status}{said}")),
            None => Err(format!(
                "{program} took longer than {} s and was ended{said}",
                self.timeout.as_secs()
            )),
        }
    }

    fn wait(&self, child: &mut Child) -> Result<Option<ExitStatus>, String> {
        let until = Instant::now() + self.timeout;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(Some(status)),
                Ok(None) if Instant::now() < until => thread::sleep(LOOK),
                Ok(None) => {
                    // It may have ended meanwhile; what counts is that it is gone.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Ok(None);
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// Writes the body and reads errors aside: a program that does neither must not hold us up.
fn talk(child: &mut Child, body: String) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read is no failure: its exit code counts.
        thread::spawn(move || {
            let _ = input.write_all(body.as_bytes());
        });
    }
    if let Some(errors) = child.stderr.take() {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = errors.take(MAX_ERRORS).read_to_end(&mut bytes);
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        });
    }
    receiver
}
