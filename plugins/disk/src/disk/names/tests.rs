#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Kind, check_key, classify, record_file, record_work_file, section_file, work_file};

const RUN: [u8; 16] = [0xab; 16];

#[test]
fn what_is_written_is_read_back() {
    let section = section_file(7, "Payroll.full.20261121T010000Z.bak").unwrap();
    assert_eq!(section, "0007.Payroll.full.20261121T010000Z.bak");
    let name = "Payroll.full.20261121T010000Z.bak".to_owned();
    assert_eq!(classify(&section), Kind::Section { index: 7, name });
    let big = section_file(123_456, "x").unwrap();
    assert_eq!(
        classify(&big),
        Kind::Section {
            index: 123_456,
            name: "x".into()
        }
    );
    let record = record_file("verdict.0001").unwrap();
    assert_eq!(
        classify(&record),
        Kind::Record {
            name: "verdict.0001".into()
        }
    );
    assert_eq!(
        classify(&work_file(9, &RUN)),
        Kind::Work {
            index: Some(9),
            run_id: RUN
        }
    );
    assert_eq!(
        classify(&record_work_file(&RUN)),
        Kind::Work {
            index: None,
            run_id: RUN
        }
    );
    assert_eq!(classify(".lock"), Kind::Lock);
}

#[test]
fn the_number_decides_however_many_zeros_it_has() {
    assert_eq!(
        classify("00001.b"),
        Kind::Section {
            index: 1,
            name: "b".into()
        }
    );
}

#[test]
fn a_record_with_a_number_is_a_record() {
    assert_eq!(
        classify("0001.void.record"),
        Kind::Record {
            name: "0001.void".into()
        }
    );
    assert!(section_file(1, "void.record").is_err());
}

#[test]
fn everything_else_is_foreign() {
    for name in [
        "notes.txt",
        "1.bak",
        "001.bak",
        "0001",
        "0001.",
        "+001.x",
        "0001.a b",
        "0001.a..b",
        "99999999999999999999999.x",
        ".work.1",
        ".work.1.xyz",
        ".work.+1.abababababababababababababababab",
        ".work.1.ABABABABABABABABABABABABABABABAB",
        ".record",
        "lost+found",
        ".nfs0001",
        "",
    ] {
        assert_eq!(classify(name), Kind::Foreign, "{name}");
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let long = "x".repeat(201);
    for name in ["", "..", "a/b", "../x", "a\0b", "ä", long.as_str()] {
        assert!(section_file(1, name).is_err(), "{name}");
        assert!(record_file(name).is_err(), "{name}");
        assert!(check_key(name).is_err(), "{name}");
    }
    assert!(check_key(".hidden").is_err() && record_file(".work.r.x").is_err());
}
