//! SELECT over the catalogue, really executed: parsed as T-SQL, names and types bound against the
//! documented columns, translated and run by an in-memory SQLite over this moment's rows.
//!
//! [`translate`] does whole queries and [`from`] their tables; [`expr`], [`conditions`],
//! [`names`] and [`functions`] do expressions; [`kinds`] holds the rules of types; [`store`] is
//! the SQLite side. What T-SQL can say and this cannot is answered with an error that says so,
//! never with a guess.

pub mod conditions;
pub mod expr;
pub mod from;
pub mod functions;
pub mod kinds;
pub mod names;
pub mod scope;
pub mod store;
pub mod translate;

use std::collections::BTreeMap;

use sqlparser::ast::{SetExpr, Statement};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::parser::Parser;

use super::catalog::Viewer;
use super::version::Version;
use crate::tds::tokens::{Column, ServerMessage};
use crate::tds::types::{SqlType, Value};

/// Variables of a batch by lower-case name with `@`.
pub type Variables = BTreeMap<String, (SqlType, Value)>;

/// What a statement may refer to besides the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Who looks, at what.
    pub viewer: Viewer<'a>,
    /// Current database of the session.
    pub database: &'a str,
    /// Variables and parameters.
    pub variables: &'a Variables,
    /// Server version.
    pub version: &'a Version,
    /// Machine name.
    pub machine: &'a str,
    /// Open transactions of the session.
    pub transactions: i32,
    /// @@ROWCOUNT.
    pub row_count: u64,
    /// @@ERROR.
    pub last_error: i32,
    /// Program and host of the session.
    pub client: (&'a str, &'a str),
}

/// Rows with their columns.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultSet {
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Rows in order.
    pub rows: Vec<Vec<Value>>,
}

/// Error 102.
#[must_use]
pub fn syntax(near: &str) -> ServerMessage {
    ServerMessage::new(102, 15, format!("Incorrect syntax near '{near}'."))
}

/// The double does not know this form: said in words, with a user-error number.
#[must_use]
pub fn unsupported(what: impl std::fmt::Display) -> ServerMessage {
    ServerMessage::new(
        50_000,
        16,
        format!("The SQL Server double does not support {what}."),
    )
}

/// Runs one SELECT.
pub fn select(context: &Context<'_>, text: &str) -> Result<ResultSet, ServerMessage> {
    let statements = Parser::new(&MsSqlDialect {})
        .with_recursion_limit(100)
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|fault| syntax(&near(&fault.to_string())))?;
    let [Statement::Query(query)] = statements.as_slice() else {
        return Err(unsupported("this form of SELECT"));
    };
    if let SetExpr::Select(select) = query.body.as_ref()
        && select.into.is_some()
    {
        return Err(unsupported("SELECT INTO"));
    }
    let mut translator = translate::Translator::new(context);
    let translated = translator.query(query, None)?;
    store::run(context, &translator, translated)
}

/// One expression's value.
pub fn evaluate(context: &Context<'_>, text: &str) -> Result<(SqlType, Value), ServerMessage> {
    let set = select(context, &format!("SELECT {text}"))?;
    let kind = set
        .columns
        .first()
        .map_or(SqlType::Int, |column| column.kind);
    let value = set
        .rows
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next());
    Ok((kind, value.unwrap_or(Value::Null)))
}

/// Whether a condition holds; NULL does not.
pub fn condition(context: &Context<'_>, text: &str) -> Result<bool, ServerMessage> {
    let (_, value) = evaluate(context, &format!("CASE WHEN {text} THEN 1 ELSE 0 END"))?;
    Ok(value == Value::Int(1))
}

/// The word the parser stumbled over.
fn near(text: &str) -> String {
    let after = text.split_once("found: ").map_or(text, |(_, after)| after);
    after.split(" at Line").next().unwrap_or(after).to_owned()
}

#[cfg(test)]
mod tests;
