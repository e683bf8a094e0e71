#![allow(clippy::unwrap_used, clippy::panic)]

use super::lexer::tokens;
use super::split::statements;
use super::*;

/// The statements of a batch as texts.
fn split(text: &str) -> Vec<String> {
    let tokens = tokens(text).unwrap();
    statements(&tokens)
        .into_iter()
        .map(|part| text[part[0].start..part[part.len() - 1].end].to_owned())
        .collect()
}

#[test]
fn quotes_double_to_stand_for_themselves() {
    let kinds: Vec<Kind> = tokens("[a]]b] N'it''s' \"x\"\"y\" @p 1.5")
        .unwrap()
        .into_iter()
        .map(|t| t.kind)
        .collect();
    let expected = [
        Kind::Name("a]b".into()),
        Kind::Text("it's".into()),
        Kind::Name("x\"y".into()),
        Kind::Variable("@p".into()),
        Kind::Number("1.5".into()),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn open_quotes_and_comments_are_faults() {
    assert_eq!(tokens("SELECT 'a").unwrap_err().number, 105);
    assert_eq!(tokens("/* /* */ SELECT 1").unwrap_err().number, 113);
    assert_eq!(tokens("-- only a remark").unwrap(), []);
}

#[test]
fn statements_end_at_semicolons_and_at_the_next_statement() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT 1; SELECT 2", &["SELECT 1", "SELECT 2"]),
        ("SET NOCOUNT ON SELECT 1", &["SET NOCOUNT ON", "SELECT 1"]),
        (
            "SELECT 1 UNION ALL SELECT 2",
            &["SELECT 1 UNION ALL SELECT 2"],
        ),
        (
            "SELECT (SELECT 1) SELECT 2",
            &["SELECT (SELECT 1)", "SELECT 2"],
        ),
        (
            "SELECT CASE WHEN 1=1 THEN 1 END SELECT 2",
            &["SELECT CASE WHEN 1=1 THEN 1 END", "SELECT 2"],
        ),
        (
            "WITH a AS (SELECT 1 x) SELECT x FROM a",
            &["WITH a AS (SELECT 1 x) SELECT x FROM a"],
        ),
        (
            "ALTER DATABASE d SET OFFLINE USE master",
            &["ALTER DATABASE d SET OFFLINE", "USE master"],
        ),
        (
            "RESTORE DATABASE d WITH RECOVERY SELECT 1",
            &["RESTORE DATABASE d WITH RECOVERY", "SELECT 1"],
        ),
        (
            "IF @@TRANCOUNT > 0 COMMIT TRAN",
            &["IF @@TRANCOUNT > 0 COMMIT TRAN"],
        ),
        (
            "BEGIN TRAN SELECT 1 COMMIT",
            &["BEGIN TRAN", "SELECT 1", "COMMIT"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(split(text), *expected, "{text}");
    }
}
