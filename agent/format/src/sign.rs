//! Signatures of manifests and records: Ed25519 over the hash of the document.
//!
//! A signed document bears two more fields, its last ones: `signer`, the public key, and
//! `signature`. What is signed is a line of text that says what it is for, so that a signature can
//! never be taken for one of another use of the same key:
//!
//! ```text
//! Twinset record 1
//! <BLAKE3 of the document with `check` and `signature` as zeros, 64 digits>
//! ```
//!
//! Keys are files that other tools make and read too: PKCS#8 in PEM, as `openssl genpkey
//! -algorithm ed25519` writes it, or 64 hexadecimal digits.

mod key;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

pub use key::{KeyProblem, PublicKey};

/// The `signature` field before it is known: 64 bytes as hex.
pub const BLANK_SIGNATURE: &str = concat!(
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000"
);

/// What a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Manifest,
    Record,
}

impl Purpose {
    /// The signed text.
    fn message(self, digest: &blake3::Hash) -> String {
        let word = match self {
            Self::Manifest => "manifest",
            Self::Record => "record",
        };
        format!("Twinset {word} 1\n{}\n", digest.to_hex())
    }
}

/// A private key in use. It never shows in `Debug`; a clone shares the key.
#[derive(Clone)]
pub struct Signer {
    pair: Arc<Ed25519KeyPair>,
    public: PublicKey,
}

impl Signer {
    /// The key in a key file's text.
    ///
    /// # Errors
    /// [`KeyProblem`]: no private Ed25519 key in a form that is read.
    pub fn from_text(text: &str) -> Result<Self, KeyProblem> {
        let mut seed = key::private_from_text(text)?;
        let signer = Self::from_seed(&seed);
        key::forget(&mut seed);
        signer
    }

    /// A new key, and the text of its file.
    ///
    /// # Errors
    /// [`KeyProblem`] when the system gives no random bytes.
    pub fn generate() -> Result<(Self, String), KeyProblem> {
        let mut seed = [0; 32];
        aws_lc_rs::rand::fill(&mut seed).map_err(|_| KeyProblem::Unusable)?;
        let signer = Self::from_seed(&seed);
        let text = key::private_to_text(&seed);
        key::forget(&mut seed);
        signer.map(|signer| (signer, text))
    }

    fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyProblem> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyProblem::Unusable)?;
        let public: [u8; 32] = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| KeyProblem::Unusable)?;
        let (pair, public) = (Arc::new(pair), PublicKey(public));
        Ok(Self { pair, public })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// The signature of a document's hash, as 128 hexadecimal digits.
    pub(crate) fn sign(&self, purpose: Purpose, digest: &blake3::Hash) -> String {
        key::hex(self.pair.sign(purpose.message(digest).as_bytes()).as_ref())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public)
    }
}

/// What the signature of a document is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signed {
    /// It bears none.
    No,
    /// It bears a good one, made with the private half of this key.
    By(PublicKey),
    /// It bears something that is no good signature of it.
    Bad,
}

/// Judges the fields of a document whose hash is `digest`.
pub(crate) fn judge(
    purpose: Purpose,
    digest: &blake3::Hash,
    signer: Option<PublicKey>,
    signature: Option<&str>,
) -> Signed {
    let (signer, signature) = match (signer, signature) {
        (None, None) => return Signed::No,
        (Some(signer), Some(signature)) => (signer, signature),
        _ => return Signed::Bad,
    };
    let message = purpose.message(digest);
    let good = key::unhex::<64>(signature).is_some_and(|signature| {
        UnparsedPublicKey::new(&ED25519, signer.0)
            .verify(message.as_bytes(), &signature)
            .is_ok()
    });
    if good {
        Signed::By(signer)
    } else {
        Signed::Bad
    }
}

#[cfg(test)]
mod tests;
