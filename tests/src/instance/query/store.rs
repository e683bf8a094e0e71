//! The SQLite side: this moment's rows in memory, functions, rows back as T-SQL values.

use rusqlite::functions::{Context as Call, FunctionFlags};
use rusqlite::types::{Value as Lite, ValueRef};
use rusqlite::{Connection, params_from_iter};
use uuid::Uuid;

use super::kinds::{convert, decode, from_lite, to_lite};
use super::scope::quote;
use super::translate::{Translated, Translator};
use super::{Context, ResultSet};
use crate::instance::catalog::Table;
use crate::instance::moment::Moment;
use crate::instance::properties;
use crate::tds::tokens::ServerMessage;
use crate::tds::types::{SqlType, Value};

/// Rows a statement may yield; the catalogue is far smaller.
const MAX_ROWS: usize = 100_000;
/// A database's id, name and properties.
type Named = (i64, String, Vec<(&'static str, Value)>);

/// Marks a message that travelled through SQLite.
const MARK: &str = "tw-message ";

/// Runs a translated statement.
pub fn run(
    context: &Context<'_>,
    translator: &Translator<'_>,
    translated: Translated,
) -> Result<ResultSet, ServerMessage> {
    let internal = |fault: rusqlite::Error| through(&fault);
    let database = Connection::open_in_memory().map_err(internal)?;
    functions(&database, context).map_err(internal)?;
    for (table, rows) in &translator.tables {
        fill(&database, table, rows).map_err(internal)?;
    }
    let mut statement = database.prepare(&translated.sql).map_err(internal)?;
    let width = translated.columns.len();
    let mut found = statement
        .query(params_from_iter(translator.parameters.iter()))
        .map_err(internal)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(internal)? {
        if rows.len() == MAX_ROWS {
            return Err(super::unsupported("results of more than 100000 rows"));
        }
        let mut values = Vec::with_capacity(width);
        for (at, column) in translated.columns.iter().enumerate() {
            values.push(from_lite(
                row.get::<_, Lite>(at).map_err(internal)?,
                column.kind,
            ));
        }
        rows.push(values);
    }
    Ok(ResultSet {
        columns: translated.columns,
        rows,
    })
}

/// A message of a function comes back as itself; anything else is a limit of the double.
fn through(fault: &rusqlite::Error) -> ServerMessage {
    let text = fault.to_string();
    let mine = text.split_once(MARK).map(|(_, rest)| rest);
    match mine.and_then(|rest| rest.split_once(' ')) {
        Some((number, words)) => {
            let number = number.parse().unwrap_or(50_000);
            ServerMessage::new(number, 16, words)
        }
        None => super::unsupported(format_args!("this query: {text}")),
    }
}

fn fill(database: &Connection, table: &Table, rows: &[Vec<Value>]) -> rusqlite::Result<()> {
    let column = |kind: SqlType| match kind {
        kind if kind.is_text() => "TEXT COLLATE NOCASE",
        SqlType::Guid => "TEXT COLLATE NOCASE",
        // No affinity: each value stays as it was put.
        _ => "BLOB",
    };
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|found| format!("{} {}", quote(&found.name), column(found.kind)))
        .collect();
    let name = quote(&format!("tw_{}", table.name));
    database.execute_batch(&format!("CREATE TABLE {name} ({})", columns.join(", ")))?;
    let places = vec!["?"; table.columns.len()].join(", ");
    let mut insert = database.prepare(&format!("INSERT INTO {name} VALUES ({places})"))?;
    for row in rows {
        let values = row
            .iter()
            .zip(&table.columns)
            .map(|(v, column)| to_lite(v, column.kind));
        insert.execute(params_from_iter(values))?;
    }
    Ok(())
}

fn fail(message: ServerMessage) -> rusqlite::Error {
    let text = format!("{MARK}{} {}", message.number, message.text);
    rusqlite::Error::UserFunctionError(text.into())
}

fn text(call: &Call<'_>, at: usize) -> String {
    match call.get_raw(at) {
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        _ => String::new(),
    }
}

fn is_null(call: &Call<'_>, at: usize) -> bool {
    matches!(call.get_raw(at), ValueRef::Null)
}

fn functions(database: &Connection, context: &Context<'_>) -> rusqlite::Result<()> {
    let plain = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    database.create_scalar_function("tw_cast", 4, plain, |call| cast(call).map_err(fail))?;
    database.create_scalar_function("tw_try_cast", 4, plain, |call| {
        Ok(cast(call).unwrap_or(Lite::Null))
    })?;
    database.create_scalar_function("tw_like", 3, plain, |call| {
        if is_null(call, 0) || is_null(call, 1) {
            return Ok(None);
        }
        let escape = text(call, 2).chars().next();
        Ok(Some(like(&text(call, 0), &text(call, 1), escape)))
    })?;
    database.create_scalar_function("tw_right", 2, plain, |call| {
        let (value, count) = (text(call, 0), call.get::<i64>(1)?.max(0) as usize);
        let skip = value.chars().count().saturating_sub(count);
        Ok(value.chars().skip(skip).collect::<String>())
    })?;
    database.create_scalar_function("tw_round", 2, plain, |call| {
        let value = call.get::<f64>(0)?;
        Ok(if call.get::<i64>(1)? > 0 {
            value.ceil()
        } else {
            value.floor()
        })
    })?;
    database.create_scalar_function("tw_newid", 0, FunctionFlags::SQLITE_UTF8, |_| {
        Ok(Uuid::new_v4().to_string().to_uppercase())
    })?;
    dates(database, plain)?;
    about_instance(database, plain, context)
}

fn cast(call: &Call<'_>) -> Result<Lite, ServerMessage> {
    let kinds = (decode(&text(call, 1)), decode(&text(call, 2)));
    let (Some(from), Some(to)) = kinds else {
        return Err(super::unsupported("this conversion"));
    };
    let raw = call.get::<Lite>(0).unwrap_or(Lite::Null);
    let style = text(call, 3).parse().unwrap_or(0);
    let from = match raw {
        // A variant's value says itself what it is.
        Lite::Text(_) if from == SqlType::Variant => SqlType::NVarChar(4000),
        _ => from,
    };
    Ok(to_lite(
        &convert(from_lite(raw, from), from, to, style)?,
        to,
    ))
}

fn dates(database: &Connection, flags: FunctionFlags) -> rusqlite::Result<()> {
    let seconds = |unit: &str| match unit {
        "second" | "ss" | "s" => Some(1),
        "minute" | "mi" | "n" => Some(60),
        "hour" | "hh" => Some(3600),
        "day" | "dd" | "d" => Some(86_400),
        "week" | "wk" | "ww" => Some(7 * 86_400),
        _ => None,
    };
    let unknown = |unit: &str| {
        let text = format!("'{unit}' is not a recognized datepart option.");
        fail(ServerMessage::new(155, 15, text))
    };
    database.create_scalar_function("tw_datediff", 3, flags, move |call| {
        let (from, to) = (Moment::parse(&text(call, 1)), Moment::parse(&text(call, 2)));
        let (Some(from), Some(to)) = (from, to) else {
            return Ok(None);
        };
        let unit = text(call, 0);
        let size = seconds(&unit).ok_or_else(|| unknown(&unit))?;
        // DATEDIFF counts the boundaries crossed.
        Ok(Some(
            to.to_unix().div_euclid(size) - from.to_unix().div_euclid(size),
        ))
    })?;
    database.create_scalar_function("tw_dateadd", 3, flags, move |call| {
        let Some(at) = Moment::parse(&text(call, 2)) else {
            return Ok(None);
        };
        let unit = text(call, 0);
        let size = seconds(&unit).ok_or_else(|| unknown(&unit))?;
        Ok(Some(
            at.plus_seconds(call.get::<i64>(1)?.saturating_mul(size))
                .to_iso(),
        ))
    })
}

fn about_instance(
    database: &Connection,
    flags: FunctionFlags,
    context: &Context<'_>,
) -> rusqlite::Result<()> {
    let (version, viewer) = (context.version.clone(), context.viewer);
    let (server, machine) = (viewer.server.to_owned(), context.machine.to_owned());
    let is_hadr = !viewer.state.groups.is_empty();
    database.create_scalar_function("tw_serverproperty", 1, flags, move |call| {
        let names = (server.as_str(), machine.as_str());
        let value = properties::server(&text(call, 0), &version, names, is_hadr);
        Ok(to_lite(&value, SqlType::Variant))
    })?;
    let named: Vec<Named> = viewer
        .state
        .databases
        .iter()
        .map(|found| {
            (
                i64::from(found.id),
                found.name.clone(),
                properties::database(found),
            )
        })
        .collect();
    let ids: Vec<(i64, String)> = named
        .iter()
        .map(|(id, name, _)| (*id, name.clone()))
        .collect();
    let names = ids.clone();
    database.create_scalar_function("tw_databasepropertyex", 2, flags, move |call| {
        let (name, key) = (text(call, 0), text(call, 1));
        let found = named
            .iter()
            .find(|(_, known, _)| known.eq_ignore_ascii_case(&name));
        let value = found.and_then(|(.., list)| {
            list.iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(&key))
                .map(|(_, value)| value)
        });
        Ok(to_lite(value.unwrap_or(&Value::Null), SqlType::Variant))
    })?;
    database.create_scalar_function("tw_db_id", 1, flags, move |call| {
        let name = text(call, 0);
        Ok(ids
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(&name))
            .map(|(id, _)| *id))
    })?;
    database.create_scalar_function("tw_db_name", 1, flags, move |call| {
        let id: Option<i64> = call.get(0)?;
        Ok(names
            .iter()
            .find(|(known, _)| Some(*known) == id)
            .map(|(_, name)| name.clone()))
    })?;
    about_groups(database, flags, context)?;
    about_login(database, flags, context)
}

