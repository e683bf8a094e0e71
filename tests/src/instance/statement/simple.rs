//! The small statements: SET, USE, DECLARE, PRINT, RAISERROR, WAITFOR, transactions, KILL.

use std::time::Duration;

use super::lexer::Kind;
use super::run::Flow;
use super::{Reader, lexer};
use crate::instance::mirroring;
use crate::instance::model::{Access, DbState, RecoveryModel};
use crate::instance::query::{self, Variables};
use crate::instance::session::Session;
use crate::tds::reply::Reply;
use crate::tds::tokens::{self, ServerMessage};
use crate::tds::types::{SqlType, Value};

/// DONE command of SET.
const SET: u16 = 0xBE;
/// DONE command of INSERT.
const INSERT: u16 = 0xC3;
/// Longest WAITFOR taken.
const MAX_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Runs one small statement.
pub fn run(
    session: &mut Session,
    first: &str,
    reader: &mut Reader<'_>,
    variables: &mut Variables,
    reply: &mut Reply,
) -> Result<Flow, ServerMessage> {
    let head = reader.clone();
    let _ = reader.take();
    match first {
        "SET" => set(session, reader, variables, reply)?,
        "DECLARE" => declare(session, reader, variables)?,
        "USE" => {
            let name = reader.name()?;
            let tokens = session.change_database(&name)?;
            reply.raw(&tokens);
            reply.done(0, None);
        }
        "PRINT" => {
            let (_, value) = session.evaluate(reader.rest(), variables)?;
            let message = ServerMessage {
                number: 0,
                state: 1,
                class: 0,
                text: value.text(),
            };
            reply.message(&message);
            reply.done(0xF7, None);
        }
        "RAISERROR" => raise(session, reader, variables, reply)?,
        "WAITFOR" => {
            reader.expect_word("DELAY")?;
            let (_, value) = session.evaluate(reader.rest(), variables)?;
            let span = delay(&value.text()).ok_or_else(|| query::syntax(&value.text()))?;
            reply.flush();
            match reply.interrupt.sleep(span) {
                Some(_) => reply.failed(0),
                None => reply.done(0, None),
            }
        }
        "BEGIN" | "COMMIT" | "ROLLBACK" | "SAVE" => {
            let mark = if first == "BEGIN" {
                mark(reader)?
            } else {
                None
            };
            if let Some((name, description)) = mark {
                session.mark_transaction(name, description);
            }
            let bytes = session.transaction_word(first)?;
            reply.raw(&bytes);
            reply.done(0, None);
        }
        "KILL" => {
            let target = reader.expression_before("WITH")?;
            let (_, value) = session.evaluate(target, variables)?;
            if reader.word("WITH") {
                reader.expect_word("STATUSONLY")?;
                reply.message(&session.kill_status(&value)?);
            } else {
                session.kill(&value)?;
            }
            reply.done(0, None);
        }
        "CREATE" | "DROP" | "ALTER" => {
            reader.expect_word("DATABASE")?;
            databases(session, first, reader)?;
            reply.done(0, None);
        }
        "RETURN" => return Ok(Flow::EndBatch),
        "RECONFIGURE" => reply.done(0, None),
        "INSERT" => {
            let rows = session.insert(reader, variables)?;
            session.row_count = rows;
            reply.done(INSERT, session.counted(rows));
        }
        "DBCC" => super::dbcc::run(session, reader, variables, reply)?,
        "GRANT" | "REVOKE" | "DENY" | "UPDATE" | "DELETE" => {
            return Err(query::unsupported(first));
        }
        _ => return Err(head.wrong()),
    }
    Ok(Flow::Next)
}

