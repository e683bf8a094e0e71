//! What the plugin asks of its host: names, processes, marks.

use std::collections::hash_map::RandomState;
use std::fs::Metadata;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The name of this host.
#[cfg(unix)]
pub(crate) fn host_name() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

/// The name of this host.
#[cfg(windows)]
pub(crate) fn host_name() -> String {
    twinset_win32::host::name().unwrap_or_default()
}

/// What lets others read a file of secrets, with its remedy.
#[cfg(unix)]
pub(crate) fn readable_by_others(_: &Path, facts: &Metadata) -> Result<Option<String>, String> {
    use std::os::unix::fs::MetadataExt;
    let open = facts.mode() & 0o007 != 0;
    Ok(open.then(|| "may be read by everybody; chmod o-rwx it".to_owned()))
}

/// What lets others read a file of secrets, with its remedy.
#[cfg(windows)]
pub(crate) fn readable_by_others(file: &Path, _: &Metadata) -> Result<Option<String>, String> {
    use twinset_win32::security::{Keep, Stranger, stranger};
    let found = stranger(file, Keep::Reading)
        .map_err(|error| format!("has rights that cannot be read: {error}"))?;
    let who = match found {
        None => return Ok(None),
        Some(Stranger::Owner(who) | Stranger::Reads(who) | Stranger::Writes(who)) => who,
        Some(Stranger::Everybody | Stranger::Unknown) => "others".to_owned(),
    };
    let remedy = "icacls it /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F";
    Ok(Some(format!("may be touched by {who}; {remedy}")))
}

/// A number unlike that of any other call, process or host.
pub(crate) fn mark() -> u64 {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = SEED.get_or_init(RandomState::new).build_hasher();
    hasher.write_u32(std::process::id());
    hasher.write_u64(COUNT.fetch_add(1, Ordering::Relaxed));
    hasher.finish()
}

/// When a process began, in ticks since the host's start; `None` when there is no such process.
///
/// A process id is given again after its process has ended, the pair of both is not.
#[cfg(unix)]
pub(crate) fn process_start(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// When a process began, in 100 ns since 1601; `None` when there is no such process, or none that
/// we may look at: ours can be.
#[cfg(windows)]
pub(crate) fn process_start(id: u32) -> Option<u64> {
    let found = twinset_win32::process::look(id).ok().flatten();
    found
        .filter(|process| !process.ended)
        .map(|process| process.started)
}
