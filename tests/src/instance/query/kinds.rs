//! The rules of types: how values lie in SQLite, which type wins, how one becomes the other.
//!
//! numeric beyond 20 digits lies as zero-padded text, uniqueidentifier as upper-case text,
//! datetime as sortable text, so that SQLite compares and sorts them rightly; everything else is
//! its own kind.

use rusqlite::types::Value as Lite;
use sqlparser::ast::{CharacterLength, DataType, ExactNumberInfo};
use uuid::Uuid;

use super::scope::Typed;
use super::unsupported;
use crate::instance::moment::Moment;
use crate::tds::tokens::ServerMessage;
use crate::tds::types::{SqlType, Value};

/// Digits of a wide numeric as text.
const WIDE_DIGITS: usize = 38;
/// From this precision on a numeric lies as text.
const WIDE_FROM: u8 = 21;

/// Groups of types that compare without conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    Binary,
    Text,
    Guid,
    Whole,
    WideNumber,
    Broken,
    Time,
    Variant,
}

const fn family(kind: SqlType) -> Family {
    match kind {
        SqlType::Bit | SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => {
            Family::Whole
        }
        SqlType::Real | SqlType::Float => Family::Broken,
        SqlType::Numeric(p, _) if p >= WIDE_FROM => Family::WideNumber,
        SqlType::Numeric(_, 0) => Family::Whole,
        SqlType::Numeric(..) => Family::Broken,
        SqlType::Guid => Family::Guid,
        SqlType::DateTime | SqlType::DateTime2(_) => Family::Time,
        SqlType::VarBinary(_) | SqlType::VarBinaryMax => Family::Binary,
        SqlType::Variant => Family::Variant,
        _ => Family::Text,
    }
}

/// T-SQL's type precedence, coarse: the type two values meet in.
#[must_use]
pub fn common(a: Option<SqlType>, b: Option<SqlType>) -> Option<SqlType> {
    let (Some(a), Some(b)) = (a, b) else {
        return a.or(b);
    };
    let rank = |kind: SqlType| match kind {
        SqlType::Variant => 20,
        SqlType::DateTime2(_) => 19,
        SqlType::DateTime => 18,
        SqlType::Float => 17,
        SqlType::Real => 16,
        SqlType::Numeric(..) => 15,
        SqlType::BigInt => 14,
        SqlType::Int => 13,
        SqlType::SmallInt => 12,
        SqlType::TinyInt => 11,
        SqlType::Bit => 10,
        SqlType::Guid => 9,
        SqlType::NVarCharMax => 8,
        SqlType::NVarChar(_) => 7,
        SqlType::NChar(_) => 6,
        SqlType::VarCharMax => 5,
        SqlType::VarChar(_) => 4,
        SqlType::Char(_) => 3,
        SqlType::VarBinaryMax => 2,
        SqlType::VarBinary(_) => 1,
    };
    Some(match (a, b) {
        (SqlType::Numeric(p, s), SqlType::Numeric(q, t)) => SqlType::Numeric(p.max(q), s.max(t)),
        (SqlType::NVarChar(n), SqlType::NVarChar(m)) => SqlType::NVarChar(n.max(m)),
        (SqlType::VarChar(n), SqlType::VarChar(m)) => SqlType::VarChar(n.max(m)),
        (SqlType::NVarChar(n), other) | (other, SqlType::NVarChar(n)) if other.is_text() => {
            SqlType::NVarChar(n.max(text_length(other)))
        }
        _ if rank(a) >= rank(b) => a,
        _ => b,
    })
}

/// Characters a text type holds; 4000 for the long ones.
#[must_use]
pub const fn text_length(kind: SqlType) -> u16 {
    match kind {
        SqlType::NVarChar(n) | SqlType::NChar(n) | SqlType::VarChar(n) | SqlType::Char(n) => n,
        _ => 4000,
    }
}

/// SQLite text for `typed` in the form that values of `to` have.
#[must_use]
pub fn coerce(typed: &Typed, to: SqlType) -> String {
    match typed.kind {
        None => typed.sql.clone(),
        Some(from) if family(from) == family(to) => typed.sql.clone(),
        Some(_) if to == SqlType::Variant => typed.sql.clone(),
        Some(from) => cast_sql(&typed.sql, from, to, None),
    }
}

/// SQLite text of an explicit conversion.
#[must_use]
pub fn cast_sql(sql: &str, from: SqlType, to: SqlType, style: Option<&str>) -> String {
    format!(
        "tw_cast({sql}, '{}', '{}', {})",
        code(from),
        code(to),
        style.unwrap_or("0")
    )
}

