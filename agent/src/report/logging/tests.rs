use super::*;

#[test]
fn the_flag_outranks_the_variable_and_the_driver_stays_silent() {
    let rows = [
        (Some(Level::Debug), Some("trace"), "debug"),
        (None, Some("twinset=info"), "twinset=info"),
        (None, Some(" "), "warn"),
        (None, Some("=/="), "warn"),
        (None, None, "warn"),
    ];
    for (level, said, expected) in rows {
        let printed = filter(level, said).to_string();
        assert!(printed.split(',').any(|part| part == expected), "{printed}");
        assert!(printed.contains("tiberius=off"), "{printed}");
    }
}

#[test]
fn nobody_can_ask_the_driver_for_its_statements() {
    let printed = filter(None, Some("trace,tiberius=trace")).to_string();
    assert!(!printed.contains("tiberius=trace"), "{printed}");
}
