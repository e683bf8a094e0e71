//! Verbs of upkeep: what goes, and what is remembered.

use clap::Subcommand;

use super::SetArgs;

/// `twinset media expire ...`
#[derive(Debug, clap::Args)]
pub struct ExpireArgs {
    /// Which media set
    #[command(flatten)]
    pub set: SetArgs,
    /// Print the plan and touch nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Drop more than `max_drop` in this run
    #[arg(long)]
    pub yes: bool,
    /// The time is right, although it seems to have jumped
    #[arg(long)]
    pub now_is_right: bool,
    /// Judge without the media sets of the group's other partners
    #[arg(long)]
    pub without_partner: bool,
}

/// `twinset catalog ...`
#[derive(Debug, Subcommand)]
pub enum CatalogVerb {
    /// Print every media set and backup set that the agent remembers; no device is opened
    #[command(
        after_help = "Examples:\n  twinset catalog show\n  twinset catalog show payroll --json"
    )]
    Show {
        /// Only this media set
        set: Option<String>,
    },
    /// Read the media sets of the configuration, and remember what they tell
    #[command(after_help = "\
Examples:
  twinset catalog rebuild --from-media
  twinset catalog rebuild --from-media payroll --database Payroll")]
    Rebuild {
        /// From headers, manifests and records: there is no other source
        #[arg(long, required = true)]
        from_media: bool,
        /// Only this media set
        set: Option<String>,
        /// The database, where device options hold {database}
        #[arg(long, value_name = "DB", requires = "set")]
        database: Option<String>,
    },
    /// Tell the shared catalog everything that waits for it; the service does so by itself
    #[command(after_help = "\
Examples:
  twinset catalog push
  twinset catalog push --dry-run --json")]
    Push {
        /// Say what would be told, and change nothing on either side
        #[arg(long)]
        dry_run: bool,
    },
    /// Print the tables of the shared catalog as SQL, for a database that agents may not change
    #[command(after_help = "\
Examples:
  twinset catalog schema
  twinset catalog schema --json")]
    Schema,
}

/// `twinset fleet ...`
#[derive(Debug, Subcommand)]
pub enum FleetVerb {
    /// Print what all agents told the shared catalog: databases, last backups, open alerts
    ///
    /// Ends with 3 when an agent is silent, a database is not protected now, or an alert is open.
    #[command(after_help = "\
Examples:
  twinset fleet status
  twinset fleet status --json")]
    Status,
}
