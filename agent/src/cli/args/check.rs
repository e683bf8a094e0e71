//! What may be typed behind `twinset check`.

/// `twinset check ...`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset check payroll
  twinset check payroll --database Payroll --deep
  twinset check payroll --json

Exit code 0: replica and source match, whatever backup comes next; 3: they do, and something on the
media could not be set right; 5: they do not match.")]
pub struct CheckArgs {
    /// The protection group
    pub group: String,
    /// Only this database of the group
    #[arg(long, value_name = "DB")]
    pub database: Option<String>,
    /// Read every byte of every mirror
    #[arg(long)]
    pub deep: bool,
    /// The service itself asks.
    #[arg(skip)]
    pub attended: bool,
}
