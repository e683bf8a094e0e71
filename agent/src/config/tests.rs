#![allow(clippy::unwrap_used, clippy::panic)]

mod checks;
mod faults;
mod guard;
mod samples;

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use twinset_domain::Fault;

use super::{Config, load};

/// Options without the drive that a rooted path of Windows takes from its file.
pub(super) fn rooted(options: &str) -> String {
    options.replace("\"C:/", "\"/")
}

/// A folder with configuration files that only this user may write.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(TempDir::new().unwrap());
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn load(&self) -> Result<Config, Vec<Fault>> {
        load(&self.path("agent.toml"))
    }

    /// All faults as they are printed, without this folder's name and what is this system's own:
    /// its separator, and what it says of a missing file.
    fn faults(&self) -> String {
        let faults = self.load().expect_err("the files hold faults");
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let missing = std::io::Error::from_raw_os_error(2).to_string();
        lines
            .join("\n")
            .replace(&self.path("").display().to_string(), "")
            .replace("groups.d\\", "groups.d/")
            .replace(&missing, "No such file or directory (os error 2)")
    }
}

const AGENT: &str = r#"
[agent]
name = "sql-a"
[plugins.disk]
path = "libtwinset_disk.so"
[instances.sql-a]
host = "sql-a.example.com"
user = "twinset"
password_file = "secrets/sql-a"
[instances.sql-b]
host = "sql-b.example.com"
user = "twinset"
password_env = "B"
[media_sets.payroll]
disk_mirrors = ["a/{agent}/{database}", "/b/{agent}"]
"#;

const GROUP: &str = r#"
[group]
name = "payroll"
partners = ["sql-a", "sql-b"]
databases = ["Payroll"]
media_set = "payroll"
"#;
