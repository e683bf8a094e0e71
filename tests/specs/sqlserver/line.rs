//! A line between client and server that can be cut, or answers only after a while.

use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Passes bytes both ways, for any number of connections.
pub(crate) struct Line {
    /// Where clients connect.
    pub(crate) port: u16,
    open: Arc<Mutex<Vec<TcpStream>>>,
    refused: Arc<AtomicUsize>,
}

impl Line {
    /// A line to a port of this machine.
    pub(crate) fn to(target: u16) -> Self {
        Self::from(Ipv4Addr::LOCALHOST.into(), target, 0)
    }

    /// A line that listens at `address` and hangs up on the first `refuses` clients.
    pub(crate) fn from(address: IpAddr, target: u16, refuses: usize) -> Self {
        let listener = TcpListener::bind(SocketAddr::new(address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let open: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let refused = Arc::new(AtomicUsize::new(0));
        let (held, count) = (Arc::clone(&open), Arc::clone(&refused));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if count.load(Ordering::Relaxed) < refuses {
                    count.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else {
                    continue;
                };
                for (mut from, mut to) in [
                    (client.try_clone().unwrap(), server.try_clone().unwrap()),
                    (server.try_clone().unwrap(), client.try_clone().unwrap()),
                ] {
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                held.lock().unwrap().extend([client, server]);
            }
        });
        Self {
            port,
            open,
            refused,
        }
    }

    /// Cuts every connection that is open now; later ones are passed on.
    pub(crate) fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// How many clients were hung up on.
    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }
}
