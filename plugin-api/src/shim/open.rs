//! Handles: how they are made, used by one call at a time, cancelled and closed.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::guard::{guard, remember};
use super::raw;
use crate::v1::{
    self, DescriptionV1, DeviceHandleV1, ErrorV1, HostServicesV1, NAME_MAX, OpenRequestV1,
};
use crate::{Access, Device, DeviceError, Host, OpenRequest, Outcome, Plugin};

/// What a handle points to. The lane alone uses `state`; any thread may set `cancelled`.
struct Opened {
    state: UnsafeCell<State>,
    cancelled: Arc<AtomicBool>,
}

struct State {
    device: Box<dyn Device>,
    host: Host,
    last: DeviceError,
    /// Text of the panic after which nobody knows what state the device is in.
    poisoned: Option<String>,
}

fn store(place: *mut ErrorV1, error: &DeviceError) -> u32 {
    // SAFETY: the host gives null or a place of its own for the length of the call.
    if let Ok(place) = unsafe { raw::out(place) } {
        *place = ErrorV1::from(error);
    }
    error.outcome.0
}

fn settle(place: *mut ErrorV1, result: Result<Result<(), DeviceError>, String>) -> u32 {
    match result {
        Ok(Ok(())) => Outcome::OK.0,
        Ok(Err(error)) => store(place, &failed(error)),
        Err(panic) => store(place, &DeviceError::new(Outcome::PANICKED, panic)),
    }
}

/// A failure that calls itself OK is still a failure.
fn failed(mut error: DeviceError) -> DeviceError {
    if error.outcome.is_ok() {
        error.outcome = Outcome::PERMANENT;
    }
    error
}

/// `DeviceTableV1::describe`.
pub(super) unsafe extern "C" fn describe<P: Plugin>(
    out: *mut DescriptionV1,
    error: *mut ErrorV1,
) -> u32 {
    let result = guard(None, || {
        let description = DescriptionV1::new(&P::describe()).ok_or_else(|| {
            DeviceError::new(
                Outcome::PERMANENT,
                "describe: a text is longer than 255 bytes",
            )
        })?;
        // SAFETY: the host gives a place of its own for the length of the call.
        *unsafe { raw::out(out) }? = description;
        Ok(())
    });
    settle(error, result)
}

/// `DeviceTableV1::open`.
pub(super) unsafe extern "C" fn open<P: Plugin>(
    request: *const OpenRequestV1,
    host: *const HostServicesV1,
    out: *mut *mut DeviceHandleV1,
    error: *mut ErrorV1,
) -> u32 {
    let cancelled = Arc::new(AtomicBool::new(false));
    // SAFETY: the host lends its services for the length of the call; they are copied.
    let services = match unsafe { raw::value(host) } {
        Ok(host) if host.revision == v1::REVISION => *host,
        _ => {
            let text = "the host's services are of another revision";
            return store(error, &DeviceError::new(Outcome::NOT_SUPPORTED, text));
        }
    };
    let host = Host::new(services, Arc::clone(&cancelled));
    remember(&host);
    let result = guard(Some(&host), || {
        // SAFETY: the host lends request and texts, and gives the place, for this call.
        let (request, place) = unsafe { (raw::value(request)?, raw::out(out)?) };
        // SAFETY: as above.
        let device = P::open(&unsafe { read_request(request) }?, host.clone())?;
        let last = DeviceError::new(Outcome::OK, "");
        let state = State {
            device,
            host: host.clone(),
            last,
            poisoned: None,
        };
        let opened = Opened {
            state: UnsafeCell::new(state),
            cancelled,
        };
        *place = Box::into_raw(Box::new(opened)).cast::<DeviceHandleV1>();
        Ok(())
    });
    settle(error, result)
}

/// # Safety
/// The texts of `request` are valid for `'a`.
unsafe fn read_request<'a>(request: &OpenRequestV1) -> Result<OpenRequest<'a>, DeviceError> {
    let access = match request.access {
        v1::ACCESS_READ => Access::Read,
        v1::ACCESS_WRITE => Access::Write,
        v1::ACCESS_TAKE_OVER => Access::TakeOver,
        other => {
            let text = format!("the host asked for the unknown access {other}");
            return Err(DeviceError::new(Outcome::NOT_SUPPORTED, text));
        }
    };
    // SAFETY: passed on from the caller.
    let (options, agent_id) = unsafe {
        (
            raw::text(request.options, v1::OPTIONS_MAX)?,
            raw::text(request.agent_id, NAME_MAX)?,
        )
    };
    Ok(OpenRequest {
        options,
        agent_id,
        access,
    })
}

/// Runs one call of the lane on the device behind `handle`.
///
/// # Safety
/// `handle` is null or came from [`open`], was not closed, and no other call than [`cancel`] runs
/// on it.
pub(super) unsafe fn call(
    handle: *mut DeviceHandleV1,
    body: impl FnOnce(&mut dyn Device) -> Result<(), DeviceError>,
) -> u32 {
    if handle.is_null() {
        return Outcome::PERMANENT.0;
    }
    // SAFETY: made by `open` and not closed yet; `cancel` shares it, hence the shared borrow.
    let opened = unsafe { &*handle.cast::<Opened>() };
    // SAFETY: only the lane, which is here, touches `state`.
    let state = unsafe { &mut *opened.state.get() };
    if let Some(panic) = &state.poisoned {
        state.last = DeviceError::new(Outcome::PANICKED, panic.clone());
        return Outcome::PANICKED.0;
    }
    // A cancel concerns the call it met; the host keeps its own mark for what comes after.
    opened.cancelled.store(false, Ordering::Relaxed);
    let device = state.device.as_mut();
    match guard(Some(&state.host), || body(device)) {
        Ok(Ok(())) => Outcome::OK.0,
        Ok(Err(error)) => {
            state.last = failed(error);
            state.last.outcome.0
        }
        Err(panic) => {
            state.last = DeviceError::new(Outcome::PANICKED, panic.clone());
            state.poisoned = Some(panic);
            Outcome::PANICKED.0
        }
    }
}

/// `DeviceTableV1::close`.
pub(super) unsafe extern "C" fn close(handle: *mut DeviceHandleV1) -> u32 {
    if handle.is_null() {
        return Outcome::PERMANENT.0;
    }
    // SAFETY: made by `Box::into_raw` in `open`; the host closes once and calls nothing after.
    let opened = unsafe { Box::from_raw(handle.cast::<Opened>()) };
    let State { device, host, .. } = opened.state.into_inner();
    match guard(Some(&host), move || drop(device)) {
        Ok(()) => Outcome::OK.0,
        Err(_) => Outcome::PANICKED.0,
    }
}

/// `DeviceTableV1::cancel`.
pub(super) unsafe extern "C" fn cancel(handle: *mut DeviceHandleV1) -> u32 {
    if handle.is_null() {
        return Outcome::PERMANENT.0;
    }
    // SAFETY: made by `open` and not closed yet; only the atomic is touched.
    let opened = unsafe { &*handle.cast::<Opened>() };
    opened.cancelled.store(true, Ordering::Relaxed);
    Outcome::OK.0
}

/// `DeviceTableV1::last_error`.
pub(super) unsafe extern "C" fn last_error(handle: *mut DeviceHandleV1, out: *mut ErrorV1) -> u32 {
    if handle.is_null() {
        return Outcome::PERMANENT.0;
    }
    // SAFETY: made by `open` and not closed yet; on the lane, as all calls but `cancel`.
    let state = unsafe { &*(*handle.cast::<Opened>()).state.get() };
    store(out, &state.last);
    Outcome::OK.0
}
