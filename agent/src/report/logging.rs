//! The log of the process, on standard error.

use std::io::{self, Write};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::progress::aside;

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
        .with_writer(Stderr);
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

/// Standard error, with the progress bar out of the way.
#[derive(Clone, Copy, Debug)]
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        aside(|| io::stderr().write_all(line)).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

#[cfg(test)]
mod tests;
