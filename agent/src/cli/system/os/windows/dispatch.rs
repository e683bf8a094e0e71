//! The process that the service manager starts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use twinset_domain::{Exit, Fault, code};
use twinset_win32::event_log::{self, Level};
use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{
    self, ServiceControlHandlerResult, ServiceStatusHandle,
};
use windows_service::service_dispatcher;

use crate::cli::interrupt;
use crate::config;
use crate::report::{Output, logging};
use crate::service::notify::{self, Stands};

/// How long the manager waits for the next sign of life while the service starts or stops.
const HINT: Duration = Duration::from_secs(90);
/// The numbers of our entries in the Application log.
const EVENT_STATE: u32 = 1;
const EVENT_LOGGED: u32 = 2;

/// What the service's own thread is given, since the manager calls it without arguments.
struct Order {
    file: PathBuf,
    name: String,
    output: Output,
}

static ORDER: Mutex<Option<Order>> = Mutex::new(None);
static NAME: OnceLock<String> = OnceLock::new();
static HANDLE: OnceLock<ServiceStatusHandle> = OnceLock::new();
/// Counts signs of life while it starts or stops.
static CHECKPOINT: AtomicU32 = AtomicU32::new(0);

/// Where a service logs.
pub(super) fn log_file(state_dir: &Path) -> PathBuf {
    state_dir.join("log").join("service.log")
}

windows_service::define_windows_service!(entry, main);

/// Hands this thread to the service manager until the service has ended.
pub(super) fn run(file: &Path, name: String, output: Output) -> Exit {
    let _ = NAME.set(name.clone());
    *ORDER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Order {
        file: file.to_owned(),
        name: name.clone(),
        output,
    });
    match service_dispatcher::start(&name, entry) {
        Ok(()) => Exit::Done,
        Err(error) => {
            let message = "only the service manager starts this verb";
            let fault = Fault::new(code::MANAGER, format!("service {name}"), message)
                .source(&error)
                .remedy("twinset service start; in a console: twinset run");
            Output::new(false, true).finish::<()>(Err(fault))
        }
    }
}

/// The service, from its start to its end.
fn main(_: Vec<OsString>) {
    let order = ORDER.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(order) = order else { return };
    let stop = interrupt::by_request();
    let handler = move |control| match control {
        ServiceControl::Stop | ServiceControl::Preshutdown | ServiceControl::Shutdown => {
            tell(ServiceState::StopPending, ServiceExitCode::NO_ERROR);
            stop.store(true, Ordering::Relaxed);
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    };
    let Ok(handle) = service_control_handler::register(&order.name, handler) else {
        report(
            Level::Error,
            EVENT_STATE,
            "the service manager takes no handler",
        );
        return;
    };
    let _ = HANDLE.set(handle);
    tell(ServiceState::StartPending, ServiceExitCode::NO_ERROR);
    match config::state_dir(&order.file) {
        Ok(state) => {
            // Without a log file the Application log has what matters.
            if let Err(error) = logging::into_file(&log_file(&state), logged) {
                report(
                    Level::Warning,
                    EVENT_STATE,
                    &format!("no log file: {error}"),
                );
            }
        }
        Err(faults) => {
            for fault in faults {
                report(Level::Error, EVENT_STATE, &fault.to_string());
            }
        }
    }
    notify::through(stands);
    let exit = crate::service::run(&order.file, &order.output, stop);
    let (level, code) = match exit {
        Exit::Done => (Level::Information, ServiceExitCode::NO_ERROR),
        _ => (
            Level::Error,
            ServiceExitCode::ServiceSpecific(u32::from(exit.code())),
        ),
    };
    report(
        level,
        EVENT_STATE,
        &format!("the service ended with {}", exit.code()),
    );
    tell(ServiceState::Stopped, code);
}

/// What the service says of itself.
fn stands(stands: Stands) {
    match stands {
        Stands::Ready => {
            report(Level::Information, EVENT_STATE, "the service runs");
            tell(ServiceState::Running, ServiceExitCode::NO_ERROR);
        }
        // The manager has no watchdog; while nothing is pending it wants to hear nothing.
        Stands::Alive => {}
        Stands::Stopping => tell(ServiceState::StopPending, ServiceExitCode::NO_ERROR),
    }
}

/// Tells the manager.
fn tell(state: ServiceState, exit_code: ServiceExitCode) {
    let Some(handle) = HANDLE.get() else { return };
    let pending = matches!(
        state,
        ServiceState::StartPending | ServiceState::StopPending
    );
    let controls_accepted = if state == ServiceState::Running {
        ServiceControlAccept::STOP | ServiceControlAccept::PRESHUTDOWN
    } else {
        ServiceControlAccept::empty()
    };
    let checkpoint = if pending {
        CHECKPOINT.fetch_add(1, Ordering::Relaxed) + 1
    } else {
        0
    };
    let told = handle.set_service_status(ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted,
        exit_code,
        checkpoint,
        wait_hint: if pending { HINT } else { Duration::ZERO },
        process_id: None,
    });
    if let Err(error) = told {
        tracing::warn!(%error, "the service manager was not told");
    }
}

/// A line of the log that needs a look.
fn logged(grave: bool, line: &str) {
    let level = if grave { Level::Error } else { Level::Warning };
    report(level, EVENT_LOGGED, line);
}

fn report(level: Level, id: u32, text: &str) {
    let source = NAME.get().map_or("Twinset", String::as_str);
    // The log file has it too; without either there is nobody left to tell.
    let _ = event_log::report(source, level, id, text);
}
