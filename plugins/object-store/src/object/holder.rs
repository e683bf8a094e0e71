//! Who holds a volume's lock, as the lock object says it. Pure but for the look at a process.

use bytes::Bytes;
use serde_json::{Value, json};

use super::os;

/// A holder of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) agent: String,
    pub(crate) host: String,
    /// Process on that host, and when it began.
    pub(crate) process: (u32, u64),
    /// Unlike that of any other holder.
    pub(crate) mark: String,
    /// Counts renewals, so that each has bytes and a tag of its own.
    pub(crate) renewal: u64,
}

impl Holder {
    /// This process, for an agent.
    pub(crate) fn here(agent: &str) -> Self {
        let id = std::process::id();
        Self {
            agent: agent.to_owned(),
            host: os::host_name(),
            process: (id, os::process_start(id).unwrap_or(0)),
            mark: format!("{:016x}", os::mark()),
            renewal: 0,
        }
    }

    pub(crate) fn to_bytes(&self) -> Bytes {
        let value = json!({
            "agent": self.agent,
            "host": self.host,
            "process": self.process.0,
            "started": self.process.1,
            "mark": self.mark,
            "renewal": self.renewal,
        });
        Bytes::from(format!("{value}\n"))
    }

    /// Reads a lock; one that cannot be read has a holder without a name.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| value[key].as_u64().unwrap_or_default();
        Self {
            agent: text("agent"),
            host: text("host"),
            process: (
                u32::try_from(number("process")).unwrap_or(0),
                number("started"),
            ),
            mark: text("mark"),
            renewal: number("renewal"),
        }
    }

    /// `agent TAB host`, as a refused mount says it.
    pub(crate) fn text(&self) -> String {
        let plain = |text: &str| text.replace(char::is_control, " ");
        format!("{}\t{}", plain(&self.agent), plain(&self.host))
    }

    /// True when this holder is the same agent, and its process is gone: an agent's state folder
    /// lets one process write at a time, so what a dead one left is its successor's.
    pub(crate) fn left_to(&self, us: &Self) -> bool {
        self.agent == us.agent
            && (self.host != us.host || os::process_start(self.process.0) != Some(self.process.1))
    }
}

#[cfg(test)]
mod tests;
