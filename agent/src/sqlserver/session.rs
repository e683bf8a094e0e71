//! One connection: short statements with a bound, or one long statement without.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use jiff::Span;
use jiff::civil::{Date, date};
use tiberius::error::Error;
use tiberius::{Client, ColumnData, Query, QueryItem};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::compat::Compat;
use tracing::instrument::WithSubscriber;
use twinset_domain::{Fault, LocalTime, code};

use super::connect::{Connector, Purpose};
use super::rows::{Cell, Param, Row, Rows};
use super::running::{Identity, Running, ServerMessage, StatementEnd};
use super::settings::InstanceSettings;
use super::tap::Errors;
use super::{fault, runtime};

/// The driver's client over our own socket.
pub(super) type TdsClient = Client<Compat<TcpStream>>;

/// How often one control session is opened again after its connection was lost.
const MAX_REOPENED: u32 = 3;

/// A connection that is logged in. It is given up after any timeout or lost answer; one that only
/// asks is opened again then, and its question repeated once.
pub struct Session {
    client: Option<TdsClient>,
    identity: Identity,
    instance: String,
    /// Bound of a short statement, the whole answer included.
    timeout: Duration,
    /// Opens it again, if that is allowed.
    again: Option<Connector>,
    reopened: u32,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("identity", &self.identity)
            .field("instance", &self.instance)
            .field("usable", &self.client.is_some())
            .finish()
    }
}

impl Session {
    /// Asks the server who we are; the answer proves later which session may be killed.
    pub(super) fn introduce(
        client: TdsClient,
        program: String,
        settings: &InstanceSettings,
        again: Option<Connector>,
    ) -> Result<Self, Fault> {
        // Its own row everybody may see, whatever the rights.
        const WHO: &str = "\
SELECT @@SPID AS spid, SUSER_SNAME() AS login_name,
       (SELECT s.login_time FROM sys.dm_exec_sessions s WHERE s.session_id = @@SPID) AS login_time";
        let mut session = Self {
            client: Some(client),
            identity: Identity {
                spid: 0,
                program,
                login: String::new(),
                since: None,
            },
            instance: settings.name.clone(),
            timeout: settings.query_timeout,
            again: None,
            reopened: 0,
        };
        let rows = session.query(WHO, &[])?;
        let row = rows.one()?;
        session.identity.spid = row.need_int("spid")?;
        session.identity.login = row.need_text("login_name")?;
        session.identity.since = row.time("login_time")?;
        session.again = again;
        Ok(session)
    }

    /// Session id on the server.
    #[must_use]
    pub fn spid(&self) -> i64 {
        self.identity.spid
    }

    /// Name of the login as the server sees it.
    #[must_use]
    pub fn login(&self) -> &str {
        &self.identity.login
    }

    /// Name of the instance in the configuration.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Runs a short statement and returns its first result set. Parameters are `@P1`, `@P2`, ...
    ///
    /// A control session whose connection is lost is opened again, at most three times;
    /// a SELECT is then asked once more, anything else is not.
    ///
    /// # Errors
    /// SQL Server's errors under their codes, `TW4007` when the connection is lost or silent for
    /// longer than the settings allow; a session that cannot be opened again answers every later
    /// call with `TW4007`.
    pub fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Rows, Fault> {
        let fault = match self.ask(sql, params) {
            Err(fault) if self.client.is_none() => fault,
            other => return other,
        };
        match self.reopen() {
            None => Err(fault),
            Some(Err(second)) => {
                Err(fault.cause(format!("it could not be opened again: {}", second.message)))
            }
            Some(Ok(())) if sql.starts_with("SELECT ") => self.ask(sql, params),
            Some(Ok(())) => Err(fault),
        }
    }

    /// Opens the connection again, if this session is of the kind and has tries left.
    fn reopen(&mut self) -> Option<Result<(), Fault>> {
        let connector = self.again.as_ref()?;
        if self.reopened >= MAX_REOPENED {
            return None;
        }
        self.reopened += 1;
        tracing::warn!(
            instance = self.instance,
            "control connection lost; opened again"
        );
        let opened = connector.open_once(Purpose::Control).map(|mut fresh| {
            self.client = fresh.client.take();
            self.identity = fresh.identity.clone();
        });
        Some(opened)
    }

