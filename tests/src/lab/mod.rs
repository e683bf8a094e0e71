//! Lab: a scene in TOML becomes running instances.

mod browser;
pub mod child;
pub mod orders;
mod power;
pub mod scene;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::instance::Instance;
use crate::instance::mirroring::Network;
use crate::tds::reply::Stop;
use power::Port;
pub use scene::Scene;

/// One instance that listens.
#[derive(Debug)]
pub struct RunningInstance {
    /// Its server name.
    pub name: String,
    /// Its address on loopback.
    pub address: Ipv4Addr,
    /// TCP port there.
    pub port: u16,
    /// Certificate of the authority that clients trust.
    pub ca_file: PathBuf,
    /// The model, for tests that look inside or turn knobs.
    pub instance: Arc<Instance>,
    // Its place on the network, and who listens there.
    port_holder: Port,
}

/// Running instances; dropping it ends them.
#[derive(Debug)]
pub struct Lab {
    /// In the order of the scene.
    pub instances: Vec<RunningInstance>,
    // Where programs of Windows come in to the virtual devices.
    door: Option<SocketAddr>,
    // The sessions between them; each instance holds it weakly.
    _network: Arc<Network>,
    // Dropped last: ends every connection.
    runtime: Runtime,
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
            let port_holder = Port::take(wanted.address, wanted.port)?;
            let port = port_holder.number();
            port_holder.listen(&runtime, &instance)?;
            instances.push(RunningInstance {
                name: wanted.name.clone(),
                address: wanted.address,
                port,
                ca_file,
                instance,
                port_holder,
            });
        }
        browser::serve(scene, &instances, &runtime)?;
        let all = instances
            .iter()
            .map(|running| Arc::clone(&running.instance));
        let all: Vec<_> = all.collect();
        let groups = scene.groups.iter().map(|group| group.build(&all));
        let groups = groups.collect::<io::Result<Vec<_>>>()?;
        let network = Network::new(all, groups);
        Ok(Self {
            instances,
            door: None,
            _network: network,
            runtime,
        })
    }

    /// An instance crashes (its port refuses, its clients are gone), or comes back at the same port.
    ///
    /// # Errors
    /// The port cannot be listened on, or statements do not end.
    pub fn power(&self, running: &RunningInstance, on: bool) -> io::Result<()> {
        if on == running.instance.is_running() {
            return Ok(());
        }
        if on {
            running.instance.power(true);
            return running.port_holder.listen(&self.runtime, &running.instance);
        }
        running.port_holder.close(&self.runtime);
        running.instance.power(false);
        power::emptied(&running.instance)
    }

    /// Opens a door to the virtual devices for programs that run under Wine.
    ///
    /// # Errors
    /// No port.
    pub fn open_door(&mut self) -> io::Result<()> {
        let bare = |one: &RunningInstance| Some(one.name.split_once('\\')?.1.to_owned());
        let instances = self.instances.iter().map(bare).collect();
        self.door = Some(sqlvdi::door::open(instances)?);
        Ok(())
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
                    "host": running.address.to_string(),
                    "port": running.port,
                    "ca_file": running.ca_file,
                })
            })
            .collect();
        let door = self.door.map(|address| address.to_string());
        serde_json::json!({ "ready": true, "instances": list, "vdi_door": door }).to_string()
    }
}
