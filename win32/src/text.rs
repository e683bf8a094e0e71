//! Text and paths as Windows takes them.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf, Prefix};

/// Text in UTF-16 with its end; text that holds an end is refused.
///
/// # Errors
/// `InvalidInput`.
pub(crate) fn wide(text: &OsStr) -> io::Result<Vec<u16>> {
    let mut units: Vec<u16> = text.encode_wide().collect();
    if units.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    units.push(0);
    Ok(units)
}

/// A path that Windows takes as it stands: as long as 32,767 characters, and with names that
/// would otherwise mean devices. What is such a path already, or names a device, stays.
///
/// # Errors
/// The current folder cannot be had, for a relative path.
pub fn verbatim(path: &Path) -> io::Result<PathBuf> {
    // Forward slashes, `.` and `..` mean nothing behind `\\?\`, so they are resolved first.
    let full = std::path::absolute(path)?;
    let Some(Component::Prefix(prefix)) = full.components().next() else {
        return Ok(full);
    };
    let head = match prefix.kind() {
        Prefix::Disk(_) => r"\\?\",
        Prefix::UNC(..) => r"\\?\UNC\",
        _ => return Ok(full),
    };
    let rest = full.as_os_str().to_string_lossy();
    // A name that is not Unicode would not survive; such a path is left as it is.
    if matches!(rest, std::borrow::Cow::Owned(_)) {
        return Ok(full);
    }
    Ok(PathBuf::from(format!(
        "{head}{}",
        rest.trim_start_matches('\\')
    )))
}

/// A path for a call.
pub(crate) fn wide_path(path: &Path) -> io::Result<Vec<u16>> {
    wide(verbatim(path)?.as_os_str())
}

/// Whether a file of this name means a device in every folder (`CON`, `nul.txt`, `Com1.x`), or
/// could be reached by no other program (it ends with a dot or a space).
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    let numbered = ["COM", "LPT"].iter().any(|device| {
        let rest = stem.strip_prefix(device);
        rest.is_some_and(|rest| rest.chars().count() == 1 && rest.chars().all(is_port))
    });
    numbered || DEVICES.contains(&stem.as_str()) || name.ends_with(['.', ' '])
}

/// The digits of ports, raised ones too.
const fn is_port(letter: char) -> bool {
    matches!(letter, '0'..='9' | '¹' | '²' | '³')
}
