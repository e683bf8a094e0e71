#![allow(clippy::unwrap_used)]

use super::*;

fn filled(text: &str) -> Result<String, TemplateError> {
    expand(text, |hole| match hole {
        Placeholder::Agent => "sql-a".to_owned(),
        Placeholder::Database => "HR/2026".to_owned(),
    })
}

#[test]
fn placeholders_are_replaced_and_doubled_braces_stay() {
    assert_eq!(
        filled("/b/{agent}/{database}/{{x}}").unwrap(),
        "/b/sql-a/HR%2F2026/{x}"
    );
    assert_eq!(filled("/b").unwrap(), "/b");
}

#[test]
fn unknown_names_and_lone_braces_are_faults() {
    let rows = [
        ("/b/{agnet}", TemplateError::Unknown("agnet".to_owned())),
        ("/b/{}", TemplateError::Unknown(String::new())),
        ("/b/{agent", TemplateError::Brace),
        ("/b/agent}", TemplateError::Brace),
    ];
    for (text, error) in rows {
        assert_eq!(placeholders(text), Err(error), "{text}");
    }
}

#[test]
fn no_name_leaves_its_folder_and_no_two_meet() {
    let names = [
        "..", ".", "a/b", "a%2Fb", "a b", " a", "a ", "a.b", ".a", "a.", "Zürich", "a\0",
    ];
    let safe: Vec<String> = names.iter().map(|name| component(name)).collect();
    let expected = [
        "%2E%2E", "%2E", "a%2Fb", "a%252Fb", "a b", "%20a", "a%20", "a.b", "%2Ea", "a%2E",
        "Zürich", "a%00",
    ];
    assert_eq!(safe, expected);
}
