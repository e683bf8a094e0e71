//! What the operating system knows about this host.

/// The short name of this host, up to the first dot; empty when it has none.
pub(crate) fn host_name() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}
