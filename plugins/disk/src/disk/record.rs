//! Records: small files, create-only, durable when written.

use std::io::Read;

use twinset_plugin_api::v1::RECORD_MAX;
use twinset_plugin_api::{DeviceError, Outcome};

use super::errors::failed;
use super::listing;
use super::names;
use super::os::{self, Entry, Errno};
use super::shelf::Shelf;

/// Writes a record under a work name and puts it in its place.
pub(crate) fn put(
    folder: &Shelf,
    name: &str,
    bytes: &[u8],
    mark: &[u8; 16],
) -> Result<(), DeviceError> {
    let target = names::record_file(name)?;
    if folder.entry(&target).is_ok() {
        return Err(exists(name));
    }
    let work = names::record_work_file(mark);
    let file = folder
        .create(&work)
        .map_err(|errno| failed("create", &work, errno))?;
    let written = os::write(&file, bytes)
        .1
        .map_err(|errno| failed("write", &target, errno))
        .and_then(|()| {
            file.sync_all()
                .map_err(|error| failed("make durable", &target, error))
        })
        .and_then(|()| match folder.place(&work, &target) {
            Err(Errno::EXIST) => Err(exists(name)),
            other => other.map_err(|errno| failed("put in place", &target, errno)),
        });
    if let Err(error) = written {
        // The first failure counts; what stays is a leftover.
        let _ = folder.remove(&work);
        return Err(error);
    }
    folder.forget();
    folder
        .sync()
        .map_err(|errno| failed("make durable the folder of", &target, errno))
}

fn exists(name: &str) -> DeviceError {
    DeviceError::new(Outcome::EXISTS, format!("record {name} exists"))
}

/// Reads a whole record, at most [`RECORD_MAX`] bytes.
pub(crate) fn get(folder: &Shelf, name: &str) -> Result<Vec<u8>, DeviceError> {
    let target = names::record_file(name)?;
    let file = folder
        .read(&target)
        .map_err(|errno| failed("open", &target, errno))?;
    let entry = os::file_entry(&file).map_err(|errno| failed("look at", &target, errno))?;
    if !matches!(entry, Entry::File(_)) {
        return Err(listing::not_a_file(&target));
    }
    let mut bytes = Vec::new();
    file.take(RECORD_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed("read", &target, error))?;
    if bytes.len() > RECORD_MAX {
        let text = format!("record {name} is larger than {RECORD_MAX} bytes");
        return Err(DeviceError::new(Outcome::PERMANENT, text));
    }
    Ok(bytes)
}

/// Removes a file of the volume for good.
pub(crate) fn remove(folder: &Shelf, file: &str) -> Result<(), DeviceError> {
    folder
        .remove(file)
        .map_err(|errno| failed("remove", file, errno))?;
    folder.forget();
    folder
        .sync()
        .map_err(|errno| failed("make durable the folder of", file, errno))
}
