//! A connection that logs in while its caller does something else.

use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use twinset_domain::Fault;

use super::{Connector, Purpose};
use crate::sqlserver::session::Session;

type Login = JoinHandle<Result<Session, Fault>>;

/// A work connection that is wanted soon. Dropped before it was taken, it is closed.
#[derive(Debug)]
pub struct Ahead {
    connector: Connector,
    login: Mutex<Option<Login>>,
}

impl Ahead {
    /// Begins to log in.
    #[must_use]
    pub fn begin(connector: Connector) -> Self {
        let ours = connector.clone();
        let name = "twinset-login".to_owned();
        let login = std::thread::Builder::new()
            .name(name)
            .spawn(move || ours.open(Purpose::Work));
        Self {
            connector,
            // Without a thread it is opened when it is asked for.
            login: Mutex::new(login.ok()),
        }
    }

    /// The connection, waiting for its login; a second call opens another one.
    ///
    /// # Errors
    /// As [`Connector::open`].
    pub fn take(&self) -> Result<Session, Fault> {
        let login = self
            .login
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match login.map(JoinHandle::join) {
            Some(Ok(opened)) => opened,
            // A login that panicked, or none.
            Some(Err(_)) | None => self.connector.open(Purpose::Work),
        }
    }
}
