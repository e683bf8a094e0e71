//! Recipients (`age1...`) and identities (`AGE-SECRET-KEY-1...`) as people write them.

use std::fmt;

use aws_lc_rs::agreement::{PrivateKey, X25519};
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};

use super::AgeError;

const PUBLIC: &str = "age";
const SECRET: &str = "age-secret-key-";
/// Most identities of one file.
const MAX_IDENTITIES: usize = 64;

/// A public key: whoever holds its identity can read.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(pub(super) [u8; 32]);

/// A private key. Its bytes are overwritten when it is dropped, and never shown.
pub struct Identity {
    pub(super) secret: [u8; 32],
    pub(super) public: [u8; 32],
}

impl Recipient {
    /// Reads `age1...`.
    ///
    /// # Errors
    /// What it is instead, in words for an operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text
            .get(..15)
            .is_some_and(|head| head.eq_ignore_ascii_case(SECRET))
        {
            return Err("this is a private key; a recipient begins with age1".to_owned());
        }
        if text.starts_with("ssh-") {
            return Err("keys of ssh are not taken; make one with age-keygen".to_owned());
        }
        let (prefix, bytes) = decode(text)?;
        match (prefix.as_str(), <[u8; 32]>::try_from(bytes)) {
            (PUBLIC, Ok(key)) => Ok(Self(key)),
            (PUBLIC, Err(_)) => Err("it has not the length of a key".to_owned()),
            _ => Err("only X25519 recipients (age1 and 58 characters) are taken".to_owned()),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = Hrp::parse(PUBLIC).map_err(|_| fmt::Error)?;
        let text = bech32::encode::<Bech32>(prefix, &self.0).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Identity {
    /// Reads one `AGE-SECRET-KEY-1...`.
    ///
    /// # Errors
    /// What is wrong, without a word of the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (prefix, mut bytes) = decode(text)?;
        let secret = <[u8; 32]>::try_from(bytes.as_slice());
        bytes.fill(0);
        match (prefix.as_str(), secret) {
            (SECRET, Ok(secret)) => {
                let public = public_of(&secret).map_err(|error| error.to_string())?;
                Ok(Self { secret, public })
            }
            (PUBLIC, _) => {
                Err("this is a recipient; an identity begins with AGE-SECRET-KEY-1".to_owned())
            }
            _ => Err("only X25519 identities (AGE-SECRET-KEY-1...) are taken".to_owned()),
        }
    }

    /// Reads an identity file: one identity in each line, `#` begins a comment.
    ///
    /// # Errors
    /// The number of the faulty line and what is wrong with it, without a word of any key.
    pub fn parse_file(text: &str) -> Result<Vec<Self>, String> {
        if text.starts_with("age-encryption.org/v1") || text.starts_with("-----BEGIN") {
            return Err("it is encrypted or of another kind: store the identity itself".to_owned());
        }
        let mut found = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if found.len() == MAX_IDENTITIES {
                return Err(format!("it holds more than {MAX_IDENTITIES} identities"));
            }
            found.push(Self::parse(line).map_err(|why| format!("line {number}: {why}"))?);
        }
        if found.is_empty() {
            return Err("it holds no identity".to_owned());
        }
        Ok(found)
    }

    /// The recipient that belongs to it.
    #[must_use]
    pub const fn recipient(&self) -> Recipient {
        Recipient(self.public)
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        self.secret.fill(0);
        std::hint::black_box(&self.secret);
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity of {}", self.recipient())
    }
}

/// Prefix in lower case, and the bytes.
fn decode(text: &str) -> Result<(String, Vec<u8>), String> {
    let checked = CheckedHrpstring::new::<Bech32>(text)
        .map_err(|_| "it is no key of age: mistyped or cut off".to_owned())?;
    Ok((checked.hrp().to_lowercase(), checked.byte_iter().collect()))
}

/// The public key of a private one.
pub(super) fn public_of(secret: &[u8; 32]) -> Result<[u8; 32], AgeError> {
    let key = PrivateKey::from_private_key(&X25519, secret)
        .map_err(|_| AgeError::Crypto("private key"))?;
    let public = key
        .compute_public_key()
        .map_err(|_| AgeError::Crypto("public key"))?;
    <[u8; 32]>::try_from(public.as_ref()).map_err(|_| AgeError::Crypto("public key"))
}
