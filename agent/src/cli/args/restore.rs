//! `twinset restore ...`

use std::path::PathBuf;
use std::str::FromStr;

use clap::Subcommand;
use twinset_domain::{MediaSetId, Position, offset_of};
use uuid::Uuid;

/// `twinset restore ...`
#[derive(Debug, Subcommand)]
pub enum RestoreVerb {
    /// Print which sets a restore would read, from which mirrors, and what would be lost
    ///
    /// Ends with 0 when the point can be reached, 3 when volumes are missing and it can, 4 when log
    /// records are missing on the way, 5 when it lies before or behind everything that is held.
    #[command(after_help = "\
Examples:
  twinset restore plan Payroll --group payroll
  twinset restore plan Payroll --group payroll --to '2026-11-21 03:15+01:00'
  twinset restore plan Payroll --group payroll --to lsn:40000000030000001
  twinset restore plan Payroll --group payroll --to 'mark:month end' --after 2026-11-20T22:00:00Z")]
    Plan(RestorePoint),
    /// Restore to a new name, or over a database (--replace)
    #[command(after_help = "\
Examples:
  twinset restore run Payroll --group payroll --as Payroll_Copy --on sql-a
  twinset restore run Payroll --group payroll --to 2026-11-21T03:15:00Z --as P2 --on sql-a
  twinset restore run Payroll --group payroll --as P2 --on sql-b --data-dir /var/opt/mssql/p2
  twinset restore run Payroll --group payroll --as P3 --on sql-a --move Payroll=/d/p3.mdf
  twinset restore run Payroll --group payroll --as P4 --on sql-a --script /tmp/out
  twinset restore run Payroll --group payroll --as Payroll --on sql-a --replace")]
    Run(RestoreArgs),
    /// List the points that can be restored, and what they rest on
    #[command(after_help = "\
Examples:
  twinset restore points Payroll --group payroll
  twinset restore points Payroll --group payroll --json")]
    Points(RestoreFrom),
    /// Have SQL Server read every set of a restore to its end (RESTORE VERIFYONLY); nothing is
    /// restored
    #[command(after_help = "\
Examples:
  twinset restore verify Payroll --group payroll --on sql-a
  twinset restore verify Payroll --group payroll --on sql-a --position 3")]
    Verify {
        /// What to verify
        #[command(flatten)]
        point: RestorePoint,
        /// Instance that reads it
        #[arg(long, value_name = "INSTANCE")]
        on: String,
    },
}

/// `twinset restore run ...`
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// What to restore
    #[command(flatten)]
    pub point: RestorePoint,
    /// Name of the restored database
    #[arg(long = "as", value_name = "NAME")]
    pub name: String,
    /// Instance that takes it
    #[arg(long, value_name = "INSTANCE")]
    pub on: String,
    /// Folder for its files, as SQL Server sees it
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Place of one file, by its logical name
    #[arg(long = "move", value_name = "LOGICAL=PATH", value_parser = relocation)]
    pub moves: Vec<Move>,
    /// Leave it RESTORING, so that more can be rolled forward
    #[arg(long)]
    pub norecovery: bool,
    /// Over the database of that name, at its place: one in no session, whose tail is backed up
    #[arg(long)]
    pub replace: bool,
    /// Give up what was never backed up of the database that is replaced
    #[arg(long, requires = "replace")]
    pub no_tail: bool,
    /// Restore nothing: print the T-SQL that does it with files that `media export` wrote to this
    /// folder
    #[arg(long, value_name = "DIR")]
    pub script: Option<PathBuf>,
}

/// Where sets are looked for.
#[derive(Debug, clap::Args)]
pub struct RestoreFrom {
    /// The database as it was named when it was backed up
    pub database: String,
    /// The protection group that backed it up
    #[arg(long, value_name = "G")]
    pub group: String,
    /// A closed media set on the group's devices, as `media show --id` has it
    #[arg(long, value_name = "MEDIA_SET_ID")]
    pub id: Option<MediaSetId>,
    /// The recovery fork to end on [default: that of the newest set]
    #[arg(long, value_name = "GUID")]
    pub fork: Option<Uuid>,
    /// A backup set that is not to be used; may be given several times
    #[arg(long, value_name = "[KEY:]N")]
    pub without: Vec<SetNumber>,
    /// Zone of the server that was backed up, where no set tells it: for imported files
    #[arg(long, value_name = "+HH:MM", value_parser = zone, allow_hyphen_values = true)]
    pub server_zone: Option<i32>,
}

/// What to restore.
#[derive(Debug, clap::Args)]
pub struct RestorePoint {
    /// Where to look
    #[command(flatten)]
    pub from: RestoreFrom,
    /// A time (with Z or an offset, else in the zone of the group's schedule, else UTC),
    /// lsn:NUMBER, mark:NAME or before-mark:NAME [default: the latest point]
    #[arg(long, value_name = "TIME|LSN|MARK", conflicts_with = "position")]
    pub to: Option<String>,
    /// The first mark of that name at or after this time
    #[arg(long, value_name = "TIME", requires = "to")]
    pub after: Option<String>,
    /// Exactly to the end of the backup set at this position
    #[arg(long, value_name = "[KEY:]N")]
    pub position: Option<SetNumber>,
}

/// A backup set: a position, and where the group has several media sets, the key of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetNumber {
    /// Key of the media set; that of the group's fulls without it.
    pub key: Option<String>,
    /// The position in it.
    pub position: Position,
}

impl FromStr for SetNumber {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (key, number) = match text.rsplit_once(':') {
            Some((key, number)) => (Some(key.to_owned()), number),
            None => (None, text),
        };
        super::position(number).map(|position| Self { key, position })
    }
}

/// `--move LOGICAL=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Logical name of a database file.
    pub logical: String,
    /// Its path as SQL Server sees it.
    pub path: String,
}

fn relocation(text: &str) -> Result<Move, String> {
    match text.split_once('=') {
        Some((logical, path)) if !logical.is_empty() && !path.is_empty() => Ok(Move {
            logical: logical.to_owned(),
            path: path.to_owned(),
        }),
        _ => Err("write a logical name, = and a path".to_owned()),
    }
}

fn zone(text: &str) -> Result<i32, String> {
    offset_of(text).ok_or_else(|| "write an offset from UTC such as +01:00".to_owned())
}
