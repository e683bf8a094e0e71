//! `twinset service ...`: the service manager of Windows; `twinset secret ...`.

mod dispatch;
mod secret;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use twinset_domain::{Exit, Fault, code};
use windows_service::Error;
use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl,
    ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo, ServiceStartType, ServiceState,
    ServiceStatus, ServiceType,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use crate::cli::args::SystemVerb;
use crate::cli::args::os::{Named, SecretVerb, ServiceVerb};
use crate::config;
use crate::report::Output;

/// How long a service may take to start.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long it may take to stop: what runs gets a minute, and is then aborted.
const STOP_LIMIT: Duration = Duration::from_secs(120);
/// How often it is asked meanwhile.
const ASK: Duration = Duration::from_millis(250);
/// When it is started again after it died, by how often it died.
const AGAIN: [Duration; 3] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
];
/// Without a death for so long, the count begins anew.
const FORGET: Duration = Duration::from_secs(24 * 3600);

/// `ERROR_SERVICE_DOES_NOT_EXIST`.
const NOT_INSTALLED: i32 = 1060;
/// `ERROR_SERVICE_ALREADY_RUNNING`.
const RUNS: i32 = 1056;
/// `ERROR_SERVICE_NOT_ACTIVE`.
const NOT_ACTIVE: i32 = 1062;

/// Does what was typed.
pub(in crate::cli) fn run(file: &Path, verb: SystemVerb, output: Output) -> Exit {
    let verb = match verb {
        SystemVerb::Service(verb) => verb,
        SystemVerb::Secret(SecretVerb::Seal { file }) => return secret::seal(&file, &output),
    };
    let done = match verb {
        ServiceVerb::Dispatch(named) => return dispatch::run(file, named.name, output),
        ServiceVerb::Install(named) => install(file, &named, &output),
        ServiceVerb::Start(named) => start(file, &named, &output),
        ServiceVerb::Stop(named) => stop(file, &named, &output),
        ServiceVerb::Status(named) => status(file, &named, &output),
        ServiceVerb::Uninstall(named) => uninstall(&named, &output),
    };
    match done {
        Ok(shown) => output.finish(Ok((Exit::Done, shown))),
        Err(fault) => output.finish::<()>(Err(fault)),
    }
}

/// A service as the manager sees it.
#[derive(Debug, Serialize)]
struct Shown {
    service: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<PathBuf>,
}

fn fault(name: &str, message: &str, error: &Error) -> Fault {
    let number = match error {
        Error::Winapi(error) => error.raw_os_error(),
        _ => None,
    };
    let object = format!("service {name}");
    if number == Some(NOT_INSTALLED) {
        return Fault::new(code::NO_SERVICE, object, "it is not installed")
            .remedy("install it: twinset service install");
    }
    let fault = Fault::new(code::MANAGER, object, message).remedy(
        "type it as an administrator; the Application log of Windows and the service's own log \
         say more",
    );
    match error {
        Error::Winapi(error) => fault.cause(error),
        other => fault.cause(other),
    }
}

fn manager(name: &str, access: ServiceManagerAccess) -> Result<ServiceManager, Fault> {
    let opened = ServiceManager::local_computer(None::<&str>, access);
    opened.map_err(|error| fault(name, "the service manager cannot be opened", &error))
}

fn open(name: &str, access: ServiceAccess) -> Result<Service, Fault> {
    let opened = manager(name, ServiceManagerAccess::CONNECT)?.open_service(name, access);
    opened.map_err(|error| fault(name, "the service cannot be opened", &error))
}

