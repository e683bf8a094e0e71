//! What may be typed. Only verbs that work stand here.

mod alerts;
mod backup;
mod check;
mod group;
mod init;
mod instance;
mod integrity;
mod look;
pub mod os;
mod owner;
mod read;
mod restore;
mod spool;
mod upkeep;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use twinset_domain::system::HERE;
use twinset_domain::{MediaSetId, Moment, Position};

use crate::config::units::{DURATION_HELP, parse_duration};
use crate::report::logging::Level;

pub use alerts::{AlertsVerb, ResolveArgs};
pub use backup::{BackupArgs, Kind};
pub use check::CheckArgs;
pub use group::{AdoptGroupArgs, GroupVerb, Span};
pub use init::{InitArgs, Partner};
pub use instance::InstanceVerb;
pub use integrity::IntegrityArgs;
pub use look::{DoctorArgs, GrantsArgs, PlanArgs, WantedFeature};
pub use os::SystemVerb;
pub use owner::{AdoptArgs, AgentVerb, DropMirrorArgs, KeyVerb, VerifyArgs};
pub use restore::{Move, RestoreArgs, RestoreFrom, RestorePoint, RestoreVerb, SetNumber};
pub use spool::SpoolArgs;
pub use upkeep::{CatalogVerb, ExpireArgs, FleetVerb};

/// Where the configuration lies when nothing else is said.
pub const DEFAULT_CONFIG: &str = HERE.config;

/// Exit codes, for the end of the main help.
const AFTER: &str = "\
Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 done but degraded, 4 data lost,
5 refused by state, 6 cancelled.

Examples:
  twinset init
  twinset config check
  twinset media format payroll
  twinset backup payroll
  twinset media verify payroll
  twinset restore run Payroll --group payroll --as Payroll_Copy --on sql-a";

/// Twinset keeps mirrored backups of mirrored SQL Server databases.
#[derive(Debug, Parser)]
#[command(name = "twinset", version, about, after_help = AFTER, max_term_width = 100)]
pub struct Args {
    /// Configuration file; groups lie in the folder that it names
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = DEFAULT_CONFIG,
        hide_default_value = true,
        help = format!("Configuration file [default: {DEFAULT_CONFIG}]")
    )]
    pub config: PathBuf,
    /// One JSON object on standard output, progress as JSON lines on standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// Log: error, warn, info, debug or trace [default: TWINSET_LOG, else warn]
    #[arg(long, global = true, value_name = "LEVEL", hide_possible_values = true)]
    pub log_level: Option<Level>,
    /// No progress bar and no progress lines
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Stop when standard input is closed: how the service runs its jobs
    #[arg(long, global = true, hide = true)]
    pub attended: bool,
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a first configuration, or add a group to one, and say what comes next
    ///
    /// Writes agent.toml (as --config says) and groups.d/GROUP.toml, checked as a whole before
    /// anything is written, and prints the rights that the login needs. What is there stays:
    /// --add adds to it without touching a line, --force replaces it. On a terminal it asks for what
    /// is not given. Relative paths start at the configuration's folder.
    Init(Box<InitArgs>),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Take a backup of a group's databases now
    Backup(BackupArgs),
    /// Compare replica and source, set right what can be, and say what comes next
    ///
    /// Exit code 0: replica and source match, whatever backup comes next; 3: they do, and something
    /// on the media could not be set right; 5: they do not match
    Check(CheckArgs),
    /// Look into the databases themselves with DBCC CHECKDB
    ///
    /// Findings raise an alert, keep every set of the database from expiring until a check of the same
    /// depth is clean, and cost no backup unless the group says so (`gate` of `[check]`).
    /// Exit code 0: clean; 4: the database is damaged; 1: there was no result, because the budget was
    /// over or the check could not be run; 6: stopped
    Integrity(IntegrityArgs),
    /// The service: follow protected databases, back them up by schedule
    ///
    /// It runs until it is stopped (Ctrl-C, SIGTERM). Meanwhile it asks the partners of every group
    /// who is principal, runs the consistency check where one is due, and takes backups by
    /// schedule. Changed files are read by themselves; a faulty change is named and not used. Look:
    /// twinset status, jobs, history, alerts list
    #[command(after_help = format!("\
