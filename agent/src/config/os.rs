//! What the operating system knows about this host, and what it does with rights of files.

/// The short name of this host, up to the first dot; empty when it has none.
#[must_use]
pub fn host_name() -> String {
    let name = full_name();
    name.split('.').next().unwrap_or_default().to_owned()
}

#[cfg(unix)]
fn full_name() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

#[cfg(windows)]
fn full_name() -> String {
    twinset_win32::host::name().unwrap_or_default()
}

#[cfg(unix)]
mod unix {
    use std::fs::{DirBuilder, File, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{
        DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown,
    };
    use std::path::Path;

    /// Makes a file that its owner alone may read, from its first byte on.
    pub(in crate::config) fn create_private(path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
    }

    /// Gives an open file owner and rights of another.
    pub(in crate::config) fn like(file: &File, _: &Path, old: &Path) -> io::Result<()> {
        let old = old.metadata()?;
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
pub(super) use unix::{create_private, like, make_folder, readable};

#[cfg(windows)]
mod windows {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use twinset_win32::security;

    /// Makes a file that administrators, SYSTEM and our own user alone may read, from its first
    /// byte on.
    pub(in crate::config) fn create_private(path: &Path) -> io::Result<File> {
        security::create_private(path)
    }

    /// Gives a file the access list of another.
    pub(in crate::config) fn like(_: &File, path: &Path, old: &Path) -> io::Result<()> {
        security::like(path, old)
    }

    /// It stays as it was made: the service and administrators read it.
    pub(in crate::config) fn readable(_: &File, _: &Path, _: bool) -> io::Result<()> {
        Ok(())
    }

    /// Makes a folder that nobody else may enter.
    pub(in crate::config) fn make_folder(folder: &Path) -> io::Result<()> {
        security::make_private_folder(folder)
    }
}

#[cfg(windows)]
pub(super) use windows::{create_private, like, make_folder, readable};

/// What a file of a secret holds: the secret.
#[cfg(unix)]
pub(super) fn unseal(text: String) -> std::io::Result<String> {
    Ok(text)
}

/// How a sealed secret begins.
#[cfg(windows)]
const SEALED: &str = "dpapi:";

/// What a file of a secret holds: the secret, or the secret sealed to this machine.
#[cfg(windows)]
pub(super) fn unseal(text: String) -> std::io::Result<String> {
    use base64::Engine;
    let Some(sealed) = text.strip_prefix(SEALED) else {
        return Ok(text);
    };
    let damaged = |_| std::io::Error::from(std::io::ErrorKind::InvalidData);
    let sealed = base64::engine::general_purpose::STANDARD
        .decode(sealed.trim_end())
        .map_err(damaged)?;
    let open = twinset_win32::protect::open(&sealed)?;
    String::from_utf8(open).map_err(|_| std::io::ErrorKind::InvalidData.into())
}

/// A secret as a file holds it that this machine alone can open.
///
/// # Errors
/// What the system says.
#[cfg(windows)]
pub(crate) fn seal(secret: &str) -> std::io::Result<String> {
    use base64::Engine;
    let sealed = twinset_win32::protect::seal(secret.as_bytes())?;
    let text = base64::engine::general_purpose::STANDARD.encode(sealed);
    Ok(format!("{SEALED}{text}\n"))
}