/// A type as one word, for the conversion function.
#[must_use]
pub fn code(kind: SqlType) -> String {
    format!("{kind:?}").replace(' ', "")
}

/// Reads [`code`] back.
#[must_use]
pub fn decode(text: &str) -> Option<SqlType> {
    let (name, rest) = text.split_once('(').unwrap_or((text, ""));
    let mut numbers = rest
        .trim_end_matches(')')
        .split(',')
        .map(|n| n.parse::<u16>().ok());
    let mut number = || numbers.next().flatten();
    Some(match name {
        "Bit" => SqlType::Bit,
        "TinyInt" => SqlType::TinyInt,
        "SmallInt" => SqlType::SmallInt,
        "Int" => SqlType::Int,
        "BigInt" => SqlType::BigInt,
        "Real" => SqlType::Real,
        "Float" => SqlType::Float,
        "Guid" => SqlType::Guid,
        "DateTime" => SqlType::DateTime,
        "Variant" => SqlType::Variant,
        "NVarCharMax" => SqlType::NVarCharMax,
        "VarCharMax" => SqlType::VarCharMax,
        "VarBinaryMax" => SqlType::VarBinaryMax,
        "Numeric" => SqlType::Numeric(number()? as u8, number()? as u8),
        "DateTime2" => SqlType::DateTime2(number()? as u8),
        "NVarChar" => SqlType::NVarChar(number()?),
        "NChar" => SqlType::NChar(number()?),
        "VarChar" => SqlType::VarChar(number()?),
        "Char" => SqlType::Char(number()?),
        "VarBinary" => SqlType::VarBinary(number()?),
        _ => return None,
    })
}

/// How a value of `kind` lies in SQLite.
#[must_use]
pub fn to_lite(value: &Value, kind: SqlType) -> Lite {
    match value {
        Value::Null => Lite::Null,
        Value::Int(number) if family(kind) == Family::WideNumber => {
            Lite::Text(format!("{number:0WIDE_DIGITS$}"))
        }
        Value::Int(number) => Lite::Integer(*number),
        Value::Float(number) => Lite::Real(*number),
        Value::Numeric(number) if family(kind) == Family::WideNumber => {
            Lite::Text(format!("{number:0WIDE_DIGITS$}"))
        }
        Value::Numeric(number) => match i64::try_from(*number) {
            Ok(small) => Lite::Integer(small),
            Err(_) => Lite::Real(*number as f64),
        },
        Value::Bytes(bytes) => Lite::Blob(bytes.clone()),
        other => Lite::Text(other.text()),
    }
}

/// A SQLite value as a value of `kind`.
#[must_use]
pub fn from_lite(lite: Lite, kind: SqlType) -> Value {
    match (lite, kind) {
        (Lite::Null, _) => Value::Null,
        (Lite::Integer(number), SqlType::Numeric(_, s)) => {
            Value::Numeric(i128::from(number) * 10_i128.pow(u32::from(s)))
        }
        (Lite::Real(number), SqlType::Numeric(_, s)) => {
            Value::Numeric((number * 10_f64.powi(i32::from(s))).round() as i128)
        }
        (Lite::Text(text), SqlType::Numeric(..)) => {
            text.parse().map_or(Value::Null, Value::Numeric)
        }
        (Lite::Text(text), SqlType::Guid) => {
            Uuid::parse_str(&text).map_or(Value::Null, Value::Guid)
        }
        (Lite::Text(text), SqlType::DateTime | SqlType::DateTime2(_)) => {
            Moment::parse(&text).map_or(Value::Null, Value::Moment)
        }
        (Lite::Integer(number), SqlType::Real | SqlType::Float) => Value::Float(number as f64),
        (Lite::Integer(number), _) => Value::Int(number),
        (Lite::Real(number), _) => Value::Float(number),
        (Lite::Text(text), _) => Value::Text(text),
        (Lite::Blob(bytes), _) => Value::Bytes(bytes),
    }
}

