//! What may be typed behind `twinset check`.

/// `twinset check ...`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset check payroll
  twinset check payroll --database Payroll --deep
  twinset check payroll --json")]
pub struct CheckArgs {
    /// The protection group
    pub group: String,
    /// Only this database of the group
    #[arg(long, value_name = "DB")]
    pub database: Option<String>,
    /// Read every byte of every mirror
    #[arg(long)]
    pub deep: bool,
}
