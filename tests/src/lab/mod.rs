//! Lab: a scene in TOML becomes running instances.

pub mod child;
pub mod orders;
pub mod scene;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::instance::Instance;
use crate::tds;
use crate::tds::reply::Stop;
pub use scene::Scene;

/// One instance that listens.
#[derive(Debug)]
pub struct RunningInstance {
    /// Its server name.
    pub name: String,
    /// TCP port on loopback.
    pub port: u16,
    /// Certificate of the authority that clients trust.
    pub ca_file: PathBuf,
    /// The model, for tests that look inside or turn knobs.
    pub instance: Arc<Instance>,
}

/// Running instances; dropping it ends them.
#[derive(Debug)]
pub struct Lab {
    /// In the order of the scene.
    pub instances: Vec<RunningInstance>,
    // Dropped last: ends every connection.
    _runtime: Runtime,
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The runtime waits for its statements; one that ignores its client would never end.
        for running in &self.instances {
            for session in running.instance.state().sessions.values() {
                session.interrupt.raise(Stop::Killed);
            }
        }
    }
}

impl Lab {
    /// Starts all instances of a scene; certificates and disk backups go to `folder`.
    pub fn start(scene: &Scene, folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("twinset-lab")
            .enable_io()
            .enable_time()
            .build()?;
        let mut instances = Vec::new();
        for wanted in &scene.instances {
            let instance = wanted.build(folder)?;
            let ca_file = folder.join(format!("{}-ca.pem", wanted.file_stem()));
            instance.tls().write_ca(&ca_file)?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, wanted.port));
            let listener = runtime.block_on(TcpListener::bind(address))?;
            let port = listener.local_addr()?.port();
            runtime.spawn(accept(listener, Arc::clone(&instance)));
            instances.push(RunningInstance {
                name: wanted.name.clone(),
                port,
                ca_file,
                instance,
            });
        }
        Ok(Self {
            instances,
            _runtime: runtime,
        })
    }

    /// What callers of `twinset-lab serve` read: one JSON line.
    #[must_use]
    pub fn ready_line(&self) -> String {
        let list: Vec<serde_json::Value> = self
            .instances
            .iter()
            .map(|running| {
                serde_json::json!({
                    "name": running.name,
                    "host": "127.0.0.1",
                    "port": running.port,
                    "ca_file": running.ca_file,
                })
            })
            .collect();
        serde_json::json!({ "ready": true, "instances": list }).to_string()
    }
}

/// Takes connections until the runtime ends.
async fn accept(listener: TcpListener, instance: Arc<Instance>) {
    loop {
        // A failed accept (no descriptors left) is the machine's trouble; the next may work.
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
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
