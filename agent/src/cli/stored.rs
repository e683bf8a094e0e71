//! From the configured encoding to what the media engine works with. Secrets stay references: they
//! are read when they are needed, by the call that needs them.

use std::sync::Arc;

use crate::config::{Encoding, MediaSet, SealedTo, SecretRef};
use crate::media::encoding::{Fetch, Keys, Lock, Recipe, Zstd};

/// How the media set stores sets.
pub(super) fn recipe(set: &MediaSet) -> Recipe {
    let zstd = match set.stored.encoding {
        Encoding::Raw => None,
        Encoding::Zstd { level, threads } => Some(Zstd { level, threads }),
    };
    let age = set.stored.age.as_ref().map(|age| match &age.to {
        SealedTo::Recipients(recipients) => Lock::Recipients(recipients.clone()),
        SealedTo::Passphrase(passphrase) => Lock::Passphrase(fetch(passphrase, "passphrase")),
    });
    Recipe { zstd, age }
}

/// What reads them again.
pub(super) fn keys(set: &MediaSet) -> Keys {
    let Some(age) = &set.stored.age else {
        return Keys::default();
    };
    let passphrase = match &age.to {
        SealedTo::Passphrase(passphrase) => Some(fetch(passphrase, "passphrase")),
        SealedTo::Recipients(_) => None,
    };
    let identities = age
        .identity
        .as_ref()
        .map(|identity| fetch(identity, "identity"));
    Keys {
        identities,
        passphrase,
    }
}

fn fetch(secret: &SecretRef, what: &'static str) -> Fetch {
    let secret = secret.clone();
    Arc::new(move |show| {
        let text = secret.resolve().map_err(|mut fault| {
            fault.message = fault.message.replace("password", what);
            fault.remedy = fault.remedy.replace("password", what);
            fault
        })?;
        show(text.expose());
        Ok(())
    })
}