/// Which databases are not preferred here; any other is, one outside of groups too.
fn about_groups(
    database: &Connection,
    flags: FunctionFlags,
    context: &Context<'_>,
) -> rusqlite::Result<()> {
    let views = context.viewer.state.groups.iter();
    let elsewhere: Vec<String> = views
        .filter(|view| !view.group.prefers(view.local))
        .flat_map(|view| view.group.databases.iter().map(|(name, _)| name.clone()))
        .collect();
    database.create_scalar_function("tw_preferred", 1, flags, move |call| {
        let name = text(call, 0);
        let mut others = elsewhere.iter();
        Ok(i64::from(
            !others.any(|known| known.eq_ignore_ascii_case(&name)),
        ))
    })
}

fn about_login(
    database: &Connection,
    flags: FunctionFlags,
    context: &Context<'_>,
) -> rusqlite::Result<()> {
    let viewer = context.viewer;
    let logins = viewer.state.logins.clone();
    let me = viewer.login.to_owned();
    let known_roles = context.version.clone();
    database.create_scalar_function("tw_rolemember", 2, flags, move |call| {
        let login = if is_null(call, 1) {
            me.clone()
        } else {
            text(call, 1)
        };
        let found = logins
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(&login));
        Ok(properties::role_member(&text(call, 0), found, &known_roles))
    })?;
    let me = viewer.me.clone();
    let databases: Vec<String> = viewer
        .state
        .databases
        .iter()
        .map(|database| database.name.clone())
        .collect();
    let (version, public) = (context.version.clone(), viewer.public_history);
    let enters = (me.clone(), databases.clone());
    database.create_scalar_function("tw_access", 1, flags, move |call| {
        let name = text(call, 0);
        let known = enters
            .1
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&name));
        Ok(known.then(|| i64::from(enters.0.may_enter(&name))))
    })?;
    database.create_scalar_function("tw_permission", 3, flags, move |call| {
        let (securable, class, wanted) = (text(call, 0), text(call, 1), text(call, 2));
        let server = is_null(call, 0);
        let asked = (!server).then_some((securable.as_str(), class.as_str()));
        let held = properties::permission(&me, asked, &wanted, &databases, &version, public);
        Ok(held.map(i64::from))
    })
}

