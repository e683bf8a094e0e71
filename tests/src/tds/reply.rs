//! One response while it is being made: tokens go out in order, the last DONE learns whether more
//! follows, and what has to be seen at once is flushed.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::tokens::{self, Column, ServerMessage};
use super::types::{SqlType, Value};

/// Bytes collected before they travel to the writer.
const CHUNK: usize = 16 << 10;

/// What the executing side hands to the connection's writer.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunk {
    /// Token bytes.
    Bytes(Vec<u8>),
    /// Send what is pending now, in a packet that does not end the message.
    Flush,
    /// Close the connection without another word.
    HangUp,
}

/// Why a running statement must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The client sent an attention.
    Attention,
    /// The database it works on changed its role: the statement ends, the session lives.
    Switched,
    /// Another session killed this one.
    Killed,
    /// The server breaks the connection without a word.
    Cut,
    /// The client is gone.
    Disconnected,
}

/// Lets connections stop what a statement does; cheap to ask, can be waited on.
#[derive(Debug, Default)]
pub struct Interrupt {
    raised: AtomicU8,
    gate: Mutex<()>,
    bell: Condvar,
    killed: tokio::sync::Notify,
}

impl Interrupt {
    /// Asks the running statement to stop; the gravest reason wins.
    pub fn raise(&self, why: Stop) {
        let rank = match why {
            Stop::Attention => 1,
            Stop::Switched => 2,
            Stop::Killed => 3,
            Stop::Cut => 4,
            Stop::Disconnected => 5,
        };
        self.raised.fetch_max(rank, Ordering::SeqCst);
        let _gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.bell.notify_all();
        if matches!(why, Stop::Killed | Stop::Cut) {
            self.killed.notify_one();
        }
    }

    /// Completes once another session kills this one, or the server cuts it.
    pub async fn killed(&self) {
        self.killed.notified().await;
    }

