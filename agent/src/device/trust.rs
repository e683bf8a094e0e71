//! Is a plugin file, and every folder above it, in the hands of the administrator alone?

use std::path::{Path, PathBuf};

use twinset_domain::{Fault, code};

use crate::trust::{self, Keep};

#[cfg(test)]
mod tests;

/// Checks `path` and gives its real place, which is what must be loaded: between check and use
/// nobody but the trusted users can change it.
///
/// # Errors
/// `PLUGIN_LOAD` when the path is not absolute or not there, `PLUGIN_UNSAFE` when others may
/// write the file, a folder above it, or a link on the way.
pub(super) fn check(path: &Path) -> Result<PathBuf, Fault> {
    let object = path.display().to_string();
    if !path.is_absolute() {
        let message = "the path of a plugin must be absolute";
        return Err(Fault::new(code::PLUGIN_LOAD, object, message)
            .remedy("write the full path of the plugin file in `path` of its [plugins] table"));
    }
    let real = path.canonicalize().map_err(|error| {
        Fault::new(
            code::PLUGIN_LOAD,
            object.clone(),
            "the plugin file cannot be opened",
        )
        .remedy("install the plugin, or correct `path` in its [plugins] table")
        .source(&error)
    })?;
    if !real.is_file() {
        return Err(Fault::new(
            code::PLUGIN_LOAD,
            object,
            "the plugin is not a regular file",
        )
        .remedy("name the plugin's library file in `path` of its [plugins] table"));
    }
    let looked = |error: std::io::Error| {
        Fault::new(
            code::PLUGIN_LOAD,
            path.display().to_string(),
            "cannot be looked at",
        )
        .remedy("give the agent's user the right to read the plugin's folders")
        .source(&error)
    };
    let Some(found) = trust::unsafe_for(path, Keep::FromWriting).map_err(looked)? else {
        return Ok(real);
    };
    let step = found.path.display();
    let message = format!("others may change the plugin: {step} {}", found.state);
    Err(
        Fault::new(code::PLUGIN_UNSAFE, path.display().to_string(), message)
            .remedy(found.take_back),
    )
}
