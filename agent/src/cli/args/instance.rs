//! Verbs that look at instances of SQL Server.

use clap::Subcommand;

/// `twinset instance ...`
#[derive(Debug, Subcommand)]
pub enum InstanceVerb {
    /// What can be protected on an instance: every database with its state, its mirroring session,
    /// and what speaks against a backup
    ///
    /// The other partner is asked too where a group names one, or `--partner` does: the two answers
    /// together say who is principal. Nothing is written anywhere.
    #[command(after_help = "\
Examples:
  twinset instance databases sql-a
  twinset instance databases sql-a --partner sql-b --json")]
    Databases {
        /// The instance, by its name in the configuration
        instance: String,
        /// The other partner, by its name in the configuration [default: the one that the groups
        /// of the instance name]
        #[arg(long, value_name = "INSTANCE")]
        partner: Option<String>,
    },
}
