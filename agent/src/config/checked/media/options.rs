//! Device options: from TOML to canonical JSON.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Number, Value};

use crate::config::source::SourceFile;
use crate::config::template::{self, Placeholder, TemplateError};

/// How deep tables may lie in each other.
const MAX_DEPTH: usize = 16;

/// Why options cannot be handed to a plugin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OptionError {
    /// A text with a wrong placeholder.
    #[error("{0}")]
    Template(#[from] TemplateError),
    /// A number that JSON cannot say.
    #[error("a number that is not finite")]
    Number,
    /// Too deep.
    #[error("tables nested deeper than {MAX_DEPTH}")]
    Depth,
}

/// The options as JSON, relative `path` resolved, every text a template.
pub(super) fn from_toml(
    file: &SourceFile,
    table: &toml::Table,
) -> Result<Map<String, Value>, OptionError> {
    let mut options = Map::new();
    for (key, value) in table {
        let value = match value {
            toml::Value::String(path) if key == "path" => absolute(file, path),
            value => json(value, 0)?,
        };
        let mut found = BTreeSet::new();
        check_text(&value, &mut found)?;
        options.insert(key.clone(), value);
    }
    Ok(options)
}

/// A path of the file as an absolute template.
pub(super) fn absolute(file: &SourceFile, path: &str) -> Value {
    if Path::new(path).is_absolute() || path.contains("://") || path.is_empty() {
        return Value::String(path.to_owned());
    }
    let folder = file.resolve("").display().to_string();
    let folder = folder.replace('{', "{{").replace('}', "}}");
    Value::String(Path::new(&folder).join(path).display().to_string())
}

fn json(value: &toml::Value, depth: usize) -> Result<Value, OptionError> {
    if depth > MAX_DEPTH {
        return Err(OptionError::Depth);
    }
    Ok(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::Number((*number).into()),
        toml::Value::Float(number) => {
            Value::Number(Number::from_f64(*number).ok_or(OptionError::Number)?)
        }
        toml::Value::Boolean(truth) => Value::Bool(*truth),
        toml::Value::Datetime(moment) => Value::String(moment.to_string()),
        toml::Value::Array(list) => Value::Array(
            list.iter()
                .map(|item| json(item, depth + 1))
                .collect::<Result<_, _>>()?,
        ),
        toml::Value::Table(table) => {
            let pairs = table
                .iter()
                .map(|(key, value)| Ok((key.clone(), json(value, depth + 1)?)));
            Value::Object(pairs.collect::<Result<_, OptionError>>()?)
        }
    })
}

fn check_text(value: &Value, found: &mut BTreeSet<Placeholder>) -> Result<(), TemplateError> {
    match value {
        Value::String(text) => found.extend(template::placeholders(text)?),
        Value::Array(list) => list.iter().try_for_each(|item| check_text(item, found))?,
        Value::Object(map) => map.values().try_for_each(|item| check_text(item, found))?,
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

/// The placeholders in every text of `value`.
pub(crate) fn placeholders(value: &Value, found: &mut BTreeSet<Placeholder>) {
    // Options are judged when they are read, so that nothing is missed here.
    let _ = check_text(value, found);
}

/// The same value with every text replaced.
pub(super) fn map_text(value: &Value, replace: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(replace(text)),
        Value::Array(list) => {
            Value::Array(list.iter().map(|item| map_text(item, replace)).collect())
        }
        Value::Object(map) => {
            let pairs = map
                .iter()
                .map(|(key, item)| (key.clone(), map_text(item, replace)));
            Value::Object(pairs.collect())
        }
        other => other.clone(),
    }
}

/// JSON without space, keys sorted at every level.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            format!(
                "[{}]",
                list.iter().map(canonical).collect::<Vec<_>>().join(",")
            )
        }
        Value::Object(map) => {
            let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            let pairs: Vec<String> = pairs
                .into_iter()
                .map(|(key, item)| format!("{}:{}", Value::from(key.as_str()), canonical(item)))
                .collect();
            format!("{{{}}}", pairs.join(","))
        }
        other => other.to_string(),
    }
}

/// What makes two devices of one plugin the same: their path, else all their options.
pub(super) fn identity(options: &Map<String, Value>) -> String {
    match options.get("path") {
        Some(Value::String(path)) if Path::new(path).is_absolute() => {
            format!("path {}", clean(Path::new(path)).display())
        }
        _ => canonical(&Value::Object(options.clone())),
    }
}

/// A path without `.`, `..` and doubled separators, symbolic links not followed.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}
