//! `twinset media spool`.

use twinset_domain::Position;

use super::{SetArgs, position};

/// `twinset media spool ...`
///
/// SQL Server reads all families of a backup set at once. With fewer drives than families, bring
/// the volumes one after the other and spool them; `restore run`, `restore verify` and
/// `media export` then read the copies in the place of volumes that do not answer. What was
/// spooled before is not copied again. Ends with 3 when something of the volume could not be read:
/// a twin must have it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  twinset media spool payroll --plugin tape --device '{\"drive\": \"/dev/nst0\"}'
  twinset media spool payroll --plugin tape --device '{\"drive\": \"/dev/nst0\"}' --position 12
  twinset media spool payroll --remove")]
pub struct SpoolArgs {
    /// Which media set
    #[command(flatten)]
    pub set: SetArgs,
    /// The device that holds the volume now, by its options
    #[arg(
        long,
        value_name = "JSON",
        requires = "plugin",
        required_unless_present = "remove"
    )]
    pub device: Option<String>,
    /// The plugin that reaches it, by its name in the configuration
    #[arg(long, value_name = "NAME", requires = "device")]
    pub plugin: Option<String>,
    /// Only these backup sets; `restore plan` says which a restore needs
    #[arg(long = "position", value_name = "N", value_parser = position)]
    pub positions: Vec<Position>,
    /// Say what would be copied and how much room it takes, and touch nothing
    #[arg(long, conflicts_with = "remove")]
    pub dry_run: bool,
    /// Remove every copy of the media set
    #[arg(long, conflicts_with_all = ["device", "plugin", "positions"])]
    pub remove: bool,
}
