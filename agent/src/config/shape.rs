//! The first fault of a file that is not TOML, or has an unknown key or a wrong type.
//!
//! The TOML reader stops at the first one. Its text is used without the source line that it
//! would print, since that line may hold a password.

use std::ops::Range;

use serde::de::DeserializeOwned;
use twinset_domain::{Fault, code};

use super::hint::nearest;
use super::raw::keys;
use super::source::{Faults, SourceFile};

/// Longest word of a file that is repeated in a message.
const MAX_WORD: usize = 64;

/// The file as its raw struct; otherwise the fault is noted.
pub(crate) fn parse<T: DeserializeOwned>(file: &SourceFile, faults: &mut Faults) -> Option<T> {
    match toml::from_str(file.text()) {
        Ok(raw) => Some(raw),
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            let fault = explain(file, &span, error.message());
            faults.push(file.order, span.start, fault);
            None
        }
    }
}

/// The reader's message in the house's words.
fn explain(file: &SourceFile, span: &Range<usize>, message: &str) -> Fault {
    let first = message.lines().next().unwrap_or_default();
    let words: Vec<&str> = first.split('`').skip(1).step_by(2).collect();
    if first.starts_with("unknown field") {
        let (unknown, known) = words
            .split_first()
            .map_or(("", [].as_slice()), |(a, b)| (*a, b));
        return unknown_key(file, span, unknown, known);
    }
    if let (true, Some(key)) = (first.starts_with("missing field"), words.first()) {
        return file
            .fault(
                code::CONFIG_SYNTAX,
                span,
                format!("the key \"{key}\" is missing"),
            )
            .remedy(format!("add `{key} = ...` to this table"));
    }
    if first.starts_with("invalid type") || first.starts_with("invalid value") {
        let expected = first
            .rsplit_once("expected ")
            .map_or("another type", |(_, text)| text);
        return file
            .fault(
                code::CONFIG_SYNTAX,
                span,
                format!("wrong type: expected {}", plain(expected)),
            )
            .remedy("see the type of this key in the configuration reference");
    }
    file.fault(
        code::CONFIG_SYNTAX,
        span,
        format!("not TOML: {}", message.replace('\n', ", ")),
    )
    .remedy("correct the file at this place; `twinset config check` reads it again")
}

/// A key that this table does not have.
fn unknown_key(file: &SourceFile, span: &Range<usize>, unknown: &str, known: &[&str]) -> Fault {
    let shown: String = unknown.chars().take(MAX_WORD).collect();
    let fault = file.fault(
        code::CONFIG_SYNTAX,
        span,
        format!("unknown key \"{shown}\""),
    );
    if unknown == "password" && known.contains(&"password_file") {
        return fault.remedy(
            "move it to a file closed to others and name that in `password_file`; then change it",
        );
    }
    if let Some(near) = nearest(unknown, known.iter().copied()) {
        return fault.remedy(format!("did you mean \"{near}\"?"));
    }
    if let Some(key) = keys()
        .iter()
        .find(|key| key.name == unknown && !key.table.is_empty())
    {
        return fault.remedy(format!(
            "\"{shown}\" belongs in {} of {}",
            key.table, key.file
        ));
    }
    fault.remedy(format!("this table knows {}", known.join(", ")))
}

/// Rust's type names as an operator says them.
fn plain(expected: &str) -> &str {
    match expected {
        "a string" => "text in quotes",
        "a sequence" => "a list in [ ]",
        "a map" => "a table",
        "a boolean" => "true or false",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}
