//! Encodings: what happens to the bytes between SQL Server and the medium.
//!
//! `raw` is nothing at all: the source's own buffers go to the mirrors. `zstd` is one standard
//! frame for each section, `age` one standard age file around either. The hash of the plain bytes
//! is taken in front of the encoding, the chunk hashes behind it; so each chunk is checked before
//! it is decoded, and what was decoded is checked once more at its end.
//!
//! * [`Recipe`]: what a media set asks for; [`Keys`]: what reads it again;
//! * [`encoder`]: plain buffers in, stored buffers out;
//! * [`decoder`]: the way back;
//! * `squeeze`: zstd and what it costs. Sealing is in [`crate::age`].

pub mod decoder;
pub mod encoder;
mod squeeze;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use twinset_domain::wrapping::{self, Wrapping};
use twinset_domain::{Fault, code};

use crate::age::{
    self,
    keys::{Identity, Recipient},
};

/// Shows a secret to the one call that needs it, or says why it cannot be read.
pub type Fetch = Arc<dyn Fn(&mut dyn FnMut(&str)) -> Result<(), Fault> + Send + Sync>;

/// Bytes of one stored buffer.
const STORED: usize = 512 << 10;
/// Stored buffers of one family: the slowest mirror writes one while the encoder fills the next.
const STORED_BUFFERS: usize = 5;

/// How hard zstd tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zstd {
    /// 1 (fast) to 19 (small).
    pub level: u8,
    /// Threads that compress one family, 1 to 16.
    pub threads: u8,
}

/// To whom sections are sealed.
#[derive(Clone)]
pub enum Lock {
    /// Whoever holds an identity of one of these.
    Recipients(Vec<Recipient>),
    /// Whoever knows the passphrase.
    Passphrase(Fetch),
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipients(recipients) => f.debug_tuple("Recipients").field(recipients).finish(),
            Self::Passphrase(_) => f.write_str("Passphrase(***)"),
        }
    }
}

/// How a media set stores what SQL Server writes.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// Compression by us.
    pub zstd: Option<Zstd>,
    /// Encryption by us.
    pub age: Option<Lock>,
}

impl Recipe {
    /// `raw`, `zstd`, `age` or `zstd+age`: what stands in headers and manifests.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        wrapping::encoding(self.zstd.is_some(), self.age.is_some())
    }

    /// What the names of data sections end with, behind `.bak` or `.trn`.
    #[must_use]
    pub const fn ending(&self) -> &'static str {
        match (self.zstd.is_some(), self.age.is_some()) {
            (false, false) => "",
            (true, false) => ".zst",
            (false, true) => ".age",
            (true, true) => ".zst.age",
        }
    }

    /// Whether the bytes go to the media as they come.
    #[must_use]
    pub const fn is_raw(&self) -> bool {
        self.zstd.is_none() && self.age.is_none()
    }

    /// What this recipe does to sets, whatever SQL Server did to them.
    #[must_use]
    pub fn wrapping(&self) -> Wrapping {
        Wrapping::of(self.name(), wrapping::Container::Unknown)
    }

    /// Bytes of memory that so many families need beside the source's buffers.
    #[must_use]
    pub fn memory(&self, families: u16) -> u64 {
        if self.is_raw() {
            return 0;
        }
        let buffers = (STORED * STORED_BUFFERS) as u64;
        let squeeze = self.zstd.map_or(0, squeeze::memory);
        let passphrase = matches!(self.age, Some(Lock::Passphrase(_)));
        // One family at a time derives its key.
        (buffers + squeeze) * u64::from(families.max(1)) + u64::from(passphrase) * age::DERIVING
    }

    /// Tries the secret that writing needs, before anything is written.
    ///
    /// # Errors
    /// Why the passphrase cannot be read.
    pub fn prove(&self) -> Result<(), Fault> {
        match &self.age {
            Some(Lock::Passphrase(fetch)) => fetch(&mut |_| {}),
            _ => Ok(()),
        }
    }
}

/// What reads encrypted sets. Secrets are fetched when they are needed, and not kept.
#[derive(Clone, Default)]
pub struct Keys {
    /// The text of the identity file.
    pub identities: Option<Fetch>,
    /// The passphrase.
    pub passphrase: Option<Fetch>,
}

impl Keys {
    /// The private keys, if any are configured.
    fn identities(&self) -> Result<Option<Vec<Identity>>, Fault> {
        let Some(fetch) = &self.identities else {
            return Ok(None);
        };
        let mut parsed = Ok(Vec::new());
        fetch(&mut |text| parsed = Identity::parse_file(text))?;
        match parsed {
            Ok(identities) => Ok(Some(identities)),
            Err(why) => Err(Fault::new(code::NO_KEY, "identity_file", why)
                .remedy("name a file that age-keygen wrote: AGE-SECRET-KEY-1... in a line")),
        }
    }
}
