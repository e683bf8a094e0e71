//! Who may have put the library where it is.

use std::path::{Path, PathBuf};

use twinset_domain::{Fault, code};

use crate::trust::{self, Keep};

/// The library runs inside the agent, so its path is held to the rule for plugins: the file, every
/// folder above it and every link on the way are in the hands of root or the agent's user alone.
/// Gives the real place, which is what must be loaded.
///
/// # Errors
/// `TW4004` naming the first step that others may change.
pub(super) fn check(path: &Path) -> Result<PathBuf, Fault> {
    let fault =
        |message: String| Fault::new(code::VDI_LIBRARY, path.display().to_string(), message);
    if !path.is_absolute() {
        return Err(fault("the path of the VDI library is not absolute".into())
            .remedy("set vdi_library to the full path, usually /opt/mssql/lib/libsqlvdi.so"));
    }
    let missing = |error: std::io::Error| {
        fault("the VDI library cannot be opened".into()).source(&error).remedy(
            "set vdi_library to the libsqlvdi.so of the installed SQL Server; the agent must run \
             on the database host",
        )
    };
    let real = path.canonicalize().map_err(missing)?;
    match trust::unsafe_for(path, Keep::FromWriting).map_err(missing)? {
        None => Ok(real),
        Some(found) => {
            let step = found.path.display();
            Err(
                fault(format!("others than the administrator may change {step}"))
                    .remedy(found.take_back.clone()),
            )
        }
    }
}
