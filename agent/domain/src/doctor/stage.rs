//! The stage folder of a group: may both sides write there, and is there room?

use serde::Serialize;

use super::Finding;
use crate::code;
use crate::system::System;

/// Whoever is of the folder's group may write.
const GROUP_WRITES: u32 = 0o020;
/// Anybody may write.
const ALL_WRITE: u32 = 0o002;
/// New files get the folder's group.
const SETGID: u32 = 0o2000;

/// What was seen of a stage folder. Nothing was written to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// The folder as the agent sees it.
    pub dir: String,
    /// The group whose backups go through it.
    pub group: String,
    /// Why it cannot be looked at, if so.
    pub fault: Option<String>,
    /// This process may make files in it.
    pub writable: bool,
    /// Its permissions, where the system has such.
    pub mode: Option<u32>,
    /// Free bytes, if the system says so.
    pub free: Option<u64>,
    /// Bytes of the largest of the group's last full backups, where one is known: each database
    /// is staged by itself.
    pub last_full: Option<u64>,
    /// Backups that wait in it to be taken in.
    pub waiting: usize,
}

impl Stage {
    /// What of it would keep staged backups from succeeding.
    #[must_use]
    pub fn findings(&self, system: &System) -> Vec<Finding> {
        let remedy = format!("make {} {}", self.dir, system.shared_folder);
        let failure =
            |message: &str| Finding::failure(code::STAGE_DIR, &self.dir, message).remedy(&remedy);
        if let Some(fault) = &self.fault {
            return vec![failure(&format!(
                "group {} stages there: {fault}",
                self.group
            ))];
        }
        if !self.writable {
            return vec![failure("this agent may not write there")];
        }
        let mib = |bytes: u64| bytes / (1 << 20);
        let free = self
            .free
            .map_or_else(String::new, |free| format!(", {} MiB free", mib(free)));
        let mut found = vec![Finding::ok(
            &self.dir,
            format!("this agent may write there{free}"),
        )];
        found.extend(
            self.shared()
                .map(|message| Finding::warning(&self.dir, message).remedy(remedy)),
        );
        if let (Some(free), Some(last)) = (self.free, self.last_full)
            && free < last
        {
            let message = format!(
                "{} MiB are free, and the last full backup of one database of group {} had {} MiB",
                mib(free),
                self.group,
                mib(last)
            );
            found.push(
                Finding::warning(&self.dir, message)
                    .remedy("make room there, or use source = \"vdi\", which stages nothing"),
            );
        }
        if self.waiting > 0 {
            let message = format!("{} backups wait there to be taken in", self.waiting);
            found.push(
                Finding::note(&self.dir, message)
                    .remedy("the next backup does it; or at once: twinset media recover"),
            );
        }
        found
    }

    /// Why SQL Server, which runs as another user, may not be able to write there, or this agent to
    /// read what it wrote.
    fn shared(&self) -> Option<&'static str> {
        let mode = self.mode?;
        if mode & (GROUP_WRITES | ALL_WRITE) == 0 {
            return Some("its owner alone may write there, and SQL Server is another user");
        }
        (mode & (SETGID | ALL_WRITE) == 0).then_some(
            "files that SQL Server makes there get SQL Server's own group, and this agent may not \
             be able to read them",
        )
    }
}
