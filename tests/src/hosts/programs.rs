//! Where the programs and libraries of a build lie.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What two hosts run: the real files of one build.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `twinset`.
    pub twinset: PathBuf,
    /// `twinset-lab`, whose `serve` is the two SQL Servers.
    pub lab: PathBuf,
    /// The disk plugin.
    pub disk: PathBuf,
    /// The disk plugin with planted faults; lies in no release.
    pub fault: PathBuf,
    /// The double of SQL Server's virtual device library.
    pub vdi: PathBuf,
}

impl Programs {
    /// Those of the build that this program belongs to.
    ///
    /// # Errors
    /// One of them was not built.
    pub fn of_this_build() -> io::Result<Self> {
        Ok(Self {
            twinset: built("twinset")?,
            lab: built("twinset-lab")?,
            disk: built("libtwinset_disk.so")?,
            fault: built("libtwinset_fault_device.so")?,
            vdi: built("libsqlvdi.so")?,
        })
    }

    /// The same with the libraries in a folder of their own: Twinset refuses what others may write,
    /// and a build's own folder may be open to its group.
    ///
    /// # Errors
    /// The system's.
    pub fn installed(self, folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        let install = |from: &Path| {
            let to = folder.join(from.file_name().unwrap_or_default());
            fs::copy(from, &to)?;
            fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
            Ok::<_, io::Error>(to)
        };
        Ok(Self {
            disk: install(&self.disk)?,
            fault: install(&self.fault)?,
            vdi: install(&self.vdi)?,
            ..self
        })
    }
}

/// A file that the build put beside this program, or beside the folder of its tests.
///
/// # Errors
/// It was not built.
pub fn built(name: &str) -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let beside = program.ancestors().skip(1).take(2);
    let mut places = beside.map(|folder| folder.join(name));
    places.find(|path| path.is_file()).ok_or_else(|| {
        let text = format!("{name} is missing; run: cargo build --workspace");
        io::Error::new(io::ErrorKind::NotFound, text)
    })
}
