//! What the operating system knows about files and about this host.

use std::io;
use std::path::Path;

use rustix::process::geteuid;

/// Who may not do what with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsafe {
    /// The file, or the folder above it.
    pub(crate) path: std::path::PathBuf,
    /// What is wrong with it.
    pub(crate) why: String,
    /// The command that sets it right.
    pub(crate) remedy: String,
}

/// How far others must be kept out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Only root and the agent's user may write.
    FromWriting,
    /// Besides, only they and the file's group may read.
    FromReading,
}

/// What lets others change a file or put another one in its place: its owner, its mode, and
/// those of every folder above it, also above the files that symbolic links lead to. A folder
/// with the sticky bit is safe when its entry is.
///
/// # Errors
/// The file cannot be looked at.
pub(crate) fn unsafe_for(path: &Path, keep: Keep) -> io::Result<Option<Unsafe>> {
    let real = path.canonicalize()?;
    if let Some(found) = entry(&real, keep)? {
        return Ok(Some(found));
    }
    let named = std::path::absolute(path)?;
    for start in [real.as_path(), named.as_path()] {
        for folder in start.ancestors().skip(1) {
            if let Some(found) = entry(folder, Keep::FromWriting)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

#[cfg(unix)]
fn entry(path: &Path, keep: Keep) -> io::Result<Option<Unsafe>> {
    use std::os::unix::fs::MetadataExt;

    const OTHERS_WRITE: u32 = 0o022;
    const OTHERS_READ: u32 = 0o004;
    const STICKY: u32 = 0o1000;

    let facts = path.metadata()?;
    let found = |why: String, remedy: String| {
        Ok(Some(Unsafe {
            path: path.to_path_buf(),
            why,
            remedy,
        }))
    };
    let shown = path.display();
    if facts.uid() != 0 && facts.uid() != geteuid().as_raw() {
        let why = format!(
            "belongs to user {}, not to root or the agent's user",
            facts.uid()
        );
        return found(why, format!("chown root {shown}"));
    }
    let sticky = facts.is_dir() && facts.mode() & STICKY != 0;
    if facts.mode() & OTHERS_WRITE != 0 && !sticky {
        let why = format!(
            "may be written by others (mode {:04o})",
            facts.mode() & 0o7777
        );
        return found(why, format!("chmod go-w {shown}"));
    }
    if keep == Keep::FromReading && facts.mode() & OTHERS_READ != 0 {
        let why = format!("may be read by others (mode {:04o})", facts.mode() & 0o7777);
        return found(why, format!("chmod o-rwx {shown}"));
    }
    Ok(None)
}

/// The short name of this host, up to the first dot; empty when it has none.
pub(crate) fn host_name() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}