    /// Forgets an attention once it is acknowledged.
    pub fn calm(&self) {
        let _ = self
            .raised
            .compare_exchange(1, 0, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Forgets a switch once its statement has ended.
    pub fn settle(&self) {
        let order = Ordering::SeqCst;
        let _ = self.raised.compare_exchange(2, 0, order, order);
    }

    /// Why to stop, if so.
    #[must_use]
    pub fn raised(&self) -> Option<Stop> {
        match self.raised.load(Ordering::SeqCst) {
            0 => None,
            1 => Some(Stop::Attention),
            2 => Some(Stop::Switched),
            3 => Some(Stop::Killed),
            4 => Some(Stop::Cut),
            _ => Some(Stop::Disconnected),
        }
    }

    /// Sleeps for `span` or until raised.
    pub fn sleep(&self, span: Duration) -> Option<Stop> {
        let deadline = Instant::now() + span;
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Some(stop) = self.raised() {
                return Some(stop);
            }
            if left.is_zero() {
                return None;
            }
            let waited = self.bell.wait_timeout(gate, left);
            gate = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The statement's hand on its response.
#[derive(Debug)]
pub struct Reply {
    to: mpsc::Sender<Chunk>,
    /// Asks whether to stop.
    pub interrupt: Arc<Interrupt>,
    server: String,
    done_token: u8,
    pending_done: Option<(u16, u16, u64)>,
    bytes: Vec<u8>,
    gone: bool,
    // Bytes that may still be sent before the connection is cut.
    left: Option<u64>,
}

impl Reply {
    /// A response of plain batches (`in_procedure` = of a remote call).
    #[must_use]
    pub fn new(
        to: mpsc::Sender<Chunk>,
        interrupt: Arc<Interrupt>,
        server: &str,
        in_procedure: bool,
    ) -> Self {
        let done_token = if in_procedure {
            tokens::DONE_IN_PROC
        } else {
            tokens::DONE
        };
        let server = server.to_owned();
        Self {
            to,
            interrupt,
            server,
            done_token,
            pending_done: None,
            bytes: Vec::new(),
            gone: false,
            left: None,
        }
    }

    /// Whether the connection was hung up or its writer is gone.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        self.gone
    }

    fn token(&mut self, bytes: &[u8]) {
        self.more_follows();
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= CHUNK {
            self.hand_over();
        }
    }

    /// The connection is cut after so many more bytes.
    pub const fn cut_after(&mut self, bytes: Option<u64>) {
        self.left = bytes;
    }

    fn hand_over(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        let length = bytes.len() as u64;
        if let Some(left) = self.left {
            if length >= left {
                bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                self.left = None;
                self.send(Chunk::Bytes(bytes));
                self.send(Chunk::Flush);
                self.send(Chunk::HangUp);
                self.gone = true;
                return;
            }
            self.left = Some(left - length);
        }
        if !bytes.is_empty() {
            self.send(Chunk::Bytes(bytes));
        }
    }

    fn send(&mut self, chunk: Chunk) {
        if !self.gone && self.to.blocking_send(chunk).is_err() {
            self.gone = true;
        }
    }

    /// The last DONE gets its MORE bit: another statement of the batch is about to run.
    pub fn more_follows(&mut self) {
        if let Some((status, command, rows)) = self.pending_done.take() {
            let done = tokens::done(self.done_token, status | tokens::MORE, command, rows);
            self.bytes.extend_from_slice(&done);
        }
    }

    /// Everything said so far reaches the client now.
    pub fn flush(&mut self) {
        self.hand_over();
        self.send(Chunk::Flush);
    }

    /// An error or information.
    pub fn message(&mut self, message: &ServerMessage) {
        let bytes = tokens::message(message, &self.server, 1);
        self.token(&bytes);
    }

    /// An information that the client sees while the statement runs.
    pub fn progress(&mut self, message: &ServerMessage) {
        self.message(message);
        self.flush();
    }

    /// ENVCHANGE and other ready-made tokens.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.token(bytes);
    }

    /// Opens a result set.
    pub fn columns(&mut self, columns: &[Column]) {
        self.token(&tokens::columns(columns));
    }

    /// One row of the open result set.
    pub fn row(&mut self, columns: &[Column], values: &[Value]) {
        self.token(&tokens::row(columns, values));
    }

    /// Ends a statement. `rows` = `None` when the count says nothing.
    pub fn done(&mut self, command: u16, rows: Option<u64>) {
        self.more_follows();
        let status = if rows.is_some() { tokens::COUNT } else { 0 };
        self.pending_done = Some((status, command, rows.unwrap_or(0)));
    }

    /// Ends a statement that failed.
    pub fn failed(&mut self, command: u16) {
        self.more_follows();
        self.pending_done = Some((tokens::ERROR, command, 0));
    }

    /// RETURNVALUE of a remote call.
    pub fn return_value(&mut self, ordinal: u16, name: &str, kind: SqlType, value: &Value) {
        self.token(&tokens::return_value(ordinal, name, kind, value));
    }

    /// Drops the connection.
    pub fn hang_up(&mut self) {
        self.hand_over();
        self.send(Chunk::Flush);
        self.send(Chunk::HangUp);
        self.gone = true;
    }

    /// Ends a batch.
    pub fn end_batch(mut self) {
        let (status, command, rows) = self.pending_done.take().unwrap_or((0, 0, 0));
        self.bytes
            .extend(tokens::done(self.done_token, status, command, rows));
        self.hand_over();
    }

    /// Ends a remote call: RETURNSTATUS, output values, DONEPROC.
    pub fn end_call(mut self, status: i32, outputs: &[(u16, String, SqlType, Value)]) {
        let failed = self
            .pending_done
            .is_some_and(|(bits, ..)| bits & tokens::ERROR != 0);
        self.token(&tokens::return_status(status));
        for (ordinal, name, kind, value) in outputs {
            self.return_value(*ordinal, name, *kind, value);
        }
        let bits = if failed { tokens::ERROR } else { 0 };
        self.bytes
            .extend(tokens::done(tokens::DONE_PROC, bits, 0, 0));
        self.hand_over();
    }
}
