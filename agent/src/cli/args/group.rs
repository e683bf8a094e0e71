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
    /// Make ready what the databases of a group need: format its media sets where that was not done
    ///
    /// Which databases belong to a group stands in its file; the service protects them by itself as
    /// soon as the file is there.
    #[command(after_help = "Example:\n  twinset group protect payroll")]
    Protect {
        /// The protection group
        name: String,
        /// Only this database
        #[arg(long, value_name = "DB")]
        database: Option<String>,
    },
    /// Let databases go that no group means any more: their alerts end, their backups stay
    ///
    /// Take the database out of the group's file first, or remove the file.
    #[command(after_help = "\
Example:
  twinset group unprotect payroll --database Payroll --retain-data")]
    Unprotect {
        /// The protection group, also one whose file is gone
        name: String,
        /// Only this database
        #[arg(long, value_name = "DB")]
        database: Option<String>,
        /// What was taken stays on the media (nothing else is possible; said, so that it is meant)
        #[arg(long, required = true)]
        retain_data: bool,
    },
    /// Take over from other tools, without a new full where their chain allows it
    ///
    /// Names the jobs that take backups (Ola Hallengren's, maintenance plans, BACKUP statements),
    /// what they would break and how to stop them, and the chain that they left. Nothing is touched
    /// without --yes, which takes the files of that chain in, so that the next log follows on it.
    Adopt(AdoptGroupArgs),
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

/// `twinset group adopt`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset group adopt payroll
  twinset group adopt payroll --trial
  twinset group adopt payroll --database Payroll --yes")]
pub struct AdoptGroupArgs {
    /// The protection group
    pub name: String,
    /// Only this database
    #[arg(long, value_name = "DB")]
    pub database: Option<String>,
    /// Take a copy-only full of each database now and no logs: the other tools go on
    #[arg(long, conflicts_with = "yes")]
    pub trial: bool,
    /// Take the files in
    #[arg(long)]
    pub yes: bool,
    /// Also while jobs of other tools go on
    #[arg(long, requires = "yes")]
    pub despite_jobs: bool,
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
