#![allow(clippy::unwrap_used, clippy::panic)]

use twinset_domain::code;

use super::*;

fn row() -> Row {
    let names = ["id", "lsn", "name", "gone", "share", "flag", "when"];
    let when = LocalTime {
        year: 2026,
        month: 11,
        day: 21,
        time: (1, 2, 3),
    };
    Row::new(
        names.iter().map(|name| (*name).to_owned()).collect(),
        vec![
            Cell::Int(7),
            Cell::Number(39_000_000_172_000_001),
            Cell::Text("Payroll".into()),
            Cell::Null,
            Cell::Real(12.5),
            Cell::Bit(true),
            Cell::Time(when),
        ],
    )
}

#[test]
fn values_come_by_name_in_their_type() {
    let row = row();
    assert_eq!(row.need_int("ID").unwrap(), 7);
    assert_eq!(row.lsn("lsn").unwrap(), Some(Lsn(39_000_000_172_000_001)));
    assert_eq!(row.need_text("name").unwrap(), "Payroll");
    assert_eq!(row.text("gone").unwrap(), None);
    assert_eq!(row.guid("gone").unwrap(), None);
    assert_eq!(row.float("share").unwrap(), Some(12.5));
    assert!(row.need_bit("flag").unwrap());
    assert_eq!(
        row.time("when").unwrap().unwrap().to_string(),
        "2026-11-21T01:02:03"
    );
}

#[test]
fn a_missing_column_is_named() {
    let fault = row().text("nam").unwrap_err();
    assert_eq!(
        (fault.code, fault.object.as_str()),
        (code::SQL_ERROR, "nam")
    );
}

#[test]
fn a_wrong_type_is_named_on_both_sides() {
    let fault = row().guid("name").unwrap_err();
    assert_eq!(fault.object, "name");
    assert!(fault.message.contains("text") && fault.causes[0].contains("uniqueidentifier"));
}

#[test]
fn null_where_a_value_must_be_is_a_fault() {
    assert!(
        row()
            .need_text("gone")
            .unwrap_err()
            .message
            .contains("NULL")
    );
}

#[test]
fn a_negative_or_endless_number_is_no_lsn() {
    for number in [-1, 10_i128.pow(25)] {
        let row = Row::new(["lsn".to_owned()].into(), vec![Cell::Number(number)]);
        row.lsn("lsn").unwrap_err();
    }
}
