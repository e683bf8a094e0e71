//! The `options` table of this device.

use std::path::{Path, PathBuf};

use serde_json::Value;
use twinset_plugin_api::{DeviceError, Outcome};

use super::os;

/// Checked options.
#[derive(Debug)]
pub(crate) struct Options {
    /// Absolute folder that holds the volumes.
    pub(crate) path: PathBuf,
    /// Whether sections are written past the page cache, where that was said.
    pub(crate) direct: Option<bool>,
}

fn refuse(text: impl Into<String>) -> DeviceError {
    DeviceError::new(Outcome::BAD_OPTION, text)
}

/// Reads the options; every refusal begins with the key it concerns.
pub(crate) fn parse(text: &str) -> Result<Options, DeviceError> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| refuse(format!("options: not JSON: {error}")))?;
    let Value::Object(table) = value else {
        return Err(refuse(
            "options: must be a table, like { path = \"/backup/a\" }",
        ));
    };
    let known = ["path", "direct"];
    if let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(refuse(format!(
            "{key}: unknown option; a disk device has `path` and `direct`"
        )));
    }
    let direct = match table.get("direct") {
        None => None,
        Some(Value::Bool(true)) if !os::KNOWS_DIRECT => {
            return Err(refuse("direct: not on this operating system"));
        }
        Some(Value::Bool(direct)) => Some(*direct),
        Some(_) => return Err(refuse("direct: must be true or false")),
    };
    match table.get("path") {
        None => Err(refuse(
            "path: missing; name the folder that holds the volumes",
        )),
        Some(Value::String(path)) if Path::new(path).is_absolute() && !path.contains('\0') => {
            Ok(Options {
                path: os::place(Path::new(path)),
                direct,
            })
        }
        Some(Value::String(path)) => Err(refuse(format!(
            "path: must be an absolute folder, not `{path}`"
        ))),
        Some(_) => Err(refuse("path: must be a text")),
    }
}
