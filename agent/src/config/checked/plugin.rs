//! `[plugins.NAME]`.

use std::path::PathBuf;

use super::Check;
use crate::config::raw::PluginTable;
use crate::config::source::Place;

/// A device plugin. In this release it always runs inside the agent's process.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// Its name in the configuration.
    pub name: String,
    /// Its file, absolute.
    pub path: PathBuf,
    /// The SHA-256 that its file must have.
    pub sha256: Option<[u8; 32]>,
    /// Where it stands.
    pub place: Place,
}

/// Judges one plugin.
pub(crate) fn plugin(check: &mut Check<'_>, name: &str, raw: &PluginTable) -> Plugin {
    check.text(&raw.path, "path", 4096);
    let choices = [("in-process", false), ("process", true)];
    if let (true, Some(isolation)) = (
        check.choice(&raw.isolation, "isolation", &choices, false),
        &raw.isolation,
    ) {
        check.not_yet(
            &isolation.span(),
            "`isolation = \"process\"`",
            "use `isolation = \"in-process\"`",
        );
    }
    let sha256 = raw.sha256.as_ref().and_then(|text| {
        let bytes = digest(text.get_ref());
        if bytes.is_none() {
            let remedy = "write the 64 hexadecimal digits that `sha256sum FILE` prints";
            check.bad(&text.span(), "`sha256` is no SHA-256", remedy);
        }
        bytes
    });
    Plugin {
        name: name.to_owned(),
        path: check.file.resolve(raw.path.get_ref()),
        sha256,
        place: check.file.place(&raw.path.span()),
    }
}

fn digest(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        let pair = text.get(2 * at..2 * at + 2)?;
        if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}
