//! The age format, version 1 (age-encryption.org/v1): what `age -d` opens.
//!
//! Built on the house's one provider of cryptography (X25519, HKDF, HMAC and ChaCha20-Poly1305 of
//! aws-lc-rs; scrypt from its own crate); why not the `age` crate stands in ARCHITECTURE.md. Only
//! what media need: X25519 recipients, or one passphrase.
//!
//! * [`keys`]: recipients and identities as text;
//! * `header`: who may open it;
//! * `stream`: the payload in pieces of 64 KiB, each sealed.

mod header;
pub mod keys;
mod stream;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Read};

use keys::{Identity, Recipient};
use stream::Opener;
pub(crate) use stream::Sealer;

/// Bytes of memory that it takes to derive a key from a passphrase.
pub(crate) const DERIVING: u64 = 1 << (header::WORK + 10);

/// Why an age file cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgeError {
    /// None of the keys given opens it.
    #[error("{0}")]
    NoKey(String),
    /// It is not an age file as this code knows them, or was altered.
    #[error("{0}")]
    Malformed(&'static str),
    /// The provider of cryptography refused.
    #[error("cryptography failed: {0}")]
    Crypto(&'static str),
    /// The bytes could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// To whom a file is sealed.
pub(crate) enum Lock<'a> {
    /// Whoever holds an identity of one of these.
    Recipients(&'a [Recipient]),
    /// Whoever knows the passphrase.
    Passphrase(&'a str),
}

/// What may open a file.
pub(crate) enum Key<'a> {
    /// Private keys.
    Identities(&'a [Identity]),
    /// The passphrase.
    Passphrase(&'a str),
}

/// Begins a file: its header, and what seals the payload behind it.
///
/// # Errors
/// [`AgeError::Crypto`].
pub(crate) fn seal(lock: &Lock<'_>) -> Result<(Vec<u8>, Sealer), AgeError> {
    let (mut head, file_key) = header::write(lock)?;
    let (nonce, sealer) = Sealer::new(&file_key)?;
    head.extend_from_slice(&nonce);
    Ok((head, sealer))
}

/// Opens a file: reads its header and gives the payload.
///
/// # Errors
/// [`AgeError::NoKey`] when the key is not for it, and what is wrong with the file.
pub(crate) fn open<R: BufRead + Send + 'static>(
    mut source: R,
    key: &Key<'_>,
) -> Result<impl Read + Send + use<R>, AgeError> {
    let file_key = header::read(&mut source, key)?;
    Opener::new(source, &file_key)
}

/// What sealing adds to `plain` bytes behind the header, in bytes.
#[cfg(test)]
fn sealed_length(plain: u64) -> u64 {
    let pieces = plain.div_ceil(stream::PIECE as u64).max(1);
    plain + pieces * stream::TAG as u64
}
