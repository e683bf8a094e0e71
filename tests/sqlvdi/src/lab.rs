//! Helpers for tests: where the built library lies, and copies of it that lack a symbol.

use std::io;
use std::path::{Path, PathBuf};

/// File name of the library as the real one is called.
const FILE_NAME: &str = "libsqlvdi.so";

/// The library beside the running program or in a folder cargo puts it into, if it was
/// built.
#[must_use]
pub fn locate() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    let parent = folder.parent().unwrap_or(folder);
    [
        folder.to_owned(),
        parent.to_owned(),
        folder.join("deps"),
        parent.join("deps"),
    ]
    .into_iter()
    .map(|place| place.join(FILE_NAME))
    .find(|path| path.is_file())
}

/// Copies the library to `target` with `symbol` renamed, so that looking it up fails. The
/// hash table still leads to the entry, but the name there no longer matches.
///
/// # Errors
/// Reading or writing failed, or the library does not have the symbol.
pub fn without_symbol(library: &Path, target: &Path, symbol: &str) -> io::Result<()> {
    let mut bytes = std::fs::read(library)?;
    let wanted = [b"\0", symbol.as_bytes(), b"\0"].concat();
    let mut found = false;
    let mut from = 0;
    while let Some(at) = find(&bytes[from..], &wanted) {
        bytes[from + at + symbol.len()] = b'?';
        from += at + wanted.len() - 1;
        found = true;
    }
    if !found {
        let text = format!("{} has no symbol {symbol}", library.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    std::fs::write(target, bytes)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
