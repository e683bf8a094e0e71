//! Verbs that look and advise, and touch nothing.

use clap::ValueEnum;
use twinset_domain::Moment;
use twinset_domain::grants::{Feature, Release};

/// `twinset doctor ...`
///
/// Nothing is written anywhere, and no lock is taken. Ends with 0 when all is in order, 3 when there
/// are warnings, 1 or 2 when a run would fail.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset doctor
  twinset doctor payroll
  twinset doctor --instance sql-a --json")]
pub struct DoctorArgs {
    /// Only this protection group
    #[arg(conflicts_with = "instance")]
    pub group: Option<String>,
    /// Only this instance, without media
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
}

/// `twinset grants ...`
///
/// Nothing is run on the server. Without `--version` the instance is asked for its own; where it
/// does not answer, the forms that every version takes are printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset grants sql-a
  twinset grants sql-a --version 2019
  twinset grants sql-a --feature stage --feature restore --database Payroll --version 2022")]
pub struct GrantsArgs {
    /// The instance, by its name in the configuration
    pub instance: String,
    /// What the login is to be able to do; several may be given [default: what the groups need]
    #[arg(long, value_enum, value_name = "FEATURE")]
    pub feature: Vec<WantedFeature>,
    /// The server's version: 2012, 2014, 2016, 2017, 2019, 2022 or 2025 [default: it is asked]
    #[arg(long, value_name = "YEAR")]
    pub version: Option<Release>,
    /// A database, for rights that are given in each; several may be given [default: those that
    /// the groups name]
    #[arg(long, value_name = "DB")]
    pub database: Vec<String>,
}

/// `twinset plan ...`
///
/// From configuration and catalog alone: no server is asked, no device opened, nothing written. It
/// speaks as an agent would that starts at that time; databases that only patterns stand for are
/// listed once they were backed up.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset plan
  twinset plan payroll --days 30
  twinset plan payroll --at 2027-03-28T00:00:00Z --json")]
pub struct PlanArgs {
    /// Only this protection group
    pub group: Option<String>,
    /// As it would be at this time [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<Moment>,
    /// How many days ahead, 1 to 731
    #[arg(long, value_name = "N", default_value_t = 7,
          value_parser = clap::value_parser!(u16).range(1..=731))]
    pub days: u16,
}

/// What a login is to be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WantedFeature {
    /// Backup and restore through virtual devices
    Vdi,
    /// Backup through files
    Stage,
    /// Restore from files, under a new name
    Restore,
    /// DBCC CHECKDB
    Check,
    /// The mirror's side of a mirroring session
    Mirroring,
}

impl WantedFeature {
    /// The same in the words of the decisions.
    #[must_use]
    pub const fn feature(self) -> Feature {
        match self {
            Self::Vdi => Feature::Vdi,
            Self::Stage => Feature::Stage,
            Self::Restore => Feature::Restore,
            Self::Check => Feature::Check,
            Self::Mirroring => Feature::Mirroring,
        }
    }
}
