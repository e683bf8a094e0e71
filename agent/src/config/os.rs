//! What the operating system knows about this host, and what it does with rights of files.

/// The short name of this host, up to the first dot; empty when it has none.
#[must_use]
pub fn host_name() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

#[cfg(unix)]
mod unix {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{
        DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown,
    };
    use std::path::Path;

    /// A file that its owner alone may read, from its first byte on.
    pub(in crate::config) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
        options.mode(0o600)
    }

    /// Gives a file owner and rights of another.
    pub(in crate::config) fn like(file: &File, old: &Metadata) -> io::Result<()> {
        let ours = file.metadata()?;
        if (ours.uid(), ours.gid()) != (old.uid(), old.gid()) {
            fchown(file, Some(old.uid()), Some(old.gid()))?;
        }
        file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))
    }

    /// Lets the group of the folder read a file: for secrets only where that is the agent's, whose
    /// files root writes.
    pub(in crate::config) fn readable(file: &File, folder: &Path, plain: bool) -> io::Result<()> {
        let folder = folder.metadata()?;
        let for_agent = rustix::process::geteuid().is_root() && folder.gid() != 0;
        if for_agent {
            fchown(file, None, Some(folder.gid()))?;
        }
        let mode = if plain || for_agent { 0o640 } else { 0o600 };
        file.set_permissions(Permissions::from_mode(mode))
    }

    /// Names in a folder are durable when this returns.
    pub(in crate::config) fn sync_folder(folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// Makes a folder that nobody else may write, of the group of the one above it.
    pub(in crate::config) fn make_folder(folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        let above = folder.parent().unwrap_or(Path::new("/"));
        make_folder(above)?;
        DirBuilder::new().mode(0o750).create(folder)?;
        if rustix::process::geteuid().is_root() {
            chown(folder, None, Some(above.metadata()?.gid()))?;
        }
        Ok(())
    }
}

#[cfg(unix)]
pub(super) use unix::{like, make_folder, private, readable, sync_folder};

#[cfg(not(unix))]
mod other {
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;

    /// It inherits the rights of its folder.
    pub(in crate::config) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
        options
    }

    /// It inherits the rights of its folder.
    pub(in crate::config) fn like(_: &File, _: &Metadata) -> io::Result<()> {
        Ok(())
    }

    /// It inherits the rights of its folder.
    pub(in crate::config) fn readable(_: &File, _: &Path, _: bool) -> io::Result<()> {
        Ok(())
    }

    /// Folders cannot be synchronized here.
    pub(in crate::config) fn sync_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Makes a folder.
    pub(in crate::config) fn make_folder(folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)
    }
}

#[cfg(not(unix))]
pub(super) use other::{like, make_folder, private, readable, sync_folder};
