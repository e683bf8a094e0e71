//! One opened device: the calls of the border as safe methods, for one thread at a time.

mod canceller;
mod look;
mod records;
mod sections;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use twinset_plugin_api::v1::{
    self, DeviceHandleV1, DeviceTableV1, ErrorV1, OpenRequestV1, StatusV1, TextV1,
};
use twinset_plugin_api::{
    Access, Capabilities, Description, DeviceError, DeviceStatus, Disposition, Mount, Outcome,
};

pub use canceller::Canceller;

use super::fault::DeviceFault;
use super::load::PluginFile;
use super::services::Offer;

/// A pointer that only the plugin looks behind.
#[derive(Clone, Copy)]
struct Raw(*mut DeviceHandleV1);

// SAFETY: the border allows a handle to be used from any thread, one at a time; `cancel` from any
// thread at any time. `Handle` and `Canceller` keep to that.
unsafe impl Send for Raw {}

/// An opened device. Every call may block as long as the device likes; a [`super::Lane`] puts a
/// deadline to it. Dropping closes it.
///
/// After a failed `write` the section is *broken*: `write`, `sync` and `end_section` answer with
/// the same fault until `abort_section` or `begin_section`, so that no section is ended that lacks
/// bytes in the middle. After a cancel only `abort_section`, `unmount` and closing are carried out,
/// and the first of them ends the cancelled state.
pub struct Handle {
    raw: Raw,
    table: &'static DeviceTableV1,
    plugin: Arc<PluginFile>,
    label: String,
    canceller: Canceller,
    broken: Option<DeviceFault>,
    transfer_max: usize,
    spans: bool,
    closed: bool,
    // Last field: the services outlive the close in `drop`.
    _offer: Offer,
}

impl Handle {
    pub(super) fn open(
        plugin: Arc<PluginFile>,
        label: &str,
        options: &str,
        agent_id: &str,
        access: Access,
    ) -> Result<Self, DeviceFault> {
        let table = plugin.table();
        let stop = Arc::new(AtomicBool::new(false));
        let offer = Offer::new(label, plugin.clock(), Arc::clone(&stop));
        let request = OpenRequestV1 {
            options: TextV1::lend(options),
            agent_id: TextV1::lend(agent_id),
            access: match access {
                Access::Read => v1::ACCESS_READ,
                Access::Write => v1::ACCESS_WRITE,
                Access::TakeOver => v1::ACCESS_TAKE_OVER,
            },
            reserved: 0,
        };
        let (mut raw, mut error) = (std::ptr::null_mut(), ErrorV1::default());
        let services = offer.table();
        // SAFETY: request, services and both places live for the length of the call.
        let outcome = Outcome(unsafe {
            (table.open)(
                &raw const request,
                &raw const services,
                &raw mut raw,
                &raw mut error,
            )
        });
        if !outcome.is_ok() {
            return Err(told(label, "open", outcome, DeviceError::from(&error)));
        }
        if raw.is_null() {
            let text = "the plugin opened a device but gave no handle";
            return Err(DeviceFault::new(label, "open", Outcome::PERMANENT, text));
        }
        let raw = Raw(raw);
        let transfer_max = plugin.description().transfer_sizes.1 as usize;
        let spans = plugin.description().capabilities & Capabilities::SPAN != 0;
        Ok(Self {
            raw,
            table,
            plugin,
            label: label.to_owned(),
            canceller: Canceller::new(stop, raw, table),
            broken: None,
            transfer_max,
            spans,
            closed: false,
            _offer: offer,
        })
    }

    /// The name of the device in faults and log lines.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What the device's plugin says it is.
    #[must_use]
    pub fn description(&self) -> &Description {
        self.plugin.description()
    }

    /// Whether the end of a medium is where the device goes on elsewhere.
    #[must_use]
    pub const fn spans(&self) -> bool {
        self.spans
    }

    /// The plugin file behind the device.
    #[must_use]
    pub fn plugin(&self) -> &Arc<PluginFile> {
        &self.plugin
    }

