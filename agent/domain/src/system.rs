//! What people are told to do where that differs from system to system: its programs, its users,
//! its folders. Errors and help take these words from here, so that nobody reads of `chmod` on
//! Windows.

mod os;

#[cfg(test)]
mod tests;

/// The words of one system. Each field is what a sentence of a message needs.
#[derive(Debug, PartialEq, Eq)]
pub struct System {
    /// Whether it proves who a program runs for (SSPI), so that SQL Server takes accounts of Windows.
    pub windows_logins: bool,
    /// Where the configuration lies when nothing else is said.
    pub config: &'static str,
    /// Where the state lies when nothing else is said.
    pub state: &'static str,
    /// Where secrets lie, with the separator behind it.
    pub secrets: &'static str,
    /// Who may write where administrators may: "run it as ...".
    pub writer: &'static str,
    /// Who alone may write the configuration: "... may write this file".
    pub writers: &'static str,
    /// How the service is started.
    pub start: &'static str,
    /// How it is started for the first time.
    pub first_start: &'static str,
    /// What helps where no thread can be started.
    pub tasks: &'static str,
    /// What helps where a set of virtual devices finds too little memory.
    pub set_memory: &'static str,
    /// What helps where SQL Server does not see a set of virtual devices.
    pub set_unseen: &'static str,
    /// What both users can write to: "make it ...".
    pub shared_folder: &'static str,
    /// Who SQL Server is, for the file system.
    pub server_user: &'static str,
    /// What helps where the agent may not read what SQL Server wrote.
    pub read_of_server: &'static str,
    /// How a credential of the service manager is given: `{name}` stands for itself.
    credential: &'static str,
    /// How the file of a secret is made: `{what}` and `{path}` stand for themselves.
    secret: &'static str,
}

/// The system that this program was made for.
pub const HERE: &System = os::HERE;

/// Words of Linux.
pub const LINUX: System = System {
    windows_logins: false,
    config: "/etc/twinset/agent.toml",
    state: "/var/lib/twinset",
    secrets: "/etc/twinset/secrets/",
    writer: "root, or as who may write there",
    writers: "root and the agent's user",
    start: "systemctl start twinset, or twinset run",
    first_start: "systemctl enable --now twinset",
    tasks: "raise the limit of tasks for this service (TasksMax, ulimit -u)",
    set_memory: "lower buffer_count or max_transfer_size in [backup]; give the host more memory, or \
                 a container a larger /dev/shm",
    set_unseen: "SQL Server does not see the agent's set: both must run on this host and share \
                 /dev/shm (no other container, no PrivateIPC); put each user into the other's group \
                 (usermod -aG mssql twinset; usermod -aG twinset mssql) and restart SQL Server",
    shared_folder: "a folder of mode 2770 and of a group that the agent's user and SQL Server's are \
                    both in",
    server_user: "mssql",
    read_of_server: "put the agent's user into SQL Server's group (usermod -aG mssql twinset), and \
                     give stage_dir the mode 2770",
    credential: "add `LoadCredential={name}:FILE` to the systemd unit",
    secret: "put the {what} alone into {path}, with mode 0600",
};

/// Words of Windows.
pub const WINDOWS: System = System {
    windows_logins: true,
    config: r"C:\ProgramData\Twinset\agent.toml",
    state: r"C:\ProgramData\Twinset\state",
    secrets: r"C:\ProgramData\Twinset\secrets\",
    writer: "an administrator",
    writers: "administrators, SYSTEM and the agent's user",
    start: "twinset service start, or twinset run",
    first_start: "twinset service install; twinset service start",
    tasks: "end other programs: the system has no room for one more thread",
    set_memory: "lower buffer_count or max_transfer_size in [backup], or give the host more memory",
    set_unseen: "SQL Server does not see the agent's set: both must run on this host, and the agent \
                 as a service or from a console that was started as administrator",
    shared_folder: "a folder of NTFS that the agent's user and SQL Server's may both change (icacls \
                    FOLDER /grant \"NT SERVICE\\MSSQLSERVER:(OI)(CI)M\")",
    server_user: r"such as NT SERVICE\MSSQLSERVER",
    read_of_server: "give the agent's user the right to change files in stage_dir and what lies in \
                     it (icacls)",
    credential: "credentials are given by systemd, which is not here: seal the secret into a file \
                 with `twinset secret seal`, and name that with password_file",
    secret: "put the {what} alone into {path}: twinset secret seal {path}",
};

impl System {
    /// How the file of a secret is made that messages call `what`.
    #[must_use]
    pub fn secret(&self, what: &str, path: &str) -> String {
        self.secret.replace("{what}", what).replace("{path}", path)
    }

    /// How a credential of the service manager is given to the service.
    #[must_use]
    pub fn credential(&self, name: &str) -> String {
        self.credential.replace("{name}", name)
    }
}
