//! The log of the process, on standard error.

mod file;

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::progress::aside;
use file::LogFile;

/// Environment variable that says the level when the command line does not. It may also hold
/// directives such as `info,twinset::media=debug`.
const VARIABLE: &str = "TWINSET_LOG";

/// The driver may write statements and server texts; what it says of failures comes as faults.
const DRIVER: [&str; 2] = ["tiberius=off", "rustls=warn"];

/// What is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Only what failed
    Error,
    /// Also what needs a look
    Warn,
    /// Also what was done
    Info,
    /// Also how
    Debug,
    /// Everything
    Trace,
}

impl Level {
    const fn directive(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Starts the log: at `level`, else as `TWINSET_LOG` says, else at `warn`; as JSON lines when
/// standard error is for programs. A second call changes nothing.
pub fn init(level: Option<Level>, json: bool) {
    let said = std::env::var(VARIABLE).ok();
    let filter = filter(level, said.as_deref());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Sinks);
    // The second start fails, and the first one holds.
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.with_ansi(false).try_init()
    };
}

fn filter(level: Option<Level>, said: Option<&str>) -> EnvFilter {
    let base = match (level, said) {
        (Some(level), _) => level.directive(),
        (None, Some(said)) if !said.trim().is_empty() => said,
        (None, _) => Level::Warn.directive(),
    };
    let parsed = EnvFilter::try_new(base);
    let filter = parsed.unwrap_or_else(|_| EnvFilter::new(Level::Warn.directive()));
    DRIVER
        .iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(filter, |filter, directive| filter.add_directive(directive))
}

/// Lets the log go into a file too, from now on, and hands lines that need a look to `tell`; true
/// means that something failed. Who has no standard error, as a service of Windows, reads it there.
///
/// # Errors
/// The file or its folder cannot be made.
pub fn into_file(path: &Path, tell: fn(bool, &str)) -> io::Result<()> {
    let file = Mutex::new(LogFile::open(path)?);
    // The first holds.
    let _ = BESIDES.set(Besides { file, tell });
    Ok(())
}

/// What [`into_file`] was given.
struct Besides {
    file: Mutex<LogFile>,
    tell: fn(bool, &str),
}

static BESIDES: OnceLock<Besides> = OnceLock::new();

/// Standard error, with the progress bar out of the way, and the file if there is one.
#[derive(Clone, Copy, Debug)]
struct Sink {
    level: tracing::Level,
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(Besides { file, tell }) = BESIDES.get() {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            // A full disk costs lines, not the service.
            let _ = file.write(line);
            drop(file);
            if self.level <= tracing::Level::WARN {
                let grave = self.level == tracing::Level::ERROR;
                tell(grave, String::from_utf8_lossy(line).trim_end());
            }
        }
        aside(|| io::stderr().write_all(line)).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a [`Sink`] for each line.
#[derive(Clone, Copy, Debug)]
struct Sinks;

impl<'a> MakeWriter<'a> for Sinks {
    type Writer = Sink;

    fn make_writer(&'a self) -> Sink {
        let level = tracing::Level::INFO;
        Sink { level }
    }

    fn make_writer_for(&'a self, line: &tracing::Metadata<'_>) -> Sink {
        Sink {
            level: *line.level(),
        }
    }
}

#[cfg(test)]
mod tests;
