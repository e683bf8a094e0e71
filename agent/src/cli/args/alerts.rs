//! What may be typed about alerts.

use clap::Subcommand;

/// `twinset alerts ...`
#[derive(Debug, Subcommand)]
pub enum AlertsVerb {
    /// What is open, the worst first
    #[command(after_help = "\
Examples:
  twinset alerts list
  twinset alerts list --all --json")]
    List {
        /// Those that have ended, too
        #[arg(long)]
        all: bool,
    },
    /// End alerts by hand; one whose cause is still there comes again
    #[command(after_help = "\
Examples:
  twinset alerts resolve 17 --note 'disk was exchanged'
  twinset alerts resolve --code TW6021 --object 'payroll/Payroll log'")]
    Resolve(ResolveArgs),
    /// Look whether the last backups are young enough, and tell receivers what they were not told
    ///
    /// Ends with 0 when no alert is open, 3 when one is, 1 when a receiver did not take a message.
    #[command(after_help = "Example:\n  twinset alerts check")]
    Check,
    /// Send a test message to each receiver, and say what came of it
    #[command(after_help = "Example:\n  twinset alerts test")]
    Test,
}

/// Which alerts end.
#[derive(Debug, clap::Args)]
pub struct ResolveArgs {
    /// Its number
    #[arg(required_unless_present_any = ["code", "object"], conflicts_with_all = ["code", "object"])]
    pub id: Option<i64>,
    /// All of this code
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
    /// All about this object
    #[arg(long, value_name = "TEXT")]
    pub object: Option<String>,
    /// What to note in the history
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}