Example:
  twinset --config {} --log-level info run", HERE.config))]
    Run,
    /// Protection groups: pause, resume, go on after a change of the session
    #[command(subcommand)]
    Group(GroupVerb),
    /// What the service runs, and what waits
    #[command(after_help = "Examples:\n  twinset jobs\n  twinset jobs --json")]
    Jobs,
    /// Stop a job of the service
    #[command(after_help = "Example:\n  twinset cancel 17")]
    Cancel {
        /// Its number, as `twinset jobs` shows it
        job: u64,
    },
    /// What became of protected databases: switches, checks, pauses
    #[command(after_help = "Examples:\n  twinset history\n  twinset history payroll --last 20")]
    History {
        /// Only this protection group
        group: Option<String>,
        /// How many entries, the newest first
        #[arg(long, value_name = "N", default_value_t = 50)]
        last: u32,
    },
    /// Media sets: format, show, verify, import, export, recover
    #[command(subcommand)]
    Media(MediaVerb),
    /// Restore a database to a new name, to any point that was backed up
    #[command(subcommand)]
    Restore(RestoreVerb),
    /// Databases, last backup sets and mirrors at a glance
    #[command(after_help = "Examples:\n  twinset status\n  twinset status payroll --json")]
    Status {
        /// Only this protection group
        group: Option<String>,
    },
    /// What would run when, and why the rest would not; nothing is touched
    Plan(PlanArgs),
    /// Last night at a glance; ends with 0 only if all is good
    ///
    /// 3 when protection is thinner than configured (a mirror is missing or out of step, a warning is
    /// open), 1 when something is not protected (no full, an RPO rule is broken, an error is open).
    #[command(after_help = "Examples:\n  twinset report\n  twinset report --since 3d --json")]
    Report {
        /// How far it looks back
        #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = span)]
        since: Duration,
    },
    /// What an operator must know, and who is told
    #[command(subcommand)]
    Alerts(AlertsVerb),
    /// Instances of SQL Server: what can be protected there
    #[command(subcommand)]
    Instance(InstanceVerb),
    /// Look at every prerequisite of backups and restores, and say what to do about each
    Doctor(DoctorArgs),
    /// Print the T-SQL that gives a login the rights it needs, each with its reason
    Grants(GrantsArgs),
    /// What the agent remembers of its media sets
    #[command(subcommand)]
    Catalog(CatalogVerb),
    /// All agents at one look, through the shared catalog
    #[command(subcommand)]
    Fleet(FleetVerb),
    /// Device plugins
    #[command(subcommand)]
    Plugin(PluginVerb),
    /// The key that signs manifests and records
    #[command(subcommand)]
    Key(KeyVerb),
    /// Who this agent is
    #[command(subcommand)]
    Agent(AgentVerb),
    /// What only this system has
    #[command(flatten)]
    System(SystemVerb),
}

/// `twinset config ...`
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Name every fault of every file, with line, column and remedy
    #[command(after_help = "Example:\n  twinset --config ./agent.toml config check")]
    Check,
}

/// A media set of the configuration.
#[derive(Debug, clap::Args)]
pub struct SetArgs {
    /// The media set's key in the configuration
    pub set: String,
    /// The database, where device options hold {database}
    #[arg(long, value_name = "DB")]
    pub database: Option<String>,
    /// Another media set on the same devices than the current one: a closed one
    #[arg(long, value_name = "MEDIA_SET_ID")]
    pub id: Option<MediaSetId>,
}

