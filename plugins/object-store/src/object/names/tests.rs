#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Attempt, Kind, check_section, classify, further, seal};

fn attempt() -> Attempt {
    Attempt {
        index: 12,
        run_id: [0xab; 16],
        mark: 0x1f,
    }
}

#[test]
fn attempts_come_back_from_their_names() {
    let name = attempt().name();
    assert_eq!(
        name,
        format!("00000012.{}.000000000000001f", "ab".repeat(16))
    );
    assert_eq!(Attempt::parse(&name), Some(attempt()));
    for wrong in [
        "",
        "12.ab.1f",
        &name.to_uppercase(),
        &format!("{name}.x"),
        &name.replace("1f", "+f"),
        &name[1..],
    ] {
        assert_eq!(Attempt::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn keys_tell_what_they_are() {
    let name = attempt().name();
    assert_eq!(classify(&seal(12)), Kind::Seal(12));
    assert_eq!(classify("records/a.b"), Kind::Record("a.b".into()));
    assert_eq!(classify(&format!("work/{name}")), Kind::Work(attempt()));
    let data = format!("data/{name}/Payroll.full.bak");
    assert_eq!(
        classify(&data),
        Kind::Data(attempt(), "Payroll.full.bak".into())
    );
    for own in ["lock", "store.json"] {
        assert_eq!(classify(own), Kind::Own);
    }
    for foreign in [
        "",
        "x",
        "sections/12",
        "sections/0000001x",
        "data/x/y",
        "records/a/b",
        "lock/x",
    ] {
        assert_eq!(classify(foreign), Kind::Foreign, "{foreign}");
    }
}

#[test]
fn the_longest_name_can_be_continued_and_a_longer_one_is_refused() {
    let longest = "n".repeat(200);
    check_section(1, &longest).unwrap();
    let further = further(&longest, 9999);
    let key = format!("data/{}/{further}", attempt().name());
    assert!(matches!(classify(&key), Kind::Data(..)));
    assert!(check_section(1, &"n".repeat(201)).is_err());
    assert!(check_section(100_000_000, "a").is_err());
}
