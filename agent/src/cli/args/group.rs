//! What may be typed behind `twinset group`.

use std::str::FromStr;

use clap::Subcommand;

use crate::config::units::{DURATION_HELP, parse_duration};

/// `twinset group ...`
#[derive(Debug, Subcommand)]
pub enum GroupVerb {
    /// The protected databases and how they stand
    #[command(after_help = "Examples:\n  twinset group list\n  twinset group list --json")]
    List,
    /// Nothing runs for a while; it goes on by itself
    #[command(after_help = "\
Examples:
  twinset group pause payroll --for 2h
  twinset group pause payroll --database Payroll --for 45m")]
    Pause {
        /// The protection group
        name: String,
        /// Only this database
        #[arg(long, value_name = "DB")]
        database: Option<String>,
        /// How long: 45m, 2h, 3d
        #[arg(long = "for", value_name = "TIME")]
        span: Span,
    },
    /// Go on before the pause is over
    #[command(after_help = "Example:\n  twinset group resume payroll")]
    Resume {
        /// The protection group
        name: String,
        /// Only this database
        #[arg(long, value_name = "DB")]
        database: Option<String>,
    },
    /// Go on after a mirroring session appeared, went, or was made anew (profile dpm)
    #[command(after_help = "Example:\n  twinset group reprotect payroll --database Payroll")]
    Reprotect {
        /// The protection group
        name: String,
        /// Only this database
        #[arg(long, value_name = "DB")]
        database: Option<String>,
    },
}

/// A span of time as people write it, at most a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// In seconds.
    pub seconds: i64,
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = parse_duration(text).ok_or(DURATION_HELP)?;
        let seconds = i64::try_from(found.as_secs()).unwrap_or(i64::MAX);
        if !(1..=366 * 86_400).contains(&seconds) {
            return Err("from 1s to 366d".to_owned());
        }
        Ok(Self { seconds })
    }
}
