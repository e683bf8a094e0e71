//! SQL types and values, and their wire forms as the server writes them.

use uuid::Uuid;

use super::bytes::put_utf16;
use crate::instance::moment::Moment;

/// Collation bytes of SQL_Latin1_General_CP1_CI_AS.
pub const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];

/// The type of a column, a variable or a parameter. Lengths count as in T-SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlType {
    /// bit
    Bit,
    /// tinyint
    TinyInt,
    /// smallint
    SmallInt,
    /// int
    Int,
    /// bigint
    BigInt,
    /// real
    Real,
    /// float
    Float,
    /// numeric(precision, scale)
    Numeric(u8, u8),
    /// uniqueidentifier
    Guid,
    /// datetime
    DateTime,
    /// datetime2(scale)
    DateTime2(u8),
    /// nvarchar(n)
    NVarChar(u16),
    /// nchar(n)
    NChar(u16),
    /// varchar(n)
    VarChar(u16),
    /// char(n)
    Char(u16),
    /// varbinary(n)
    VarBinary(u16),
    /// nvarchar(max)
    NVarCharMax,
    /// varchar(max)
    VarCharMax,
    /// varbinary(max)
    VarBinaryMax,
    /// sql_variant holding int, float, nvarchar
    Variant,
}

/// One value; which wire form it takes is the column's business.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL
    Null,
    /// bit and the integer types
    Int(i64),
    /// real and float
    Float(f64),
    /// Unscaled numeric.
    Numeric(i128),
    /// uniqueidentifier
    Guid(Uuid),
    /// datetime and datetime2
    Moment(Moment),
    /// Every character type.
    Text(String),
    /// Every binary type.
    Bytes(Vec<u8>),
}

impl SqlType {
    /// Whether values are text.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(
            self,
            Self::NVarChar(_)
                | Self::NChar(_)
                | Self::VarChar(_)
                | Self::Char(_)
                | Self::NVarCharMax
                | Self::VarCharMax
        )
    }

    /// Bytes a numeric of this precision takes on the wire, sign included.
    const fn numeric_bytes(precision: u8) -> u8 {
        match precision {
            0..=9 => 5,
            10..=19 => 9,
            20..=28 => 13,
            _ => 17,
        }
    }

    /// Appends TYPE_INFO.
    pub fn put_info(self, out: &mut Vec<u8>) {
        match self {
            Self::Bit => out.extend([0x68, 1]),
            Self::TinyInt => out.extend([0x26, 1]),
            Self::SmallInt => out.extend([0x26, 2]),
            Self::Int => out.extend([0x26, 4]),
            Self::BigInt => out.extend([0x26, 8]),
            Self::Real => out.extend([0x6D, 4]),
            Self::Float => out.extend([0x6D, 8]),
            Self::Numeric(p, s) => out.extend([0x6C, Self::numeric_bytes(p), p, s]),
            Self::Guid => out.extend([0x24, 16]),
            Self::DateTime => out.extend([0x6F, 8]),
            Self::DateTime2(scale) => out.extend([0x2A, scale]),
            Self::NVarChar(n) => put_text_info(out, 0xE7, n.saturating_mul(2)),
            Self::NChar(n) => put_text_info(out, 0xEF, n.saturating_mul(2)),
            Self::VarChar(n) => put_text_info(out, 0xA7, n),
            Self::Char(n) => put_text_info(out, 0xAF, n),
            Self::NVarCharMax => put_text_info(out, 0xE7, u16::MAX),
            Self::VarCharMax => put_text_info(out, 0xA7, u16::MAX),
            Self::VarBinary(n) => {
                out.push(0xA5);
                out.extend(n.to_le_bytes());
            }
            Self::VarBinaryMax => {
                out.push(0xA5);
                out.extend(u16::MAX.to_le_bytes());
            }
            Self::Variant => {
                out.push(0x62);
                out.extend(8009_u32.to_le_bytes());
            }
        }
    }

    /// Appends the value in this type's form; a value of another kind is converted as far as it can
    /// be and is NULL otherwise.
    pub fn put_value(self, value: &Value, out: &mut Vec<u8>) {
        if matches!(value, Value::Null) {
            return self.put_null(out);
        }
        match self {
            Self::Bit => put_sized(out, &[u8::from(value.integer() != 0)]),
            Self::TinyInt => put_sized(out, &(value.integer() as u8).to_le_bytes()),
            Self::SmallInt => put_sized(out, &(value.integer() as i16).to_le_bytes()),
            Self::Int => put_sized(out, &(value.integer() as i32).to_le_bytes()),
            Self::BigInt => put_sized(out, &value.integer().to_le_bytes()),
            Self::Real => put_sized(out, &(value.float() as f32).to_le_bytes()),
            Self::Float => put_sized(out, &value.float().to_le_bytes()),
            Self::Numeric(p, s) => {
                let unscaled = value.unscaled(s);
                out.push(Self::numeric_bytes(p));
                out.push(u8::from(unscaled >= 0));
                let magnitude = unscaled.unsigned_abs().to_le_bytes();
                out.extend(&magnitude[..usize::from(Self::numeric_bytes(p)) - 1]);
            }
            Self::Guid => match value {
                Value::Guid(guid) => put_sized(out, &guid.to_bytes_le()),
                _ => self.put_null(out),
            },
            Self::DateTime => match value {
                Value::Moment(moment) => {
                    out.push(8);
                    out.extend(moment.days_since_1900().to_le_bytes());
                    out.extend(moment.ticks_300().to_le_bytes());
                }
                _ => self.put_null(out),
            },
            Self::DateTime2(scale) => match value {
                Value::Moment(moment) => put_datetime2(*moment, scale, out),
                _ => self.put_null(out),
            },
            Self::Variant => put_variant(value, out),
            Self::VarBinary(_) | Self::VarBinaryMax => match value {
                Value::Bytes(bytes) => self.put_long(bytes, out),
                _ => self.put_null(out),
            },
            Self::NVarChar(n) => self.put_long(&unicode(&value.text(), Some((n, false))), out),
            Self::NChar(n) => self.put_long(&unicode(&value.text(), Some((n, true))), out),
            Self::NVarCharMax => self.put_long(&unicode(&value.text(), None), out),
            Self::VarChar(n) => self.put_long(&ansi(&value.text(), Some((n, false))), out),
            Self::Char(n) => self.put_long(&ansi(&value.text(), Some((n, true))), out),
            Self::VarCharMax => self.put_long(&ansi(&value.text(), None), out),
        }
    }

    const fn is_max(self) -> bool {
        matches!(
            self,
            Self::NVarCharMax | Self::VarCharMax | Self::VarBinaryMax
        )
    }

    fn put_null(self, out: &mut Vec<u8>) {
        if self.is_max() {
            out.extend([0xFF; 8]);
        } else if self.is_text() || matches!(self, Self::VarBinary(_)) {
            out.extend([0xFF; 2]);
        } else if self == Self::Variant {
            out.extend([0; 4]);
        } else {
            out.push(0);
        }
    }

    fn put_long(self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.is_max() {
            out.extend((bytes.len() as u64).to_le_bytes());
            if !bytes.is_empty() {
                out.extend((bytes.len() as u32).to_le_bytes());
                out.extend(bytes);
            }
            out.extend(0_u32.to_le_bytes());
        } else {
            out.extend((bytes.len() as u16).to_le_bytes());
            out.extend(bytes);
        }
    }
}