/// Converts, or says with SQL Server's number why not. `style` is that of CONVERT.
pub fn convert(
    value: Value,
    from: SqlType,
    to: SqlType,
    style: i64,
) -> Result<Value, ServerMessage> {
    let text = match (&value, from) {
        (Value::Null, _) => return Ok(Value::Null),
        (Value::Moment(moment), _) => styled(*moment, style),
        (Value::Numeric(number), SqlType::Numeric(_, s)) if s > 0 => {
            (*number as f64 / 10_f64.powi(i32::from(s))).to_string()
        }
        (other, _) => other.text(),
    };
    let failed = |number, what: &str| {
        let text = format!("Conversion failed when converting {what} from the value '{text}'.");
        ServerMessage::new(number, 16, text)
    };
    Ok(match family(to) {
        Family::Whole | Family::WideNumber => {
            let whole = match &value {
                Value::Float(number) => Some(*number as i128),
                _ => text
                    .trim()
                    .split('.')
                    .next()
                    .unwrap_or("")
                    .parse::<i128>()
                    .ok(),
            };
            let whole = whole.ok_or_else(|| failed(245, "a value to a number"))?;
            match to {
                SqlType::Bit => Value::Int(i64::from(whole != 0)),
                SqlType::Numeric(..) => Value::Numeric(whole),
                _ => Value::Int(i64::try_from(whole).map_err(|_| failed(8115, "a large value"))?),
            }
        }
        Family::Broken => Value::Float(
            text.trim()
                .parse()
                .map_err(|_| failed(8114, "a value to float"))?,
        ),
        Family::Guid => {
            let braced = text.trim().trim_start_matches('{').trim_end_matches('}');
            let guid = Uuid::parse_str(braced);
            Value::Guid(guid.map_err(|_| failed(8169, "a character string to uniqueidentifier"))?)
        }
        Family::Time => {
            let moment = Moment::parse(&text);
            Value::Moment(moment.ok_or_else(|| failed(241, "date and/or time"))?)
        }
        Family::Binary => match value {
            Value::Bytes(bytes) => Value::Bytes(bytes),
            _ => Value::Bytes(text.into_bytes()),
        },
        Family::Variant => value,
        Family::Text => {
            let limit = usize::from(text_length(to));
            match to {
                SqlType::NVarCharMax | SqlType::VarCharMax => Value::Text(text),
                _ => Value::Text(text.chars().take(limit).collect()),
            }
        }
    })
}

fn styled(moment: Moment, style: i64) -> String {
    let iso = moment.to_iso();
    match style {
        112 => iso[..10].replace('-', ""),
        23 => iso[..10].to_owned(),
        20 | 120 => iso[..19].to_owned(),
        126 | 127 => iso.replacen(' ', "T", 1),
        _ => iso,
    }
}

/// The type a CAST names.
pub fn of_data_type(named: &DataType) -> Result<SqlType, ServerMessage> {
    let length = |length: &Option<CharacterLength>| match length {
        None => Some(30),
        Some(CharacterLength::IntegerLength { length, .. }) => u16::try_from(*length).ok(),
        Some(CharacterLength::Max) => None,
    };
    Ok(match named {
        DataType::Bit(_) | DataType::Boolean => SqlType::Bit,
        DataType::TinyInt(_) => SqlType::TinyInt,
        DataType::SmallInt(_) => SqlType::SmallInt,
        DataType::Int(_) | DataType::Integer(_) => SqlType::Int,
        DataType::BigInt(_) => SqlType::BigInt,
        DataType::Real => SqlType::Real,
        DataType::Float(_) | DataType::Double(_) | DataType::DoublePrecision => SqlType::Float,
        DataType::Decimal(info) | DataType::Numeric(info) | DataType::Dec(info) => match info {
            ExactNumberInfo::None => SqlType::Numeric(18, 0),
            ExactNumberInfo::Precision(p) => SqlType::Numeric(*p as u8, 0),
            ExactNumberInfo::PrecisionAndScale(p, s) => SqlType::Numeric(*p as u8, *s as u8),
        },
        DataType::Nvarchar(n) => length(n).map_or(SqlType::NVarCharMax, SqlType::NVarChar),
        DataType::Varchar(n) => length(n).map_or(SqlType::VarCharMax, SqlType::VarChar),
        DataType::Char(n) | DataType::Character(n) => {
            length(n).map_or(SqlType::VarCharMax, SqlType::Char)
        }
        DataType::Varbinary(_) => SqlType::VarBinaryMax,
        DataType::Datetime(_) => SqlType::DateTime,
        DataType::Custom(name, arguments) => {
            let name = name.to_string().to_ascii_lowercase();
            let name = name.trim_start_matches("sys.");
            match (
                name,
                arguments.first().and_then(|text| text.parse::<u16>().ok()),
            ) {
                ("uniqueidentifier", _) => SqlType::Guid,
                ("sysname", _) => SqlType::NVarChar(128),
                ("datetime2", scale) => SqlType::DateTime2(scale.unwrap_or(7) as u8),
                ("nchar", n) => SqlType::NChar(n.unwrap_or(30)),
                ("sql_variant", _) => SqlType::Variant,
                (other, _) => {
                    let text = format!("Type {other} is not a defined system type.");
                    return Err(ServerMessage::new(243, 16, text));
                }
            }
        }
        other => return Err(unsupported(format_args!("the type {other}"))),
    })
}
