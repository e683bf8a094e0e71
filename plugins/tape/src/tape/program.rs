//! Other programs that this plugin runs: no shell, an empty environment, an end in any case, and only
//! files that nobody but the administrator can change.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use twinset_plugin_api::{DeviceError, Host, Outcome};

use super::errors::refused;
use super::os;

#[cfg(test)]
mod tests;

/// Between two looks at a program that runs.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes of what a program prints that are read; a library of 10,000 slots needs less than 1 MiB.
const PRINTED_MAX: u64 = 4 << 20;
/// Bytes of a program's complaint that are told.
const COMPLAINT_MAX: usize = 300;

/// A program of somebody else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program<'a> {
    /// Where it is.
    pub(crate) path: &'a Path,
    /// The option that names it, and what messages call it.
    pub(crate) key: &'a str,
    /// The package that brings it.
    pub(crate) package: &'a str,
}

impl Program<'_> {
    /// Its real place, which nobody but root and the agent's user can change: it runs as the agent.
    ///
    /// # Errors
    /// [`Outcome::BAD_OPTION`] when others may change it, [`Outcome::PERMANENT`] when it is not
    /// there.
    pub(crate) fn trusted(&self) -> Result<PathBuf, DeviceError> {
        let (shown, key) = (self.path.display(), self.key);
        let absent = |error: std::io::Error| {
            let package = self.package;
            let text = format!("{shown}: {error}; install {package}, or name it: `{key}`");
            DeviceError::new(Outcome::PERMANENT, text)
        };
        let real = self.path.canonicalize().map_err(absent)?;
        let steps = real.ancestors().chain(self.path.ancestors());
        for step in steps {
            if let Some(why) = os::changed_by_others(step).map_err(absent)? {
                let step = step.display();
                let text = format!(
                    "{key}: others may change the program {shown}: {step} {why}; set it right \
                     by: chown root {step} && chmod go-w {step}"
                );
                return Err(DeviceError::new(Outcome::BAD_OPTION, text));
            }
        }
        Ok(real)
    }

    /// Runs it to its end and gives what it printed.
    ///
    /// # Errors
    /// As [`Program::trusted`]; [`Outcome::PERMANENT`] with its complaint when it fails,
    /// [`Outcome::TRANSIENT`] when it takes too long, [`Outcome::CANCELLED`].
    pub(crate) fn run(
        &self,
        line: &[&OsStr],
        stdin: Stdio,
        (longest, host): (Duration, &Host),
    ) -> Result<Vec<u8>, DeviceError> {
        let words: Vec<_> = line.iter().map(|word| word.to_string_lossy()).collect();
        let shown = format!("{} {}", self.key, words.join(" "));
        let mut command = os::command(&self.trusted()?, self.path);
        command.args(line).env_clear().env("LC_ALL", "C");
        command.stdin(stdin);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            let (path, package) = (self.path.display(), self.package);
            let text = format!(
                "{path}: {error}; install {package}, or name it: `{}`",
                self.key
            );
            DeviceError::new(Outcome::PERMANENT, text)
        })?;
        let printed = child.stdout.take().map(listen);
        let complaint = child.stderr.take().map(listen);
        let status = match end_of(&mut child, longest, host) {
            Ok(status) => status,
            Err(error) => {
                // What it began a library ends by itself; it is asked again before the next move.
                let _ = child.kill();
                let _ = child.wait();
                let text = format!("{shown}: {}", error.text);
                return Err(DeviceError::new(error.outcome, text));
            }
        };
        let heard = |thread: Option<thread::JoinHandle<Vec<u8>>>| {
            let heard = thread.and_then(|thread| thread.join().ok());
            heard.unwrap_or_default()
        };
        let (printed, complaint) = (heard(printed), heard(complaint));
        if status.success() {
            return Ok(printed);
        }
        let said = String::from_utf8_lossy(&complaint);
        let said = said.trim().replace(['\n', '\r'], "; ");
        let said: String = said.chars().filter(|c| !c.is_control()).collect();
        let said: String = said.chars().take(COMPLAINT_MAX).collect();
        let text = format!("{shown}: {status}: {said}");
        Err(DeviceError::new(Outcome::PERMANENT, text))
    }
}

fn end_of(child: &mut Child, longest: Duration, host: &Host) -> Result<ExitStatus, DeviceError> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if begun.elapsed() >= longest => {
                let text = format!("it had not ended after {} s", longest.as_secs());
                return Err(DeviceError::new(Outcome::TRANSIENT, text));
            }
            Ok(None) => wait(host, LOOK)?,
            Err(error) => return Err(refused(error.to_string())),
        }
    }
}

/// Reads what a program prints, as much as is of use; the rest is read and let go.
fn listen(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.by_ref().take(PRINTED_MAX).read_to_end(&mut bytes);
        let _ = std::io::copy(&mut from, &mut std::io::sink());
        bytes
    })
}

/// A nap, unless the agent wants the call to end.
pub(crate) fn wait(host: &Host, time: Duration) -> Result<(), DeviceError> {
    if host.should_stop() {
        let text = "the agent asked to stop";
        return Err(DeviceError::new(Outcome::CANCELLED, text));
    }
    thread::sleep(time);
    Ok(())
}
