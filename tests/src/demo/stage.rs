//! A host in a folder: programs, configuration, and a double of SQL Server beside it.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::hosts::programs::Programs;
use crate::lab::child::ServedLab;

/// Bytes of data pages of the database: enough that progress is seen.
const DATABASE_BYTES: u64 = 256 << 20;
/// How fast SQL Server sends while the person watches.
const WATCHED_BYTES_PER_SECOND: u64 = 45 << 20;
/// Name of the instance.
const SERVER: &str = "SQL-A";

/// The folder and everything in it; gone at the end.
pub(super) struct Stage {
    folder: Option<TempDir>,
    path: PathBuf,
    twinset: PathBuf,
    lab: RefCell<ServedLab>,
}

impl Stage {
    /// Copies programs and plugin, starts the double and writes the configuration.
    pub(super) fn set_up(keep: bool) -> io::Result<Self> {
        // Twinset refuses what others may write; some systems let the group by default.
        let others_write = rustix::fs::Mode::WGRP | rustix::fs::Mode::WOTH;
        rustix::process::umask(others_write);
        let temp = tempfile::Builder::new().prefix("twinset-demo.").tempdir()?;
        let path = temp.path().canonicalize()?;
        let folder = if keep {
            // From here on nothing removes it.
            let kept = temp.keep();
            println!("everything is kept in {}", kept.display());
            None
        } else {
            Some(temp)
        };
        let programs = Programs::of_this_build()?.installed(&path.join("lib"))?;
        write(&path.join("scene.toml"), &scene(), 0o644)?;
        let lab = ServedLab::start(&programs.lab, &path.join("scene.toml"), &path.join("lab"))?;
        configure(&path, &lab)?;
        Ok(Self {
            folder,
            path,
            twinset: programs.twinset,
            lab: RefCell::new(lab),
        })
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// `twinset` as it is run here, quiet about its configuration file.
    pub(super) fn twinset(&self, line: &str) -> Command {
        let mut command = Command::new(&self.twinset);
        command.current_dir(&self.path).env_remove("TWINSET_LOG");
        command
            .args(["--config", "agent.toml"])
            .args(line.split(' '));
        command
    }

    /// SQL Server sends slowly, so that progress can be watched, or as fast as it can.
    pub(super) fn watch(&self, slowly: bool) -> io::Result<()> {
        let faults = match slowly {
            true => json!({ "bytes_per_second": WATCHED_BYTES_PER_SECOND }),
            false => json!({}),
        };
        self.lab.borrow_mut().turn(SERVER, &faults)
    }

    /// State of a database as the double has it; `None` when there is none.
    pub(super) fn state_of(&self, database: &str) -> Option<String> {
        let told = self.lab.borrow_mut().database(SERVER, database).ok()?;
        Some(told["state"].as_str()?.to_owned())
    }

    /// Ends the double and removes the folder.
    pub(super) fn end(self) -> io::Result<()> {
        let ended = self.lab.into_inner().end()?;
        if let Some(folder) = self.folder {
            folder.close()?;
        }
        match ended.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("the double ended with {ended}"))),
        }
    }
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn scene() -> String {
    format!(
        "[[instances]]\nname = \"{SERVER}\"\n\
         logins = [{{ name = \"twinset\", password = \"a demo's password\", sysadmin = true }}]\n\
         [[instances.databases]]\nname = \"Payroll\"\nsize = {DATABASE_BYTES}\n"
    )
}

fn configure(folder: &Path, lab: &ServedLab) -> io::Result<()> {
    let Some(instance) = lab.instances.first() else {
        return Err(io::Error::other("the double has no instance"));
    };
    let groups = folder.join("groups.d");
    fs::create_dir(&groups)?;
    fs::set_permissions(&groups, fs::Permissions::from_mode(0o755))?;
    write(&folder.join("password"), "a demo's password\n", 0o600)?;
    write(&groups.join("payroll.toml"), GROUP, 0o644)?;
    let lib = folder.join("lib").display().to_string();
    let agent = AGENT
        .replace("@LIB@", &lib)
        .replace("@PORT@", &instance.port.to_string())
        .replace("@CA@", &instance.ca_file.display().to_string());
    write(&folder.join("agent.toml"), &agent, 0o644)
}

const GROUP: &str = r#"[group]
name = "payroll"
partners = ["sql-a"]
databases = ["Payroll"]
media_set = "payroll"
source = "vdi"
"#;

const AGENT: &str = r#"[agent]
name = "sql-a"
serves = ["sql-a"]
state_dir = "state"

[plugins.disk]
path = "@LIB@/libtwinset_disk.so"

[instances.sql-a]
host = "127.0.0.1"
port = @PORT@
auth = "sql"
user = "twinset"
password_file = "password"
ca_file = "@CA@"
vdi_library = "@LIB@/libsqlvdi.so"

[media_sets.payroll]
name = "Payroll media"
families = 2
[[media_sets.payroll.mirrors]]
devices = [
  { plugin = "disk", options = { path = "mirror1/family1" } },
  { plugin = "disk", options = { path = "mirror1/family2" } },
]
[[media_sets.payroll.mirrors]]
devices = [
  { plugin = "disk", options = { path = "mirror2/family1" } },
  { plugin = "disk", options = { path = "mirror2/family2" } },
]
"#;
