//! The one runtime that the driver's tasks run on.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use twinset_domain::system::HERE;
use twinset_domain::{Fault, code};

/// Threads that poll sockets. Each job has two connections and moves no payload over them.
const WORKERS: usize = 2;
/// Threads for name resolution, the only blocking work.
const BLOCKING: usize = 4;
/// How long an idle blocking thread is kept.
const BLOCKING_KEEP: Duration = Duration::from_secs(5);

/// The runtime, made at first use.
///
/// # Errors
/// `TW4001` when the operating system gives no threads.
pub(super) fn runtime() -> Result<&'static Runtime, Fault> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(WORKERS)
                .max_blocking_threads(BLOCKING)
                .thread_keep_alive(BLOCKING_KEEP)
                .thread_name("twinset-sql")
                .enable_all()
                .build()
                .map_err(|error| error.to_string())
        })
        .as_ref()
        .map_err(|text| {
            Fault::new(
                code::SQL_CONNECT,
                "SQL Server connections",
                "cannot start their threads",
            )
            .cause(text)
            .remedy(HERE.tasks)
        })
}
