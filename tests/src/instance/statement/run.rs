//! Runs the statements of a batch in order.

use super::super::session::Session;
use super::lexer::{self, Kind, Token};
use super::{Reader, split};
use crate::instance::query::{self, Variables};
use crate::tds::reply::Reply;
use crate::tds::tokens::ServerMessage;
use crate::tds::types::{SqlType, Value};

/// Deepest nesting of batches inside batches.
const MAX_DEPTH: usize = 8;
/// DONE command of SELECT.
const SELECT: u16 = 0xC1;

/// How a statement went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The next statement runs.
    Next,
    /// The rest of the batch is skipped.
    EndBatch,
}

/// Runs a batch with its own variables.
pub fn batch(session: &mut Session, text: &str, variables: &mut Variables, reply: &mut Reply) {
    nested(session, text, variables, reply, 0);
}

fn nested(
    session: &mut Session,
    text: &str,
    variables: &mut Variables,
    reply: &mut Reply,
    depth: usize,
) {
    if depth == MAX_DEPTH {
        let text = "Maximum stored procedure, function, trigger, or view nesting level exceeded.";
        session.fail(reply, 0, &[ServerMessage::new(217, 16, text)]);
        return;
    }
    let tokens = match lexer::tokens(text) {
        Ok(tokens) => tokens,
        Err(message) => return session.fail(reply, 0, &[message]),
    };
    for statement in split::statements(&tokens) {
        reply.more_follows();
        let flow = one(session, text, statement, variables, reply, depth);
        let stopped = reply.interrupt.raised().is_some() || reply.is_gone();
        if flow == Flow::EndBatch || stopped {
            return;
        }
    }
}

fn one(
    session: &mut Session,
    text: &str,
    tokens: &[Token],
    variables: &mut Variables,
    reply: &mut Reply,
    depth: usize,
) -> Flow {
    let mut reader = Reader::new(text, tokens);
    let first = tokens.first().map(Token::keyword).unwrap_or_default();
    match first.as_str() {
        "SELECT" | "WITH" => select(session, text, tokens, variables, reply),
        "BACKUP" => session.backup(&mut reader, variables, reply),
        "RESTORE" => session.restore(&mut reader, variables, reply),
        "IF" => branch(session, text, tokens, variables, reply, depth),
        "BEGIN" if tokens.get(1).is_none_or(|token| !is_transaction(token)) => {
            let inner = block(text, tokens);
            nested(session, inner, variables, reply, depth + 1);
            Flow::Next
        }
        "EXEC" | "EXECUTE" => execute(session, &mut reader, variables, reply, depth),
        _ if super::rights::is_one(tokens) => match super::rights::run(session, &mut reader) {
            Ok(()) => {
                session.last_error = 0;
                reply.done(0, None);
                Flow::Next
            }
            Err(message) => {
                let ends = ends_batch(message.number);
                session.fail(reply, 0, &[message]);
                if ends { Flow::EndBatch } else { Flow::Next }
            }
        },
        _ => match super::simple::run(session, &first, &mut reader, variables, reply) {
            Ok(flow) => flow,
            Err(message) => {
                let ends = ends_batch(message.number);
                session.fail(reply, 0, &[message]);
                if ends { Flow::EndBatch } else { Flow::Next }
            }
        },
    }
}

/// Faults of compilation end the batch, faults of execution do not.
const fn ends_batch(number: i32) -> bool {
    matches!(
        number,
        102 | 105 | 113 | 137 | 155 | 195 | 207 | 208 | 209 | 4104 | 2812
    )
}

fn is_transaction(token: &Token) -> bool {
    token.is_word("TRAN") || token.is_word("TRANSACTION")
}

/// The inside of BEGIN ... END.
fn block<'a>(text: &'a str, tokens: &[Token]) -> &'a str {
    let inner = match tokens {
        [_, inner @ .., last] if last.is_word("END") => inner,
        [_, inner @ ..] => inner,
        [] => &[],
    };
    match (inner.first(), inner.last()) {
        (Some(first), Some(last)) => &text[first.start..last.end],
        _ => "",
    }
}

fn select(
    session: &mut Session,
    text: &str,
    tokens: &[Token],
    variables: &mut Variables,
    reply: &mut Reply,
) -> Flow {
    let (sql, assigned) = without_assignments(text, tokens);
    let result = session.query(&sql, variables);
    let set = match result {
        Ok(set) => set,
        Err(message) => {
            let ends = ends_batch(message.number);
            session.fail(reply, SELECT, &[message]);
            return if ends { Flow::EndBatch } else { Flow::Next };
        }
    };
    session.row_count = set.rows.len() as u64;
    session.last_error = 0;
    if assigned.is_empty() {
        reply.columns(&set.columns);
        for row in &set.rows {
            reply.row(&set.columns, row);
        }
        reply.done(SELECT, session.counted(set.rows.len() as u64));
        return Flow::Next;
    }
    if let Some(row) = set.rows.last() {
        for ((name, value), column) in assigned.iter().zip(row).zip(&set.columns) {
            if let Some((kind, slot)) = variables.get_mut(name) {
                *slot = query::kinds::convert(value.clone(), column.kind, *kind, 0)
                    .unwrap_or(Value::Null);
            }
        }
    }
    reply.done(SELECT, None);
    Flow::Next
}

