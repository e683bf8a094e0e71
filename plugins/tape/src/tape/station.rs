//! Brings a tape into reach: opens the drive, or the image.

use std::fs;
use std::path::{Path, PathBuf};

use twinset_plugin_api::{DeviceError, Outcome};

use super::drive::{Drive, Errno};
use super::errors::failed;
use super::head::Head;
use super::health::Asker;
use super::image::{Image, Meta};
use super::options::{Options, Where};
use super::os;

/// Longest holder that is read, in bytes.
const HOLDER_MAX: usize = 1024;

/// Who opens, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) agent: String,
    pub(crate) writes: bool,
    /// Asks drives how they are.
    pub(crate) asker: Asker,
}

/// Opens the drive with the tape in it. A drive has one user at a time, readers too.
pub(crate) fn load(options: &Options, who: &Who) -> Result<Head, DeviceError> {
    let (drive, name): (Result<Box<dyn Drive>, Errno>, &Path) = match &options.place {
        Where::Image(path) => (Image::load(path).map(|image| Box::new(image) as _), path),
        Where::Drive(path) => (os::open_drive(path, who.writes, options.compression), path),
        // Its cartridges are loaded one by one.
        Where::Shelf(path) | Where::Library(path) => (Err(Errno::NOMEDIUM), path),
    };
    let shown = name.display().to_string();
    match drive {
        Ok(drive) => {
            sign(options, who);
            let mut head = Head::new(drive);
            head.asker = Some(Box::new(who.asker.clone()));
            Ok(head)
        }
        Err(Errno::BUSY) => Err(DeviceError::new(Outcome::LOCKED, holder(options))),
        Err(Errno::NOMEDIUM) => {
            let text = format!("{shown}: there is no cartridge in the drive");
            Err(DeviceError::new(Outcome::NO_MEDIUM, text))
        }
        Err(Errno::NOENT | Errno::NOTDIR) => {
            let text = format!("{shown}: there is no such tape");
            Err(DeviceError::new(Outcome::NO_MEDIUM, text))
        }
        Err(Errno::INVAL) if matches!(options.place, Where::Image(_)) => {
            let text = format!("{shown}.meta: not the sidecar of a virtual tape");
            Err(DeviceError::new(Outcome::PERMANENT, text))
        }
        Err(errno) => Err(failed("open", &shown, errno)),
    }
}

/// Makes the image where there is none: a new cartridge. A drive's are bought.
pub(crate) fn make(options: &Options) -> Result<(), DeviceError> {
    let Where::Image(path) = &options.place else {
        return Ok(());
    };
    let meta = options.capacity.map(|capacity| Meta {
        format: 1,
        capacity: Some(capacity),
        ..Meta::default()
    });
    if path.exists() {
        return Ok(());
    }
    match Image::make(path, meta.as_ref()) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(Errno::NOENT) => {
            let text = format!("{}: its folder does not exist", path.display());
            Err(DeviceError::new(Outcome::NO_MEDIUM, text))
        }
        Err(errno) => Err(failed("make", &path.display().to_string(), errno)),
    }
}

/// Beside an image it is written who has it.
pub(crate) fn holder_path(options: &Options) -> Option<PathBuf> {
    let path = match &options.place {
        Where::Image(path) => path,
        Where::Shelf(folder) => return Some(folder.join("drive.holder")),
        Where::Drive(_) | Where::Library(_) => return None,
    };
    let mut name = path.as_os_str().to_owned();
    name.push(".holder");
    Some(PathBuf::from(name))
}

pub(crate) fn sign(options: &Options, who: &Who) {
    let plain = |text: &str| text.replace(char::is_control, " ");
    if let Some(path) = holder_path(options).filter(|_| who.writes) {
        let holder = format!("{}\t{}\n", plain(&who.agent), plain(&host()));
        // A comfort for who is refused; the lock is the system's.
        let _ = fs::write(path, holder);
    }
}

pub(crate) fn holder(options: &Options) -> String {
    let known = holder_path(options).and_then(|path| fs::read_to_string(path).ok());
    let line = known.and_then(|text| text.lines().next().map(str::to_owned));
    let line = line.filter(|line| line.len() <= HOLDER_MAX && line.contains('\t'));
    line.unwrap_or_else(|| format!("another program\t{}", host()))
}

fn host() -> String {
    os::host()
}
