//! A process of this program that takes a backup or runs a check.
//!
//! It is told to stop by closing its standard input (`--attended`), which also happens when the
//! service dies, and works on every system.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use super::input::Input;
use super::outcome::Outcome;

/// Most bytes of a result that are read.
const MAX_RESULT: u64 = 16 << 20;
/// Longest line of progress that is kept.
const MAX_LINE: usize = 4096;

/// A process that runs.
#[derive(Debug)]
pub(super) struct Child {
    process: Arc<Mutex<std::process::Child>>,
    stdin: Option<ChildStdin>,
    progress: Arc<Mutex<Option<Value>>>,
}

impl Child {
    /// Starts a verb with a configuration; its end is told for `job`.
    pub(super) fn start(
        (program, file): (&Path, &Path),
        verb: &[String],
        job: u64,
        tell: Sender<Input>,
    ) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.arg("--config").arg(file);
        command.args(["--json", "--attended", "--log-level", "info"]);
        command.args(verb);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn()?;
        let stdin = process.stdin.take();
        let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
        let process = Arc::new(Mutex::new(process));
        let progress = Arc::new(Mutex::new(None));
        if let Some(stderr) = stderr {
            let (progress, wish) = (progress.clone(), tell.clone());
            thread::Builder::new()
                .name(format!("job-{job}-log"))
                .spawn(move || follow(stderr, job, &progress, &wish))?;
        }
        let ends = process.clone();
        thread::Builder::new()
            .name(format!("job-{job}"))
            .spawn(move || {
                let outcome = wait(stdout, &ends);
                // Nobody listens any more when the service has ended.
                let _ = tell.send(Input::Ended { job, outcome });
            })?;
        Ok(Self {
            process,
            stdin,
            progress,
        })
    }

    /// Asks it to stop: what it wrote is taken back, or kept unconfirmed.
    pub(super) fn stop(&mut self) {
        self.stdin = None;
    }

    /// Ends it as a crash would; the next run recovers.
    pub(super) fn kill(&self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has ended already needs no killing.
        let _ = process.kill();
    }

    /// How far it is, as it said last.
    pub(super) fn progress(&self) -> Option<Value> {
        let progress = self.progress.lock();
        progress.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads the result, then the exit code.
fn wait(stdout: Option<impl Read>, process: &Mutex<std::process::Child>) -> Outcome {
    let mut text = String::new();
    if let Some(stdout) = stdout {
        // A result that is no text is none.
        let _ = stdout.take(MAX_RESULT).read_to_string(&mut text);
    }
    // Standard output is closed: the process is at its end, so the lock is held shortly.
    let ended = process
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .wait();
    let code = ended.ok().and_then(|status| status.code());
    Outcome {
        code: code.and_then(|code| u8::try_from(code).ok()),
        object: serde_json::from_str(text.trim()).ok(),
    }
}

/// Says what it logs in our own log, and keeps the last line of progress.
fn follow(stderr: impl Read, job: u64, progress: &Mutex<Option<Value>>, tell: &Sender<Input>) {
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        match serde_json::from_slice::<Value>(&line) {
            Ok(value) if value.get("level").is_some() => logged(job, &value),
            Ok(value) if line.len() <= MAX_LINE => {
                if let Some(wish) = wished(job, &value) {
                    // Nobody listens any more when the service has ended.
                    let _ = tell.send(wish);
                }
                *progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            }
            // A panic, or the words of a plugin.
            _ => tracing::warn!(job, "{}", String::from_utf8_lossy(&line)),
        }
    }
}

/// That a device waits for the operator, if the line says so.
fn wished(job: u64, line: &Value) -> Option<Input> {
    let said = line.get("operator")?;
    let text = |key: &str| Some(said.get(key)?.as_str()?.to_owned());
    Some(Input::Wished {
        job,
        device: text("device")?,
        wish: text("wish")?,
    })
}

/// One line of its log: the message, and what else it says of it.
fn logged(job: u64, line: &Value) {
    let fields = line.get("fields").and_then(Value::as_object);
    let message = fields.and_then(|fields| fields.get("message")?.as_str());
    let message = message.unwrap_or_default();
    let more: Vec<String> = fields
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != "message")
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let more = more.join(" ");
    match line.get("level").and_then(Value::as_str) {
        Some("ERROR") => tracing::error!(job, more, "{message}"),
        Some("WARN") => tracing::warn!(job, more, "{message}"),
        Some("INFO") => tracing::info!(job, more, "{message}"),
        _ => tracing::debug!(job, more, "{message}"),
    }
}
