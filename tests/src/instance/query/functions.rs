//! Functions: which exist, what they yield, what SQLite is asked instead.

mod plain;

use rusqlite::types::Value as Lite;
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, OrderByExpr, OrderBySort,
    WindowType,
};

use super::kinds::{cast_sql, coerce};
use super::scope::{Scope, Typed};
use super::translate::{Translator, parts};
use super::unsupported;
use crate::tds::tokens::ServerMessage;
use crate::tds::types::SqlType;

/// Most characters of nvarchar results that have no better bound.
const LONG: SqlType = SqlType::NVarChar(4000);
const NAME: SqlType = SqlType::NVarChar(128);

impl Translator<'_> {
    /// A call by name.
    pub fn function(
        &mut self,
        function: &Function,
        scope: &Scope<'_>,
    ) -> Result<Typed, ServerMessage> {
        let names = parts(&function.name);
        let name = names
            .last()
            .map(|name| name.to_ascii_lowercase())
            .unwrap_or_default();
        let (list, star, distinct) = match &function.args {
            FunctionArguments::List(list) => (
                list.args.as_slice(),
                is_star(&list.args),
                list.duplicate_treatment.is_some(),
            ),
            FunctionArguments::None => (&[][..], false, false),
            FunctionArguments::Subquery(_) => return Err(unsupported("a query as argument")),
        };
        if matches!(name.as_str(), "datediff" | "dateadd" | "datepart") {
            return self.date_function(&name, list, scope);
        }
        let mut arguments = Vec::new();
        if !star {
            for argument in list {
                let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument else {
                    return Err(unsupported("named arguments"));
                };
                arguments.push(self.expr(expr, scope)?);
            }
        }
        if let Some(over) = &function.over {
            return self.windowed(&name, &arguments, star, over, scope);
        }
        if let Some(typed) = aggregate(&name, &arguments, star, distinct) {
            return typed;
        }
        if let Some(typed) = self.about_server(&name, &arguments) {
            return Ok(typed);
        }
        plain::values(&name, &arguments)
            .or_else(|| plain::texts(&name, &arguments))
            .unwrap_or_else(|| {
                let shown = names.join(".");
                let text = format!("'{shown}' is not a recognized built-in function name.");
                Err(ServerMessage::new(195, 15, text).state(10))
            })
    }

    /// Calls that the parser gives a form of their own.
    pub fn function_like(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Typed, ServerMessage> {
        match expr {
            Expr::Substring {
                expr,
                substring_from: Some(from),
                substring_for: Some(length),
                ..
            } => {
                let (value, from) = (self.expr(expr, scope)?, self.expr(from, scope)?);
                let length = self.expr(length, scope)?;
                let sql = format!("substr({}, {}, {})", value.sql, from.sql, length.sql);
                Ok(Typed::new(sql, value.kind()))
            }
            Expr::Trim {
                expr,
                trim_where: None,
                trim_what: None,
                ..
            } => {
                let value = self.expr(expr, scope)?;
                Ok(Typed::new(format!("trim({})", value.sql), value.kind()))
            }
            Expr::Ceil { expr, .. } => {
                let value = self.expr(expr, scope)?;
                Ok(Typed::new(
                    format!("tw_round({}, 1)", value.sql),
                    value.kind(),
                ))
            }
            Expr::Floor { expr, .. } => {
                let value = self.expr(expr, scope)?;
                Ok(Typed::new(
                    format!("tw_round({}, -1)", value.sql),
                    value.kind(),
                ))
            }
            other => Err(unsupported(other)),
        }
    }

    fn date_function(
        &mut self,
        name: &str,
        list: &[FunctionArg],
        scope: &Scope<'_>,
    ) -> Result<Typed, ServerMessage> {
        let mut parts = list.iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
            _ => Err(unsupported("named arguments")),
        });
        let unit = parts
            .next()
            .transpose()?
            .map(ToString::to_string)
            .unwrap_or_default();
        let mut values = Vec::new();
        for part in parts {
            values.push(self.expr(part?, scope)?);
        }
        let unit = self.parameter(Lite::Text(unit.to_ascii_lowercase()));
        match (name, values.as_slice()) {
            ("datediff", [from, to]) => {
                let (from, to) = (
                    coerce(from, SqlType::DateTime),
                    coerce(to, SqlType::DateTime),
                );
                Ok(Typed::new(
                    format!("tw_datediff({unit}, {from}, {to})"),
                    SqlType::Int,
                ))
            }
            ("dateadd", [count, at]) => {
                let at = coerce(at, SqlType::DateTime);
                let sql = format!("tw_dateadd({unit}, {}, {at})", count.sql);
                Ok(Typed::new(sql, SqlType::DateTime))
            }
            _ => Err(unsupported(name)),
        }
    }

    fn windowed(
        &mut self,
        name: &str,
        arguments: &[Typed],
        star: bool,
        over: &WindowType,
        scope: &Scope<'_>,
    ) -> Result<Typed, ServerMessage> {
        let WindowType::WindowSpec(spec) = over else {
            return Err(unsupported("named windows"));
        };
        let mut inside = String::new();
        if !spec.partition_by.is_empty() {
            let list = self.list(&spec.partition_by, scope)?;
            inside.push_str(&format!("PARTITION BY {}", list.join(", ")));
        }
        if !spec.order_by.is_empty() {
            let keys: Result<Vec<String>, ServerMessage> = spec
                .order_by
                .iter()
                .map(|key| self.sort_key(key, scope))
                .collect();
            inside.push_str(&format!(" ORDER BY {}", keys?.join(", ")));
        }
        let typed = match (name, arguments) {
            ("row_number" | "rank" | "dense_rank", []) => {
                Typed::new(format!("{name}()"), SqlType::BigInt)
            }
            ("lag" | "lead" | "first_value" | "last_value", [value, rest @ ..]) => {
                let mut list = vec![value.sql.clone()];
                list.extend(rest.iter().map(|extra| extra.sql.clone()));
                Typed::new(format!("{name}({})", list.join(", ")), value.kind())
            }
            _ => aggregate(name, arguments, star, false).ok_or_else(|| unsupported(name))??,
        };
        Ok(Typed::new(
            format!("{} OVER ({inside})", typed.sql),
            typed.kind(),
        ))
    }

    fn sort_key(&mut self, key: &OrderByExpr, scope: &Scope<'_>) -> Result<String, ServerMessage> {
        let sql = self.expr(&key.expr, scope)?.sql;
        Ok(format!(
            "{sql}{}",
            if matches!(key.options.sort, Some(OrderBySort::Desc)) {
                " DESC"
            } else {
                ""
            }
        ))
    }

    fn list(&mut self, exprs: &[Expr], scope: &Scope<'_>) -> Result<Vec<String>, ServerMessage> {
        exprs
            .iter()
            .map(|expr| Ok(self.expr(expr, scope)?.sql))
            .collect()
    }

    /// Functions whose answer lies in the session or the instance.
    fn about_server(&mut self, name: &str, arguments: &[Typed]) -> Option<Typed> {
        let context = self.context;
        let viewer = &context.viewer;
        let (program, host) = context.client;
        let mut text = |value: &str, kind| {
            Some(Typed::new(
                self.parameter(Lite::Text(value.to_owned())),
                kind,
            ))
        };
        match (name, arguments) {
            ("serverproperty", [key]) => Some(Typed::new(
                format!("tw_serverproperty({})", key.sql),
                SqlType::Variant,
            )),
            ("databasepropertyex", [database, key]) => {
                let sql = format!("tw_databasepropertyex({}, {})", database.sql, key.sql);
                Some(Typed::new(sql, SqlType::Variant))
            }
            ("is_srvrolemember", [role]) => Some(Typed::new(
                format!("tw_rolemember({}, NULL)", role.sql),
                SqlType::Int,
            )),
            ("is_srvrolemember", [role, login]) => {
                let sql = format!("tw_rolemember({}, {})", role.sql, login.sql);
                Some(Typed::new(sql, SqlType::Int))
            }
            ("has_perms_by_name", [securable, class, permission, ..]) => {
                let (securable, class) = (&securable.sql, &class.sql);
                let sql = format!("tw_permission({securable}, {class}, {})", permission.sql);
                Some(Typed::new(sql, SqlType::Int))
            }
            ("has_dbaccess", [database]) => {
                let sql = format!("tw_access({})", database.sql);
                Some(Typed::new(sql, SqlType::Int))
            }
            ("db_id", []) => {
                let current = self.parameter(Lite::Text(context.database.to_owned()));
                Some(Typed::new(
                    format!("tw_db_id({current})"),
                    SqlType::SmallInt,
                ))
            }
            ("db_id", [name]) => Some(Typed::new(
                format!("tw_db_id({})", name.sql),
                SqlType::SmallInt,
            )),
            ("db_name", []) => text(context.database, NAME),
            ("db_name", [id]) => Some(Typed::new(format!("tw_db_name({})", id.sql), NAME)),
            ("suser_sname" | "suser_name" | "original_login", []) => text(viewer.login, NAME),
            ("user_name", []) => text(if viewer.sysadmin { "dbo" } else { "guest" }, NAME),
            ("host_name", []) => text(host, NAME),
            ("app_name", []) => text(program, NAME),
            ("getdate" | "getutcdate", []) => text(&viewer.now.to_iso(), SqlType::DateTime),
            ("sysdatetime" | "sysutcdatetime", []) => {
                text(&viewer.now.to_iso(), SqlType::DateTime2(7))
            }
            ("newid", []) => Some(Typed::new("tw_newid()", SqlType::Guid)),
            ("fn_hadr_backup_is_preferred_replica", [database]) => {
                let sql = format!("tw_preferred({})", database.sql);
                Some(Typed::new(sql, SqlType::Bit))
            }
            _ => None,
        }
    }
}

