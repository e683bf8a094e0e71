#![allow(clippy::unwrap_used, clippy::panic)]

use twinset_domain::Fault;
use twinset_plugin_api::{DeviceError, Outcome};

use super::DeviceFault;

fn fault(outcome: Outcome, text: &str, os_code: i32) -> Fault {
    let error = DeviceError::new(outcome, text).with_os_code(os_code);
    DeviceFault::told("mirror 1 family 2", "write", error).into()
}

#[test]
fn every_class_has_a_code_and_a_remedy() {
    let codes: Vec<String> = (1..=17)
        .map(|number| {
            let fault = fault(Outcome(number), "x", 0);
            assert!(
                !fault.remedy.is_empty() && fault.object == "mirror 1 family 2",
                "{fault}"
            );
            format!("{:?} {}", Outcome(number), fault.code)
        })
        .collect();
    let expected = "END_OF_MEDIUM TW2010, END_OF_SECTION TW2007, NO_MEDIUM TW2011, \
                    WRONG_MEDIUM 3258, WRITE_PROTECTED TW2007, LOCKED TW2009, EXISTS TW3001, \
                    NOT_SUPPORTED TW2007, NEEDS_OPERATOR TW2007, TRANSIENT TW2007, \
                    PERMANENT TW2007, PANICKED TW2005, NOT_FOUND TW2007, BAD_OPTION TW2006, \
                    CANCELLED TW5004, TOO_SMALL TW2007, DEADLINE TW2008";
    assert_eq!(codes.join(", "), expected);
}

#[test]
fn a_full_disk_is_a_full_medium_whatever_class_the_plugin_chose() {
    #[cfg(unix)]
    let full = [28, 122];
    #[cfg(windows)]
    let full = [112, 39, 1295];
    for number in full {
        let fault = fault(Outcome::PERMANENT, "no", number);
        assert_eq!(fault.code.text(), "TW2010", "{number}");
    }
    assert_eq!(fault(Outcome::PERMANENT, "no", 5).code.text(), "TW2007");
}

#[test]
fn the_holder_of_a_lock_is_named() {
    let fault = fault(Outcome::LOCKED, "a1\tsql-b", 0);
    assert_eq!(
        fault.message,
        "the volume is held by agent a1 on host sql-b"
    );
}

#[test]
fn an_unknown_class_is_a_plain_failure() {
    assert_eq!(fault(Outcome(4711), "odd", 0).code.text(), "TW2007");
}
