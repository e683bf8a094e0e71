//! No panic crosses the border: it is caught, told to the host's log, and returned as text.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::{Mutex, Once, PoisonError};

use crate::{Host, Level};

/// What the hook knows about the thread it runs on: whom to tell, and what was told.
struct Watch {
    host: Option<Host>,
    text: Option<String>,
}

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// The host of the newest device: panics of a plugin's own threads are told there.
static NEWEST: Mutex<Option<Host>> = Mutex::new(None);

/// Remembers whom to tell about panics on the plugin's own threads.
pub(super) fn remember(host: &Host) {
    *NEWEST.lock().unwrap_or_else(PoisonError::into_inner) = Some(host.clone());
}

/// Runs `body`; a panic comes back as its text with the place it came from.
pub(super) fn guard<T>(host: Option<&Host>, body: impl FnOnce() -> T) -> Result<T, String> {
    install_hook();
    WATCH.set(Some(Watch {
        host: host.cloned(),
        text: None,
    }));
    let result = catch_unwind(AssertUnwindSafe(body));
    let told = WATCH.take().and_then(|watch| watch.text);
    result.map_err(|payload| {
        let text = told.unwrap_or_else(|| payload_text(payload.as_ref()));
        // A payload of an unknown type may panic when dropped; a leak is the lesser evil.
        std::mem::forget(payload);
        text
    })
}

fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !tell_watcher(info) {
                tell_newest(info);
                previous(info);
            }
        }));
    });
}

/// Keeps the text for the guard of this thread and logs it. False when there is no guard.
fn tell_watcher(info: &PanicHookInfo<'_>) -> bool {
    let text = describe(info);
    let host = WATCH.with(|watch| {
        let mut watch = watch.try_borrow_mut().ok()?;
        let watch = watch.as_mut()?;
        watch.text = Some(text.clone());
        Some(watch.host.clone())
    });
    match host {
        Some(Some(host)) => host.log(Level::Error, &format!("panic: {text}")),
        Some(None) => {}
        None => return false,
    }
    true
}

fn tell_newest(info: &PanicHookInfo<'_>) {
    let host = NEWEST.try_lock().ok().and_then(|host| host.clone());
    if let Some(host) = host {
        let text = format!("panic on a thread of the plugin: {}", describe(info));
        host.log(Level::Error, &text);
    }
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let text = payload_text(info.payload());
    match info.location() {
        Some(place) => format!("{text} ({}:{})", place.file(), place.line()),
        None => text,
    }
}

fn payload_text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "panic without text".to_owned()
    }
}
