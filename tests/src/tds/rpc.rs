//! Remote procedure calls and the heads of requests.

use super::bytes::{Cursor, Malformed};
use super::decode::WireType;
use super::types::{SqlType, Value};

/// Most parameters of one call (SQL Server's own limit).
const MAX_PARAMETERS: usize = 2100;

/// A parameter of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Name with its `@`, or empty.
    pub name: String,
    /// Whether the caller wants it back.
    pub output: bool,
    /// Its type.
    pub kind: SqlType,
    /// Its value.
    pub value: Value,
}

/// Which procedure is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Procedure {
    /// By number: 10 sp_executesql, 11 prepare, 12 execute, 13 prepexec, 15 unprepare.
    Number(u16),
    /// By name.
    Name(String),
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is called.
    pub procedure: Procedure,
    /// Its parameters in order.
    pub parameters: Vec<Parameter>,
}

/// Skips ALL_HEADERS and returns the cursor behind them.
pub fn after_headers(body: &[u8]) -> Result<Cursor<'_>, Malformed> {
    let mut cursor = Cursor::new(body);
    let total = cursor.u32()? as usize;
    let rest = total
        .checked_sub(4)
        .ok_or(Malformed("header block shorter than its length"))?;
    cursor.take(rest)?;
    Ok(cursor)
}

/// The text of an SQL batch.
pub fn batch_text(body: &[u8]) -> Result<String, Malformed> {
    let mut cursor = after_headers(body)?;
    let units = cursor.left() / 2;
    cursor.utf16(units)
}

/// Reads the first call of a request; further calls in one request are not used by any client here.
pub fn parse(body: &[u8]) -> Result<Call, Malformed> {
    let mut cursor = after_headers(body)?;
    let length = cursor.u16()?;
    let procedure = if length == u16::MAX {
        Procedure::Number(cursor.u16()?)
    } else {
        Procedure::Name(cursor.utf16(usize::from(length))?)
    };
    cursor.u16()?;
    let mut parameters = Vec::new();
    while cursor.left() > 0 {
        if parameters.len() == MAX_PARAMETERS {
            return Err(Malformed("too many parameters"));
        }
        let name = cursor.b_varchar()?;
        let status = cursor.u8()?;
        let wire = WireType::read(&mut cursor)?;
        let value = wire.read_value(&mut cursor)?;
        parameters.push(Parameter {
            name,
            output: status & 1 != 0,
            kind: wire.kind,
            value,
        });
    }
    Ok(Call {
        procedure,
        parameters,
    })
}

#[cfg(test)]
mod tests;
