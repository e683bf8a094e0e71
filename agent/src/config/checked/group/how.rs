//! `[backup]`: how backups are taken.

use twinset_domain::partner::Site;

use super::{Backup, BrokenChain};
use crate::config::checked::Check;
use crate::config::checked::media::{DEFAULT_BLOCK_SIZE, MediaSet};
use crate::config::raw::{BackupTable, Value};
use crate::sqlserver::statement::{
    Algorithm, Cipher, Compression, Encryption, Encryptor, Level, MAX_NAME,
};

/// MAXTRANSFERSIZE when the file does not say, in bytes.
const DEFAULT_MAX_TRANSFER_SIZE: u32 = 1 << 20;
/// MAXTRANSFERSIZE is a multiple of this (facts/vdi.md, BACKUP's own rule).
const TRANSFER_UNIT: u64 = 64 << 10;
/// Largest MAXTRANSFERSIZE.
const TRANSFER_MAX: u64 = 4 << 20;

/// `[backup]`.
pub(super) fn backup(
    check: &mut Check<'_>,
    raw: Option<&BackupTable>,
    set: Option<&MediaSet>,
    memory_limit: Option<u64>,
) -> Backup {
    let default_block = set.map_or(DEFAULT_BLOCK_SIZE, |set| set.block_size);
    let Some(raw) = raw else {
        return Backup {
            on_broken_chain: BrokenChain::Differential,
            replica: Site::Preferred,
            block_size: default_block,
            max_transfer_size: DEFAULT_MAX_TRANSFER_SIZE,
            buffer_count: None,
            compression: Compression::Default,
            encryption: None,
            throttle: None,
        };
    };
    let chains = [
        ("differential", BrokenChain::Differential),
        ("full", BrokenChain::Full),
        ("refuse", BrokenChain::Refuse),
    ];
    let sites = [("preferred", Site::Preferred), ("primary", Site::Primary)];
    let block: (&str, fn(u64) -> bool) = ("a power of two from 512 to 65536", |bytes| {
        bytes.is_power_of_two() && (512..=65536).contains(&bytes)
    });
    let transfer: (&str, fn(u64) -> bool) = ("a multiple of 64KiB up to 4MiB", |bytes| {
        bytes % TRANSFER_UNIT == 0 && (TRANSFER_UNIT..=TRANSFER_MAX).contains(&bytes)
    });
    let block_size = check.size(&raw.block_size, "block_size", block, default_block.into());
    let max_transfer = check.size(
        &raw.max_transfer_size,
        "max_transfer_size",
        transfer,
        DEFAULT_MAX_TRANSFER_SIZE.into(),
    );
    buffers(check, &raw.buffer_count, max_transfer, set, memory_limit);
    let some: (&str, fn(u64) -> bool) = ("at least 64KiB", |bytes| bytes >= TRANSFER_UNIT);
    let throttle = raw
        .throttle
        .is_some()
        .then(|| check.size(&raw.throttle, "throttle", some, 0));
    Backup {
        on_broken_chain: check.choice(
            &raw.on_broken_chain,
            "on_broken_chain",
            &chains,
            BrokenChain::Differential,
        ),
        replica: check.choice(&raw.replica, "replica", &sites, Site::Preferred),
        block_size: u32::try_from(block_size).unwrap_or(default_block),
        max_transfer_size: u32::try_from(max_transfer).unwrap_or(DEFAULT_MAX_TRANSFER_SIZE),
        buffer_count: raw.buffer_count.as_ref().map(|count| *count.get_ref()),
        compression: compression(check, raw),
        encryption: encryption(check, raw),
        throttle,
    }
}

/// One buffer per family at least (3273), and all within the agent's memory.
fn buffers(
    check: &mut Check<'_>,
    count: &Value<u32>,
    max_transfer: u64,
    set: Option<&MediaSet>,
    memory_limit: Option<u64>,
) {
    let Some(count) = count else { return };
    let least = set.map_or(1, |set| u32::from(set.families));
    let found = check.number(&Some(count.clone()), "buffer_count", least..=1024, least);
    let bytes = u64::from(found) * max_transfer;
    if let Some(limit) = memory_limit.filter(|limit| bytes > *limit) {
        let message = format!("`buffer_count` times `max_transfer_size` is {bytes} bytes");
        let remedy = format!("stay below the agent's `memory_limit` of {limit} bytes");
        check.bad(&count.span(), message, remedy);
    }
}

/// `compression` with its algorithm and level.
fn compression(check: &mut Check<'_>, raw: &BackupTable) -> Compression {
    let words = [("server", Compression::On), ("none", Compression::Off)];
    let asked = check.choice(
        &raw.compression,
        "compression",
        &words,
        Compression::Default,
    );
    let levels = [
        ("LOW", Some(Level::Low)),
        ("MEDIUM", Some(Level::Medium)),
        ("HIGH", Some(Level::High)),
    ];
    let level = check.choice(&raw.compression_level, "compression_level", &levels, None);
    let algorithms = [
        ("MS_XPRESS", Some(Algorithm::MsXpress)),
        ("QAT_DEFLATE", Some(Algorithm::QatDeflate)),
        ("ZSTD", Some(Algorithm::Zstd(level))),
    ];
    let key = "compression_algorithm";
    let algorithm = check.choice(&raw.compression_algorithm, key, &algorithms, None);
    if let Some(value) = &raw.compression_algorithm
        && asked != Compression::On
    {
        let message = "`compression_algorithm` stands without compression";
        check.bad(
            &value.span(),
            message,
            "write `compression = \"server\"` too",
        );
    }
    if let Some(value) = &raw.compression_level
        && !matches!(algorithm, Some(Algorithm::Zstd(_)))
    {
        let message = "`compression_level` is for ZSTD alone";
        let remedy = "write `compression_algorithm = \"ZSTD\"`, or remove it";
        check.bad(&value.span(), message, remedy);
    }
    match (asked, algorithm) {
        (Compression::On, Some(algorithm)) => Compression::By(algorithm),
        (asked, _) => asked,
    }
}

/// `[backup.encryption]`.
fn encryption(check: &mut Check<'_>, raw: &BackupTable) -> Option<Encryption> {
    let span = raw.encryption.as_ref()?.span();
    let table = raw.encryption.as_ref()?.get_ref();
    let ciphers = [
        Cipher::Aes128,
        Cipher::Aes192,
        Cipher::Aes256,
        Cipher::TripleDes,
    ];
    let known = ciphers.map(|cipher| (cipher.name(), cipher));
    let cipher = check.choice(&table.algorithm, "algorithm", &known, Cipher::Aes256);
    let encryptor = match (&table.certificate, &table.asymmetric_key) {
        (Some(name), None) => {
            check.text(name, "certificate", MAX_NAME);
            Encryptor::Certificate(name.get_ref().clone())
        }
        (None, Some(name)) => {
            check.text(name, "asymmetric_key", MAX_NAME);
            Encryptor::AsymmetricKey(name.get_ref().clone())
        }
        (None, None) => {
            let message = "neither `certificate` nor `asymmetric_key` is named";
            check.bad(
                &span,
                message,
                "name the one in master that reads the backups again",
            );
            return None;
        }
        (Some(_), Some(second)) => {
            let message = "`asymmetric_key` contradicts `certificate`";
            check.bad(&second.span(), message, "keep one of the two");
            return None;
        }
    };
    Some(Encryption { cipher, encryptor })
}