/// `twinset media ...`
#[derive(Debug, Subcommand)]
pub enum MediaVerb {
    /// Write media headers, or attach to media that are ours already
    #[command(after_help = "\
Examples:
  twinset media format payroll
  twinset media format payroll --if-needed
  twinset media format payroll --destroy 6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55")]
    Format {
        /// Which media set
        #[command(flatten)]
        set: SetArgs,
        /// Do nothing when the set is formatted already
        #[arg(long, conflicts_with = "destroy")]
        if_needed: bool,
        /// Write over foreign data
        #[arg(long)]
        overwrite: bool,
        /// Write over this media set of ours, with all its backup sets
        #[arg(long, value_name = "MEDIA_SET_ID")]
        destroy: Option<MediaSetId>,
    },
    /// Read headers, manifests and records and print what lies on the media
    #[command(after_help = "\
Examples:
  twinset media show payroll
  twinset media show --plugin disk --device '{\"path\": \"/backup/a/sql-a/payroll-f1\"}'")]
    Show {
        /// The media set's key in the configuration
        #[arg(required_unless_present = "device", conflicts_with = "device")]
        set: Option<String>,
        /// The database, where device options hold {database}
        #[arg(long, value_name = "DB", conflicts_with = "device")]
        database: Option<String>,
        /// Another media set on the same devices than the current one: a closed one
        #[arg(long, value_name = "MEDIA_SET_ID", conflicts_with = "device")]
        id: Option<MediaSetId>,
        /// One device by its options, without a media set
        #[arg(long, value_name = "JSON", requires = "plugin")]
        device: Option<String>,
        /// The plugin that reaches it, by its name in the configuration
        #[arg(long, value_name = "NAME", requires = "device")]
        plugin: Option<String>,
    },
    /// Read every byte of every mirror and compare it with its hashes
    Verify(VerifyArgs),
    /// Make existing native backup files a backup set of a media set
    #[command(after_help = "\
Examples:
  twinset media import payroll --database Payroll Payroll.bak
  twinset media import payroll --database Payroll stripe1.bak stripe2.bak")]
    Import {
        /// The media set's key in the configuration
        set: String,
        /// The database that the files belong to
        #[arg(long, value_name = "DB")]
        database: String,
        /// One file per family
        #[arg(required = true, value_name = "FILE", num_args = 1..=64)]
        files: Vec<PathBuf>,
    },
    /// Write native backup files again, one per family
    #[command(after_help = "Example:\n  twinset media export payroll --position 3 --to /tmp/out")]
    Export {
        /// Which media set
        #[command(flatten)]
        set: SetArgs,
        /// The backup set
        #[arg(long, value_name = "N", value_parser = position)]
        position: Position,
        /// Folder for the files; nothing in it is replaced
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Copy the volume in one device into `spool_dir`, to restore more families than there are drives
    Spool(SpoolArgs),
    /// Heal damage from the twins, and bring mirrors in step again
    ///
    /// Ends with 0 when every mirror holds everything, 3 when something stays damaged and all is
    /// readable, 4 when a chunk is sound on no mirror. It can be stopped and run again at any time.
    #[command(after_help = "\
Examples:
  twinset media repair payroll
  twinset media repair payroll --dry-run
  twinset media repair payroll --mirror 2")]
    Repair {
        /// Which media set
        #[command(flatten)]
        set: SetArgs,
        /// This mirror alone; an empty device in its place is taken as its replacement
        #[arg(long, value_name = "N")]
        mirror: Option<u8>,
        /// Print the steps and touch nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Set right what a killed run left behind
    #[command(after_help = "\
Examples:
  twinset media recover payroll
  twinset media recover payroll --dry-run")]
    Recover {
        /// Which media set
        #[command(flatten)]
        set: SetArgs,
        /// Print the steps and touch nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Close a media set for good: its host is lost, or its mirrors diverged
    ///
    /// Without `--yes` it says who would lose it, and nothing is touched. The closed media set takes
    /// no more backup sets from anybody; `media format` makes a new one beside it. Whoever closed it
    /// may read, recover and repair it, by `--id MEDIA_SET_ID` once a new one is there.
    Adopt(AdoptArgs),
    /// Give a mirror up for good; the others go on without being degraded
    ///
    /// Without `--yes` it says which would be left, and nothing is touched. To have as many mirrors
    /// again, format a new media set.
    DropMirror(DropMirrorArgs),
    /// Say of each backup set whether it stays or goes, and why; nothing is touched
    #[command(after_help = "\
Examples:
  twinset media plan-retention payroll
  twinset media plan-retention payroll --at 2027-01-01T00:00:00Z --json")]
    PlanRetention {
        /// Which media set
        #[command(flatten)]
        set: SetArgs,
        /// As it would be at this time [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<Moment>,
        /// Judge without the media sets of the group's other partners
        #[arg(long)]
        without_partner: bool,
    },
    /// Drop the backup sets that retention lets go
    #[command(after_help = "\
Examples:
  twinset media expire payroll --dry-run
  twinset media expire payroll
  twinset media expire payroll --yes")]
    Expire(ExpireArgs),
}

/// `twinset plugin ...`
#[derive(Debug, Subcommand)]
pub enum PluginVerb {
    /// Load every configured plugin and print what it says of itself
    #[command(after_help = "Example:\n  twinset plugin list")]
    List,
    /// Load one plugin file as the agent would, and print what it says of itself
    #[command(after_help = "Example:\n  twinset plugin check ./libvendor.so")]
    Check {
        /// The plugin's file
        file: PathBuf,
    },
}

fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| DURATION_HELP.to_owned())
}

fn position(text: &str) -> Result<Position, String> {
    let number = text.parse().ok().and_then(Position::new);
    number.ok_or_else(|| "positions are whole numbers from 1".to_owned())
}

#[cfg(test)]
mod tests;
