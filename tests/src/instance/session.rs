//! One client's session: its requests, its settings, its hold on the instance.

mod calls;
mod databases;
mod kill;
mod transactions;
mod writes;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalog::Viewer;
use super::query::{self, Context, ResultSet, Variables};
use super::statement::run;
use super::{Instance, Login, Progress, RequestRow, State, openable};
use crate::tds::reply::{Reply, Stop};
use crate::tds::rpc;
use crate::tds::tokens::{self, ServerMessage};
use crate::tds::types::{SqlType, Value};

/// Prepared statements of one session.
const MAX_PREPARED: usize = 1000;

/// What a client asks for.
#[derive(Debug)]
pub struct Request {
    kind: RequestKind,
    body: Vec<u8>,
    reset: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequestKind {
    Batch,
    Call,
    Transaction,
}

impl Request {
    /// An SQL batch.
    #[must_use]
    pub const fn batch(body: Vec<u8>, reset: bool) -> Self {
        Self {
            kind: RequestKind::Batch,
            body,
            reset,
        }
    }

    /// A remote call.
    #[must_use]
    pub const fn call(body: Vec<u8>, reset: bool) -> Self {
        Self {
            kind: RequestKind::Call,
            body,
            reset,
        }
    }

    /// A transaction manager request.
    #[must_use]
    pub const fn transaction(body: Vec<u8>, reset: bool) -> Self {
        Self {
            kind: RequestKind::Transaction,
            body,
            reset,
        }
    }

    /// Whether its statements end with DONEINPROC.
    #[must_use]
    pub fn is_call(&self) -> bool {
        self.kind == RequestKind::Call
    }
}

/// The session itself; leaving it drops its row and its locks.
#[derive(Debug)]
pub struct Session {
    /// The instance.
    pub instance: Arc<Instance>,
    spid: i16,
    /// Its login.
    pub login: Login,
    database: String,
    transactions: i32,
    descriptor: u64,
    pending: Vec<writes::Pending>,
    mark: Option<(String, String)>,
    prepared: BTreeMap<i32, (String, Vec<String>)>,
    next_handle: i32,
    /// SET NOCOUNT ON.
    pub no_count: bool,
    /// @@ROWCOUNT
    pub row_count: u64,
    /// @@ERROR
    pub last_error: i32,
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut state = self.instance.state();
        state.sessions.remove(&self.spid);
        for database in &mut state.databases {
            database.let_go(self.spid);
        }
    }
}

impl Session {
    /// A session in `database`.
    #[must_use]
    pub const fn new(instance: Arc<Instance>, spid: i16, login: Login, database: String) -> Self {
        Self {
            instance,
            spid,
            login,
            database,
            transactions: 0,
            descriptor: 0,
            pending: Vec::new(),
            mark: None,
            prepared: BTreeMap::new(),
            next_handle: 1,
            no_count: false,
            row_count: 0,
            last_error: 0,
        }
    }

    /// session_id
    #[must_use]
    pub const fn spid(&self) -> i16 {
        self.spid
    }

    /// Current database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Whether a transaction is open.
    #[must_use]
    pub const fn in_transaction(&self) -> bool {
        self.transactions > 0
    }

    /// A row count for DONE, unless SET NOCOUNT hides it.
    #[must_use]
    pub const fn counted(&self, rows: u64) -> Option<u64> {
        if self.no_count { None } else { Some(rows) }
    }

    /// Runs one request to the end of its response.
    pub fn run(&mut self, request: Request, mut reply: Reply) {
        self.note_request("SELECT");
        if request.kind != RequestKind::Transaction {
            self.instance.state().requests += 1;
        }
        if request.reset {
            self.reset(&mut reply);
        }
        let outcome = match request.kind {
            RequestKind::Batch => rpc::batch_text(&request.body).map(|text| {
                run::batch(self, &text, &mut Variables::new(), &mut reply);
                reply.end_batch();
            }),
            RequestKind::Call => rpc::parse(&request.body).map(|call| self.call(call, reply)),
            RequestKind::Transaction => self.manage(&request.body, reply),
        };
        // A request that cannot be read ends the connection, as SQL Server does it.
        if outcome.is_err()
            && let Some(row) = self.instance.state().sessions.get(&self.spid)
        {
            row.interrupt.raise(Stop::Disconnected);
        }
        self.roll_back();
        if let Some(row) = self.instance.state().sessions.get_mut(&self.spid) {
            row.request = None;
        }
    }