/// `SELECT @a = x, @b = y FROM t` as `SELECT x, y FROM t` and the variables.
fn without_assignments(text: &str, tokens: &[Token]) -> (String, Vec<String>) {
    let (Some(start), Some(end)) = (tokens.first(), tokens.last()) else {
        return (String::new(), Vec::new());
    };
    let mut assigned = Vec::new();
    let mut sql = String::new();
    let mut copied = start.start;
    let mut depth = 0_i32;
    for at in 1..tokens.len() {
        depth += i32::from(tokens[at].is_sign('(')) - i32::from(tokens[at].is_sign(')'));
        if depth == 0 && tokens[at].is_word("FROM") {
            break;
        }
        let begins = at == 1 || tokens[at - 1].is_sign(',');
        let Kind::Variable(name) = &tokens[at].kind else {
            continue;
        };
        let equals = tokens.get(at + 1).is_some_and(|token| token.is_sign('='));
        if depth == 0 && begins && equals {
            assigned.push(name.to_ascii_lowercase());
            sql.push_str(&text[copied..tokens[at].start]);
            copied = tokens[at + 1].end;
        }
    }
    sql.push_str(&text[copied..end.end]);
    (sql, assigned)
}

/// `IF condition statement [ELSE statement]`.
fn branch(
    session: &mut Session,
    text: &str,
    tokens: &[Token],
    variables: &mut Variables,
    reply: &mut Reply,
    depth: usize,
) -> Flow {
    let mut level = 0_i32;
    let body = tokens.iter().enumerate().skip(1).find(|(_, token)| {
        level += i32::from(token.is_sign('(')) - i32::from(token.is_sign(')'));
        level == 0 && starts_body(token)
    });
    let Some((at, first)) = body else {
        session.fail(reply, 0, &[Reader::new(text, tokens).wrong()]);
        return Flow::EndBatch;
    };
    let otherwise = tokens[at..]
        .iter()
        .position(|token| token.is_word("ELSE"))
        .map(|e| e + at);
    let condition = &text[tokens[0].end..first.start];
    let chosen = match session.condition(condition, variables) {
        Ok(true) => &tokens[at..otherwise.unwrap_or(tokens.len())],
        Ok(false) => otherwise.map_or(&[][..], |at| &tokens[at + 1..]),
        Err(message) => {
            session.fail(reply, 0, &[message]);
            return Flow::EndBatch;
        }
    };
    if let (Some(first), Some(last)) = (chosen.first(), chosen.last()) {
        nested(
            session,
            &text[first.start..last.end],
            variables,
            reply,
            depth + 1,
        );
    }
    Flow::Next
}

fn starts_body(token: &Token) -> bool {
    const BODIES: &[&str] = &[
        "SELECT",
        "BACKUP",
        "RESTORE",
        "USE",
        "SET",
        "DECLARE",
        "KILL",
        "PRINT",
        "RAISERROR",
        "WAITFOR",
        "INSERT",
        "ALTER",
        "CREATE",
        "DROP",
        "EXEC",
        "EXECUTE",
        "COMMIT",
        "ROLLBACK",
        "BEGIN",
    ];
    BODIES.contains(&token.keyword().as_str())
}

/// `EXEC ('text')`, `EXEC sp_executesql N'text', ...`; other procedures do not exist here.
fn execute(
    session: &mut Session,
    reader: &mut Reader<'_>,
    variables: &mut Variables,
    reply: &mut Reply,
    depth: usize,
) -> Flow {
    let _ = reader.take();
    if reader.sign('(') {
        let found = reader
            .expression()
            .and_then(|text| session.evaluate(text, variables));
        return match found {
            Ok((_, value)) => {
                nested(
                    session,
                    &value.text(),
                    &mut Variables::new(),
                    reply,
                    depth + 1,
                );
                Flow::Next
            }
            Err(message) => {
                session.fail(reply, 0, &[message]);
                Flow::EndBatch
            }
        };
    }
    match procedure(session, reader, variables) {
        Ok((text, mut inner)) => {
            nested(session, &text, &mut inner, reply, depth + 1);
            Flow::Next
        }
        Err(message) => {
            session.fail(reply, 0, &[message]);
            Flow::EndBatch
        }
    }
}

fn procedure(
    session: &mut Session,
    reader: &mut Reader<'_>,
    variables: &Variables,
) -> Result<(String, Variables), ServerMessage> {
    let mut name = reader.name()?;
    while reader.sign('.') {
        reader.sign('.');
        name = reader.name()?;
    }
    let mut arguments: Vec<(String, SqlType, Value)> = Vec::new();
    while !reader.at_end() {
        let text = reader.expression()?;
        let (called, text) = match text.strip_prefix('@').and_then(|t| t.split_once('=')) {
            Some((called, value)) => (format!("@{}", called.trim()), value),
            None => (String::new(), text),
        };
        let (kind, value) = session.evaluate(text, variables)?;
        arguments.push((called.to_ascii_lowercase(), kind, value));
        reader.sign(',');
    }
    if !name.eq_ignore_ascii_case("sp_executesql") {
        let text = format!("Could not find stored procedure '{name}'.");
        return Err(ServerMessage::new(2812, 16, text).state(62));
    }
    let mut arguments = arguments.into_iter();
    let text = arguments
        .next()
        .map(|(_, _, value)| value.text())
        .unwrap_or_default();
    let declared = arguments
        .next()
        .map(|(_, _, value)| value.text())
        .unwrap_or_default();
    let names = super::simple::declared_names(&declared)?;
    let mut inner = Variables::new();
    for (position, (called, kind, value)) in arguments.enumerate() {
        let name = if called.is_empty() {
            names.get(position).cloned()
        } else {
            Some(called)
        };
        inner.insert(name.unwrap_or_default(), (kind, value));
    }
    Ok((text, inner))
}
