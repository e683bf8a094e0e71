//! What virtual devices need of this host, looked at and not changed (facts/vdi.md 1.11).

mod os;

use twinset_domain::doctor::Host;

/// Looks at the host. `needed` is what the buffers of the largest backup take, in bytes. `None`
/// where there is nothing to set up.
#[must_use]
pub fn look(needed: u64) -> Option<Host> {
    os::look(needed)
}
