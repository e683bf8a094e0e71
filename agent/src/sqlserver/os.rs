//! Socket options that differ between operating systems.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Silence after which the peer is probed.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// Time between probes; with the system's count a vanished peer is noticed in about two minutes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How long sent bytes may stay unacknowledged.
#[cfg(target_os = "linux")]
const USER_TIMEOUT_MS: u32 = 120_000;

/// Makes a connection notice a peer that vanished without a word. A long statement is silent for
/// hours; without this a read would wait for ever.
pub(super) fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(stream, USER_TIMEOUT_MS)?;
    Ok(())
}

/// Nobody but root and this process's user can put something else in this place: the owner is one
/// of them, and nobody else may write it (in a sticky folder others cannot replace our entries).
#[cfg(unix)]
pub(super) fn closed_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    const OTHERS_WRITE: u32 = 0o022;
    const STICKY: u32 = 0o1000;
    let own = rustix::process::geteuid().as_raw();
    let sticky_folder = metadata.is_dir() && metadata.mode() & STICKY != 0;
    // The mode of a symbolic link means nothing; that of its folder does.
    let closed = metadata.mode() & OTHERS_WRITE == 0 || sticky_folder || metadata.is_symlink();
    closed && (metadata.uid() == 0 || metadata.uid() == own)
}
