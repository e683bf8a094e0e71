//! Grants as a script that an administrator reads and runs.

use std::fmt::Write;

use super::{Grant, Wanted};

/// Columns of a comment.
const WIDTH: usize = 96;

/// A name in brackets.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// A text as a literal.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

/// The script: every right with its reason as a comment. It runs as it stands in `sqlcmd`; each
/// `USE` begins a batch of its own.
#[must_use]
pub fn script(wanted: &Wanted<'_>, grants: &[Grant]) -> String {
    let mut text = String::new();
    let release = wanted.release.map_or_else(
        || "any SQL Server from 2012 on (its version is not known here)".to_owned(),
        |release| release.to_string(),
    );
    let features: Vec<String> = wanted
        .features
        .iter()
        .map(|feature| format!("{feature:?}").to_lowercase())
        .collect();
    comment(
        &mut text,
        &format!(
            "Rights of the login {} for {} on {release}. Run this as sysadmin.",
            quoted(wanted.login),
            features.join(", ")
        ),
    );
    for grant in grants {
        text.push('\n');
        comment(&mut text, &grant.why);
        if let Some(or) = &grant.or {
            comment(&mut text, &format!("or, to the same end: {or}"));
        }
        for line in &grant.sql {
            // A batch is compiled in one database.
            if line.starts_with("USE ") {
                text.push_str("GO\n");
            }
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// A comment, one sentence or more, broken into lines. A comment ends with its line, whatever
/// stands in a name.
fn comment(text: &mut String, said: &str) {
    let mut line = String::from("--");
    for word in said.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = String::from("--");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}
