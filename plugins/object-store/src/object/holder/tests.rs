#![allow(clippy::unwrap_used, clippy::panic)]

use super::Holder;

#[test]
fn a_holder_comes_back_and_nonsense_has_no_name() {
    let holder = Holder::here("agent");
    assert_eq!(Holder::parse(&holder.to_bytes()), holder);
    assert_eq!(Holder::parse(b"nonsense").text(), "\t");
    let odd = Holder {
        agent: "a\tb\nc".into(),
        ..holder
    };
    assert!(odd.text().starts_with("a b c\t"));
}

#[test]
fn the_same_agent_succeeds_a_dead_process_and_never_a_live_one() {
    let us = Holder::here("agent");
    assert!(!us.left_to(&us));
    let again = Holder {
        process: (us.process.0, us.process.1 + 1),
        ..us.clone()
    };
    assert!(again.left_to(&us), "the number was given again");
    let gone = Holder {
        process: (4_000_000_000, 1),
        ..us.clone()
    };
    assert!(gone.left_to(&us));
    let foreign = Holder {
        agent: "another".into(),
        ..gone
    };
    assert!(!foreign.left_to(&us));
}
