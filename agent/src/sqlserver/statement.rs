//! BACKUP and RESTORE as text. The only place where names and literals are quoted.

mod backup;
mod restore;
pub mod support;

pub use backup::{
    Algorithm, BackupStatement, Cipher, Compression, Encryption, Encryptor, Level, Tail,
};
pub use restore::{Move, Recovery, RestoreStatement, recover_sql};

/// Longest identifier, in UTF-16 units (sysname).
pub const MAX_NAME: usize = 128;
/// Longest device name or path in a statement, in UTF-16 units (3057).
pub const MAX_DEVICE: usize = 259;
/// Percent between two progress messages; they keep the server's own log telling.
const STATS_PERCENT: u8 = 5;

/// A name as an identifier: `[a]]b]`.
#[must_use]
pub fn quote_name(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// A text as a Unicode literal: `N'it''s'`.
#[must_use]
pub fn quote_literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

/// What stands in TO or FROM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A virtual device, by the name under which its set was created or opened.
    Virtual(String),
    /// A file, by a path that the server sees.
    Disk(String),
}

impl Medium {
    fn sql(&self) -> String {
        match self {
            Self::Virtual(name) => format!("VIRTUAL_DEVICE = {}", quote_literal(name)),
            Self::Disk(path) => format!("DISK = {}", quote_literal(path)),
        }
    }
}

fn media(media: &[Medium]) -> String {
    media.iter().map(Medium::sql).collect::<Vec<_>>().join(", ")
}

/// Sizes of transfers. Zero leaves one to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// BLOCKSIZE in bytes: a power of two from 512 to 65536. RESTORE needs that of the backup.
    pub block_size: u32,
    /// MAXTRANSFERSIZE in bytes: a multiple of 64 KiB up to 4 MiB.
    pub max_transfer_size: u32,
    /// BUFFERCOUNT, for all devices together.
    pub buffer_count: u32,
}

/// Smallest MAXTRANSFERSIZE that is tried (facts/vdi.md 5, row 11).
const LEAST_TRANSFER: u32 = 64 << 10;

impl Transfer {
    /// What to try when SQL Server found no memory for these sizes: half of the transfer down to
    /// 64 KiB, then half of the buffers down to two for each device. `None` when nothing is left.
    #[must_use]
    pub fn smaller(self, devices: u16) -> Option<Self> {
        let least = u32::from(devices) * 2;
        if self.max_transfer_size > LEAST_TRANSFER {
            // A multiple of 64 KiB (3250).
            let half = self.max_transfer_size / 2 / LEAST_TRANSFER * LEAST_TRANSFER;
            let max_transfer_size = half.max(LEAST_TRANSFER);
            return Some(Self {
                max_transfer_size,
                ..self
            });
        }
        (self.buffer_count > least).then(|| Self {
            buffer_count: (self.buffer_count / 2).max(least),
            ..self
        })
    }

    fn options(&self, options: &mut Vec<String>) {
        let named = [
            ("BLOCKSIZE", self.block_size),
            ("MAXTRANSFERSIZE", self.max_transfer_size),
            ("BUFFERCOUNT", self.buffer_count),
        ];
        options.extend(
            named
                .iter()
                .filter(|(_, v)| *v != 0)
                .map(|(name, value)| format!("{name} = {value}")),
        );
    }
}

/// `RESTORE FILELISTONLY`: names and sizes of the files in a backup.
#[must_use]
pub fn file_list_sql(devices: &[Medium], transfer: Transfer) -> String {
    only("FILELISTONLY", devices, transfer, false)
}

/// `RESTORE VERIFYONLY` of the whole backup.
#[must_use]
pub fn verify_sql(devices: &[Medium], transfer: Transfer, checksum: bool) -> String {
    only("VERIFYONLY", devices, transfer, checksum)
}

fn only(verb: &str, devices: &[Medium], transfer: Transfer, checksum: bool) -> String {
    let mut options = Vec::new();
    if checksum {
        options.push("CHECKSUM".to_owned());
    }
    transfer.options(&mut options);
    let with = if options.is_empty() {
        String::new()
    } else {
        " WITH ".to_owned()
    };
    format!(
        "RESTORE {verb} FROM {}{with}{}",
        media(devices),
        options.join(", ")
    )
}

#[cfg(test)]
mod tests;
