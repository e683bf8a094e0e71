//! What may be typed behind `twinset backup`.

use clap::ValueEnum;
use twinset_domain::BackupKind;

/// `twinset backup ...`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset backup payroll
  twinset backup payroll --kind diff
  twinset backup payroll --kind log
  twinset backup payroll --kind log --if-principal
  twinset backup payroll --database Payroll --copy-only
  twinset backup payroll --database Payroll --kind tail --yes
  twinset backup payroll --kind log --dry-run")]
pub struct BackupArgs {
    /// The protection group
    pub group: String,
    /// Only this database of the group
    #[arg(long, value_name = "DB", required_if_eq("kind", "tail"))]
    pub database: Option<String>,
    /// Kind of backup; the chain guard may take another one where this one would be worth nothing
    #[arg(long, value_enum, default_value_t = Kind::Full)]
    pub kind: Kind,
    /// Outside the chain: a full is no differential base, a log is not truncated
    #[arg(long)]
    pub copy_only: bool,
    /// Take the tail: the database goes RESTORING and takes no more changes
    #[arg(long)]
    pub yes: bool,
    /// Pass over databases whose mirror is here, with exit code 0: for one job on both partners
    #[arg(long)]
    pub if_principal: bool,
    /// Print decision and statement, and touch nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl BackupArgs {
    /// A plain backup.
    #[must_use]
    pub fn of(group: &str, database: Option<String>, kind: Kind) -> Self {
        Self {
            group: group.to_owned(),
            database,
            kind,
            copy_only: false,
            yes: false,
            if_principal: false,
            dry_run: false,
        }
    }
}

/// Kinds of backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The whole database
    Full,
    /// What changed since the last full
    Diff,
    /// The transaction log since the last log backup
    Log,
    /// The last of the log, before a restore: needs --database and --yes
    Tail,
}

impl Kind {
    /// The same in the words of the decisions.
    #[must_use]
    pub const fn backup(self) -> BackupKind {
        match self {
            Self::Full => BackupKind::Full,
            Self::Diff => BackupKind::Differential,
            Self::Log | Self::Tail => BackupKind::Log,
        }
    }
}
