//! From a plugin file to its table: the Rust door first, then the C door.

use std::fs;
use std::path::Path;

use abi_stable::library::{LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL, lib_header_from_path};
use twinset_domain::{Fault, code};
use twinset_plugin_api::door::{C_DOOR_V1, DeviceModuleV1Ref};
use twinset_plugin_api::v1::{DeviceTableV1, REVISION};

use super::os::{self, Library};

/// Which door a plugin has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// abi_stable root module.
    Rust,
    /// Plain symbol.
    C,
}

impl Door {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
        }
    }
}

const REBUILD: &str = "install the build of the plugin that was made for this version of Twinset \
                       (`twinset plugin check FILE` tells more)";

/// Opens `path` for ever and finds the table. `report_dir` takes the long text of a refusal.
pub(super) fn find(
    path: &Path,
    report_dir: Option<&Path>,
) -> Result<(&'static DeviceTableV1, Door), Fault> {
    let library = os::open_library(path).map_err(|error| {
        fault(path, "the plugin file cannot be loaded as a library")
            .remedy("install the plugin again; it must be built for this system and processor")
            .cause(one_line(&error.to_string()))
    })?;
    if has_symbol(
        library,
        ROOT_MODULE_LOADER_NAME_WITH_NUL.trim_end_matches('\0'),
    ) {
        return Ok((rust_door(path, report_dir)?, Door::Rust));
    }
    if has_symbol(library, C_DOOR_V1) {
        return Ok((c_door(path, library)?, Door::C));
    }
    Err(
        fault(path, "the file is a library, but not a Twinset plugin")
            .remedy("name a Twinset device plugin in `path` of this [plugins] table"),
    )
}

fn fault(path: &Path, message: impl Into<String>) -> Fault {
    Fault::new(code::PLUGIN_LOAD, path.display().to_string(), message)
}

fn revision(path: &Path, message: impl Into<String>) -> Fault {
    Fault::new(code::PLUGIN_REVISION, path.display().to_string(), message).remedy(REBUILD)
}

fn has_symbol(library: &Library, name: &str) -> bool {
    // SAFETY: the symbol is only looked up; its address is never used through this type.
    unsafe { library.get::<*const u8>(name.as_bytes()) }.is_ok()
}

/// Layout-checked by abi_stable. Not `load_from_file`: that returns the first plugin's module for
/// every later file.
fn rust_door(path: &Path, report_dir: Option<&Path>) -> Result<&'static DeviceTableV1, Fault> {
    let module = lib_header_from_path(path)
        .and_then(|header| header.init_root_module::<DeviceModuleV1Ref>())
        .map_err(|error| refuse(path, report_dir, &error))?;
    check_table(path, module.table()().cast::<u8>())
}

fn c_door(path: &Path, library: &Library) -> Result<&'static DeviceTableV1, Fault> {
    type Symbol = unsafe extern "C" fn() -> *const u8;
    // SAFETY: the C header declares this symbol with this type.
    let table = unsafe {
        library
            .get::<Symbol>(C_DOOR_V1.as_bytes())
            .map(|door| door())
    };
    check_table(path, table.unwrap_or(std::ptr::null()))
}

/// Checks size, revision and that no function is missing, before it is looked at as a table.
fn check_table(path: &Path, table: *const u8) -> Result<&'static DeviceTableV1, Fault> {
    if table.is_null() || !table.cast::<DeviceTableV1>().is_aligned() {
        return Err(fault(path, "the plugin gives no table of calls").remedy(REBUILD));
    }
    // SAFETY: every table of every revision begins with these two numbers.
    let [size, found] = unsafe { table.cast::<[u32; 2]>().read() };
    if found != REVISION {
        let message = format!("the plugin speaks revision {found}, this agent {REVISION}");
        return Err(revision(path, message));
    }
    let wanted = size_of::<DeviceTableV1>();
    if usize::try_from(size) != Ok(wanted) {
        let message = format!("the plugin's table has {size} bytes, revision 1 has {wanted}");
        return Err(revision(path, message));
    }
    const WORD: usize = size_of::<usize>();
    for offset in (8..wanted).step_by(WORD) {
        // SAFETY: inside the table, whose size was checked; words may hold any bits.
        if unsafe { table.add(offset).cast::<usize>().read() } == 0 {
            let message = format!(
                "call {} of the plugin's table is missing",
                (offset - 8) / WORD
            );
            return Err(revision(path, message));
        }
    }
    // SAFETY: right size and revision, no null function; it lives as long as the library, which is
    // never unloaded.
    Ok(unsafe { &*table.cast::<DeviceTableV1>() })
}

/// One line for the operator; abi_stable's hundreds go to a file, or to the log of the patient.
fn refuse(path: &Path, report_dir: Option<&Path>, error: &LibraryError) -> Fault {
    let refused = match error {
        LibraryError::IncompatibleVersionNumber {
            expected_version,
            actual_version,
            ..
        } => {
            let message = format!(
                "the plugin was built with version {actual_version} of the plugin API, this agent \
                 has {expected_version}"
            );
            return revision(path, message);
        }
        LibraryError::AbiInstability(_) => revision(
            path,
            "the plugin was built for another layout of the plugin API",
        ),
        LibraryError::InvalidAbiHeader(_) | LibraryError::InvalidCAbi { .. } => revision(
            path,
            "the plugin was built with another version of abi_stable",
        ),
        _ => fault(path, "the plugin's root module cannot be used").remedy(REBUILD),
    };
    match report_dir.map(|dir| write_report(dir, path, error)) {
        Some(Ok(report)) => refused.cause(format!("the differences are listed in {report}")),
        other => {
            if let Some(Err(error)) = other {
                tracing::warn!("cannot write the report on a refused plugin: {error}");
            }
            tracing::debug!("{error}");
            refused
        }
    }
}

fn write_report(dir: &Path, path: &Path, error: &LibraryError) -> std::io::Result<String> {
    fs::create_dir_all(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let report = dir.join(format!("{name}.refused.txt"));
    fs::write(&report, error.to_string())?;
    Ok(report.display().to_string())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
