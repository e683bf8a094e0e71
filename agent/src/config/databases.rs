//! Which databases a group means.

use std::collections::BTreeSet;

use serde::Serialize;

/// Databases that SQL Server brings along, apart from tempdb, which is never backed up.
const SYSTEM: [&str; 3] = ["master", "model", "msdb"];
/// Longest database name (`sysname`).
pub(crate) const MAX_NAME: usize = 128;

/// The `databases` of a group: what any including pattern takes and no excluding one refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Databases {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Pattern {
    exclude: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
enum What {
    User,
    System,
    All,
    /// A name, `*` standing for any text.
    Name(String),
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing behind the sign.
    #[error("an empty database name")]
    Empty,
    /// Longer than SQL Server allows.
    #[error("longer than 128 characters")]
    TooLong,
    /// A word in capitals that is not one of the three, probably misspelt.
    #[error("an unknown word for several databases")]
    Word,
}

impl Databases {
    /// From patterns that [`check`] accepts.
    pub(crate) fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            patterns: patterns
                .into_iter()
                .filter_map(|text| parse(text).ok())
                .collect(),
        }
    }

    /// Whether the group means this database. tempdb is never meant.
    ///
    /// Names are compared without regard to case, as most servers do.
    #[must_use]
    pub fn select(&self, name: &str) -> bool {
        let means = |pattern: &Pattern| pattern.what.means(name);
        !name.eq_ignore_ascii_case("tempdb")
            && self
                .patterns
                .iter()
                .any(|pattern| !pattern.exclude && means(pattern))
            && !self
                .patterns
                .iter()
                .any(|pattern| pattern.exclude && means(pattern))
    }

    /// Whether every including pattern is a name written out, so that no server need be asked.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        let literal = |what: &What| matches!(what, What::Name(name) if !name.contains('*'));
        self.patterns
            .iter()
            .filter(|p| !p.exclude)
            .all(|p| literal(&p.what))
    }

    /// The databases that are meant where these are there, each once: those that are written out,
    /// then those that patterns take.
    #[must_use]
    pub fn meant<'a>(&'a self, there: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut known = BTreeSet::new();
        let taken = there.into_iter().filter(|name| self.select(name));
        self.named()
            .chain(taken)
            .filter(|name| known.insert(name.to_lowercase()))
            .map(str::to_owned)
            .collect()
    }

    /// The names that are written out without `*`: each must exist on the server.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.patterns
            .iter()
            .filter_map(|pattern| match &pattern.what {
                What::Name(name) if !pattern.exclude && !name.contains('*') => Some(name.as_str()),
                _ => None,
            })
    }
}

impl What {
    fn means(&self, name: &str) -> bool {
        let system = SYSTEM
            .iter()
            .any(|system| system.eq_ignore_ascii_case(name));
        match self {
            Self::User => !system,
            Self::System => system,
            Self::All => true,
            Self::Name(pattern) => matches(&pattern.to_lowercase(), &name.to_lowercase()),
        }
    }
}

/// Whether a text is a pattern, and whether it takes databases in (not out).
pub(crate) fn check(text: &str) -> Result<bool, PatternError> {
    parse(text).map(|pattern| !pattern.exclude)
}

fn parse(text: &str) -> Result<Pattern, PatternError> {
    let (exclude, name) = match text.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, text),
    };
    let what = match name {
        "USER_DATABASES" => What::User,
        "SYSTEM_DATABASES" => What::System,
        "ALL_DATABASES" => What::All,
        "" => return Err(PatternError::Empty),
        _ if name.chars().count() > MAX_NAME => return Err(PatternError::TooLong),
        _ if name.ends_with("_DATABASES") => return Err(PatternError::Word),
        _ => What::Name(name.to_owned()),
    };
    Ok(Pattern { exclude, what })
}

/// Whether `name` fits `pattern`, `*` standing for any text. Linear in both for few stars.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((front, mut behind)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut rest) = name.strip_prefix(front) else {
        return false;
    };
    while let Some((middle, next)) = behind.split_once('*') {
        let Some(at) = rest.find(middle) else {
            return false;
        };
        rest = &rest[at + middle.len()..];
        behind = next;
    }
    rest.ends_with(behind)
}

#[cfg(test)]
mod tests;
