//! Who this agent is: an id made at first start, bound to the machine.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twinset_domain::{AgentId, Fault, code};

use super::{StateDir, fault, os};
use crate::folder;

/// The identity's file in the state folder.
const FILE: &str = "agent.json";
/// What the catalog's files begin with.
const CATALOG: &str = "catalog.sqlite";

/// What `agent.json` holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    agent: AgentId,
    /// BLAKE3 of the machine's id, so that the id itself does not leave the machine.
    machine: Option<String>,
}

/// What is told of an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The agent's id, as it stands in media headers.
    pub agent: AgentId,
    /// Whether it was made on this machine.
    pub of_this_machine: bool,
}

/// What became of an identity that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Renewed {
    /// The old id.
    pub old: AgentId,
    /// The new one.
    pub new: AgentId,
    /// Where the old identity and its catalog lie now.
    pub kept: PathBuf,
}

impl Identity {
    fn is_of(&self, machine: Option<&String>) -> bool {
        self.machine.is_none() || self.machine.as_ref() == machine
    }
}

fn machine() -> Option<String> {
    os::machine_id().map(|id| blake3::hash(&id).to_hex().to_string())
}

fn read(folder: &Path) -> Result<Option<Identity>, Fault> {
    let file = folder.join(FILE);
    match fs::read(&file) {
        Ok(bytes) => parse(&file, &bytes).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault(&file, "cannot read the agent's identity", &error)),
    }
}

/// The agent's id, made at first start.
pub(super) fn of_this_machine(folder: &Path) -> Result<AgentId, Fault> {
    let machine = machine();
    let identity = match read(folder)? {
        Some(identity) => identity,
        None => make(folder, machine.clone())?,
    };
    if !identity.is_of(machine.as_ref()) {
        let object = folder.join(FILE).display().to_string();
        let message = "the agent's identity was made on another machine";
        return Err(Fault::new(code::IDENTITY, object, message)
            .cause("a cloned host must not write the media sets of the original")
            .remedy("run: twinset agent renew-id; then format new media sets, those of the original stay readable"));
    }
    Ok(identity.agent)
}

/// Who this agent is, if it has started before; nothing is made.
///
/// # Errors
/// [`code::STATE_DIR`].
pub fn look(folder: &Path) -> Result<Option<Shown>, Fault> {
    let machine = machine();
    Ok(read(folder)?.map(|identity| Shown {
        agent: identity.agent,
        of_this_machine: identity.is_of(machine.as_ref()),
    }))
}

/// Who this agent is, whichever machine it was made on; made at first start.
///
/// # Errors
/// [`code::STATE_DIR`].
pub fn show(folder: &Path) -> Result<Shown, Fault> {
    folder::make_private(folder).map_err(|e| fault(folder, "cannot make the state folder", &e))?;
    let machine = machine();
    let identity = match read(folder)? {
        Some(identity) => identity,
        None => make(folder, machine.clone())?,
    };
    Ok(Shown {
        agent: identity.agent,
        of_this_machine: identity.is_of(machine.as_ref()),
    })
}

/// Gives the agent a new id. Old identity and catalog are kept aside: the new agent knows no media
/// set, and none of them knows it.
///
/// # Errors
/// [`code::STATE_DIR`]; [`code::STATE_LOCKED`] while a run works; [`code::CONFIRM`] when the
/// identity is this machine's own and that was not `confirmed`.
pub fn renew(folder: &Path, confirmed: bool) -> Result<Renewed, Fault> {
    let shown = show(folder)?;
    if shown.of_this_machine && !confirmed {
        let message = "the identity belongs to this machine; its media sets would be closed to it";
        return Err(
            Fault::new(code::CONFIRM, folder.display().to_string(), message)
                .cause(format!("this agent is {}", shown.agent))
                .remedy("if that is wanted: twinset agent renew-id --yes"),
        );
    }
    let _locks = StateDir::lock_everything(folder)?;
    let kept = folder.join(format!("before.{}", shown.agent));
    folder::make_private(&kept).map_err(|e| fault(&kept, "cannot make it", &e))?;
    let cannot = |error: std::io::Error| fault(&kept, "cannot keep the old identity here", &error);
    // The catalog first: without it, the old identity knows no less than before a first start.
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        if entry.file_name().to_string_lossy().starts_with(CATALOG) {
            fs::rename(entry.path(), kept.join(entry.file_name())).map_err(cannot)?;
        }
    }
    fs::rename(folder.join(FILE), kept.join(FILE)).map_err(cannot)?;
    folder::sync(&kept).map_err(cannot)?;
    let new = make(folder, machine())?.agent;
    Ok(Renewed {
        old: shown.agent,
        new,
        kept,
    })
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
fn make(folder: &Path, machine: Option<String>) -> Result<Identity, Fault> {
    let file = &folder.join(FILE);
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
            folder::sync(folder).map_err(|e| fault(folder, "cannot make it durable", &e))?;
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
