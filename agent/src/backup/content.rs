//! What a run is to write.

use twinset_domain::BackupKind;
use twinset_domain::wrapping::Container;
use twinset_format::manifest::{Circumstances, Source};

/// What is to be written.
pub struct Content<'a> {
    /// Where it comes from.
    pub source: Source,
    /// The database.
    pub database: &'a str,
    /// Its kind, if known before.
    pub kind: Option<BackupKind>,
    /// BLOCKSIZE asked for.
    pub block_size: Option<u32>,
    /// MAXTRANSFERSIZE asked for.
    pub max_transfer_size: Option<u32>,
    /// How it is taken.
    pub circumstances: Circumstances,
    /// How SQL Server wraps it, as far as that is known before.
    pub container: Container,
}
