//! What stands behind names, options and devices: texts, numbers, lists in brackets.

use super::{Scope, Value, Verb};
use crate::instance::query::Variables;
use crate::instance::statement::{Kind, Reader};
use crate::instance::transfer::scope::takes;
use crate::instance::version::Version;
use crate::tds::tokens::ServerMessage;

/// FILE, FILEGROUP, PAGE and READ_WRITE_FILEGROUPS between the name and the devices.
pub(super) fn scope(
    reader: &mut Reader<'_>,
    variables: &Variables,
    verb: Verb,
) -> Result<Scope, ServerMessage> {
    const WORDS: [&str; 4] = ["READ_WRITE_FILEGROUPS", "FILE", "FILEGROUP", "PAGE"];
    let mut scope = Scope::default();
    loop {
        let wrong = reader.wrong();
        let Some(word) = WORDS.into_iter().find(|word| reader.word(word)) else {
            return match scope.is_whole() {
                true => Ok(scope),
                false => Err(wrong),
            };
        };
        if !takes(verb, word) {
            return Err(wrong);
        }
        let list = match word {
            "FILE" => Some(&mut scope.files),
            "FILEGROUP" => Some(&mut scope.filegroups),
            "PAGE" => Some(&mut scope.pages),
            _ => None,
        };
        scope.read_write |= list.is_none();
        if let Some(list) = list {
            reader.expect_sign('=')?;
            list.push(text(reader, variables)?);
        }
        if !reader.sign(',') {
            return Ok(scope);
        }
    }
}

/// `COMPRESSION [(ALGORITHM = x [, LEVEL = y])]`: algorithms since 2022, levels since 2025.
pub(super) fn compression(
    reader: &mut Reader<'_>,
    version: &Version,
) -> Result<Value, ServerMessage> {
    let wrong = reader.wrong();
    if version.major < 16 || !reader.sign('(') {
        return Ok(Value::Compression(None, None));
    }
    reader.expect_word("ALGORITHM")?;
    reader.expect_sign('=')?;
    let algorithm = reader.name()?.to_ascii_uppercase();
    let level = match reader.sign(',') {
        true => {
            reader.expect_word("LEVEL")?;
            reader.expect_sign('=')?;
            Some(reader.name()?.to_ascii_uppercase())
        }
        false => None,
    };
    reader.expect_sign(')')?;
    let known = match algorithm.as_str() {
        "MS_XPRESS" | "QAT_DEFLATE" => level.is_none(),
        "ZSTD" => version.major >= 17,
        _ => false,
    };
    let known_level = level
        .as_deref()
        .is_none_or(|level| matches!(level, "LOW" | "MEDIUM" | "HIGH"));
    if known && known_level {
        Ok(Value::Compression(Some(algorithm), level))
    } else {
        Err(wrong)
    }
}

/// `ENCRYPTION (ALGORITHM = x, SERVER CERTIFICATE = name)`, or `SERVER ASYMMETRIC KEY = name`.
pub(super) fn encryption(reader: &mut Reader<'_>) -> Result<Value, ServerMessage> {
    reader.expect_sign('(')?;
    reader.expect_word("ALGORITHM")?;
    reader.expect_sign('=')?;
    let wrong = reader.wrong();
    let algorithm = reader.name()?.to_ascii_uppercase();
    let known = ["AES_128", "AES_192", "AES_256", "TRIPLE_DES_3KEY"];
    if !known.contains(&algorithm.as_str()) {
        return Err(wrong);
    }
    reader.expect_sign(',')?;
    reader.expect_word("SERVER")?;
    let certificate = reader.word("CERTIFICATE");
    if !certificate {
        reader.expect_word("ASYMMETRIC")?;
        reader.expect_word("KEY")?;
    }
    reader.expect_sign('=')?;
    let by = reader.name()?;
    reader.expect_sign(')')?;
    Ok(Value::Encryption(algorithm, by, certificate))
}

/// A text literal or a variable.
pub(super) fn text(
    reader: &mut Reader<'_>,
    variables: &Variables,
) -> Result<String, ServerMessage> {
    match value(reader, variables)? {
        Value::Text(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(reader.wrong()),
    }
}

pub(super) fn value(
    reader: &mut Reader<'_>,
    variables: &Variables,
) -> Result<Value, ServerMessage> {
    let wrong = reader.wrong();
    let Some(token) = reader.take() else {
        return Err(wrong);
    };
    match &token.kind {
        Kind::Text(text) => Ok(Value::Text(text.clone())),
        Kind::Number(text) => text.parse().map(Value::Number).map_err(|_| wrong),
        Kind::Variable(name) => {
            let found = variables.get(&name.to_ascii_lowercase());
            let (_, value) = found.ok_or_else(|| {
                let text = format!("Must declare the scalar variable \"{name}\".");
                ServerMessage::new(137, 15, text)
            })?;
            let text = value.text();
            Ok(text.parse().map_or(Value::Text(text), Value::Number))
        }
        _ => Err(wrong),
    }
}
