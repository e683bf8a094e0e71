//! Types and values as clients send them in parameters.

use uuid::Uuid;

use super::bytes::{Cursor, Malformed, utf16};
use super::types::{SqlType, Value};
use crate::instance::moment::Moment;

/// Longest value of a parameter, all chunks together.
const MAX_VALUE: usize = 8 << 20;

/// How a type's values are framed.
#[derive(Clone, Copy, Debug)]
enum Frame {
    /// No length: a fixed type.
    Fixed(usize),
    /// u8 length, 0 = NULL.
    Byte,
    /// u16 length, FFFF = NULL.
    Short,
    /// Partially length-prefixed chunks.
    Chunks,
    /// i32 length, -1 = NULL (text and ntext in parameters).
    Long,
}

/// A type as it stood in TYPE_INFO.
#[derive(Clone, Copy, Debug)]
pub struct WireType {
    token: u8,
    frame: Frame,
    scale: u8,
    /// The SQL type, for variables and RETURNVALUE.
    pub kind: SqlType,
}

impl WireType {
    /// Reads TYPE_INFO.
    pub fn read(from: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let token = from.u8()?;
        let fixed = |size, kind| {
            Ok(Self {
                token,
                frame: Frame::Fixed(size),
                scale: 0,
                kind,
            })
        };
        let byte = |scale, kind| {
            Ok(Self {
                token,
                frame: Frame::Byte,
                scale,
                kind,
            })
        };
        match token {
            0x30 => fixed(1, SqlType::TinyInt),
            0x32 => fixed(1, SqlType::Bit),
            0x34 => fixed(2, SqlType::SmallInt),
            0x38 => fixed(4, SqlType::Int),
            0x7F => fixed(8, SqlType::BigInt),
            0x3B => fixed(4, SqlType::Real),
            0x3E => fixed(8, SqlType::Float),
            0x3D => fixed(8, SqlType::DateTime),
            0x26 => match from.u8()? {
                1 => byte(0, SqlType::TinyInt),
                2 => byte(0, SqlType::SmallInt),
                4 => byte(0, SqlType::Int),
                8 => byte(0, SqlType::BigInt),
                _ => Err(Malformed("integer of an odd size")),
            },
            0x68 => from.u8().and_then(|_| byte(0, SqlType::Bit)),
            0x6D => match from.u8()? {
                4 => byte(0, SqlType::Real),
                _ => byte(0, SqlType::Float),
            },
            0x6F => from.u8().and_then(|_| byte(0, SqlType::DateTime)),
            0x24 => from.u8().and_then(|_| byte(0, SqlType::Guid)),
            0x28 => byte(0, SqlType::DateTime2(0)),
            0x2A => {
                let scale = from.u8()?;
                byte(scale, SqlType::DateTime2(scale))
            }
            0x6A | 0x6C => {
                from.u8()?;
                let (precision, scale) = (from.u8()?, from.u8()?);
                byte(scale, SqlType::Numeric(precision, scale))
            }
            0xE7 | 0xEF | 0xA7 | 0xAF | 0xA5 | 0xAD => Self::read_long(token, from),
            0x63 | 0x23 => {
                from.u32()?;
                from.take(5)?;
                let kind = if token == 0x63 {
                    SqlType::NVarCharMax
                } else {
                    SqlType::VarCharMax
                };
                Ok(Self {
                    token,
                    frame: Frame::Long,
                    scale: 0,
                    kind,
                })
            }
            _ => Err(Malformed("parameter type the double does not know")),
        }
    }

    fn read_long(token: u8, from: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let max = from.u16()?;
        if !matches!(token, 0xA5 | 0xAD) {
            from.take(5)?;
        }
        let chunks = max == u16::MAX;
        let kind = match (token, chunks) {
            (0xE7 | 0xEF, true) => SqlType::NVarCharMax,
            (0xE7 | 0xEF, false) => SqlType::NVarChar(max / 2),
            (0xA7 | 0xAF, true) => SqlType::VarCharMax,
            (0xA7 | 0xAF, false) => SqlType::VarChar(max),
            (_, true) => SqlType::VarBinaryMax,
            (_, false) => SqlType::VarBinary(max),
        };
        let frame = if chunks { Frame::Chunks } else { Frame::Short };
        Ok(Self {
            token,
            frame,
            scale: 0,
            kind,
        })
    }

    /// Reads one value of this type.
    pub fn read_value(&self, from: &mut Cursor<'_>) -> Result<Value, Malformed> {
        let bytes = match self.frame {
            Frame::Fixed(size) => from.take(size)?.to_vec(),
            Frame::Byte => match from.u8()? {
                0 => return Ok(Value::Null),
                length => from.take(usize::from(length))?.to_vec(),
            },
            Frame::Short => match from.u16()? {
                u16::MAX => return Ok(Value::Null),
                length => from.take(usize::from(length))?.to_vec(),
            },
            Frame::Long => match usize::try_from(from.i32()?) {
                Ok(length) => from.take(length)?.to_vec(),
                Err(_) => return Ok(Value::Null),
            },
            Frame::Chunks => match read_chunks(from)? {
                Some(bytes) => bytes,
                None => return Ok(Value::Null),
            },
        };
        self.value(&bytes)
    }