fn install(file: &Path, named: &Named, output: &Output) -> Result<Shown, Fault> {
    let name = named.name.as_str();
    let failed = |error: std::io::Error| {
        fault(
            name,
            "its program or its folders cannot be had",
            &Error::Winapi(error),
        )
    };
    let program = std::env::current_exe().map_err(failed)?;
    let file = std::path::absolute(file).map_err(failed)?;
    if let Some(folder) = file.parent() {
        config::write::make_folder(folder).map_err(failed)?;
    }
    let state = config::state_dir(&file).map_err(first)?;
    config::write::make_folder(&state).map_err(failed)?;
    let arguments: [&OsStr; 8] = [
        "--config".as_ref(),
        file.as_os_str(),
        "--log-level".as_ref(),
        "info".as_ref(),
        "service".as_ref(),
        "dispatch".as_ref(),
        "--name".as_ref(),
        name.as_ref(),
    ];
    let info = ServiceInfo {
        name: name.into(),
        display_name: OsString::from(format!("{name} backup agent")),
        service_type: ServiceType::OWN_PROCESS,
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: program,
        launch_arguments: arguments.map(OsStr::to_owned).to_vec(),
        dependencies: Vec::new(),
        account_name: None,
        account_password: None,
    };
    let access = ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE;
    // To start it again after a death, the manager wants the right to start it.
    let wanted = ServiceAccess::CHANGE_CONFIG | ServiceAccess::START | ServiceAccess::QUERY_STATUS;
    let service = manager(name, access)?
        .create_service(&info, wanted)
        .map_err(|error| fault(name, "the service cannot be installed", &error))?;
    for (what, error) in settings(&service) {
        output.warn(format!("{what} could not be set: {error}"));
    }
    output.line(format!(
        "service {name} is installed; twinset service start starts it"
    ));
    Ok(Shown {
        service: name.to_owned(),
        state: "stopped",
        process: None,
        log: Some(dispatch::log_file(&state)),
    })
}

/// What makes a good service of it, with what of it the manager refused. A service without them
/// works.
fn settings(service: &Service) -> Vec<(&'static str, Error)> {
    let actions = AGAIN.map(|delay| ServiceAction {
        action_type: ServiceActionType::Restart,
        delay,
    });
    let actions = ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(FORGET),
        reboot_msg: None,
        command: None,
        actions: Some(actions.to_vec()),
    };
    let rows = [
        (
            "its description",
            service.set_description("Keeps mirrored backups of mirrored SQL Server databases."),
        ),
        ("its recovery", service.update_failure_actions(actions)),
        (
            "its recovery from an end with a fault",
            service.set_failure_actions_on_non_crash_failures(true),
        ),
        (
            "its time at the end of Windows",
            service.set_preshutdown_timeout(STOP_LIMIT),
        ),
    ];
    rows.into_iter()
        .filter_map(|(what, done)| Some((what, done.err()?)))
        .collect()
}

fn first(faults: Vec<Fault>) -> Fault {
    faults.into_iter().next().unwrap_or_else(|| {
        Fault::new(
            code::INTERNAL,
            "configuration",
            "it is refused without a reason",
        )
        .remedy("report this")
    })
}

fn start(file: &Path, named: &Named, output: &Output) -> Result<Shown, Fault> {
    let name = named.name.as_str();
    let service = open(name, ServiceAccess::START | ServiceAccess::QUERY_STATUS)?;
    let none: [&OsStr; 0] = [];
    match service.start(&none) {
        Ok(()) => {}
        // Windows may have started it meanwhile.
        Err(Error::Winapi(error)) if error.raw_os_error() == Some(RUNS) => {}
        Err(error) => return Err(fault(name, "the service cannot be started", &error)),
    }
    let status = until(name, &service, START_LIMIT, |state| {
        matches!(state, ServiceState::Running | ServiceState::Stopped)
    })?;
    if status.current_state != ServiceState::Running {
        let message = "the service ended while it started";
        let cause = format!("{:?}", status.exit_code);
        let log = log_of(file).map_or_else(String::new, |log| log.display().to_string());
        return Err(
            Fault::new(code::MANAGER, format!("service {name}"), message)
                .cause(cause)
                .remedy(format!(
                    "look into its log {log} and the Application log of Windows"
                )),
        );
    }
    output.line(format!("service {name} runs"));
    Ok(shown(file, name, &status))
}