    /// Shows in sys.dm_exec_requests what this session runs; returns its progress.
    pub fn note_request(&self, command: &'static str) -> Arc<Progress> {
        let progress = Arc::new(Progress::default());
        let started = self.instance.clock.now();
        if let Some(row) = self.instance.state().sessions.get_mut(&self.spid) {
            row.last_start = started;
            row.request = Some(RequestRow {
                started,
                command,
                progress: Arc::clone(&progress),
            });
        }
        progress
    }

    fn reset(&mut self, reply: &mut Reply) {
        self.no_count = false;
        self.transactions = 0;
        self.forget_writes();
        self.prepared.clear();
        reply.raw(&tokens::env_bytes(18, &[], &[]));
    }

    /// Sends errors and ends the statement with the error bit.
    pub fn fail(&mut self, reply: &mut Reply, command: u16, messages: &[ServerMessage]) {
        for message in messages {
            reply.message(message);
        }
        if let Some(first) = messages.iter().find(|message| message.class > 10) {
            self.last_error = first.number;
        }
        self.row_count = 0;
        reply.failed(command);
    }

    fn with_context<T>(
        &self,
        variables: &Variables,
        act: impl FnOnce(&Context<'_>) -> Result<T, ServerMessage>,
    ) -> Result<T, ServerMessage> {
        self.instance.settle();
        let state = self.instance.state();
        let row = state.sessions.get(&self.spid);
        let client = row.map_or(("", ""), |row| (row.program.as_str(), row.host.as_str()));
        let context = Context {
            viewer: self.viewer(&state),
            database: &self.database,
            variables,
            version: self.instance.version(),
            machine: self.instance.machine(),
            transactions: self.transactions,
            row_count: self.row_count,
            last_error: self.last_error,
            client,
        };
        act(&context)
    }

    fn viewer<'a>(&'a self, state: &'a State) -> Viewer<'a> {
        Viewer {
            state,
            spid: self.spid,
            login: &self.login.name,
            sysadmin: self.login.sysadmin,
            view_server_state: self.login.sees_sessions(),
            me: &self.login,
            public_history: !self.instance.faults().msdb_is_private,
            mirroring: self.instance.faults().mirroring,
            availability: self.instance.faults().availability,
            now: self.instance.clock.now(),
            server: self.instance.server_name(),
        }
    }

    /// Runs a SELECT.
    pub fn query(&self, text: &str, variables: &Variables) -> Result<ResultSet, ServerMessage> {
        self.with_context(variables, |context| query::select(context, text))
    }

    /// An expression's value.
    pub fn evaluate(
        &self,
        text: &str,
        variables: &Variables,
    ) -> Result<(SqlType, Value), ServerMessage> {
        self.with_context(variables, |context| query::evaluate(context, text))
    }

    /// Whether a condition holds.
    pub fn condition(&self, text: &str, variables: &Variables) -> Result<bool, ServerMessage> {
        self.with_context(variables, |context| query::condition(context, text))
    }

    /// USE: the tokens that tell the client.
    pub fn change_database(&mut self, name: &str) -> Result<Vec<u8>, ServerMessage> {
        self.instance.settle();
        let mut state = self.instance.state();
        let database = state.database(name).ok_or_else(|| missing(name))?;
        if let Some(refused) = openable(database) {
            return Err(refused);
        }
        let (id, new) = (database.id, database.name.clone());
        if let Some(row) = state.sessions.get_mut(&self.spid) {
            row.database_id = id;
        }
        drop(state);
        let mut out = tokens::env_text(1, &new, &self.database);
        let text = format!("Changed database context to '{new}'.");
        let message = ServerMessage {
            number: 5701,
            state: 1,
            class: 0,
            text,
        };
        out.extend(tokens::message(&message, self.instance.server_name(), 1));
        self.database = new;
        Ok(out)
    }
}

/// Error 911.
#[must_use]
pub fn missing(name: &str) -> ServerMessage {
    let text =
        format!("Database '{name}' does not exist. Make sure that the name is entered correctly.");
    ServerMessage::new(911, 16, text).state(11)
}
