//! Options as they are written on Windows.
#![cfg(windows)]
#![allow(clippy::unwrap_used)]

use super::{Where, parse};

#[test]
fn a_drive_of_windows_is_a_place() {
    let drive = parse(r#"{"drive":"\\\\.\\TAPE0"}"#).unwrap();
    assert_eq!(drive.place, Where::Drive(r"\\.\TAPE0".into()));
    let shelf = parse(r#"{"shelf":"D:\\tapes"}"#).unwrap();
    assert_eq!(shelf.place, Where::Shelf(r"D:\tapes".into()));
    assert!(parse(r#"{"drive":"TAPE0"}"#).is_err());
}

#[test]
fn no_arm_is_moved() {
    let refused = parse(r#"{"drive":"\\\\.\\TAPE0","changer":"\\\\.\\Changer0"}"#).unwrap_err();
    assert_eq!(
        refused.text,
        "changer: a library's arm is moved by mtx, which this system does not have; leave it out, \
         and change cartridges by hand"
    );
}
