//! The runtime behind the synchronous border: one for the plugin, shared by its devices.

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use twinset_plugin_api::{DeviceError, Host, Outcome};

/// Threads that move bytes for all devices of the plugin.
const THREADS: usize = 2;
/// Threads that look up names.
const BLOCKING_THREADS: usize = 4;
/// How often a waiting call looks whether it should stop.
const TICK: Duration = Duration::from_millis(100);

/// Runs the futures of one device on the plugin's runtime.
#[derive(Clone, Debug)]
pub(crate) struct Runner {
    pub(crate) host: Host,
    runtime: &'static Runtime,
}

fn runtime() -> Result<&'static Runtime, DeviceError> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let built = RUNTIME.get_or_init(|| {
        // The plugin has its own copy of rustls, so nobody else has set a provider in it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("object-store")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())
    });
    built.as_ref().map_err(|text| {
        DeviceError::new(
            Outcome::TRANSIENT,
            format!("no threads for the store: {text}"),
        )
    })
}

impl Runner {
    pub(crate) fn new(host: Host) -> Result<Self, DeviceError> {
        let runtime = runtime()?;
        Ok(Self { host, runtime })
    }

    /// Runs `body` where timers and tasks can be made.
    pub(crate) fn enter<T>(&self, body: impl FnOnce() -> T) -> T {
        let _entered = self.runtime.enter();
        body()
    }

    /// Waits for a future, or until the agent asks to stop.
    pub(crate) fn wait<T>(
        &self,
        future: impl Future<Output = Result<T, DeviceError>>,
    ) -> Result<T, DeviceError> {
        self.runtime.block_on(async {
            tokio::pin!(future);
            loop {
                tokio::select! {
                    biased;
                    done = &mut future => return done,
                    () = tokio::time::sleep(TICK) => {
                        if self.host.should_stop() {
                            let text = "the agent asked to stop";
                            return Err(DeviceError::new(Outcome::CANCELLED, text));
                        }
                    }
                }
            }
        })
    }

    /// Waits for a future that must run even when the agent has asked to stop, but no longer than
    /// this.
    pub(crate) fn finish<T>(
        &self,
        within: Duration,
        future: impl Future<Output = Result<T, DeviceError>>,
    ) -> Result<T, DeviceError> {
        let late = || DeviceError::new(Outcome::TRANSIENT, "the store did not answer in time");
        self.runtime
            .block_on(async { tokio::time::timeout(within, future).await })
            .map_err(|_| late())?
    }

    /// Starts a task that lives beside the calls.
    pub(crate) fn spawn(
        &self,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        self.runtime.spawn(future)
    }
}
