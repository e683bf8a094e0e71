//! A disk of any size.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::skip;

/// A file system of its own size, gone when dropped.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    /// `None` where nothing can be mounted: said as a skipped test.
    pub(crate) fn new(folder: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "twinset-spec"])
            .arg(folder)
            .output();
        if mounted.as_ref().is_ok_and(|out| out.status.success()) {
            return Some(Self(folder.to_owned()));
        }
        skip(&format!("no file system can be mounted here: {mounted:?}"));
        None
    }

    /// Other options from now on.
    pub(crate) fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