fn set(
    session: &mut Session,
    reader: &mut Reader<'_>,
    variables: &mut Variables,
    reply: &mut Reply,
) -> Result<(), ServerMessage> {
    if let Some(Kind::Variable(name)) = reader.peek().map(|token| token.kind.clone()) {
        let _ = reader.take();
        reader.expect_sign('=')?;
        let (from, value) = session.evaluate(reader.rest(), variables)?;
        let Some((kind, slot)) = variables.get_mut(&name.to_ascii_lowercase()) else {
            let text = format!("Must declare the scalar variable \"{name}\".");
            return Err(ServerMessage::new(137, 15, text));
        };
        *slot = query::kinds::convert(value, from, *kind, 0)?;
        return Ok(());
    }
    let options = reader.rest().to_ascii_uppercase();
    for option in options.split(',') {
        let mut words = option.split_whitespace();
        let name = words.next().unwrap_or_default();
        let value = words.last().unwrap_or_default();
        match name {
            "NOCOUNT" => session.no_count = value == "ON",
            "ANSI_NULLS"
            | "ANSI_PADDING"
            | "ANSI_WARNINGS"
            | "ANSI_DEFAULTS"
            | "ARITHABORT"
            | "ANSI_NULL_DFLT_ON"
            | "CONCAT_NULL_YIELDS_NULL"
            | "QUOTED_IDENTIFIER"
            | "TEXTSIZE"
            | "LOCK_TIMEOUT"
            | "TRANSACTION"
            | "XACT_ABORT"
            | "IMPLICIT_TRANSACTIONS"
            | "LANGUAGE"
            | "DATEFORMAT"
            | "DATEFIRST"
            | "CURSOR_CLOSE_ON_COMMIT"
            | "ROWCOUNT"
            | "FMTONLY"
            | "NUMERIC_ROUNDABORT"
            | "DEADLOCK_PRIORITY"
            | "CONTEXT_INFO"
            | "NOEXEC"
            | "STATISTICS"
            | "SHOWPLAN_TEXT"
            | "SHOWPLAN_ALL"
            | "ARITHIGNORE" => {}
            other => {
                let text = format!("'{other}' is not a recognized SET option.");
                return Err(ServerMessage::new(195, 15, text).state(5));
            }
        }
    }
    reply.done(SET, None);
    Ok(())
}

/// `TRAN[SACTION] [name [WITH MARK ['description']]]`: the mark, if there is one.
fn mark(reader: &mut Reader<'_>) -> Result<Option<(String, String)>, ServerMessage> {
    if !reader.word("TRAN") {
        reader.expect_word("TRANSACTION")?;
    }
    if reader.at_end() {
        return Ok(None);
    }
    let name = reader.name()?;
    if !reader.word("WITH") {
        return Ok(None);
    }
    reader.expect_word("MARK")?;
    let description = match reader.take().map(|token| token.kind.clone()) {
        Some(Kind::Text(text)) => text,
        _ => String::new(),
    };
    Ok(Some((name, description)))
}

fn declare(
    session: &mut Session,
    reader: &mut Reader<'_>,
    variables: &mut Variables,
) -> Result<(), ServerMessage> {
    loop {
        let Some(Kind::Variable(name)) = reader.take().map(|token| token.kind.clone()) else {
            return Err(reader.wrong());
        };
        reader.word("AS");
        let text = reader.expression()?;
        let (kind, initial) = match split_initial(text) {
            Some((kind, initial)) => (kind, Some(initial)),
            None => (text, None),
        };
        let probe = format!("CAST(NULL AS {kind})");
        let (kind, _) = session.evaluate(&probe, variables)?;
        let value = match initial {
            Some(initial) => {
                let (from, value) = session.evaluate(initial, variables)?;
                query::kinds::convert(value, from, kind, 0)?
            }
            None => Value::Null,
        };
        variables.insert(name.to_ascii_lowercase(), (kind, value));
        if !reader.sign(',') {
            return if reader.at_end() {
                Ok(())
            } else {
                Err(reader.wrong())
            };
        }
    }
}

/// `int = 5` as `int` and `5`.
fn split_initial(text: &str) -> Option<(&str, &str)> {
    let tokens = lexer::tokens(text).ok()?;
    let equals = tokens.iter().find(|token| token.is_sign('='))?;
    Some((text[..equals.start].trim(), text[equals.end..].trim()))
}

/// Names declared in the second argument of sp_executesql, in order, in lower case.
pub fn declared_names(text: &str) -> Result<Vec<String>, ServerMessage> {
    let tokens = lexer::tokens(text)?;
    let mut names = Vec::new();
    for token in &tokens {
        if let Kind::Variable(name) = &token.kind {
            names.push(name.to_ascii_lowercase());
        }
    }
    Ok(names)
}