    fn value(&self, bytes: &[u8]) -> Result<Value, Malformed> {
        Ok(match self.kind {
            SqlType::Bit | SqlType::TinyInt => {
                Value::Int(i64::from(*bytes.first().ok_or(Malformed("empty integer"))?))
            }
            SqlType::SmallInt | SqlType::Int | SqlType::BigInt => Value::Int(signed(bytes)?),
            SqlType::Real => Value::Float(f64::from(f32::from_le_bytes(exact(bytes)?))),
            SqlType::Float if bytes.len() == 4 => {
                Value::Float(f64::from(f32::from_le_bytes(exact(bytes)?)))
            }
            SqlType::Float => Value::Float(f64::from_le_bytes(exact(bytes)?)),
            SqlType::Guid => Value::Guid(Uuid::from_bytes_le(exact(bytes)?)),
            SqlType::Numeric(..) => match (numeric(bytes)?, self.scale) {
                (Value::Numeric(number), scale @ 1..=38) => {
                    Value::Float(number as f64 / 10_f64.powi(i32::from(scale)))
                }
                (value, _) => value,
            },
            SqlType::DateTime => datetime(bytes)?,
            SqlType::DateTime2(_) => self.datetime2(bytes)?,
            SqlType::VarBinary(_) | SqlType::VarBinaryMax => Value::Bytes(bytes.to_vec()),
            _ if matches!(self.token, 0xE7 | 0xEF | 0x63) => Value::Text(utf16(bytes)),
            _ => Value::Text(bytes.iter().map(|byte| char::from(*byte)).collect()),
        })
    }

    fn datetime2(&self, bytes: &[u8]) -> Result<Value, Malformed> {
        if bytes.len() < 3 {
            return Err(Malformed("short date"));
        }
        let (time, day) = bytes.split_at(bytes.len() - 3);
        if time.len() > 5 || self.scale > 7 {
            return Err(Malformed("time of an odd size"));
        }
        let units = time
            .iter()
            .rev()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let nanos = units.saturating_mul(10_u64.pow(9 - u32::from(self.scale)));
        let days = u32::from_le_bytes([day[0], day[1], day[2], 0]);
        Moment::from_year_one(days, nanos)
            .map(Value::Moment)
            .ok_or(Malformed("no such date"))
    }
}

fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes
        .try_into()
        .map_err(|_| Malformed("value of an odd size"))
}

fn signed(bytes: &[u8]) -> Result<i64, Malformed> {
    match bytes.len() {
        2 => Ok(i64::from(i16::from_le_bytes(exact(bytes)?))),
        4 => Ok(i64::from(i32::from_le_bytes(exact(bytes)?))),
        _ => Ok(i64::from_le_bytes(exact(bytes)?)),
    }
}

fn numeric(bytes: &[u8]) -> Result<Value, Malformed> {
    let (sign, magnitude) = bytes.split_first().ok_or(Malformed("empty numeric"))?;
    if magnitude.len() > 16 {
        return Err(Malformed("numeric too long"));
    }
    let mut wide = [0_u8; 16];
    wide[..magnitude.len()].copy_from_slice(magnitude);
    let number =
        i128::try_from(u128::from_le_bytes(wide)).map_err(|_| Malformed("numeric too large"))?;
    Ok(Value::Numeric(if *sign == 0 { -number } else { number }))
}

fn datetime(bytes: &[u8]) -> Result<Value, Malformed> {
    let (days, ticks) = match bytes.len() {
        8 => (
            i32::from_le_bytes(exact(&bytes[..4])?),
            u32::from_le_bytes(exact(&bytes[4..])?),
        ),
        4 => {
            let days = u16::from_le_bytes(exact(&bytes[..2])?);
            let minutes = u16::from_le_bytes(exact(&bytes[2..])?);
            (i32::from(days), u32::from(minutes) * 18_000)
        }
        _ => return Err(Malformed("datetime of an odd size")),
    };
    Moment::from_1900(days, ticks)
        .map(Value::Moment)
        .ok_or(Malformed("no such date"))
}

fn read_chunks(from: &mut Cursor<'_>) -> Result<Option<Vec<u8>>, Malformed> {
    if from.u64()? == u64::MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    loop {
        let length = from.u32()? as usize;
        if length == 0 {
            return Ok(Some(bytes));
        }
        if bytes.len().saturating_add(length) > MAX_VALUE {
            return Err(Malformed("parameter value too long"));
        }
        bytes.extend_from_slice(from.take(length)?);
    }
}
