//! What each system has besides.

#[cfg(windows)]
mod windows;

#[cfg(windows)]
pub(in crate::cli) use windows::run;

/// Packages install the service, systemd starts it and keeps its secrets.
#[cfg(unix)]
pub(in crate::cli) fn run(
    _: &std::path::Path,
    verb: crate::cli::args::SystemVerb,
    _: crate::report::Output,
) -> twinset_domain::Exit {
    match verb {}
}
