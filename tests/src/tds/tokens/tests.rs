#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use uuid::Uuid;

/// Bytes as hex, groups parted by spaces.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn golden(text: &str) -> String {
    text.replace([' ', '\n'], "")
}

#[test]
fn done_tokens_are_thirteen_bytes() {
    assert_eq!(
        hex(&done(DONE, MORE | COUNT, 0xC1, 3)),
        golden("fd 1100 c100 0300000000000000")
    );
    assert_eq!(
        hex(&done(DONE_PROC, 0, 0, 0)),
        golden("fe 0000 0000 0000000000000000")
    );
    let attention = done(DONE, ATTENTION, 0xFD, 0);
    assert_eq!(hex(&attention), golden("fd 2000 fd00 0000000000000000"));
}

#[test]
fn an_error_carries_number_state_class_text_server_procedure_and_a_long_line() {
    let bytes = message(&ServerMessage::new(3013, 16, "Ab").state(1), "S", 1);
    let body = "c50b0000 01 10 0200 41006200 01 5300 00 01000000";
    assert_eq!(hex(&bytes), golden(&format!("aa 1400 {body}")));
}

#[test]
fn information_is_told_by_its_class() {
    let info = ServerMessage {
        number: 3014,
        state: 1,
        class: 0,
        text: String::new(),
    };
    assert_eq!(
        hex(&message(&info, "", 1)),
        golden("ab 0e00 c60b0000 01 00 0000 00 00 01000000")
    );
}

#[test]
fn login_ack_has_its_version_big_endian() {
    let bytes = hex(&login_ack([16, 0, 0x10, 0x8C]));
    assert!(
        bytes.starts_with(&golden("ad 3200 01 74000004 14")),
        "{bytes}"
    );
    assert!(bytes.ends_with("1000108c"), "{bytes}");
}

#[test]
fn environment_changes() {
    assert_eq!(
        hex(&env_text(4, "8", "4")),
        golden("e3 0700 04 01 3800 01 3400")
    );
    assert_eq!(hex(&env_collation()), golden("e3 0800 07 05 0904d00034 00"));
    assert_eq!(
        hex(&env_bytes(8, &[1, 2], &[])),
        golden("e3 0500 08 02 0102 00")
    );
    let routing = env_routing("b", 1433);
    assert_eq!(
        hex(&routing),
        golden("e3 0c00 14 0700 00 9905 0100 6200 0000")
    );
}

#[test]
fn columns_describe_types_by_the_table() {
    let set = [
        Column::new("a", SqlType::Numeric(25, 0)),
        Column {
            name: "b".into(),
            kind: SqlType::NVarChar(128),
            nullable: false,
        },
        Column::new("c", SqlType::Guid),
    ];
    let text = "81 0300
        00000000 0100 6c 0d 19 00 01 6100
        00000000 0000 e7 0001 0904d00034 01 6200
        00000000 0100 24 10 01 6300";
    assert_eq!(hex(&columns(&set)), golden(text));
}

#[test]
fn a_row_of_values() {
    let set = [
        Column::new("a", SqlType::Numeric(25, 0)),
        Column::new("b", SqlType::NVarChar(10)),
        Column::new("c", SqlType::Bit),
        Column::new("d", SqlType::DateTime),
    ];
    let at = crate::instance::moment::Moment::parse("1900-01-02 00:00:01").unwrap();
    let values = [
        Value::Numeric(39_000_000_172_000_001),
        Value::Text("é".into()),
        Value::Null,
        Value::Moment(at),
    ];
    let text = "d1 0d 01 01037e244b8e8a0000000000 0200 e900 00 08 01000000 2c010000";
    assert_eq!(hex(&row(&set, &values)), golden(text));
}

#[test]
fn many_nulls_travel_as_a_bitmap() {
    let set: Vec<Column> = (0..9).map(|_| Column::new("", SqlType::Int)).collect();
    let mut values = vec![Value::Null; 9];
    values[8] = Value::Int(5);
    assert_eq!(hex(&row(&set, &values)), golden("d2 ff 00 04 05000000"));
}

#[test]
fn a_guid_has_its_first_groups_little_endian() {
    let guid = Uuid::parse_str("00112233-4455-6677-8899-aabbccddeeff").unwrap();
    let bytes = row(&[Column::new("", SqlType::Guid)], &[Value::Guid(guid)]);
    assert_eq!(
        hex(&bytes),
        golden("d1 10 33221100 5544 7766 8899aabbccddeeff")
    );
}

#[test]
fn a_variant_names_its_own_type() {
    let set = [Column::new("", SqlType::Variant)];
    let number = row(&set, &[Value::Int(7)]);
    assert_eq!(hex(&number), golden("d1 06000000 38 00 07000000"));
    let text = row(&set, &[Value::Text("a".into())]);
    assert_eq!(hex(&text), golden("d1 0b000000 e7 07 0904d00034 0200 6100"));
}

#[test]
fn max_types_travel_in_chunks() {
    let set = [Column::new("", SqlType::NVarCharMax)];
    let some = row(&set, &[Value::Text("a".into())]);
    assert_eq!(
        hex(&some),
        golden("d1 0200000000000000 02000000 6100 00000000")
    );
    let null = SqlType::NVarCharMax;
    let mut out = Vec::new();
    null.put_value(&Value::Null, &mut out);
    assert_eq!(hex(&out), "ffffffffffffffff");
}