    /// What ends a running call from another thread.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// Makes one call, unless cancelled, and fetches the text of its failure.
    pub(super) fn ask(
        &mut self,
        call: &'static str,
        body: impl FnOnce(&DeviceTableV1, *mut DeviceHandleV1) -> u32,
    ) -> Result<(), DeviceFault> {
        if self.canceller.is_cancelled() {
            let outcome = self.canceller.outcome();
            return Err(DeviceFault::new(
                &self.label,
                call,
                outcome,
                "not begun: cancelled",
            ));
        }
        self.ask_always(call, body)
    }

    fn ask_always(
        &mut self,
        call: &'static str,
        body: impl FnOnce(&DeviceTableV1, *mut DeviceHandleV1) -> u32,
    ) -> Result<(), DeviceFault> {
        let outcome = Outcome(body(self.table, self.raw.0));
        if outcome.is_ok() {
            return Ok(());
        }
        let mut error = ErrorV1::default();
        // SAFETY: the handle is open, no other call runs on it, the place lives for the call.
        unsafe { (self.table.last_error)(self.raw.0, &raw mut error) };
        let mut fault = told(&self.label, call, outcome, DeviceError::from(&error));
        if outcome == Outcome::CANCELLED {
            fault.outcome = self.canceller.outcome();
        }
        Err(fault)
    }

    /// Brings a volume in; under write access this takes its lock.
    pub fn mount(&mut self, wanted: Mount<'_>) -> Result<(), DeviceFault> {
        let (mode, key) = match wanted {
            Mount::Existing(key) => (v1::MOUNT_EXISTING, key),
            Mount::Blank(key) => (v1::MOUNT_BLANK, key),
        };
        // SAFETY: `ask` passes the open handle, of which `&mut self` is the only user; pointers are
        // borrows that outlive the call.
        self.ask("mount", |table, raw| unsafe {
            (table.mount)(raw, mode, TextV1::lend(key))
        })
    }

    /// Lets the volume go, and its lock. Ends a cancelled state.
    pub fn unmount(&mut self, disposition: Disposition) -> Result<(), DeviceFault> {
        let disposition = match disposition {
            Disposition::Keep => v1::UNMOUNT_KEEP,
            Disposition::Eject => v1::UNMOUNT_EJECT,
        };
        self.canceller.clear();
        self.broken = None;
        // SAFETY: `ask` passes the open handle, of which `&mut self` is the only user; pointers are
        // borrows that outlive the call.
        self.ask_always("unmount", |table, raw| unsafe {
            (table.unmount)(raw, disposition)
        })
    }

    /// Medium, space, alerts.
    pub fn status(&mut self) -> Result<DeviceStatus, DeviceFault> {
        let mut out = StatusV1::default();
        // SAFETY: `ask` passes the open handle, of which `&mut self` is the only user; pointers are
        // borrows that outlive the call.
        self.ask("status", |table, raw| unsafe {
            (table.status)(raw, &raw mut out)
        })?;
        Ok(DeviceStatus::from(&out))
    }

    /// Closes the device and says how that went; dropping does the same in silence.
    pub fn close(mut self) -> Result<(), DeviceFault> {
        self.shut()
    }

    fn shut(&mut self) -> Result<(), DeviceFault> {
        if std::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        self.canceller.end();
        // SAFETY: closed once, by `&mut self`, and never used after.
        let outcome = Outcome(unsafe { (self.table.close)(self.raw.0) });
        if outcome.is_ok() {
            return Ok(());
        }
        Err(DeviceFault::new(&self.label, "close", outcome, ""))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Err(fault) = self.shut() {
            tracing::warn!("{fault}");
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.label)
    }
}

/// The class is what the call returned, whatever the plugin's last error says.
fn told(label: &str, call: &'static str, outcome: Outcome, mut error: DeviceError) -> DeviceFault {
    error.outcome = outcome;
    DeviceFault::told(label, call, error)
}
