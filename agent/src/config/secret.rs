//! Where a secret lies, and how it is fetched when it is needed.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use serde::Serialize;
use twinset_domain::system::HERE;
use twinset_domain::{Fault, code};

use super::os;
use crate::sqlserver::secret::Secret;
use crate::trust::{self, Keep, Unsafe};

/// Longest secret, in bytes.
const MAX_SECRET: u64 = 4096;
/// Where systemd says its credentials lie.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// A reference to a secret; the secret itself is never kept here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretRef {
    /// A file that holds the secret alone; one line end behind it does not count.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A systemd credential (`LoadCredential=` of the unit).
    Credential(String),
}

impl SecretRef {
    /// Reads a password.
    ///
    /// # Errors
    /// `SECRET` when it is missing, empty, not text or longer than 4096 bytes; `CONFIG_UNSAFE`
    /// when others may read or write its file.
    pub fn resolve(&self) -> Result<Secret, Fault> {
        self.resolve_as("password")
    }

    /// Reads a secret that messages call `what`.
    ///
    /// # Errors
    /// As [`SecretRef::resolve`].
    pub fn resolve_as(&self, what: &str) -> Result<Secret, Fault> {
        match self {
            Self::File(path) => self.read(path.clone(), Keep::FromReading, what),
            Self::Env(name) => {
                let value = std::env::var(name).map_err(|error| self.fault(what).source(&error))?;
                self.accept(value, what)
            }
            Self::Credential(name) => {
                let folder = std::env::var_os(CREDENTIALS).ok_or_else(|| {
                    self.fault(what)
                        .cause(format!("{CREDENTIALS} is not set: not run by systemd"))
                })?;
                // systemd guards this folder itself.
                self.read(PathBuf::from(folder).join(name), Keep::FromWriting, what)
            }
        }
    }

    fn read(&self, path: PathBuf, keep: Keep, what: &str) -> Result<Secret, Fault> {
        let failed = |error: std::io::Error| self.fault(what).source(&error);
        if let Some(found) = trust::unsafe_for(&path, keep).map_err(failed)? {
            return Err(unsafe_fault(&found));
        }
        let mut text = String::new();
        let file = File::open(&path).map_err(failed)?;
        file.take(MAX_SECRET + 1)
            .read_to_string(&mut text)
            .map_err(failed)?;
        self.accept(os::unseal(text).map_err(failed)?, what)
    }

    fn accept(&self, mut text: String, what: &str) -> Result<Secret, Fault> {
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        if text.is_empty() {
            return Err(self.fault(what).cause("it is empty"));
        }
        if text.len() as u64 > MAX_SECRET {
            return Err(self
                .fault(what)
                .cause(format!("it is longer than {MAX_SECRET} bytes")));
        }
        Ok(Secret::new(text))
    }

    /// The fault of a secret that messages call `what`.
    pub(crate) fn fault(&self, what: &str) -> Fault {
        let (object, remedy) = match self {
            Self::File(path) => {
                let path = path.display().to_string();
                (path.clone(), HERE.secret(what, &path))
            }
            Self::Env(name) => (
                format!("${name}"),
                format!("set the environment variable {name}"),
            ),
            Self::Credential(name) => (format!("credential {name}"), HERE.credential(name)),
        };
        Fault::new(code::SECRET, object, format!("the {what} cannot be read")).remedy(remedy)
    }
}

/// Says who may touch a file that only few should.
pub(super) fn unsafe_fault(found: &Unsafe) -> Fault {
    let message = format!("this file or folder {}", found.why);
    Fault::new(
        code::CONFIG_UNSAFE,
        found.path.display().to_string(),
        message,
    )
    .remedy(found.remedy.clone())
}
