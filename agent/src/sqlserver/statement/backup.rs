//! BACKUP as text.

use twinset_domain::BackupKind;

use super::{Medium, STATS_PERCENT, Transfer, media, quote_literal, quote_name};

/// A BACKUP. Checksums are always asked for, the media are always new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupStatement {
    /// Database to back up.
    pub database: String,
    /// Full, differential or log.
    pub kind: BackupKind,
    /// One for each family, in the order of families.
    pub devices: Vec<Medium>,
    /// Sizes.
    pub transfer: Transfer,
    /// Outside the chain: no differential base, no log truncation. Never of a differential, for
    /// which SQL Server ignores it.
    pub copy_only: bool,
    /// The tail of a log; nothing of other kinds.
    pub tail: Option<Tail>,
    /// Damaged pages do not end it: `CONTINUE_AFTER_ERROR`. Of no log: nobody looks at pages there.
    pub over_damage: bool,
    /// Compression by SQL Server.
    pub compression: Compression,
    /// Encryption by SQL Server.
    pub encryption: Option<Encryption>,
    /// NAME of the set, at most 128 characters.
    pub name: Option<String>,
}

/// How the tail of a log is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// `NORECOVERY`: the database goes RESTORING, and nothing is written behind the tail.
    NoRecovery,
    /// `NO_TRUNCATE`: the database is damaged and stays as it is.
    NoTruncate,
}

/// Compression by SQL Server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// The instance's own default decides.
    #[default]
    Default,
    /// `NO_COMPRESSION`.
    Off,
    /// `COMPRESSION`, by the instance's algorithm.
    On,
    /// `COMPRESSION (ALGORITHM = ...)`: 2022 and later.
    By(Algorithm),
}

/// How SQL Server compresses (facts/sqlserver.md 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `MS_XPRESS`, what all versions did: nameable since 2022.
    MsXpress,
    /// `QAT_DEFLATE`, in hardware where there is some: since 2022.
    QatDeflate,
    /// `ZSTD`: since 2025.
    Zstd(Option<Level>),
}

/// How hard ZSTD tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `LOW`, the server's default.
    Low,
    /// `MEDIUM`
    Medium,
    /// `HIGH`
    High,
}

/// Encryption by SQL Server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// Cipher.
    pub cipher: Cipher,
    /// What in `master` opens the backup again.
    pub encryptor: Encryptor,
}

/// Cipher of an encrypted backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// `AES_128`
    Aes128,
    /// `AES_192`
    Aes192,
    /// `AES_256`
    Aes256,
    /// `TRIPLE_DES_3KEY`
    TripleDes,
}

/// What in `master` opens an encrypted backup again, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryptor {
    /// `SERVER CERTIFICATE`
    Certificate(String),
    /// `SERVER ASYMMETRIC KEY`
    AsymmetricKey(String),
}

impl BackupStatement {
    /// The statement.
    #[must_use]
    pub fn to_sql(&self) -> String {
        let verb = match self.kind {
            BackupKind::Full | BackupKind::Differential => "DATABASE",
            BackupKind::Log => "LOG",
        };
        let mut options = vec!["FORMAT".to_owned(), "CHECKSUM".to_owned()];
        if self.over_damage && self.kind != BackupKind::Log {
            options.push("CONTINUE_AFTER_ERROR".to_owned());
        }
        if self.kind == BackupKind::Differential {
            options.push("DIFFERENTIAL".to_owned());
        }
        if self.copy_only {
            options.push("COPY_ONLY".to_owned());
        }
        match self.tail {
            Some(Tail::NoRecovery) => options.push("NORECOVERY".to_owned()),
            Some(Tail::NoTruncate) => options.push("NO_TRUNCATE".to_owned()),
            None => {}
        }
        options.extend(self.compression.sql());
        options.extend(self.encryption.as_ref().map(Encryption::sql));
        if let Some(name) = &self.name {
            options.push(format!("NAME = {}", quote_literal(name)));
        }
        options.push(format!("STATS = {STATS_PERCENT}"));
        self.transfer.options(&mut options);
        format!(
            "BACKUP {verb} {} TO {} WITH {}",
            quote_name(&self.database),
            media(&self.devices),
            options.join(", ")
        )
    }
}

impl Compression {
    /// Whether SQL Server is told to compress; `None` where its own default decides.
    #[must_use]
    pub const fn asked(self) -> Option<bool> {
        match self {
            Self::Default => None,
            Self::Off => Some(false),
            Self::On | Self::By(_) => Some(true),
        }
    }

    fn sql(self) -> Option<String> {
        match self {
            Self::Default => None,
            Self::Off => Some("NO_COMPRESSION".to_owned()),
            Self::On => Some("COMPRESSION".to_owned()),
            Self::By(algorithm) => Some(format!("COMPRESSION ({})", algorithm.sql())),
        }
    }
}

impl Algorithm {
    fn sql(self) -> String {
        let level = |level| match level {
            Level::Low => "LOW",
            Level::Medium => "MEDIUM",
            Level::High => "HIGH",
        };
        match self {
            Self::Zstd(Some(wanted)) => {
                format!("ALGORITHM = ZSTD, LEVEL = {}", level(wanted))
            }
            other => format!("ALGORITHM = {}", other.name()),
        }
    }

    /// As SQL Server names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MsXpress => "MS_XPRESS",
            Self::QatDeflate => "QAT_DEFLATE",
            Self::Zstd(_) => "ZSTD",
        }
    }

    /// First part of the version that knows it by name, and what people call that version.
    #[must_use]
    pub const fn since(self) -> (u16, &'static str) {
        match self {
            Self::MsXpress | Self::QatDeflate => (16, "2022"),
            Self::Zstd(_) => (17, "2025"),
        }
    }
}

impl Encryption {
    fn sql(&self) -> String {
        let by = match &self.encryptor {
            Encryptor::Certificate(name) => {
                format!("SERVER CERTIFICATE = {}", quote_name(name))
            }
            Encryptor::AsymmetricKey(name) => {
                format!("SERVER ASYMMETRIC KEY = {}", quote_name(name))
            }
        };
        format!("ENCRYPTION (ALGORITHM = {}, {by})", self.cipher.name())
    }
}

impl Cipher {
    /// As SQL Server names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128 => "AES_128",
            Self::Aes192 => "AES_192",
            Self::Aes256 => "AES_256",
            Self::TripleDes => "TRIPLE_DES_3KEY",
        }
    }
}

impl Encryptor {
    /// Its name in `master`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Certificate(name) | Self::AsymmetricKey(name) => name,
        }
    }
}
