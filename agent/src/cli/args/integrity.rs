//! What may be typed behind `twinset integrity`.

use std::time::Duration;

use twinset_domain::integrity::Depth;

/// `twinset integrity ...`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset integrity payroll
  twinset integrity payroll --database Payroll --full --budget 6h
  twinset integrity payroll --if-due --json")]
pub struct IntegrityArgs {
    /// The protection group
    pub group: String,
    /// Only this database of the group
    #[arg(long, value_name = "DB")]
    pub database: Option<String>,
    /// Pages, records, allocation and checksums alone [default: what the group says]
    #[arg(long)]
    pub physical: bool,
    /// Everything, logical structure too
    #[arg(long, conflicts_with = "physical")]
    pub full: bool,
    /// How long the check of one database may take [default: what the group says]
    #[arg(long, value_name = "DURATION", value_parser = super::span)]
    pub budget: Option<Duration>,
    /// Leave out databases whose last check is young enough, as the service does
    #[arg(long)]
    pub if_due: bool,
    /// Print the statements and when each database is due; nothing is run
    #[arg(long)]
    pub dry_run: bool,
}

impl IntegrityArgs {
    /// The depth that was typed.
    #[must_use]
    pub const fn depth(&self) -> Option<Depth> {
        match (self.physical, self.full) {
            (true, _) => Some(Depth::Physical),
            (false, true) => Some(Depth::Full),
            (false, false) => None,
        }
    }
}
