//! Is a file in the hands of the administrator alone? One rule for configuration, secrets, plugins
//! and SQL Server's library: whoever can change one of them runs as the agent.
//!
//! The file itself, every folder above it, and every link on the way must belong to root or the
//! agent's user and be writable by nobody else. A folder with the sticky bit is safe when its
//! entry is: only the entry's owner may replace it. On Windows root is SYSTEM and the
//! administrators, and folders above may take new names from others, as the root of every volume
//! does, but none may be put in the place of another.

mod os;

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
    /// Whose it is and who may touch it, in the system's own words.
    pub state: String,
    /// What is wrong with it.
    pub why: String,
    /// The command that sets it right.
    pub remedy: String,
    /// The commands that give it back to the administrator, whatever is wrong with it.
    pub take_back: String,
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
        if let Some(found) = os::judge_above(step)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
