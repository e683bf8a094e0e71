//! Sockets of the operating system, and its service manager.

use super::notify::Stands;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;

    /// A connection.
    pub(in crate::service) type Stream = UnixStream;

    /// A socket that is listened on.
    #[derive(Debug)]
    pub(in crate::service) struct Listener(UnixListener);

    impl Listener {
        /// The next connection.
        pub(in crate::service) fn accept(&self) -> io::Result<Stream> {
            self.0.accept().map(|(stream, _)| stream)
        }
    }

    /// Listens at a path. One that a dead service left is taken over: the caller holds the lock
    /// that says that no other runs.
    pub(in crate::service) fn listen(path: &Path) -> io::Result<Listener> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Listener(listener))
    }

    /// Connects.
    pub(in crate::service) fn connect(path: &Path) -> io::Result<Stream> {
        UnixStream::connect(path)
    }

    /// Whether the other end is our own user or root.
    pub(in crate::service) fn is_ours(stream: &Stream) -> bool {
        let ours = rustix::process::geteuid();
        rustix::net::sockopt::socket_peercred(stream)
            .is_ok_and(|peer| peer.uid == ours || peer.uid.is_root())
    }
}

#[cfg(unix)]
pub(super) use unix::{Stream, connect, is_ours, listen};

#[cfg(windows)]
mod windows {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use twinset_win32::pipe;

    /// A connection.
    pub(in crate::service) type Stream = File;

    /// A named pipe that is listened on.
    #[derive(Debug)]
    pub(in crate::service) struct Listener(pipe::Listener);

    impl Listener {
        /// The next connection.
        pub(in crate::service) fn accept(&self) -> io::Result<Stream> {
            self.0.accept()
        }
    }

    /// The pipe that stands for a path: its name is a hash of it, whose case does not count.
    fn name(path: &Path) -> io::Result<String> {
        let full = std::path::absolute(path)?;
        let text = full.to_string_lossy().to_lowercase();
        let hash = blake3::hash(text.as_bytes()).to_hex();
        Ok(format!("twinset-{}", hash.get(..32).unwrap_or_default()))
    }

    /// Listens for a path. The pipe of a dead service is gone with it.
    pub(in crate::service) fn listen(path: &Path) -> io::Result<Listener> {
        pipe::Listener::new(&name(path)?).map(Listener)
    }

    /// Connects; a pipe that somebody else made under this name is not talked to.
    pub(in crate::service) fn connect(path: &Path) -> io::Result<Stream> {
        let stream = pipe::connect(&name(path)?)?;
        if pipe::server_is_trusted(&stream)? {
            Ok(stream)
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    /// Whether the other end is our own user, SYSTEM or an administrator.
    pub(in crate::service) fn is_ours(stream: &Stream) -> bool {
        pipe::client_is_trusted(stream).unwrap_or(false)
    }
}

#[cfg(windows)]
pub(super) use windows::{Stream, connect, is_ours, listen};

/// Tells systemd, where it started this process.
#[cfg(unix)]
pub(super) fn tell_manager(stands: Stands) {
    use sd_notify::NotifyState;
    let state = match stands {
        Stands::Ready => NotifyState::Ready,
        Stands::Alive => NotifyState::Watchdog,
        Stands::Stopping => NotifyState::Stopping,
    };
    // Without a service manager there is nobody to tell.
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

/// Nobody: whoever runs the service under the service manager listens himself.
#[cfg(windows)]
pub(super) const fn tell_manager(_: Stands) {}