    fn ask(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Rows, Fault> {
        let runtime = runtime::runtime()?;
        let limit = self.timeout;
        let Some(client) = self.client.as_mut() else {
            return Err(self.lost("the connection was given up after an earlier failure"));
        };
        let answer =
            runtime.block_on(async { timeout(limit, first_result(client, sql, params)).await });
        match answer {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => {
                // Severity 20 and above ends the session on the server's side.
                if !matches!(&error, Error::Server(token) if token.class() < 20) {
                    self.client = None;
                }
                Err(fault::query(&self.instance, &error))
            }
            Err(_) => {
                self.client = None;
                Err(self.lost(&format!("no answer within {limit:?} (query_timeout)")))
            }
        }
    }

    fn lost(&self, cause: &str) -> Fault {
        Fault::new(
            code::SQL_LOST,
            &self.instance,
            "the connection to SQL Server was lost",
        )
        .cause(cause)
        .remedy("check the server's error log and the network")
    }

    /// Starts a long statement on a task of its own, without a timeout. The connection ends with
    /// it.
    ///
    /// # Errors
    /// `TW4007` when the session was given up before.
    pub fn start(self, sql: impl Into<String>) -> Result<Running, Fault> {
        let sql = sql.into();
        self.launch(|mut client| async move {
            let answer = async { client.simple_query(sql).await?.into_results().await };
            let first = |sets: Vec<Vec<_>>| convert(sets.into_iter().next().unwrap_or_default());
            let answer = answer.await.map(first);
            (client, answer)
        })
    }

    /// The same for a statement that may return any number of rows: `each` takes them as they come,
    /// and none is kept.
    ///
    /// # Errors
    /// As [`Session::start`].
    pub fn start_each(
        self,
        sql: impl Into<String>,
        each: impl FnMut(&Row) + Send + 'static,
    ) -> Result<Running, Fault> {
        let sql = sql.into();
        self.launch(|mut client| async move {
            let answer = every_row(&mut client, sql, each).await;
            (client, answer.map(|()| Rows::new(Vec::new())))
        })
    }

    fn launch<F>(mut self, read: impl FnOnce(TdsClient) -> F) -> Result<Running, Fault>
    where
        F: Future<Output = (TdsClient, Result<Rows, Error>)> + Send + 'static,
    {
        let runtime = runtime::runtime()?;
        let Some(client) = self.client.take() else {
            return Err(self.lost("the connection was given up after an earlier failure"));
        };
        let errors = Errors::default();
        let (tap, read) = (errors.tap(), read(client));
        Ok(Running::new(self.identity, |teller| {
            let work = async move {
                let (client, answer) = read.with_subscriber(tap).await;
                match answer {
                    Ok(rows) => teller.tell(StatementEnd::Ok, Some(rows)),
                    Err(error) => teller.tell(end_of(&error, errors.take()), None),
                }
                // Best effort: an orderly goodbye spares the server a line in its log.
                let _ = timeout(GOODBYE, client.close()).await;
            };
            runtime.spawn(work).abort_handle()
        }))
    }
}

/// Hands every row of every result set on.
async fn every_row(
    client: &mut TdsClient,
    sql: String,
    mut each: impl FnMut(&Row) + Send,
) -> Result<(), Error> {
    let mut stream = client.simple_query(sql).await?;
    let mut names: Arc<[String]> = Arc::default();
    while let Some(item) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
        match item? {
            QueryItem::Metadata(metadata) => {
                let columns = metadata.columns().iter();
                names = columns.map(|column| column.name().to_owned()).collect();
            }
            QueryItem::Row(row) => each(&one(&names, &row)),
        }
    }
    Ok(())
}

/// Time for closing a connection whose statement has ended.
const GOODBYE: Duration = Duration::from_secs(2);

fn end_of(error: &Error, mut all: Vec<ServerMessage>) -> StatementEnd {
    let Error::Server(token) = error else {
        return StatementEnd::Lost(error.to_string());
    };
    let first = ServerMessage {
        number: token.code(),
        message: token.message().to_owned(),
    };
    if !all.contains(&first) {
        all.insert(0, first);
    }
    StatementEnd::Error {
        number: token.code(),
        message: token.message().to_owned(),
        state: token.state(),
        class: token.class(),
        all,
    }
}