fn stop(file: &Path, named: &Named, output: &Output) -> Result<Shown, Fault> {
    let name = named.name.as_str();
    let service = open(name, ServiceAccess::STOP | ServiceAccess::QUERY_STATUS)?;
    let status = stopped(name, &service)?;
    output.line(format!("service {name} has stopped"));
    Ok(shown(file, name, &status))
}

/// Stops a service that may have stopped already.
fn stopped(name: &str, service: &Service) -> Result<ServiceStatus, Fault> {
    match service.stop() {
        Ok(_) => {}
        Err(Error::Winapi(error)) if error.raw_os_error() == Some(NOT_ACTIVE) => {}
        Err(error) => return Err(fault(name, "the service cannot be stopped", &error)),
    }
    until(name, service, STOP_LIMIT, |state| {
        state == ServiceState::Stopped
    })
}

/// Asks until the service is in a state.
fn until(
    name: &str,
    service: &Service,
    limit: Duration,
    wanted: impl Fn(ServiceState) -> bool,
) -> Result<ServiceStatus, Fault> {
    let end = Instant::now() + limit;
    loop {
        let status = ask(name, service)?;
        if wanted(status.current_state) {
            return Ok(status);
        }
        if Instant::now() >= end {
            let message = format!("after {} s it is still {}", limit.as_secs(), word(&status));
            return Err(
                Fault::new(code::MANAGER, format!("service {name}"), message)
                    .remedy("look into its log; twinset service status tells when it is done"),
            );
        }
        thread::sleep(ASK);
    }
}

fn ask(name: &str, service: &Service) -> Result<ServiceStatus, Fault> {
    let status = service.query_status();
    status.map_err(|error| {
        fault(
            name,
            "the service manager does not say how it stands",
            &error,
        )
    })
}

fn status(file: &Path, named: &Named, output: &Output) -> Result<Shown, Fault> {
    let name = named.name.as_str();
    let service = open(name, ServiceAccess::QUERY_STATUS)?;
    let shown = shown(file, name, &ask(name, &service)?);
    let process = shown
        .process
        .map_or_else(String::new, |id| format!(", process {id}"));
    output.line(format!("service {name}: {}{process}", shown.state));
    if let Some(log) = &shown.log {
        output.line(format!("log: {}", log.display()));
    }
    Ok(shown)
}

fn uninstall(named: &Named, output: &Output) -> Result<Shown, Fault> {
    let name = named.name.as_str();
    let rights = ServiceAccess::STOP | ServiceAccess::QUERY_STATUS | ServiceAccess::DELETE;
    let service = open(name, rights)?;
    stopped(name, &service)?;
    service
        .delete()
        .map_err(|error| fault(name, "the service cannot be removed", &error))?;
    output.line(format!(
        "service {name} is removed; configuration, state and media stay"
    ));
    Ok(Shown {
        service: name.to_owned(),
        state: "removed",
        process: None,
        log: None,
    })
}

fn log_of(file: &Path) -> Option<PathBuf> {
    let state = config::state_dir(file).ok()?;
    Some(dispatch::log_file(&state))
}

fn shown(file: &Path, name: &str, status: &ServiceStatus) -> Shown {
    Shown {
        service: name.to_owned(),
        state: word(status),
        process: status.process_id.filter(|id| *id != 0),
        log: log_of(file),
    }
}

const fn word(status: &ServiceStatus) -> &'static str {
    match status.current_state {
        ServiceState::Stopped => "stopped",
        ServiceState::StartPending => "starting",
        ServiceState::StopPending => "stopping",
        ServiceState::Running => "running",
        ServiceState::ContinuePending => "continuing",
        ServiceState::PausePending => "pausing",
        ServiceState::Paused => "paused",
    }
}
