//! Records: small, create-only, whole.

use twinset::device::Outcome;

use crate::plugins::{Place, put};

#[test]
fn a_record_is_written_once() {
    let place = Place::new();
    let mut handle = place.blank();
    handle.put_record("verdict.0001", b"published").unwrap();
    let fault = handle.put_record("verdict.0001", b"other").unwrap_err();
    assert_eq!(fault.outcome, Outcome::EXISTS);
    assert_eq!(handle.get_record("verdict.0001").unwrap(), b"published");
    assert_eq!(place.files(), ["verdict.0001.record"]);
}

#[test]
fn a_record_with_a_number_is_no_section() {
    let place = Place::new();
    let mut handle = place.blank();
    handle.put_record("0001.void", b"v").unwrap();
    put(&mut handle, 1, "a.bak", b"x");
    assert_eq!(handle.sections().unwrap().len(), 1);
    assert_eq!(handle.list_records().unwrap()[0].name, "0001.void");
}

#[test]
fn records_of_every_size_up_to_a_mebibyte_come_back() {
    let place = Place::new();
    let mut handle = place.blank();
    for size in [0, 1, 16 * 1024, 16 * 1024 + 1, 1024 * 1024] {
        let (name, bytes) = (format!("r{size}"), vec![7; size]);
        handle.put_record(&name, &bytes).unwrap();
        assert_eq!(handle.get_record(&name).unwrap(), bytes);
    }
    let fault = handle
        .put_record("big", &vec![0; 1024 * 1024 + 1])
        .unwrap_err();
    assert_eq!(fault.outcome, Outcome::NOT_SUPPORTED);
    std::fs::write(place.volume().join("huge.record"), vec![0; 1024 * 1024 + 1]).unwrap();
    assert_eq!(
        handle.get_record("huge").unwrap_err().outcome,
        Outcome::PERMANENT
    );
}

#[test]
fn records_are_listed_by_name_however_many_and_removed_one_by_one() {
    let place = Place::new();
    let mut handle = place.blank();
    for n in 0..1030 {
        std::fs::write(place.volume().join(format!("r{n:04}.record")), b"xy").unwrap();
    }
    handle.remove_record("r0000").unwrap();
    assert_eq!(
        handle.remove_record("r0000").unwrap_err().outcome,
        Outcome::NOT_FOUND
    );
    let records = handle.list_records().unwrap();
    assert_eq!(records.len(), 1029);
    assert!(records.windows(2).all(|pair| pair[0].name < pair[1].name));
    assert_eq!((records[0].name.as_str(), records[0].length), ("r0001", 2));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let place = Place::new();
    let mut handle = place.blank();
    for name in ["", "../x", "a/b", ".lock", ".work.r.x"] {
        assert!(handle.put_record(name, b"x").is_err(), "{name}");
    }
    assert_eq!(
        handle.get_record("none").unwrap_err().outcome,
        Outcome::NOT_FOUND
    );
}
