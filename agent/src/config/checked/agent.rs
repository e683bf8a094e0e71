//! `[agent]`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use toml::Spanned;

use twinset_domain::system::HERE;

use super::Check;
use super::instance::Instance;
use crate::config::os;
use crate::config::raw::AgentTable;
use crate::config::secret::SecretRef;
use crate::config::units::{GIB, MIB};

/// Least bound of all buffers, in bytes.
pub const LEAST_MEMORY: u64 = 32 * MIB;
/// How many runs at once when the file does not say.
const MAX_PARALLEL: u32 = 4;
/// Bound of all buffers when the file does not say, in bytes.
const MEMORY_LIMIT: u64 = 256 * MIB;

/// This agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its name, which stands for `{agent}`.
    pub name: String,
    /// The instances on this host.
    pub serves: Vec<String>,
    /// Folder for identity, catalog and locks, absolute.
    pub state_dir: PathBuf,
    /// Folder with the groups' files, absolute.
    pub groups_dir: PathBuf,
    /// Bound of all buffers together, in bytes.
    pub memory_limit: u64,
    /// How many backups and checks the service runs at once.
    pub max_parallel: usize,
    /// The key that signs manifests and records.
    pub signing_key: Option<SecretRef>,
    /// Where the service serves metrics and its status page.
    pub metrics: Option<SocketAddr>,
}

/// Judges `[agent]`; `known` are all instance names of the file, `instances` the sound ones.
pub(crate) fn agent(
    check: &mut Check<'_>,
    raw: Option<&AgentTable>,
    known: &BTreeSet<String>,
    instances: &BTreeMap<String, Instance>,
) -> Agent {
    let host = os::host_name();
    let name = match raw.and_then(|raw| raw.name.as_ref()) {
        Some(name) => {
            check.name(name, "an agent");
            name.get_ref().clone()
        }
        None => {
            let here = raw.map_or(0..0, |_| find_agent_table(check.file.text()));
            check.name(&Spanned::new(here, host.clone()), "an agent");
            host.clone()
        }
    };
    let serves = match raw.and_then(|raw| raw.serves.as_ref()) {
        Some(list) => {
            for entry in list.get_ref() {
                check.known(entry, "instance", known);
            }
            list.get_ref()
                .iter()
                .map(|entry| entry.get_ref().clone())
                .collect()
        }
        None => local(&host, instances),
    };
    let folder = |value: Option<&str>, default: &str| check.file.resolve(value.unwrap_or(default));
    let text = |value: Option<&Spanned<String>>| value.map(|value| value.get_ref().clone());
    let state_dir = text(raw.and_then(|raw| raw.state_dir.as_ref()));
    let groups_dir = text(raw.and_then(|raw| raw.groups_dir.as_ref()));
    let (state_dir, groups_dir) = (
        folder(state_dir.as_deref(), HERE.state),
        folder(groups_dir.as_deref(), crate::config::load::GROUPS_DIR),
    );
    let none = None;
    let limit = raw.map_or(&none, |raw| &raw.memory_limit);
    let rule: (&str, fn(u64) -> bool) = ("32MiB to 64GiB", |bytes| {
        (LEAST_MEMORY..=64 * GIB).contains(&bytes)
    });
    let memory_limit = check.size(limit, "memory_limit", rule, MEMORY_LIMIT);
    let parallel = raw.map_or(&None, |raw| &raw.max_parallel);
    let max_parallel = check.number(parallel, "max_parallel", 1..=64, MAX_PARALLEL);
    let signing_key = raw
        .and_then(|raw| raw.signing_key_file.as_ref())
        .map(|value| {
            check.text(value, "signing_key_file", 4096);
            SecretRef::File(check.secret_file(value))
        });
    Agent {
        name,
        serves,
        state_dir,
        groups_dir,
        memory_limit,
        max_parallel: usize::try_from(max_parallel).unwrap_or(1),
        signing_key,
        metrics: raw.and_then(|raw| metrics(check, raw)),
    }
}

/// Where metrics are served: on this host alone, unless the file says that others may read them.
fn metrics(check: &mut Check<'_>, raw: &AgentTable) -> Option<SocketAddr> {
    let remote = raw.metrics_remote.as_ref();
    let Some(value) = &raw.metrics else {
        if let Some(remote) = remote {
            let message = "`metrics_remote` without `metrics`";
            let remedy = "add `metrics`, or leave this key out";
            check.bad(&remote.span(), message, remedy);
        }
        return None;
    };
    let (span, text) = (value.span(), value.get_ref());
    let Ok(address) = text.parse::<SocketAddr>() else {
        let message = format!("`metrics` is no address with a port: \"{text}\"");
        check.bad(&span, message, "write 127.0.0.1:9742, or [::1]:9742");
        return None;
    };
    if !address.ip().is_loopback() && !remote.is_some_and(|remote| *remote.get_ref()) {
        let message = format!("`metrics` would let other hosts read it: {address}");
        let remedy =
            "write 127.0.0.1 or [::1]; or, where that is meant, add `metrics_remote = true`";
        check.bad(&span, message, remedy);
    }
    Some(address)
}

/// Where `[agent]` stands, to point at it when its name must be guessed and cannot.
fn find_agent_table(text: &str) -> std::ops::Range<usize> {
    text.find("[agent]").map_or(0..0, |at| at..at + 1)
}

/// The instances that run here: the only one, else those whose host is this host.
fn local(host: &str, instances: &BTreeMap<String, Instance>) -> Vec<String> {
    if instances.len() == 1 {
        return instances.keys().cloned().collect();
    }
    let here = |instance: &Instance| {
        let short = instance.host.split('.').next().unwrap_or_default();
        matches!(instance.host.as_str(), "localhost" | "127.0.0.1" | "::1")
            || (!host.is_empty() && short.eq_ignore_ascii_case(host))
    };
    let found = instances.iter().filter(|(_, instance)| here(instance));
    found.map(|(name, _)| name.clone()).collect()
}
