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
    if let Some(key) = table.keys().find(|key| *key != "path") {
        return Err(refuse(format!(
            "{key}: unknown option; a disk device has `path` alone"
        )));
    }
    match table.get("path") {
        None => Err(refuse(
            "path: missing; name the folder that holds the volumes",
        )),
        Some(Value::String(path)) if Path::new(path).is_absolute() && !path.contains('\0') => {
            Ok(Options {
                path: os::place(Path::new(path)),
            })
        }
        Some(Value::String(path)) => Err(refuse(format!(
            "path: must be an absolute folder, not `{path}`"
        ))),
        Some(_) => Err(refuse("path: must be a text")),
    }
}
