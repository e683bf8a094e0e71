//! The tokens of a response, one encoder each.

use super::bytes::{put_b_varchar, put_us_varchar};
use super::types::{COLLATION, SqlType, Value};

/// DONE status: another result follows.
pub const MORE: u16 = 0x01;
/// DONE status: the statement failed.
pub const ERROR: u16 = 0x02;
/// DONE status: the row count counts.
pub const COUNT: u16 = 0x10;
/// DONE status: this acknowledges an attention.
pub const ATTENTION: u16 = 0x20;
/// DONE status: the server gives up on the connection.
pub const SERVER_ERROR: u16 = 0x100;

/// DONE.
pub const DONE: u8 = 0xFD;
/// DONEPROC: a remote call is complete.
pub const DONE_PROC: u8 = 0xFE;
/// DONEINPROC: a statement inside a remote call is complete.
pub const DONE_IN_PROC: u8 = 0xFF;

/// One message of the server: an error, or (class 10 and below) an information.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerMessage {
    /// SQL Server's number.
    pub number: i32,
    /// State.
    pub state: u8,
    /// Severity; above 10 it is an error.
    pub class: u8,
    /// Text.
    pub text: String,
}

impl ServerMessage {
    /// A message of state 1.
    #[must_use]
    pub fn new(number: i32, class: u8, text: impl Into<String>) -> Self {
        Self {
            number,
            state: 1,
            class,
            text: text.into(),
        }
    }

    /// The same with another state.
    #[must_use]
    pub const fn state(mut self, state: u8) -> Self {
        self.state = state;
        self
    }
}

/// A column of a result set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name; empty for an unnamed expression.
    pub name: String,
    /// Type.
    pub kind: SqlType,
    /// Whether NULL may occur.
    pub nullable: bool,
}

impl Column {
    /// A nullable column.
    #[must_use]
    pub fn new(name: &str, kind: SqlType) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            nullable: true,
        }
    }
}

fn put_lengthy(out: &mut Vec<u8>, token: u8, body: &[u8]) {
    out.push(token);
    out.extend((body.len() as u16).to_le_bytes());
    out.extend(body);
}

/// ERROR or INFO, decided by the class.
#[must_use]
pub fn message(message: &ServerMessage, server: &str, line: u32) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(message.number.to_le_bytes());
    body.extend([message.state, message.class]);
    put_us_varchar(&mut body, &message.text);
    put_b_varchar(&mut body, server);
    put_b_varchar(&mut body, "");
    body.extend(line.to_le_bytes());
    let mut out = Vec::new();
    put_lengthy(
        &mut out,
        if message.class > 10 { 0xAA } else { 0xAB },
        &body,
    );
    out
}

/// COLMETADATA.
#[must_use]
pub fn columns(columns: &[Column]) -> Vec<u8> {
    let mut out = vec![0x81];
    out.extend((columns.len() as u16).to_le_bytes());
    for column in columns {
        out.extend(0_u32.to_le_bytes());
        out.extend(u16::from(column.nullable).to_le_bytes());
        column.kind.put_info(&mut out);
        put_b_varchar(&mut out, &column.name);
    }
    out
}

/// ROW, or NBCROW where that is shorter, as the server chooses from TDS 7.3 on.
#[must_use]
pub fn row(columns: &[Column], values: &[Value]) -> Vec<u8> {
    let nulls = values
        .iter()
        .filter(|value| matches!(value, Value::Null))
        .count();
    let bitmap_bytes = columns.len().div_ceil(8);
    let compact = nulls > bitmap_bytes;
    let mut out = vec![if compact { 0xD2 } else { 0xD1 }];
    if compact {
        let mut bitmap = vec![0_u8; bitmap_bytes];
        for (at, value) in values.iter().enumerate() {
            if matches!(value, Value::Null) {
                bitmap[at / 8] |= 1 << (at % 8);
            }
        }
        out.extend(bitmap);
    }
    for (column, value) in columns.iter().zip(values) {
        if !(compact && matches!(value, Value::Null)) {
            column.kind.put_value(value, &mut out);
        }
    }
    out
}

/// DONE, DONEPROC or DONEINPROC.
#[must_use]
pub fn done(token: u8, status: u16, command: u16, rows: u64) -> Vec<u8> {
    let mut out = vec![token];
    out.extend(status.to_le_bytes());
    out.extend(command.to_le_bytes());
    out.extend(rows.to_le_bytes());
    out
}

/// SSPI.
#[must_use]
pub fn sspi(blob: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_lengthy(&mut out, 0xED, blob);
    out
}

/// RETURNSTATUS.
#[must_use]
pub fn return_status(status: i32) -> Vec<u8> {
    let mut out = vec![0x79];
    out.extend(status.to_le_bytes());
    out
}

/// RETURNVALUE of an output parameter.
#[must_use]
pub fn return_value(ordinal: u16, name: &str, kind: SqlType, value: &Value) -> Vec<u8> {
    let mut out = vec![0xAC];
    out.extend(ordinal.to_le_bytes());
    put_b_varchar(&mut out, name);
    out.push(1);
    out.extend(0_u32.to_le_bytes());
    out.extend(0_u16.to_le_bytes());
    kind.put_info(&mut out);
    kind.put_value(value, &mut out);
    out
}

/// ENVCHANGE with text values: 1 database, 2 language, 4 packet size, 13 partner.
#[must_use]
pub fn env_text(kind: u8, new: &str, old: &str) -> Vec<u8> {
    let mut body = vec![kind];
    put_b_varchar(&mut body, new);
    put_b_varchar(&mut body, old);
    let mut out = Vec::new();
    put_lengthy(&mut out, 0xE3, &body);
    out
}

/// ENVCHANGE with binary values: 7 collation, 8 begin, 9 commit, 10 rollback, 18 reset.
#[must_use]
pub fn env_bytes(kind: u8, new: &[u8], old: &[u8]) -> Vec<u8> {
    let mut body = vec![kind, new.len() as u8];
    body.extend(new);
    body.push(old.len() as u8);
    body.extend(old);
    let mut out = Vec::new();
    put_lengthy(&mut out, 0xE3, &body);
    out
}

/// ENVCHANGE 7 with the server's collation.
#[must_use]
pub fn env_collation() -> Vec<u8> {
    env_bytes(7, &COLLATION, &[])
}

/// ENVCHANGE 20: the client shall go to another server.
#[must_use]
pub fn env_routing(host: &str, port: u16) -> Vec<u8> {
    let mut routing = vec![0];
    routing.extend(port.to_le_bytes());
    put_us_varchar(&mut routing, host);
    let mut body = vec![20];
    body.extend((routing.len() as u16).to_le_bytes());
    body.extend(routing);
    body.extend(0_u16.to_le_bytes());
    let mut out = Vec::new();
    put_lengthy(&mut out, 0xE3, &body);
    out
}

/// LOGINACK for TDS 7.4; the version travels big-endian.
#[must_use]
pub fn login_ack(version: [u8; 4]) -> Vec<u8> {
    let mut body = vec![1];
    body.extend(0x7400_0004_u32.to_be_bytes());
    put_b_varchar(&mut body, "Microsoft SQL Server");
    body.extend(version);
    let mut out = Vec::new();
    put_lengthy(&mut out, 0xAD, &body);
    out
}

/// FEATUREEXTACK with no data for each feature named.
#[must_use]
pub fn feature_ack(features: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0xAE];
    for (id, data) in features {
        out.push(*id);
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
    }
    out.push(0xFF);
    out
}

#[cfg(test)]
mod tests;
