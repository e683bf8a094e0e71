//! Rows about SQL Server: what a look at many databases costs, a small log backup from end to end,
//! and the way of the bytes through a virtual device. The server is the double in a process of its
//! own: it says nothing about SQL Server's own speed, and stands on both sides of each pair.

mod copy;
mod log;
mod poll;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use twinset_tests::lab::child::ServedLab;

use crate::bed::Tools;
use crate::measure;

pub(crate) use copy::copy;
pub(crate) use log::log;
pub(crate) use poll::poll;

/// Server name of the double.
const SERVER: &str = "SQL-A";
/// Password of its login.
const PASSWORD: &str = "Only-for-the-bench-1";

/// What lies below the mirrors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Store {
    /// The disk plugin in the bed's folder.
    Folder,
    /// A device that keeps no data of backups.
    Discards,
}

/// A double with databases, and a configuration that reaches it.
struct Host<'a> {
    tools: &'a Tools,
    folder: tempfile::TempDir,
    lab: ServedLab,
}

impl<'a> Host<'a> {
    /// Databases are named `db0001` and so on; the first alone is protected.
    fn make(
        tools: &'a Tools,
        root: &Path,
        databases: usize,
        bytes: u64,
        mirrors: usize,
        store: Store,
    ) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("twinset-bench-")
            .tempdir_in(root)?;
        let mut scene = format!(
            "[[instances]]\nname = {SERVER:?}\n[[instances.logins]]\nname = \"twinset\"\n\
             password = {PASSWORD:?}\nsysadmin = true\n"
        );
        for number in 1..=databases {
            let more =
                format!("[[instances.databases]]\nname = \"db{number:04}\"\nsize = {bytes}\n");
            scene.push_str(&more);
        }
        let path = folder.path().join("scene.toml");
        fs::write(&path, scene)?;
        let lab = ServedLab::start(&tools.lab, &path, &folder.path().join("lab"))?;
        let host = Self { tools, folder, lab };
        host.configure(mirrors, store)?;
        Ok(host)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, mirrors: usize, store: Store) -> io::Result<()> {
        let Some(server) = self.lab.instances.first() else {
            return Err(io::Error::other("no instance"));
        };
        let mut text = format!(
            "[agent]\nname = \"bench\"\nstate_dir = \"state\"\ngroups_dir = \"groups.d\"\n\
             serves = [\"sql-a\"]\n[plugins.disk]\npath = {:?}\n[plugins.fault]\npath = {:?}\n\
             [instances.sql-a]\nhost = \"localhost\"\nport = {}\nauth = \"sql\"\n\
             user = \"twinset\"\npassword_file = \"password\"\nca_file = {:?}\n\
             vdi_library = {:?}\n",
            self.tools.plugin, self.tools.fault, server.port, server.ca_file, self.tools.library,
        );
        // The media set of logs is made beside with the same devices.
        text.push_str("[media_sets.bench]\n");
        for mirror in 1..=mirrors {
            let (plugin, more) = match store {
                Store::Folder => ("disk", ""),
                Store::Discards => ("fault", ", discard = true"),
            };
            write!(
                text,
                "[[media_sets.bench.mirrors]]\ndevices = [{{ plugin = {plugin:?}, \
                 options = {{ path = \"m{mirror}\"{more} }} }}]\n"
            )
            .map_err(io::Error::other)?;
        }
        fs::write(self.path("agent.toml"), text)?;
        fs::create_dir(self.path("groups.d"))?;
        let group = "[group]\nname = \"bench\"\npartners = [\"sql-a\"]\ndatabases = [\"db0001\"]\n\
                     media_set = \"bench\"\nsource = \"vdi\"\n";
        fs::write(self.path("groups.d/bench.toml"), group)?;
        fs::write(self.path("password"), PASSWORD)?;
        fs::set_permissions(self.path("password"), fs::Permissions::from_mode(0o600))
    }

    /// Our command line with these arguments.
    fn ours(&self, arguments: &str) -> String {
        let (twinset, config) = (self.tools.twinset.display(), self.path("agent.toml"));
        format!(
            "{twinset} --config {} --no-progress {arguments}",
            config.display()
        )
    }

    /// Removes all copies and formats a new media set.
    fn fresh(&self) -> io::Result<()> {
        for name in ["m1", "m2", "m1-log", "m2-log", "state"] {
            match fs::remove_dir_all(self.path(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        measure::run(&self.ours("media format bench")).map(drop)
    }

    /// Requests that the double had so far.
    fn requests(&mut self) -> io::Result<u64> {
        let told = self.lab.order(&json!({ "instance": SERVER }))?;
        told["requests"]
            .as_u64()
            .ok_or_else(|| io::Error::other("the double does not count"))
    }
}