async fn first_result(
    client: &mut TdsClient,
    sql: &str,
    params: &[Param<'_>],
) -> Result<Rows, Error> {
    let sets = if params.is_empty() {
        client.simple_query(sql).await?.into_results().await?
    } else {
        let mut query = Query::new(sql);
        for param in params {
            match *param {
                Param::Text(text) => query.bind(text),
                Param::Int(number) => query.bind(number),
                Param::Big(number) => query.bind(number),
                Param::Guid(guid) => query.bind(guid),
            }
        }
        query.query(client).await?.into_results().await?
    };
    Ok(convert(sets.into_iter().next().unwrap_or_default()))
}

fn convert(rows: Vec<tiberius::Row>) -> Rows {
    let names: Arc<[String]> = rows
        .first()
        .map(|row| {
            row.columns()
                .iter()
                .map(|column| column.name().to_owned())
                .collect()
        })
        .unwrap_or_default();
    Rows::new(rows.iter().map(|row| one(&names, row)).collect())
}

fn one(names: &Arc<[String]>, row: &tiberius::Row) -> Row {
    Row::new(
        Arc::clone(names),
        row.cells().map(|(_, data)| cell(data)).collect(),
    )
}

fn cell(data: &ColumnData<'_>) -> Cell {
    let int = |value: Option<i64>| value.map_or(Cell::Null, Cell::Int);
    match data {
        ColumnData::U8(value) => int(value.map(i64::from)),
        ColumnData::I16(value) => int(value.map(i64::from)),
        ColumnData::I32(value) => int(value.map(i64::from)),
        ColumnData::I64(value) => int(*value),
        ColumnData::F32(value) => value.map_or(Cell::Null, |value| Cell::Real(f64::from(value))),
        ColumnData::F64(value) => value.map_or(Cell::Null, Cell::Real),
        ColumnData::Bit(value) => value.map_or(Cell::Null, Cell::Bit),
        ColumnData::String(value) => value
            .as_ref()
            .map_or(Cell::Null, |value| Cell::Text(value.to_string())),
        ColumnData::Guid(value) => value.map_or(Cell::Null, Cell::Guid),
        ColumnData::Numeric(None) => Cell::Null,
        ColumnData::Numeric(Some(value)) if value.scale() == 0 => Cell::Number(value.value()),
        ColumnData::Numeric(Some(_)) => Cell::Other("a numeric with decimals"),
        ColumnData::DateTime(None) | ColumnData::DateTime2(None) => Cell::Null,
        ColumnData::DateTime(Some(value)) => {
            let seconds = u64::from(value.seconds_fragments() / 300);
            local(date(1900, 1, 1), i64::from(value.days()), seconds)
        }
        ColumnData::DateTime2(Some(value)) => {
            let time = value.time();
            let unit = 10_u64
                .checked_pow(u32::from(time.scale()))
                .unwrap_or(u64::MAX);
            local(
                date(1, 1, 1),
                i64::from(value.date().days()),
                time.increments() / unit,
            )
        }
        ColumnData::Binary(None) | ColumnData::Xml(None) => Cell::Null,
        ColumnData::SmallDateTime(None) | ColumnData::Date(None) => Cell::Null,
        ColumnData::Time(None) | ColumnData::DateTimeOffset(None) => Cell::Null,
        ColumnData::Binary(Some(_)) => Cell::Other("binary data"),
        _ => Cell::Other("a type that is not expected here"),
    }
}

/// A day counted from an epoch, and the second of that day.
fn local(epoch: Date, days: i64, seconds: u64) -> Cell {
    let day = Span::new()
        .try_days(days)
        .and_then(|span| epoch.checked_add(span));
    let part = |value: u64| u8::try_from(value).unwrap_or(u8::MAX);
    match day {
        Ok(day) if seconds < 86_400 => Cell::Time(LocalTime {
            year: u16::try_from(day.year()).unwrap_or(0),
            month: u8::try_from(day.month()).unwrap_or(0),
            day: u8::try_from(day.day()).unwrap_or(0),
            time: (
                part(seconds / 3600),
                part(seconds / 60 % 60),
                part(seconds % 60),
            ),
        }),
        _ => Cell::Other("a datetime out of range"),
    }
}

#[cfg(test)]
mod tests;
