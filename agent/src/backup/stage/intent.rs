//! What lies beside staged files and says whose they are, before SQL Server writes them.

use serde::{Deserialize, Serialize};
use twinset_domain::{AgentId, BackupKind, Moment, RunId};
use twinset_format::manifest::Circumstances;

/// Version of the document.
pub const FORMAT: u32 = 1;
/// Longest one that is read, in bytes.
pub const MAX_BYTES: u64 = 64 << 10;
/// Ending of the document's name while the files are the acknowledged copy.
pub const INTENT: &str = ".intent.json";
/// Ending once the media hold the set: what is left may go.
pub const DONE: &str = ".done.json";
/// What all our names begin with.
pub const PREFIX: &str = "twinset-";

/// A backup into a stage folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// [`FORMAT`].
    pub format: u32,
    /// Who takes the files in.
    pub agent: AgentId,
    /// The run; the names of the files hold it.
    pub run: RunId,
    /// Key of the media set they go to.
    pub media_set: String,
    /// The instance, by its name in the configuration.
    pub instance: String,
    /// The database.
    pub database: String,
    /// Kind of the backup.
    pub kind: BackupKind,
    /// How it is taken, beside its kind.
    pub circumstances: Circumstances,
    /// BLOCKSIZE asked for.
    pub block_size: Option<u32>,
    /// MAXTRANSFERSIZE asked for.
    pub max_transfer_size: Option<u32>,
    /// Files, one for each family.
    pub families: u16,
    /// When the run began.
    pub started: Moment,
    /// The statement, for people.
    pub statement: String,
}

impl Intent {
    /// Name of the file of a family, from 1.
    #[must_use]
    pub fn file(&self, family: u16) -> String {
        file(self.run, family)
    }

    /// Names of all files, in the order of families.
    pub fn files(&self) -> impl Iterator<Item = String> + '_ {
        (1..=self.families).map(|family| self.file(family))
    }
}

/// Name of the file of a family of a run.
#[must_use]
pub fn file(run: impl std::fmt::Display, family: u16) -> String {
    format!("{PREFIX}{run}-{family}.bak")
}
