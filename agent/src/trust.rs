//! Is a file in the hands of the administrator alone? One rule for configuration, secrets, plugins
//! and SQL Server's library: whoever can change one of them runs as the agent.
//!
//! The file itself, every folder above it, and every link on the way must belong to root or the
//! agent's user and be writable by nobody else. A folder with the sticky bit is safe when its
//! entry is: only the entry's owner may replace it.

use std::io;
use std::path::{Path, PathBuf};

/// How far others must be kept out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Only root and the agent's user may write.
    FromWriting,
    /// Besides, only they and the file's group may read.
    FromReading,
}

/// What lets others change a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsafe {
    /// The file, a folder above it, or a link on the way.
    pub path: PathBuf,
    /// Its owner's number.
    pub owner: u32,
    /// Its permission bits.
    pub mode: u32,
    /// What is wrong with it.
    pub why: String,
    /// The command that sets it right.
    pub remedy: String,
}

/// Looks at a file and everything above it, under the name given and under its real one.
///
/// # Errors
/// The file, or something on the way, cannot be looked at.
pub fn unsafe_for(path: &Path, keep: Keep) -> io::Result<Option<Unsafe>> {
    let real = path.canonicalize()?;
    if let Some(found) = os::judge(&real, keep)? {
        return Ok(Some(found));
    }
    let named = std::path::absolute(path)?;
    for step in real.ancestors().skip(1).chain(named.ancestors()) {
        if let Some(found) = os::judge(step, Keep::FromWriting)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(unix)]
mod os {
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use rustix::process::geteuid;

    use super::{Keep, Unsafe};

    const OTHERS_WRITE: u32 = 0o022;
    const OTHERS_READ: u32 = 0o004;
    /// In a sticky folder only an entry's owner may rename or remove it.
    const STICKY: u32 = 0o1000;

    /// One step of the way.
    pub(super) fn judge(path: &Path, keep: Keep) -> io::Result<Option<Unsafe>> {
        let facts = path.symlink_metadata()?;
        let (owner, mode) = (facts.uid(), facts.mode() & 0o7777);
        let shown = path.display();
        let found = |why: String, remedy: String| {
            Ok(Some(Unsafe {
                path: path.to_path_buf(),
                owner,
                mode,
                why,
                remedy,
            }))
        };
        if owner != 0 && owner != geteuid().as_raw() {
            let why = format!("belongs to user {owner}, not to root or the agent's user");
            return found(why, format!("chown root {shown}"));
        }
        // The rights of a symbolic link mean nothing; its folder's do.
        if facts.is_symlink() {
            return Ok(None);
        }
        let sticky = facts.is_dir() && mode & STICKY != 0;
        if mode & OTHERS_WRITE != 0 && !sticky {
            let why = format!("may be written by others (mode {mode:04o})");
            return found(why, format!("chmod go-w {shown}"));
        }
        if keep == Keep::FromReading && mode & OTHERS_READ != 0 {
            let why = format!("may be read by others (mode {mode:04o})");
            return found(why, format!("chmod o-rwx {shown}"));
        }
        Ok(None)
    }
}
