//! The status page and the metrics of a running service: read-only, over plain HTTP.
//!
//! For a scraper and a browser on the same host. Nothing can be changed here, nothing is asked of a
//! device, and no secret is shown. What is shown is an [`Overview`], which the service gives; how
//! it is written ([`metrics`], `page`) is a pure function of it. Every connection has its bounds:
//! in number, in bytes, in time.

mod http;
pub mod metrics;
mod overview;
mod page;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

pub use overview::{Database, Instance, Jobs, Kind, Last, MediaSet, Overview, SharedCatalog};

/// Gives what is shown; `None` when the service does not answer in time.
pub type Source = Arc<dyn Fn() -> Option<Overview> + Send + Sync>;

/// Most connections at once; the next is turned away with 503.
const MAX_CONNECTIONS: usize = 16;
/// How long the listener may take to notice that it is to end.
const WAKE: Duration = Duration::from_secs(1);
/// Pause after an accept that failed: out of file descriptors, most likely.
const BREATH: Duration = Duration::from_millis(200);

/// A listener with its thread; it ends when this is dropped.
#[derive(Debug)]
pub struct Web {
    /// Where it listens, with the port that the system gave where 0 was asked for.
    pub address: SocketAddr,
    ends: Arc<AtomicBool>,
}

impl Drop for Web {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // It waits for a connection: one is made. Where that fails, the next one ends it.
        let mut there = self.address;
        if there.ip().is_unspecified() {
            let v4 = there.is_ipv4();
            there.set_ip(if v4 {
                std::net::Ipv4Addr::LOCALHOST.into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            });
        }
        drop(TcpStream::connect_timeout(&there, WAKE));
    }
}

/// Listens, on a thread of its own.
///
/// # Errors
/// What the system says: the port is taken, the address is none of this host.
pub fn listen(address: SocketAddr, source: Source) -> io::Result<Web> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let ends = Arc::new(AtomicBool::new(false));
    let flag = ends.clone();
    thread::Builder::new()
        .name("web".to_owned())
        .spawn(move || accept(&listener, &source, &flag))?;
    Ok(Web { address, ends })
}

fn accept(listener: &TcpListener, source: &Source, ends: &AtomicBool) {
    let local = listener
        .local_addr()
        .is_ok_and(|address| address.ip().is_loopback());
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let accepted = listener.accept();
        if ends.load(Ordering::Relaxed) {
            return;
        }
        let Ok((stream, _)) = accepted else {
            thread::sleep(BREATH);
            continue;
        };
        if open.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            http::turn_away(&stream);
            continue;
        }
        let (source, counted) = (source.clone(), open.clone());
        let served = thread::Builder::new()
            .name("web".to_owned())
            .spawn(move || {
                http::serve(&stream, &*source, local);
                counted.fetch_sub(1, Ordering::Relaxed);
            });
        if served.is_err() {
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
