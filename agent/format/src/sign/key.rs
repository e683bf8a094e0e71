//! Key files: PEM as other tools write it, or plain hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// PKCS#8 of an Ed25519 key up to its 32 secret bytes (RFC 8410).
const PRIVATE_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410).
const PUBLIC_HEAD: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
const PRIVATE: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";
/// Longest text that is looked at for a key, in bytes.
const MAX_TEXT: usize = 4096;

/// Why a text holds no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// It is neither PEM nor 64 hexadecimal digits.
    #[error("it is neither PEM nor 64 hexadecimal digits")]
    NoKey,
    /// It is a key, but not one of Ed25519.
    #[error("it is no Ed25519 key in plain PKCS#8 form (a key under a passphrase cannot be used)")]
    OtherKind,
    /// It holds the other half.
    #[error("it holds a public key where the private one is needed")]
    PublicOnly,
    /// The private key was given where the public one belongs.
    #[error("it holds a private key; give the public one, which may be shown to anybody")]
    PrivateGiven,
    /// The library cannot use it.
    #[error("the key cannot be used")]
    Unusable,
}

/// The public half of a signing key, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub(super) [u8; 32]);

impl PublicKey {
    /// The key in PEM, for other tools.
    #[must_use]
    pub fn to_pem(self) -> String {
        to_pem(PUBLIC, &[&PUBLIC_HEAD[..], &self.0].concat())
    }

    /// The public key in a file's text or an argument: PEM or 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyProblem`].
    pub fn from_text(text: &str) -> Result<Self, KeyProblem> {
        if text.contains(PRIVATE) {
            return Err(KeyProblem::PrivateGiven);
        }
        match pem(text, PUBLIC)? {
            Some(der) => der_key(&der, &PUBLIC_HEAD).map(Self),
            None => unhex(text.trim()).map(Self).ok_or(KeyProblem::NoKey),
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = KeyProblem;
    fn from_str(text: &str) -> Result<Self, KeyProblem> {
        unhex(text).map(Self).ok_or(KeyProblem::NoKey)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The secret bytes in a key file's text.
pub(super) fn private_from_text(text: &str) -> Result<[u8; 32], KeyProblem> {
    if text.contains(PUBLIC) && !text.contains(PRIVATE) {
        return Err(KeyProblem::PublicOnly);
    }
    match pem(text, PRIVATE)? {
        Some(mut der) => {
            let found = der_key(&der, &PRIVATE_HEAD);
            forget(&mut der);
            found
        }
        None => unhex(text.trim()).ok_or(KeyProblem::NoKey),
    }
}

/// The text of a key file.
pub(super) fn private_to_text(seed: &[u8; 32]) -> String {
    let mut der = [&PRIVATE_HEAD[..], seed].concat();
    let text = to_pem(PRIVATE, &der);
    forget(&mut der);
    text
}

/// Overwrites secret bytes.
pub(super) fn forget(bytes: &mut [u8]) {
    bytes.fill(0);
    // The compiler may not see that nobody reads the zeros, or it would leave them out.
    std::hint::black_box(&*bytes);
}

fn der_key(der: &[u8], head: &[u8]) -> Result<[u8; 32], KeyProblem> {
    let key = der.strip_prefix(head).ok_or(KeyProblem::OtherKind)?;
    key.try_into().map_err(|_| KeyProblem::OtherKind)
}

/// The bytes between the lines of a PEM text; `None` where there are no such lines at all.
fn pem(text: &str, label: &str) -> Result<Option<Vec<u8>>, KeyProblem> {
    if text.len() > MAX_TEXT {
        return Err(KeyProblem::NoKey);
    }
    if !text.contains("-----BEGIN ") {
        return Ok(None);
    }
    let (begin, end) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    let (_, rest) = text.split_once(&begin).ok_or(KeyProblem::OtherKind)?;
    let (body, _) = rest.split_once(&end).ok_or(KeyProblem::NoKey)?;
    let body: String = body.split_whitespace().collect();
    STANDARD
        .decode(body)
        .map(Some)
        .map_err(|_| KeyProblem::NoKey)
}

fn to_pem(label: &str, der: &[u8]) -> String {
    // 48 bytes at most: one line of 64 digits.
    let body = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |four: u8| DIGITS.get(usize::from(four)).copied().unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Exactly `N` bytes from small hexadecimal digits; anything else is `None`.
pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(bytes)
}
