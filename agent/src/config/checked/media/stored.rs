//! How a media set stores what SQL Server writes: `encoding` and `age`.

use toml::Spanned;

use crate::age::keys::Recipient;
use crate::config::checked::Check;
use crate::config::raw::{Age, MediaSetTable};
use crate::config::secret::SecretRef;

/// Levels of zstd that fit the memory of a database host.
const LEVELS: std::ops::RangeInclusive<u8> = 1..=19;
/// The level when the file does not say.
const DEFAULT_LEVEL: u8 = 3;
/// Most threads that compress one family.
const MAX_THREADS: u8 = 16;
/// Most recipients of a media set.
const MAX_RECIPIENTS: usize = 64;

/// How the data of a media set are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Compression.
    pub encoding: Encoding,
    /// Encryption around it.
    pub age: Option<Sealing>,
}

/// How the data of a media set are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As SQL Server wrote them.
    Raw,
    /// One frame of zstd for each family.
    Zstd {
        /// 1 to 19.
        level: u8,
        /// Threads for each family, 1 to 16.
        threads: u8,
    },
}

/// Encryption with age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealing {
    /// Who may read.
    pub to: SealedTo,
    /// The private keys, needed to read where `to` names recipients.
    pub identity: Option<SecretRef>,
}

/// Who may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealedTo {
    /// Whoever holds an identity of one of these.
    Recipients(Vec<Recipient>),
    /// Whoever knows the passphrase.
    Passphrase(SecretRef),
}

/// Judges `encoding`, its parameters, and `age`.
pub(super) fn stored(check: &mut Check<'_>, raw: &MediaSetTable) -> Stored {
    let choices = [("raw", false), ("zstd", true)];
    let zstd = check.choice(&raw.encoding, "encoding", &choices, false);
    let level = check.number(&raw.zstd_level, "zstd_level", LEVELS, DEFAULT_LEVEL);
    let threads = check.number(&raw.zstd_threads, "zstd_threads", 1..=MAX_THREADS, 1);
    let encoding = if zstd {
        Encoding::Zstd { level, threads }
    } else {
        for (value, key) in [
            (&raw.zstd_level, "zstd_level"),
            (&raw.zstd_threads, "zstd_threads"),
        ] {
            if let Some(value) = value {
                let message = format!("`{key}` goes with `encoding = \"zstd\"` alone");
                check.bad(&value.span(), message, "remove it, or set the encoding");
            }
        }
        Encoding::Raw
    };
    let age = raw.age.as_ref().and_then(|age| sealing(check, age));
    Stored { encoding, age }
}

fn sealing(check: &mut Check<'_>, age: &Spanned<Age>) -> Option<Sealing> {
    let table = age.get_ref();
    let mut file = |value: &Option<Spanned<String>>, key: &str| {
        value.as_ref().map(|value| {
            check.text(value, key, 4096);
            SecretRef::File(check.secret_file(value))
        })
    };
    let passphrase = file(&table.passphrase_file, "passphrase_file");
    let identity = file(&table.identity_file, "identity_file");
    let recipients = table
        .recipients
        .as_ref()
        .map(|list| recipients(check, list));
    let to = match (recipients, passphrase) {
        (Some(recipients), None) => SealedTo::Recipients(recipients),
        (None, Some(passphrase)) => {
            if let Some(value) = &table.identity_file {
                let message = "`identity_file` goes with `recipients`, not with a passphrase";
                check.bad(
                    &value.span(),
                    message,
                    "remove it: the passphrase reads, too",
                );
            }
            SealedTo::Passphrase(passphrase)
        }
        _ => {
            let message = "`age` needs either `recipients` or `passphrase_file`";
            check.bad(&age.span(), message, "keep exactly one of the two");
            return None;
        }
    };
    Some(Sealing { to, identity })
}

fn recipients(check: &mut Check<'_>, list: &Spanned<Vec<Spanned<String>>>) -> Vec<Recipient> {
    let texts = list.get_ref();
    if texts.is_empty() || texts.len() > MAX_RECIPIENTS {
        let message = format!("`recipients` names {} keys", texts.len());
        let remedy = format!("name 1 to {MAX_RECIPIENTS} public keys (age1...)");
        check.bad(&list.span(), message, remedy);
    }
    let mut found: Vec<Recipient> = Vec::new();
    for text in texts {
        match Recipient::parse(text.get_ref()) {
            Ok(recipient) if found.contains(&recipient) => {
                check.bad(
                    &text.span(),
                    "this recipient is named twice",
                    "name it once",
                );
            }
            Ok(recipient) => found.push(recipient),
            // What stands there may be a private key: it is not repeated.
            Err(why) => check.bad(
                &text.span(),
                format!("this is no recipient: {why}"),
                "write the public key that age-keygen printed: age1...",
            ),
        }
    }
    found
}
