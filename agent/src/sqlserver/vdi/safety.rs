//! Who may have put the library where it is.

use std::path::Path;

use twinset_domain::{Fault, code};

/// The library runs inside the agent, so its path is held to the same rule as a plugin's.
pub(super) fn check(path: &Path) -> Result<(), Fault> {
    if !path.is_absolute() {
        return Err(Fault::new(
            code::VDI_LIBRARY,
            path.display().to_string(),
            "the path of the VDI library is not absolute",
        )
        .remedy("set vdi_library to the full path, usually /opt/mssql/lib/libsqlvdi.so"));
    }
    Ok(())
}
