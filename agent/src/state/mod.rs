//! The agent's own folder: its identity, its locks. The catalog lies beside them.
//!
//! The identity is made at first start and bound to the machine: a cloned host must not go on
//! writing media sets that the original writes too (promise P5).

mod lock;
mod os;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twinset_domain::{AgentId, Fault, code};
use twinset_format::sign::Signer;

pub use lock::{RepairLock, SetLock};

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

/// What `agent.json` holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    agent: AgentId,
    /// BLAKE3 of the machine's id, so that the id itself does not leave the machine.
    machine: Option<String>,
}

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
        os::make_private_folder(path)
            .map_err(|e| fault(path, "cannot make the state folder", &e))?;
        let file = path.join("agent.json");
        let machine = os::machine_id().map(|id| blake3::hash(&id).to_hex().to_string());
        let identity = match fs::read(&file) {
            Ok(bytes) => parse(&file, &bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                make(path, &file, machine.clone())?
            }
            Err(error) => return Err(fault(&file, "cannot read the agent's identity", &error)),
        };
        if identity.machine.is_some() && identity.machine != machine {
            let message = "the agent's identity was made on another machine";
            return Err(Fault::new(code::IDENTITY, file.display().to_string(), message)
                .cause("a cloned host must not write the media sets of the original")
                .remedy("remove this file to get a new identity and format new media sets; those of the old one stay readable"));
        }
        Ok(Self {
            path: path.to_owned(),
            agent: identity.agent,
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
}

fn parse(file: &Path, bytes: &[u8]) -> Result<Identity, Fault> {
    serde_json::from_slice(bytes).map_err(|error| {
        Fault::new(
            code::STATE_DIR,
            file.display().to_string(),
            "the agent's identity is damaged",
        )
        .cause(error)
        .remedy("put the file back from a copy; every media header names the agent's id")
    })
}

/// Writes a new identity: whole, durable, or not at all.
fn make(folder: &Path, file: &Path, machine: Option<String>) -> Result<Identity, Fault> {
    let identity = Identity {
        agent: AgentId::random(),
        machine,
    };
    let text = serde_json::to_vec_pretty(&identity).unwrap_or_default();
    let work = folder.join(format!(".agent.{}.new", std::process::id()));
    let written = File::create(&work)
        .and_then(|mut new| new.write_all(&text).and_then(|()| new.sync_all()))
        .and_then(|()| fs::hard_link(&work, file));
    let _ = fs::remove_file(&work);
    match written {
        Ok(()) => {
            os::sync_folder(folder).map_err(|e| fault(folder, "cannot make it durable", &e))?;
            Ok(identity)
        }
        // Another process of the first start was faster: its identity is ours.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let bytes = fs::read(file).map_err(|e| fault(file, "cannot read it", &e))?;
            parse(file, &bytes)
        }
        Err(error) => Err(fault(file, "cannot write the agent's identity", &error)),
    }
}

#[cfg(test)]
mod tests;
