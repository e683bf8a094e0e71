//! What the agent offers plugins: log, clock, the wish to stop.
//!
//! A plugin gets a key, not a pointer: a plugin that calls after its device was closed reaches
//! nothing.

use std::collections::HashMap;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use twinset_plugin_api::v1::{self, HostServicesV1, TextV1};

/// Longest log line that is taken from a plugin, in bytes; the rest is cut off.
const LOG_LINE_MAX: usize = 4096;

struct Service {
    device: String,
    now: fn() -> i64,
    stop: Arc<AtomicBool>,
}

static SERVICES: LazyLock<RwLock<HashMap<u64, Arc<Service>>>> = LazyLock::new(RwLock::default);
static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

/// The services of one device; when dropped, its key means nothing any more.
pub(super) struct Offer {
    key: u64,
}

impl Offer {
    pub(super) fn new(device: &str, now: fn() -> i64, stop: Arc<AtomicBool>) -> Self {
        let key = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
        let service = Arc::new(Service {
            device: device.to_owned(),
            now,
            stop,
        });
        SERVICES
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, service);
        Self { key }
    }

    pub(super) fn table(&self) -> HostServicesV1 {
        HostServicesV1 {
            size: size_of::<HostServicesV1>() as u32,
            revision: v1::REVISION,
            key: self.key,
            log,
            now,
            should_stop,
        }
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        SERVICES
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

fn find(key: u64) -> Option<Arc<Service>> {
    SERVICES
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
        .cloned()
}

unsafe extern "C" fn log(key: u64, level: u32, text: TextV1) {
    if text.bytes.is_null() || text.len == 0 {
        return;
    }
    // SAFETY: the plugin lends `len` readable bytes for this call; we look at 4096 at most.
    let bytes = unsafe { std::slice::from_raw_parts(text.bytes, text.len.min(LOG_LINE_MAX)) };
    let line = String::from_utf8_lossy(bytes).replace(char::is_control, " ");
    // A panic of ours must not unwind into the plugin.
    let _ = catch_unwind(|| {
        let Some(service) = find(key) else { return };
        let device = service.device.as_str();
        match level {
            v1::LOG_ERROR => tracing::error!(device, "{line}"),
            v1::LOG_WARN => tracing::warn!(device, "{line}"),
            v1::LOG_INFO => tracing::info!(device, "{line}"),
            _ => tracing::debug!(device, "{line}"),
        }
    });
}

unsafe extern "C" fn now(key: u64) -> i64 {
    catch_unwind(|| find(key).map_or(0, |service| (service.now)())).unwrap_or(0)
}

unsafe extern "C" fn should_stop(key: u64) -> u32 {
    let stop = |key| find(key).is_none_or(|service| service.stop.load(Ordering::Relaxed));
    catch_unwind(|| stop(key)).unwrap_or(true).into()
}
