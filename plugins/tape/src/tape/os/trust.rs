//! Who can change a file that this plugin runs: the rule of the agent for plugins and configuration.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

const OTHERS_WRITE: u32 = 0o022;
/// In a sticky folder only an entry's owner may rename or remove it.
const STICKY: u32 = 0o1000;

/// What lets others than root and the agent's user change a file, or put another one in its place:
/// one step of the way to it. Whose it is, in the system's words; nothing where it is safe.
pub(crate) fn changed_by_others(step: &Path) -> io::Result<Option<String>> {
    let facts = step.symlink_metadata()?;
    let (owner, mode) = (facts.uid(), facts.mode() & 0o7777);
    let foreign = owner != 0 && owner != geteuid().as_raw();
    let sticky = facts.is_dir() && mode & STICKY != 0;
    // The rights of a symbolic link mean nothing; its folder's do.
    let open = mode & OTHERS_WRITE != 0 && !sticky && !facts.is_symlink();
    Ok((foreign || open).then(|| format!("belongs to uid {owner} with mode {mode:04o}")))
}

/// A program at its real place, told the name that it was called by: some programs are many.
pub(crate) fn command(real: &Path, called: &Path) -> Command {
    let mut command = Command::new(real);
    command.arg0(called);
    command
}
