//! Shared memory, users and groups, as each system has them.

#[cfg(unix)]
mod linux;

#[cfg(unix)]
pub(super) use linux::look;

/// Windows keeps shared memory in its own names, frees it with its last process, and has no groups
/// that would have to be set up.
#[cfg(windows)]
pub(super) const fn look(_needed: u64) -> Option<twinset_domain::doctor::Host> {
    None
}
