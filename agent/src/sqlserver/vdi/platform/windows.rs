//! The interface on Windows: COM, which is not in this release. What stands here says so before
//! anything is begun; nothing of it can be made, so nothing of it can pretend.

use std::convert::Infallible;
use std::ffi::CStr;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

use twinset_domain::{Fault, code};

use crate::sqlserver::vdi::codes::Vde;
use crate::sqlserver::vdi::layout::{VdConfig, VdcCommand};

/// Windows frees shared memory with its last process.
pub(in crate::sqlserver::vdi) const SHARED_OBJECTS: Option<&str> = None;

/// The interface of SQL Server's installation. There is none.
#[derive(Debug)]
pub struct VdiLibrary(Infallible);

impl VdiLibrary {
    /// Refuses.
    ///
    /// # Errors
    /// `TW4004`, always.
    pub fn load(_path: &Path) -> Result<Arc<Self>, Fault> {
        let message = "virtual devices are not in this release for Windows";
        Err(Fault::new(code::VDI_LIBRARY, "sqlvdi.dll", message).remedy(
            "take backups through a folder: source = \"stage\" in [backup], or take in files with \
             twinset media import (docs/windows.md)",
        ))
    }

    /// Where it was loaded from.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self.0 {}
    }
}

/// A virtual device set.
#[derive(Debug)]
pub(in crate::sqlserver::vdi) struct RawSet(Infallible);

impl RawSet {
    pub(in crate::sqlserver::vdi) fn new(library: &Arc<VdiLibrary>) -> Self {
        match library.0 {}
    }

    pub(in crate::sqlserver::vdi) fn create(&self, _: &CStr, _: &VdConfig) -> Result<(), Vde> {
        match self.0 {}
    }

    pub(in crate::sqlserver::vdi) fn get_configuration(&self, _: i64) -> Result<VdConfig, Vde> {
        match self.0 {}
    }

    pub(in crate::sqlserver::vdi) fn open_device(&self, _: &CStr) -> Result<RawDevice, Vde> {
        match self.0 {}
    }

    pub(in crate::sqlserver::vdi) fn signal_abort(&self) -> Result<(), Vde> {
        match self.0 {}
    }

    pub(in crate::sqlserver::vdi) fn close(&self) -> Result<(), Vde> {
        match self.0 {}
    }
}

/// A virtual device.
#[derive(Debug)]
pub(in crate::sqlserver::vdi) struct RawDevice(Infallible);

impl RawDevice {
    pub(in crate::sqlserver::vdi) fn get_command(
        &self,
        _: i64,
    ) -> Result<(NonNull<VdcCommand>, VdcCommand), Vde> {
        match self.0 {}
    }

    pub(in crate::sqlserver::vdi) fn complete_command(
        &self,
        _: NonNull<VdcCommand>,
        _: i32,
        _: u64,
    ) -> Result<(), Vde> {
        match self.0 {}
    }
}