/// `RAISERROR (text, severity, state) [WITH NOWAIT]`.
fn raise(
    session: &mut Session,
    reader: &mut Reader<'_>,
    variables: &Variables,
    reply: &mut Reply,
) -> Result<(), ServerMessage> {
    reader.expect_sign('(')?;
    let mut parts = Vec::new();
    loop {
        parts.push(session.evaluate(reader.expression()?, variables)?.1);
        if !reader.sign(',') {
            break;
        }
    }
    reader.expect_sign(')')?;
    let [text, severity, state, ..] = parts.as_slice() else {
        return Err(reader.wrong());
    };
    let number = |value: &Value| value.text().parse::<u8>().unwrap_or(0);
    let class = number(severity).min(18);
    let class = if class <= 10 { 0 } else { class };
    let message = ServerMessage::new(50_000, class, text.text()).state(number(state));
    reply.message(&message);
    if reader.rest().to_ascii_uppercase().contains("NOWAIT") {
        reply.flush();
    }
    if class > 10 {
        session.last_error = 50_000;
        reply.failed(0);
    } else {
        reply.done(0, None);
    }
    Ok(())
}

/// `hh:mm:ss[.fff]` as a span.
fn delay(text: &str) -> Option<Duration> {
    let mut parts = text.trim().split(':');
    let hours: u64 = parts.next()?.parse().ok()?;
    let minutes: u64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let whole = Duration::from_secs(hours.checked_mul(3600)?.checked_add(minutes * 60)?);
    let span = whole.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
    (span <= MAX_WAIT).then_some(span)
}

/// CREATE, DROP and the ALTERs that a backup's test needs.
fn databases(
    session: &mut Session,
    verb: &str,
    reader: &mut Reader<'_>,
) -> Result<(), ServerMessage> {
    let lenient = reader.word("IF") && reader.word("EXISTS");
    let name = reader.name()?;
    match verb {
        "CREATE" if reader.at_end() => session.create_database(&name),
        "DROP" => session.drop_database(&name, lenient),
        "ALTER" => {
            reader.expect_word("SET")?;
            if mirroring::statement::is_one(reader) {
                return mirroring::statement::run(session, &name, reader);
            }
            let words: Vec<String> = reader
                .rest()
                .split_whitespace()
                .map(str::to_ascii_uppercase)
                .collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let change = match words.as_slice() {
                ["RECOVERY", model, ..] => RecoveryModel::named(model).map(Change::Recovery),
                ["ONLINE", ..] => Some(Change::State(DbState::Online)),
                ["OFFLINE", ..] => Some(Change::State(DbState::Offline)),
                ["EMERGENCY", ..] => Some(Change::State(DbState::Emergency)),
                ["READ_ONLY", ..] => Some(Change::ReadOnly(true)),
                ["READ_WRITE", ..] => Some(Change::ReadOnly(false)),
                [word, ..] => Access::named(word).map(Change::Access),
                [] => None,
            };
            let change = change.ok_or_else(|| query::unsupported("this ALTER DATABASE"))?;
            session.alter_database(&name, change)
        }
        _ => Err(query::unsupported(format_args!(
            "this form of {verb} DATABASE"
        ))),
    }
}

/// What ALTER DATABASE changes.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// Recovery model.
    Recovery(RecoveryModel),
    /// State.
    State(DbState),
    /// READ_ONLY.
    ReadOnly(bool),
    /// Who may open it: kept and told, and enforced on nobody.
    Access(Access),
}

/// The tokens of a transaction's begin or end.
#[must_use]
pub fn transaction_tokens(kind: u8, descriptor: u64) -> Vec<u8> {
    let bytes = descriptor.to_le_bytes();
    match kind {
        8 => tokens::env_bytes(8, &bytes, &[]),
        other => tokens::env_bytes(other, &[], &bytes),
    }
}

/// The type of a handle that prepare returns.
pub const HANDLE: SqlType = SqlType::Int;
