//! The host: what virtual devices need of it (facts/vdi.md 1.11).

use serde::Serialize;

use super::Finding;
use crate::code;

/// What was seen of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Host {
    /// Where shared memory lies, as a path.
    pub shared_memory: String,
    /// Its size and what of it is free, in bytes; `None` where it is not there.
    pub space: Option<(u64, u64)>,
    /// What the largest backup of the groups needs of it, in bytes.
    pub needed: u64,
    /// Whether this process may make files there.
    pub writable: bool,
    /// This process sees the shared memory of a SQL Server process; `None` where none was seen.
    pub same_as_server: Option<bool>,
    /// This process runs as root.
    pub is_root: bool,
    /// The name of its user.
    pub user: String,
    /// SQL Server's group, `mssql`, is there, and this process is in it.
    pub in_group: Option<bool>,
    /// SQL Server's user is in this process's group; `None` where it is not there.
    pub server_in_group: Option<bool>,
    /// The process's umask.
    pub umask: Option<u32>,
    /// Shared memory and semaphores of virtual device sets of Twinset.
    pub leftovers: usize,
}

impl Host {
    /// What of it would keep virtual devices from working.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut found = vec![self.memory()];
        found.extend(self.seen_by_server());
        found.push(self.groups());
        if let Some(umask) = self.umask.filter(|umask| umask & 0o007 != 0) {
            let message = format!(
                "its umask is {umask:04o}; shared memory of virtual devices is made without it"
            );
            found.push(Finding::note("this process", message));
        }
        if self.leftovers > 0 {
            let message = format!(
                "{} shared objects of virtual device sets of Twinset: of runs that are under way, \
                 or that were killed",
                self.leftovers
            );
            found.push(
                Finding::note(&self.shared_memory, message)
                    .remedy("twinset media recover SET removes those of dead runs"),
            );
        }
        found
    }

    fn memory(&self) -> Finding {
        let object = &self.shared_memory;
        let mib = |bytes: u64| bytes / (1 << 20);
        match self.space {
            None => Finding::failure(code::VDI_SESSION, object, "there is no shared memory here")
                .remedy("mount it (tmpfs on /dev/shm), or share the host's with this container"),
            Some(_) if !self.writable => Finding::failure(
                code::VDI_SESSION,
                object,
                "this process may not make files here",
            )
            .remedy(format!("chmod 1777 {object}")),
            Some((size, free)) if free < self.needed => {
                let message = format!(
                    "{} of {} MiB are free, and a backup needs {} MiB for its buffers",
                    mib(free),
                    mib(size),
                    mib(self.needed)
                );
                Finding::failure(code::VDI_SESSION, object, message).remedy(
                    "enlarge it (containers: --shm-size), or lower buffer_count and \
                     max_transfer_size in [backup]",
                )
            }
            Some((size, free)) => Finding::ok(
                object,
                format!("{} of {} MiB are free", mib(free), mib(size)),
            ),
        }
    }

    fn seen_by_server(&self) -> Option<Finding> {
        let object = &self.shared_memory;
        Some(match self.same_as_server {
            Some(true) => Finding::ok(object, "SQL Server sees the same shared memory"),
            Some(false) => Finding::failure(
                code::VDI_SESSION,
                object,
                "SQL Server sees another shared memory than this process",
            )
            .remedy(
                "run both in one container, or give both one /dev/shm and IPC name space; units \
                 of systemd must not have PrivateIPC or PrivateTmp over it",
            ),
            None => Finding::note(
                object,
                "no process named sqlservr that may be looked at is here: whether SQL Server sees \
                 the same shared memory was not compared",
            ),
        })
    }

    fn groups(&self) -> Finding {
        let object = format!("user {}", self.user);
        match (self.is_root, self.in_group, self.server_in_group) {
            (_, None, _) => Finding::note(
                object,
                "there is no group mssql on this host: who may open whose shared memory was not \
                 looked at",
            ),
            (false, Some(false), _) => Finding::failure(
                code::VDI_SESSION,
                object,
                "it is not in the group mssql, so it cannot open SQL Server's shared memory",
            )
            .remedy(format!(
                "usermod -aG mssql {}; then start the service again",
                self.user
            )),
            (false, _, Some(false)) => Finding::failure(
                code::VDI_SESSION,
                object,
                "SQL Server's user mssql is not in its group, so it cannot open the agent's \
                 shared memory",
            )
            .remedy("usermod -aG twinset mssql; systemctl restart mssql-server"),
            _ => Finding::ok(
                object,
                "it and SQL Server may open each other's shared memory",
            ),
        }
    }
}
