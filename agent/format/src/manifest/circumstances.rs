//! How a backup was taken, beside its kind.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The mirroring session of a database, as it was when the backup began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mirroring {
    /// Identity of the partnership.
    pub guid: Uuid,
    /// How often the roles were switched before.
    pub role_sequence: i64,
}

/// What SQL Server was asked to do to the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// WITH COMPRESSION or NO_COMPRESSION; null where neither was said.
    pub compression: Option<bool>,
    /// Algorithm of WITH ENCRYPTION; null without it.
    pub encryption: Option<String>,
    /// The certificate or asymmetric key in `master` that reads it again.
    pub encryptor: Option<String>,
}

/// How a backup was taken, beside its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Circumstances {
    /// Taken WITH COPY_ONLY.
    pub copy_only: bool,
    /// The tail of a log.
    pub tail: bool,
    /// The first full behind a mark.
    pub new_branch: bool,
    /// The database was known to be damaged.
    pub over_damage: bool,
    /// The mirroring session.
    pub mirroring: Option<Mirroring>,
    /// What SQL Server was asked to do to the bytes.
    pub asked: Option<Asked>,
}
