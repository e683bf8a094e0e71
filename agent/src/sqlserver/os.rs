//! Socket options and processes, which differ between operating systems.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use twinset_domain::stamp::Process;

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

/// How an account of Windows logs in: with its password (NTLM), or, where none is given, as the one
/// that this process runs under.
#[cfg(windows)]
pub(super) fn windows_login(account: Option<(&str, &str)>) -> Option<tiberius::AuthMethod> {
    Some(match account {
        Some((user, password)) => tiberius::AuthMethod::windows(user, password),
        None => tiberius::AuthMethod::Integrated,
    })
}

/// Linux has no accounts of Windows.
#[cfg(unix)]
pub(super) fn windows_login(_: Option<(&str, &str)>) -> Option<tiberius::AuthMethod> {
    None
}

/// SQL Server's library of virtual devices, when nothing else is said.
#[cfg(unix)]
pub(super) const VDI_LIBRARY: &str = "/opt/mssql/lib/libsqlvdi.so";
/// SQL Server's library of virtual devices, when nothing else is said.
#[cfg(windows)]
pub(super) const VDI_LIBRARY: &str = r"C:\Windows\System32\sqlvdi.dll";

/// This process, as no other one will ever be; `None` where the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn this_process() -> Option<Process> {
    let boot = std::fs::read("/proc/sys/kernel/random/boot_id").ok()?;
    // Ids are counted anew in every container.
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let mut hash = blake3::Hasher::new();
    hash.update(&boot)
        .update(space.as_os_str().as_encoded_bytes());
    let head = hash.finalize().as_bytes().first_chunk().copied()?;
    let id = std::process::id();
    let (start, _) = started(id)?;
    Some(Process {
        space: u64::from_be_bytes(head),
        id,
        start,
    })
}

/// This process, as no other one will ever be; `None` where the system does not tell.
#[cfg(windows)]
pub(super) fn this_process() -> Option<Process> {
    let machine = twinset_win32::host::machine_id().ok()?;
    let head = blake3::hash(machine.as_bytes())
        .as_bytes()
        .first_chunk()
        .copied()?;
    let id = std::process::id();
    let start = twinset_win32::process::look(id).ok()??.started;
    Some(Process {
        space: u64::from_be_bytes(head),
        id,
        start,
    })
}

/// Whether a process of this space lives. What cannot be told counts as alive.
#[cfg(target_os = "linux")]
pub(super) fn lives(process: Process) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    let id = i32::try_from(process.id).ok().and_then(Pid::from_raw);
    let Some(id) = id else { return true };
    // Asked of the kernel: /proc may hide processes of other users (hidepid).
    if test_kill_process(id) == Err(Errno::SRCH) {
        return false;
    }
    started(process.id).is_none_or(|(start, ended)| start == process.start && !ended)
}

/// Whether a process of this machine lives. What cannot be told counts as alive.
#[cfg(windows)]
pub(super) fn lives(process: Process) -> bool {
    match twinset_win32::process::look(process.id) {
        Ok(None) => false,
        Ok(Some(found)) => found.started == process.start && !found.ended,
        Err(_) => true,
    }
}

/// When a process began, in ticks since the machine's start, and whether it has ended and waits
/// for its parent only (proc(5), stat: fields 22 and 3, behind the name in brackets).
#[cfg(target_os = "linux")]
fn started(id: u32) -> Option<(u64, bool)> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, behind) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = behind.split(' ').collect();
    let start = fields.get(19)?.parse().ok()?;
    Some((start, matches!(fields.first(), Some(&("Z" | "X")))))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[test]
    fn this_process_lives_and_an_ended_one_does_not() {
        let me = this_process().unwrap();
        assert!(lives(me));
        assert_eq!(this_process(), Some(me));
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let (start, _) = started(child.id()).unwrap();
        let id = child.id();
        let theirs = Process { id, start, ..me };
        assert!(lives(theirs));
        // The same id, begun at another time, is not that process.
        assert!(!lives(Process {
            start: start + 1,
            ..theirs
        }));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!lives(theirs));
    }
}
