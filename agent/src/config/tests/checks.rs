//! `[check]`: defaults by source, and what contradicts itself.

use twinset_domain::integrity::Depth;

use super::*;

#[test]
fn checks_of_the_database_follow_the_source_and_a_gate_needs_one() {
    let with = |group: &str| {
        let text = format!("{GROUP}{group}");
        Folder::new(&[("agent.toml", AGENT), ("groups.d/p.toml", &text)]).load()
    };
    let plan = |group: &str| {
        with(group)
            .unwrap()
            .groups
            .into_values()
            .next()
            .unwrap()
            .check
    };
    assert_eq!(plan("").rule.map(|rule| rule.depth), Some(Depth::Physical));
    assert_eq!(
        plan("\n[check]\nintegrity = \"full\"\n")
            .rule
            .map(|rule| rule.depth),
        Some(Depth::Full)
    );
    assert_eq!(plan("\n[check]\nintegrity = \"none\"\n").rule, None);
    let faults =
        with("\n[check]\nintegrity = \"none\"\ngate = true\nbudget = \"5s\"\n").unwrap_err();
    let told: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "`gate` is set, and `integrity` is \"none\"",
            "`budget` is out of range: \"5s\"",
        ]
    );
}
