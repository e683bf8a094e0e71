//! The agent's own folder: its identity, its locks. The catalog lies beside them.
//!
//! The identity is made at first start and bound to the machine: a cloned host must not go on
//! writing media sets that the original writes too (promise P5).

pub mod identity;
mod lock;
mod os;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use twinset_domain::{AgentId, Fault, code};
use twinset_format::sign::Signer;

use crate::folder;

pub use lock::{RepairLock, ServiceLock, SetLock};

/// The folder named by `state_dir`, ready for use.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// Who we are.
    pub agent: AgentId,
    signing: Signing,
}

/// What signs the documents that we write, or why that key cannot be had.
pub type Signing = Result<Option<Signer>, Fault>;

fn fault(path: &Path, what: &str, error: &std::io::Error) -> Fault {
    Fault::new(code::STATE_DIR, path.display().to_string(), what.to_owned())
        .cause(error)
        .remedy("the agent's user needs to write to state_dir; see state_dir in agent.toml")
}

impl StateDir {
    /// Opens the folder, making it and the identity at first start.
    ///
    /// # Errors
    /// [`code::STATE_DIR`]; [`code::IDENTITY`] when the identity belongs to another machine.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        folder::make_private(path).map_err(|e| fault(path, "cannot make the state folder", &e))?;
        let agent = identity::of_this_machine(path)?;
        Ok(Self {
            path: path.to_owned(),
            agent,
            signing: Ok(None),
        })
    }

    /// The folder, with what signs the documents that we write.
    #[must_use]
    pub fn signing(mut self, signing: Signing) -> Self {
        self.signing = signing;
        self
    }

    /// What signs the documents that we write. Who only reads never asks, so a lost key keeps
    /// nobody from restoring.
    ///
    /// # Errors
    /// Why the key that the configuration names cannot be had.
    pub fn signer(&self) -> Signing {
        self.signing.clone()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the locks on all media sets that were ever locked here.
    fn lock_everything(path: &Path) -> Result<Vec<File>, Fault> {
        let folder = path.join("locks");
        let mut locks = Vec::new();
        let Ok(entries) = fs::read_dir(&folder) else {
            return Ok(locks);
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let file =
                os::open_lock(&path).map_err(|e| fault(&path, "cannot open the lock", &e))?;
            if file.try_lock().is_err() {
                let message = "a run of this agent works";
                return Err(
                    Fault::new(code::STATE_LOCKED, path.display().to_string(), message)
                        .remedy("wait until it has ended"),
                );
            }
            locks.push(file);
        }
        Ok(locks)
    }
}

#[cfg(test)]
mod tests;