/// LIKE of T-SQL: `%`, `_`, `[set]`, `[^set]`, escape; case-insensitive as the collation is.
fn like(value: &str, pattern: &str, escape: Option<char>) -> bool {
    let value: Vec<char> = value.to_lowercase().chars().collect();
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    matches(&value, &pattern, escape)
}

fn matches(value: &[char], pattern: &[char], escape: Option<char>) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return value.is_empty();
    };
    if Some(*first) == escape
        && let Some((literal, rest)) = rest.split_first()
    {
        return value.first() == Some(literal) && matches(&value[1..], rest, escape);
    }
    match first {
        '%' => (0..=value.len()).any(|skip| matches(&value[skip..], rest, escape)),
        '_' => !value.is_empty() && matches(&value[1..], rest, escape),
        '[' => {
            let Some(end) = rest.iter().position(|c| *c == ']') else {
                return false;
            };
            let (set, after) = (&rest[..end], &rest[end + 1..]);
            let (negated, set) = match set {
                ['^', set @ ..] => (true, set),
                set => (false, set),
            };
            let Some((c, tail)) = value.split_first() else {
                return false;
            };
            let ranged = set
                .windows(3)
                .any(|w| w[1] == '-' && w[0] <= *c && *c <= w[2]);
            (ranged || set.contains(c)) != negated && matches(tail, after, escape)
        }
        literal => value.first() == Some(literal) && matches(&value[1..], rest, escape),
    }
}
