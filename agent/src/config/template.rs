//! Placeholders in device options: `{agent}`, `{database}`, and `{{`, `}}` for braces.

use std::collections::BTreeSet;

/// Something that is replaced when a device is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder {
    /// `{agent}`: the name of the agent that writes.
    Agent,
    /// `{database}`: the database that is backed up.
    Database,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name in braces that means nothing.
    #[error("unknown placeholder \"{{{0}}}\"")]
    Unknown(String),
    /// A brace without its partner.
    #[error("a brace stands alone")]
    Brace,
}

enum Part<'a> {
    Text(&'a str),
    Hole(Placeholder),
}

/// The placeholders of a text.
///
/// # Errors
/// A name in braces that is not known, or a brace without its partner.
pub fn placeholders(text: &str) -> Result<BTreeSet<Placeholder>, TemplateError> {
    let holes = parts(text)?.into_iter().filter_map(|part| match part {
        Part::Text(_) => None,
        Part::Hole(hole) => Some(hole),
    });
    Ok(holes.collect())
}

/// The text with its placeholders replaced by `value`'s answers.
///
/// Answers are made safe as one component of a path (see [`component`]).
///
/// # Errors
/// As [`placeholders`].
pub fn expand(
    text: &str,
    mut value: impl FnMut(Placeholder) -> String,
) -> Result<String, TemplateError> {
    let parts = parts(text)?.into_iter().map(|part| match part {
        Part::Text(text) => text.to_owned(),
        Part::Hole(hole) => component(&value(hole)),
    });
    Ok(parts.collect())
}

/// A name as one component of a path: different names stay different, none leaves its folder.
///
/// Letters, digits, space and `._-` stay (no dot in front, no space or dot at the end); every
/// other byte becomes `%` and two hexadecimal digits.
#[must_use]
pub fn component(name: &str) -> String {
    let last = name.chars().count().saturating_sub(1);
    let mut safe = String::with_capacity(name.len());
    for (at, c) in name.chars().enumerate() {
        let inner = at != 0 && at != last;
        let keep = c.is_alphanumeric() || matches!(c, '_' | '-');
        let keep = keep || (c == '.' && at != 0 && at != last) || (c == ' ' && inner);
        if keep {
            safe.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                safe.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    safe
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, TemplateError> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        parts.push(Part::Text(before));
        if let Some(behind) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            parts.push(Part::Text(&from[..1]));
            rest = behind;
            continue;
        }
        let inner = from.strip_prefix('{').ok_or(TemplateError::Brace)?;
        let (name, behind) = inner.split_once('}').ok_or(TemplateError::Brace)?;
        parts.push(Part::Hole(match name {
            "agent" => Placeholder::Agent,
            "database" => Placeholder::Database,
            _ => return Err(TemplateError::Unknown(name.to_owned())),
        }));
        rest = behind;
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

#[cfg(test)]
mod tests;
