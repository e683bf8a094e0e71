#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::tds::bytes::Cursor;
use crate::tds::decode::WireType;

/// Writes a type and value and reads both back with the decoder of parameters.
fn round(kind: SqlType, value: &Value) -> (SqlType, Value) {
    let mut bytes = Vec::new();
    kind.put_info(&mut bytes);
    kind.put_value(value, &mut bytes);
    let mut cursor = Cursor::new(&bytes);
    let wire = WireType::read(&mut cursor).unwrap();
    let back = wire.read_value(&mut cursor).unwrap();
    assert_eq!(cursor.left(), 0, "{kind:?}");
    (wire.kind, back)
}

#[test]
fn values_come_back_as_they_were() {
    let moment = Moment::parse("2026-11-21 01:02:03.457").unwrap();
    let cases = [
        (SqlType::Bit, Value::Int(1)),
        (SqlType::TinyInt, Value::Int(255)),
        (SqlType::SmallInt, Value::Int(-2)),
        (SqlType::Int, Value::Int(i64::from(i32::MIN))),
        (SqlType::BigInt, Value::Int(i64::MAX)),
        (SqlType::Float, Value::Float(1.5)),
        (SqlType::Real, Value::Float(0.25)),
        (
            SqlType::Numeric(25, 0),
            Value::Numeric(39_000_000_172_000_001),
        ),
        (SqlType::Numeric(38, 0), Value::Numeric(-1)),
        (SqlType::Guid, Value::Guid(Uuid::from_u128(7))),
        (SqlType::DateTime, Value::Moment(moment)),
        (SqlType::DateTime2(7), Value::Moment(moment)),
        (SqlType::DateTime2(3), Value::Moment(moment)),
        (SqlType::NVarChar(20), Value::Text("Größe 中".into())),
        (SqlType::VarChar(20), Value::Text("Größe".into())),
        (SqlType::NVarCharMax, Value::Text("x".repeat(9000))),
        (SqlType::VarBinary(4), Value::Bytes(vec![1, 2, 3])),
    ];
    for (kind, value) in cases {
        assert_eq!(round(kind, &value), (kind, value));
        assert_eq!(round(kind, &Value::Null).1, Value::Null, "{kind:?}");
    }
}

#[test]
fn text_is_cut_to_its_column_and_fixed_text_is_padded() {
    assert_eq!(
        round(SqlType::NVarChar(2), &Value::Text("abc".into())).1,
        Value::Text("ab".into())
    );
    assert_eq!(
        round(SqlType::Char(3), &Value::Text("D".into())).1,
        Value::Text("D  ".into())
    );
}