fn put_text_info(out: &mut Vec<u8>, token: u8, max_bytes: u16) {
    out.push(token);
    out.extend(max_bytes.to_le_bytes());
    out.extend(COLLATION);
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(bytes.len() as u8);
    out.extend(bytes);
}

/// UTF-16LE, cut or padded to `n` units.
fn unicode(text: &str, limit: Option<(u16, bool)>) -> Vec<u8> {
    let mut out = Vec::new();
    put_utf16(&mut out, text);
    if let Some((n, padded)) = limit {
        let bytes = usize::from(n) * 2;
        out.truncate(bytes);
        while padded && out.len() < bytes {
            out.extend([b' ', 0]);
        }
    }
    out
}

/// Latin-1 of the code page 1252 collation; what it cannot hold becomes a question mark, as it does
/// on the server.
fn ansi(text: &str, limit: Option<(u16, bool)>) -> Vec<u8> {
    let mut out: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect();
    if let Some((n, padded)) = limit {
        out.truncate(usize::from(n));
        if padded {
            out.resize(usize::from(n), b' ');
        }
    }
    out
}

fn put_datetime2(moment: Moment, scale: u8, out: &mut Vec<u8>) {
    let scale = scale.min(7);
    let time_bytes = match scale {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    };
    let units = moment.nanos_of_day() / 10_u64.pow(9 - u32::from(scale));
    out.push(time_bytes + 3);
    out.extend(&units.to_le_bytes()[..usize::from(time_bytes)]);
    out.extend(&moment.days_since_year_one().to_le_bytes()[..3]);
}

fn put_variant(value: &Value, out: &mut Vec<u8>) {
    let mut body = Vec::new();
    match value {
        Value::Int(number) => match i32::try_from(*number) {
            Ok(small) => {
                body.extend([0x38, 0]);
                body.extend(small.to_le_bytes());
            }
            Err(_) => {
                body.extend([0x7F, 0]);
                body.extend(number.to_le_bytes());
            }
        },
        Value::Float(number) => {
            body.extend([0x3E, 0]);
            body.extend(number.to_le_bytes());
        }
        other => {
            let text = unicode(&other.text(), Some((4000, false)));
            body.extend([0xE7, 7]);
            body.extend(COLLATION);
            body.extend((text.len() as u16).to_le_bytes());
            body.extend(text);
        }
    }
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
}

impl Value {
    fn integer(&self) -> i64 {
        match self {
            Self::Int(number) => *number,
            Self::Float(number) => *number as i64,
            Self::Numeric(number) => *number as i64,
            Self::Text(text) => text.trim().parse().unwrap_or(0),
            _ => 0,
        }
    }

    fn float(&self) -> f64 {
        match self {
            Self::Float(number) => *number,
            Self::Text(text) => text.trim().parse().unwrap_or(0.0),
            other => other.integer() as f64,
        }
    }

    fn unscaled(&self, scale: u8) -> i128 {
        let factor = 10_i128.pow(u32::from(scale.min(38)));
        match self {
            Self::Numeric(number) => *number,
            Self::Float(number) => (*number * factor as f64) as i128,
            Self::Text(text) => text
                .trim()
                .parse::<i128>()
                .unwrap_or(0)
                .saturating_mul(factor),
            other => i128::from(other.integer()).saturating_mul(factor),
        }
    }

    /// The value as T-SQL would print it in a character column.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Numeric(number) => number.to_string(),
            Self::Guid(guid) => guid.to_string().to_uppercase(),
            Self::Moment(moment) => moment.to_iso(),
            Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
