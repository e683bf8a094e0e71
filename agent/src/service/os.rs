//! Sockets of the operating system.

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

#[cfg(not(unix))]
mod other {
    use std::io::{self, Read, Write};
    use std::path::Path;

    /// A connection. Named pipes come with the Windows service.
    #[derive(Debug)]
    pub(in crate::service) enum Stream {}

    impl Read for &Stream {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            match **self {}
        }
    }

    impl Write for &Stream {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            match **self {}
        }
        fn flush(&mut self) -> io::Result<()> {
            match **self {}
        }
    }

    impl Write for Stream {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            match *self {}
        }
        fn flush(&mut self) -> io::Result<()> {
            match *self {}
        }
    }

    /// A socket that is listened on.
    #[derive(Debug)]
    pub(in crate::service) enum Listener {}

    impl Listener {
        /// The next connection.
        pub(in crate::service) fn accept(&self) -> io::Result<Stream> {
            match *self {}
        }
    }

    /// Not on this system yet.
    pub(in crate::service) fn listen(_: &Path) -> io::Result<Listener> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Not on this system yet.
    pub(in crate::service) fn connect(_: &Path) -> io::Result<Stream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Nobody.
    pub(in crate::service) fn is_ours(stream: &Stream) -> bool {
        match *stream {}
    }
}

#[cfg(not(unix))]
pub(super) use other::{Stream, connect, is_ours, listen};
