#![allow(clippy::unwrap_used, clippy::panic)]

use tiberius::numeric::Numeric;
use tiberius::time::{Date as TdsDate, DateTime, DateTime2, Time};

use super::*;

fn time(year: u16, month: u8, day: u8, time: (u8, u8, u8)) -> Cell {
    Cell::Time(LocalTime {
        year,
        month,
        day,
        time,
    })
}

#[test]
fn datetime_counts_from_1900_in_three_hundredths() {
    let value = DateTime::new(46_345, (3600 + 2 * 60 + 3) * 300 + 299);
    assert_eq!(
        cell(&ColumnData::DateTime(Some(value))),
        time(2026, 11, 21, (1, 2, 3))
    );
    let before = DateTime::new(-53_690, 0);
    assert_eq!(
        cell(&ColumnData::DateTime(Some(before))),
        time(1753, 1, 1, (0, 0, 0))
    );
}

#[test]
fn datetime2_counts_from_year_one_in_its_scale() {
    let day = TdsDate::new(739_940);
    let value = DateTime2::new(day, Time::new(86_399 * 10_000_000 + 9_999_999, 7));
    assert_eq!(
        cell(&ColumnData::DateTime2(Some(value))),
        time(2026, 11, 21, (23, 59, 59))
    );
}

#[test]
fn times_out_of_range_are_no_times() {
    for value in [DateTime::new(i32::MAX, 0), DateTime::new(0, u32::MAX)] {
        assert!(matches!(
            cell(&ColumnData::DateTime(Some(value))),
            Cell::Other(_)
        ));
    }
}

#[test]
fn numerics_keep_every_digit_and_decimals_are_refused() {
    let lsn = Numeric::new_with_scale(9_999_999_999_999_999_999_999_999, 0);
    let expected = Cell::Number(9_999_999_999_999_999_999_999_999);
    assert_eq!(cell(&ColumnData::Numeric(Some(lsn))), expected);
    let money = Numeric::new_with_scale(150, 2);
    assert!(matches!(
        cell(&ColumnData::Numeric(Some(money))),
        Cell::Other(_)
    ));
}

#[test]
fn null_is_null_in_every_type() {
    for data in [
        ColumnData::I32(None),
        ColumnData::Bit(None),
        ColumnData::String(None),
        ColumnData::Guid(None),
        ColumnData::Numeric(None),
        ColumnData::DateTime(None),
        ColumnData::F32(None),
        ColumnData::Binary(None),
    ] {
        assert_eq!(cell(&data), Cell::Null);
    }
}
