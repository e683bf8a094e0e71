//! One long statement on its own task, without a timeout.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::AbortHandle;
use twinset_domain::LocalTime;

use super::rows::Rows;

/// An error that SQL Server sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerMessage {
    /// SQL Server's number.
    pub number: u32,
    /// Its text, in the server's language.
    pub message: String,
}

/// How a statement ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum StatementEnd {
    /// The response came to its end without an error.
    Ok,
    /// SQL Server sent at least one error; number, text, state and class are the first one's.
    Error {
        /// SQL Server's number.
        number: u32,
        /// Its text, in the server's language.
        message: String,
        /// State.
        state: u8,
        /// Class (severity).
        class: u8,
        /// Every error of the response, in order, the first included.
        all: Vec<ServerMessage>,
    },
    /// The connection broke, or the response could not be read: nothing is known.
    Lost(String),
}

impl StatementEnd {
    /// True when an error other than `number` was sent.
    #[must_use]
    pub fn has_error_besides(&self, number: u32) -> bool {
        match self {
            Self::Error {
                number: first, all, ..
            } => *first != number || all.iter().any(|message| message.number != number),
            Self::Ok | Self::Lost(_) => false,
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    end: Mutex<Option<StatementEnd>>,
    rows: Mutex<Option<Rows>>,
    ended: Condvar,
}

impl Shared {
    fn set(&self, end: StatementEnd) {
        let mut slot = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert(end);
        self.ended.notify_all();
    }
}

/// The task's side: whatever becomes of the task, an end is told.
#[derive(Debug)]
pub(super) struct Teller(Arc<Shared>);

impl Teller {
    pub(super) fn tell(self, end: StatementEnd, rows: Option<Rows>) {
        *self.0.rows.lock().unwrap_or_else(PoisonError::into_inner) = rows;
        self.0.set(end);
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.0
            .set(StatementEnd::Lost("the connection was dropped".to_owned()));
    }
}

/// A statement that runs. Dropping it drops its connection; the server may work on.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    task: AbortHandle,
    pub(super) identity: Identity,
}

/// What proves that a session is ours before it is killed. Numbers are used again at once, so all
/// of it must be equal: nobody else logged in under this number, at this time, with this login
/// and a program name that carries the run's id and this process (see [`twinset_domain::stamp`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) spid: i64,
    pub(super) program: String,
    pub(super) login: String,
    /// As the server tells it; `None` where it does not, and then nothing is killed.
    pub(super) since: Option<LocalTime>,
}

impl Running {
    pub(super) fn new(identity: Identity, spawn: impl FnOnce(Teller) -> AbortHandle) -> Self {
        let shared = Arc::new(Shared::default());
        let task = spawn(Teller(Arc::clone(&shared)));
        Self {
            shared,
            task,
            identity,
        }
    }

    /// Session id (SPID) of the connection it runs on.
    #[must_use]
    pub fn spid(&self) -> i64 {
        self.identity.spid
    }

    /// How it ended, if it has. Answers the same again when asked again.
    #[must_use]
    pub fn poll(&self) -> Option<StatementEnd> {
        self.shared
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes the first result set of a statement that ended [`StatementEnd::Ok`], once.
    #[must_use]
    pub fn take_rows(&self) -> Option<Rows> {
        self.shared
            .rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Waits at most `limit` for the end.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> Option<StatementEnd> {
        let deadline = Instant::now().checked_add(limit);
        let mut end = self
            .shared
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while end.is_none() {
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => limit,
            };
            if left.is_zero() {
                break;
            }
            (end, _) = self
                .shared
                .ended
                .wait_timeout(end, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        end.clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
