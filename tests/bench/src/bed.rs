//! What the rows run on: the programs, a folder with a configuration, a generated backup.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use twinset_tests::stream::{Spec, generate_files};

/// Seed of the generated backup: equal bytes on every machine.
const SEED: u64 = 7;

/// Folders of the mirrors.
pub(crate) const MIRRORS: [&str; 4] = ["a", "b", "c", "d"];

/// Our programs, beside this one.
pub(crate) struct Tools {
    /// The agent.
    pub(crate) twinset: PathBuf,
    /// Its disk plugin.
    pub(crate) plugin: PathBuf,
    /// Its tape plugin.
    pub(crate) tape: PathBuf,
    /// A device that can throw data away.
    pub(crate) fault: PathBuf,
    /// The double of SQL Server.
    pub(crate) lab: PathBuf,
    /// The double of its virtual device library.
    pub(crate) library: PathBuf,
}

impl Tools {
    /// Finds them beside this program.
    ///
    /// # Errors
    /// When one is not built.
    pub(crate) fn find() -> io::Result<Self> {
        let here = std::env::current_exe()?;
        let beside = |name: &str| {
            let path = here.with_file_name(name);
            if path.is_file() {
                Ok(path)
            } else {
                let text = format!("{} is not built; run make bench", path.display());
                Err(io::Error::new(io::ErrorKind::NotFound, text))
            }
        };
        Ok(Self {
            twinset: beside("twinset")?,
            plugin: beside("libtwinset_disk.so")?,
            tape: beside("libtwinset_tape.so")?,
            fault: beside("libtwinset_fault_device.so")?,
            lab: beside("twinset-lab")?,
            library: beside("libsqlvdi.so")?,
        })
    }
}

/// Whether a peer is installed.
pub(crate) fn installed(program: &str) -> bool {
    let asked = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok()
}

/// Free bytes of the file system that holds a folder.
pub(crate) fn free(folder: &Path) -> io::Result<u64> {
    let space = rustix::fs::statvfs(folder)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// A folder of a run, removed at its end.
pub(crate) struct Bed<'a> {
    tools: &'a Tools,
    folder: tempfile::TempDir,
    /// The generated backup.
    pub(crate) source: PathBuf,
}

impl<'a> Bed<'a> {
    /// Makes a folder below `root` with a backup of `size` bytes.
    ///
    /// # Errors
    /// The file system's, or too little space for the backup and two copies of it.
    pub(crate) fn make(tools: &'a Tools, root: &Path, size: u64) -> io::Result<Self> {
        Self::for_mirrors(tools, root, size, 2)
    }

    /// The same with so many mirrors.
    ///
    /// # Errors
    /// As [`Self::make`].
    pub(crate) fn for_mirrors(
        tools: &'a Tools,
        root: &Path,
        size: u64,
        mirrors: usize,
    ) -> io::Result<Self> {
        let copies = mirrors as u64 + 1;
        let needed = size.saturating_mul(copies).saturating_add(64 << 20);
        let free = free(root)?;
        if free < needed {
            let text = format!("{} has {free} bytes free, {needed} needed", root.display());
            return Err(io::Error::new(io::ErrorKind::StorageFull, text));
        }
        let folder = tempfile::Builder::new()
            .prefix("twinset-bench-")
            .tempdir_in(root)?;
        let files = generate_files(&Spec::new(SEED, size, 1), &folder.path().join("source"))?;
        let source = files
            .into_iter()
            .next()
            .ok_or_else(|| io::Error::other("no file made"))?;
        let bed = Self {
            tools,
            folder,
            source,
        };
        fs::create_dir(bed.path("groups"))?;
        bed.configure(mirrors, "")?;
        Ok(bed)
    }

    /// Writes the configuration: so many mirrors, and more lines for the media set.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn configure(&self, mirrors: usize, more: &str) -> io::Result<()> {
        let folder = self.folder.path();
        let mirrors = MIRRORS.get(..mirrors).unwrap_or(&MIRRORS);
        let text = format!(
            "[agent]\nname = \"bench\"\nstate_dir = \"state\"\ngroups_dir = \"groups\"\n\
             [plugins.disk]\npath = {:?}\n\
             [media_sets.bench]\ndisk_mirrors = {mirrors:?}\n{more}",
            self.tools.plugin
        );
        fs::write(folder.join("agent.toml"), text)
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Our command line with these arguments.
    pub(crate) fn ours(&self, arguments: &str) -> String {
        self.line("agent.toml", arguments)
    }

    /// The same with another configuration of the folder.
    pub(crate) fn line(&self, config: &str, arguments: &str) -> String {
        let (twinset, config) = (self.tools.twinset.display(), self.path(config));
        format!(
            "{twinset} --config {} --no-progress {arguments}",
            config.display()
        )
    }

    /// Our import, as a line of shell.
    pub(crate) fn import(&self) -> String {
        self.ours(&format!(
            "media import bench --database Payroll {}",
            self.source.display()
        ))
    }

    /// The same as a program, whose memory is looked at.
    pub(crate) fn import_command(&self) -> Command {
        let mut command = Command::new(&self.tools.twinset);
        command
            .arg("--config")
            .arg(self.path("agent.toml"))
            .arg("--no-progress");
        command
            .args(["media", "import", "bench", "--database", "Payroll"])
            .arg(&self.source);
        command
    }

    /// Removes all copies and formats a new media set of two mirrors.
    ///
    /// # Errors
    /// The file system's or the format's.
    pub(crate) fn fresh(&self) -> io::Result<()> {
        self.clear(&MIRRORS)?;
        self.clear(&["state"])?;
        super::measure::run(&self.ours("media format bench")).map(drop)
    }

    /// Removes what the peer wrote.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn clear(&self, names: &[&str]) -> io::Result<()> {
        names.iter().try_for_each(|name| remove(&self.path(name)))
    }

    /// The data sections on all mirrors.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn copies(&self) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for mirror in MIRRORS.iter().filter(|name| self.path(name).is_dir()) {
            for volume in fs::read_dir(self.path(mirror))? {
                for file in fs::read_dir(volume?.path())? {
                    let path = file?.path();
                    found.extend(path.extension().is_some_and(|e| e == "bak").then_some(path));
                }
            }
        }
        Ok(found)
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
