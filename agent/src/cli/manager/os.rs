//! The service under each system's manager.

#[cfg(windows)]
mod windows;

#[cfg(windows)]
pub(in crate::cli) use windows::run;

/// systemd asks nothing of the program.
#[cfg(unix)]
pub(in crate::cli) fn run(
    _: &std::path::Path,
    verb: crate::cli::args::SystemVerb,
    _: crate::report::Output,
) -> twinset_domain::Exit {
    match verb {}
}