fn is_star(list: &[FunctionArg]) -> bool {
    matches!(list, [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)])
}

type Found = Option<Result<Typed, ServerMessage>>;

fn aggregate(name: &str, arguments: &[Typed], star: bool, distinct: bool) -> Found {
    let distinct = if distinct { "DISTINCT " } else { "" };
    Some(Ok(match (name, arguments) {
        ("count", []) if star => Typed::new("count(*)", SqlType::Int),
        ("count_big", []) if star => Typed::new("count(*)", SqlType::BigInt),
        ("count", [value]) => Typed::new(format!("count({distinct}{})", value.sql), SqlType::Int),
        ("max" | "min", [value]) => Typed::new(format!("{name}({})", value.sql), value.kind()),
        ("sum", [value]) => {
            let sql = format!("sum({distinct}{})", value.sql);
            match value.kind() {
                SqlType::Numeric(p, s) if p <= 20 && s == 0 => {
                    let kind = SqlType::Numeric(38, 0);
                    Typed::new(cast_sql(&sql, SqlType::BigInt, kind, None), kind)
                }
                SqlType::BigInt => Typed::new(sql, SqlType::BigInt),
                SqlType::Real | SqlType::Float => Typed::new(sql, SqlType::Float),
                SqlType::TinyInt | SqlType::SmallInt | SqlType::Int => {
                    Typed::new(sql, SqlType::Int)
                }
                other => {
                    let text = format!("Operand data type {other:?} is invalid for sum operator.");
                    return Some(Err(ServerMessage::new(8117, 16, text)));
                }
            }
        }
        ("avg", [value]) => Typed::new(format!("avg({distinct}{})", value.sql), SqlType::Float),
        ("string_agg", [value, separator]) => Typed::new(
            format!("group_concat({}, {})", value.sql, separator.sql),
            LONG,
        ),
        _ => return None,
    }))
}
