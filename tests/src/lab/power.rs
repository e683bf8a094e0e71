//! An instance's place on the network: a port that stays its own while nobody listens there.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::instance::Instance;
use crate::tds;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long the statements of a stopped instance may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A port held for one instance.
#[derive(Debug)]
pub(super) struct Port {
    address: SocketAddr,
    // Bound and never listening: connections are refused, and nobody else gets the port.
    _holder: TcpSocket,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Port {
    /// Takes a port on an address of loopback; 0 = any free one.
    pub(super) fn take(address: Ipv4Addr, port: u16) -> io::Result<Self> {
        let wanted = SocketAddr::from((address, port));
        let holder = TcpSocket::new_v4()?;
        #[cfg(unix)]
        holder.set_reuseport(true)?;
        holder.bind(wanted)?;
        Ok(Self {
            address: holder.local_addr()?,
            _holder: holder,
            accepting: Mutex::new(None),
        })
    }

    pub(super) const fn number(&self) -> u16 {
        self.address.port()
    }

    /// The instance answers here from now on.
    pub(super) fn listen(&self, runtime: &Runtime, instance: &Arc<Instance>) -> io::Result<()> {
        let _inside = runtime.enter();
        let socket = TcpSocket::new_v4()?;
        #[cfg(unix)]
        socket.set_reuseport(true)?;
        socket.bind(self.address)?;
        let accepting = runtime.spawn(accept(socket.listen(BACKLOG)?, Arc::clone(instance)));
        *self
            .accepting
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(accepting);
        Ok(())
    }

    /// Nobody answers here any more.
    pub(super) fn close(&self, runtime: &Runtime) {
        let accepting = self
            .accepting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(accepting) = accepting {
            accepting.abort();
            // The listener is closed once its task is gone; how that went says nothing.
            let _ = runtime.block_on(accepting);
        }
    }
}

/// Waits until nobody is logged in any more.
pub(super) fn emptied(instance: &Instance) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    while !instance.state().sessions.is_empty() {
        if Instant::now() > until {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "its statements do not end",
            ));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    for database in &mut instance.state().databases {
        (database.busy, database.busy_log) = (None, None);
    }
    Ok(())
}

/// Takes connections until the runtime ends.
async fn accept(listener: TcpListener, instance: Arc<Instance>) {
    loop {
        // A failed accept (no descriptors left) is the machine's trouble; the next may work.
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let instance = Arc::clone(&instance);
        tokio::spawn(async move {
            // A client that breaks off is no news; what it did wrong goes to the log.
            if let Err(fault) = tds::session::serve(socket, instance).await
                && std::env::var_os("TWINSET_LAB_TRACE").is_some()
            {
                eprintln!("twinset-lab: connection ended: {fault}");
            }
        });
    }
}
