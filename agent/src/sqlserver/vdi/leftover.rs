//! What a killed agent leaves in shared memory.

use std::fs;
use std::path::Path;

use super::platform::SHARED_OBJECTS;

/// Entries looked at in one go; more than any host has.
const MAX_ENTRIES: usize = 100_000;

/// Removes shared memory and semaphores of a set whose process is dead, and says how many went.
///
/// Only names that carry the whole set name go; a set name carries a run id, so nobody else's do.
/// What belongs to SQL Server's user stays when this process may not remove it: the server's end
/// clears it.
///
/// The caller must know that the run is dead: the objects of a living set must not be taken away.
#[must_use]
pub fn remove_leftovers(set_name: &str) -> usize {
    SHARED_OBJECTS.map_or(0, |folder| remove_in(Path::new(folder), set_name))
}

fn remove_in(folder: &Path, set_name: &str) -> usize {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let mut removed = 0;
    for entry in entries.take(MAX_ENTRIES).flatten() {
        let name = entry.file_name();
        if !carries(&name.to_string_lossy(), set_name) {
            continue;
        }
        match fs::remove_file(entry.path()) {
            Ok(()) => removed += 1,
            Err(error) => tracing::debug!(?name, %error, "a leftover of a dead run stays"),
        }
    }
    removed
}

/// The set name stands in `name` as a whole word.
fn carries(name: &str, set_name: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric();
    !set_name.is_empty()
        && name.match_indices(set_name).any(|(at, _)| {
            let before = name.get(..at).and_then(|head| head.chars().next_back());
            let after = name
                .get(at + set_name.len()..)
                .and_then(|tail| tail.chars().next());
            !before.is_some_and(inside) && !after.is_some_and(inside)
        })
}

#[cfg(test)]
mod tests;
