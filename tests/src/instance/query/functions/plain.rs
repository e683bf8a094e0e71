//! Functions whose answer lies in their arguments alone.

use super::{Found, LONG};
use crate::instance::query::kinds::{coerce, common};
use crate::instance::query::scope::Typed;
use crate::tds::types::SqlType;

/// Functions of any value.
pub(super) fn values(name: &str, arguments: &[Typed]) -> Found {
    let sql = |format: &str| {
        let list: Vec<&str> = arguments.iter().map(|typed| typed.sql.as_str()).collect();
        format!("{format}({})", list.join(", "))
    };
    Some(Ok(match (name, arguments) {
        ("isnull", [value, instead]) => {
            let kind = value.kind.unwrap_or_else(|| instead.kind());
            let sql = format!("coalesce({}, {})", value.sql, coerce(instead, kind));
            let typed = Typed::new(sql, kind);
            if instead.nullable {
                typed
            } else {
                typed.certain()
            }
        }
        ("coalesce", [_, ..]) => {
            let kind = arguments
                .iter()
                .fold(None, |kind, value| common(kind, value.kind));
            let kind = kind.unwrap_or(SqlType::Int);
            let list: Vec<String> = arguments.iter().map(|value| coerce(value, kind)).collect();
            Typed::new(format!("coalesce({})", list.join(", ")), kind)
        }
        ("nullif", [value, other]) => Typed::new(
            format!("nullif({}, {})", value.sql, coerce(other, value.kind())),
            value.kind(),
        ),
        ("iif", [condition, yes, no]) => {
            let kind = common(yes.kind, no.kind).unwrap_or(SqlType::Int);
            let (yes, no) = (coerce(yes, kind), coerce(no, kind));
            Typed::new(format!("iif({}, {yes}, {no})", condition.sql), kind)
        }
        ("abs", [value]) => Typed::new(sql("abs"), value.kind()),
        ("round", [value, _]) => Typed::new(sql("round"), value.kind()),
        ("object_id", [_]) => Typed::new("NULL", SqlType::Int),
        _ => return None,
    }))
}

/// Functions of text.
pub(super) fn texts(name: &str, arguments: &[Typed]) -> Found {
    let sql = |format: &str| {
        let list: Vec<&str> = arguments.iter().map(|typed| typed.sql.as_str()).collect();
        format!("{format}({})", list.join(", "))
    };
    Some(Ok(match (name, arguments) {
        ("len", [_]) => Typed::new(format!("length(rtrim({}))", arguments[0].sql), SqlType::Int),
        ("datalength", [value]) => {
            let wide = matches!(value.kind(), SqlType::NVarChar(_) | SqlType::NVarCharMax);
            let factor = if wide { 2 } else { 1 };
            Typed::new(format!("(length({}) * {factor})", value.sql), SqlType::Int)
        }
        ("upper" | "lower" | "ltrim" | "rtrim" | "trim", [value]) => {
            Typed::new(sql(name), value.kind())
        }
        ("replace", [value, _, _]) => {
            let wide = matches!(value.kind(), SqlType::NVarChar(_));
            Typed::new(
                sql("replace"),
                if wide { LONG } else { SqlType::VarChar(8000) },
            )
        }
        ("substring", [value, _, _]) => Typed::new(sql("substr"), value.kind()),
        ("left", [value, count]) => Typed::new(
            format!("substr({}, 1, {})", value.sql, count.sql),
            value.kind(),
        ),
        ("right", [value, count]) => Typed::new(
            format!("tw_right({}, {})", value.sql, count.sql),
            value.kind(),
        ),
        ("charindex", [sought, value]) => {
            let sql = format!("instr(lower({}), lower({}))", value.sql, sought.sql);
            Typed::new(sql, SqlType::Int)
        }
        ("concat", [_, ..]) => {
            let texts: Vec<String> = arguments
                .iter()
                .map(|value| format!("coalesce({}, '')", coerce(value, LONG)))
                .collect();
            Typed::new(format!("({})", texts.join(" || ")), LONG).certain()
        }
        ("quotename", [value]) => {
            let sql = format!("('[' || replace({}, ']', ']]') || ']')", value.sql);
            Typed::new(sql, SqlType::NVarChar(258))
        }
        _ => return None,
    }))
}
