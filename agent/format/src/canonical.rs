//! Canonical JSON that carries its own hash.
//!
//! A document is one line of JSON without white space, its fields in the order of the Rust struct,
//! the first of them `check`: the BLAKE3 of the whole (line, line feed, binary tail) with these 64
//! digits as zeros. So a reader with `b3sum` and `sed` can check it, and no bit of it is loose.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{FORMAT, FormatError};

/// The `check` field before it is known.
pub const BLANK_CHECK: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Where its 64 digits stand in a document.
const CHECK_AT: usize = r#"{"check":""#.len();
/// Longest JSON line that is looked at.
pub const MAX_LINE: usize = 4 << 20;

/// A hash as 64 hex digits, small letters.
#[must_use]
pub fn hex(bytes: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*bytes).to_hex().to_string()
}

/// Writes a document: its line, and `tail` behind it. The document's first field must be `check`.
pub(crate) fn write<T: Serialize>(document: &T, tail: &[u8]) -> Vec<u8> {
    let mut bytes = unchecked(document, tail);
    let check = blake3::hash(&bytes).to_hex();
    put_check(&mut bytes, 0, check.as_str());
    bytes
}

/// A document as it is, `check` and all, without a look at its hash.
pub(crate) fn unchecked<T: Serialize>(document: &T, tail: &[u8]) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(document).unwrap_or_default();
    bytes.push(b'\n');
    bytes.extend_from_slice(tail);
    bytes
}

/// Writes the 64 digits into the document that begins at `start`.
pub(crate) fn put_check(bytes: &mut [u8], start: usize, check: &str) {
    if let Some(place) = bytes.get_mut(start + CHECK_AT..start + CHECK_AT + check.len()) {
        place.copy_from_slice(check.as_bytes());
    }
}

/// Reads a document and gives its tail. Checks hash, version, and that the line is canonical.
pub(crate) fn read<'a, T: Serialize + DeserializeOwned>(
    what: &'static str,
    bytes: &'a [u8],
) -> Result<(T, &'a [u8]), FormatError> {
    let head = &bytes[..bytes.len().min(MAX_LINE)];
    let Some(end) = head.iter().position(|b| *b == b'\n') else {
        return Err(not_ours(what, "no line of JSON"));
    };
    let (line, tail) = (&bytes[..end], &bytes[end + 1..]);
    let mut blank = bytes.to_vec();
    put_check(&mut blank, 0, BLANK_CHECK);
    let found = line.get(CHECK_AT..CHECK_AT + BLANK_CHECK.len());
    if found != Some(blake3::hash(&blank).to_hex().as_bytes()) {
        return Err(version_first(what, line));
    }
    let document = parse_line(what, line)?;
    Ok((document, tail))
}

/// Parses a canonical line whose hash was checked by the caller.
pub(crate) fn parse_line<T: Serialize + DeserializeOwned>(
    what: &'static str,
    line: &[u8],
) -> Result<T, FormatError> {
    let document: T = match serde_json::from_slice(line) {
        Ok(document) => document,
        Err(error) => {
            return Err(match version_first(what, line) {
                newer @ FormatError::Newer { .. } => newer,
                _ => altered(what, &error.to_string()),
            });
        }
    };
    if serde_json::to_vec(&document).is_ok_and(|again| again == line) {
        Ok(document)
    } else {
        Err(altered(what, "not in canonical form"))
    }
}

/// A newer document must be refused as newer, not as damaged.
fn version_first(what: &'static str, line: &[u8]) -> FormatError {
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
    }
    match serde_json::from_slice::<Version>(line) {
        Ok(Version { format }) if format > FORMAT => FormatError::Newer {
            what,
            found: format,
            known: FORMAT,
        },
        Ok(_) => altered(what, "its hash does not match"),
        Err(error) => altered(what, &error.to_string()),
    }
}

pub(crate) fn altered(what: &'static str, why: &str) -> FormatError {
    FormatError::Altered {
        what,
        why: why.to_owned(),
    }
}

pub(crate) fn not_ours(what: &'static str, why: &str) -> FormatError {
    FormatError::NotOurs {
        what,
        why: why.to_owned(),
    }
}
