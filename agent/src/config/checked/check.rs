//! The small judgements that every table needs: choices, sizes, durations, names.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use twinset_domain::{Code, code};

use super::Note;
use crate::config::hint::did_you_mean;
use crate::config::raw::{Quantity, Value};
use crate::config::source::{Faults, SourceFile};
use crate::config::units::{DURATION_HELP, SIZE_HELP, parse_duration, parse_size};
use crate::trust::{self, Keep};

/// Longest name of an agent or a group.
const MAX_NAME: usize = 64;

/// Judges the values of one file and notes what is wrong with them.
pub(crate) struct Check<'a> {
    /// The file.
    pub(crate) file: &'a SourceFile,
    /// Where faults go.
    pub(crate) faults: &'a mut Faults,
    /// Where remarks go.
    pub(crate) notes: &'a mut Vec<Note>,
}

impl Check<'_> {
    /// Notes a fault with a code of its own.
    pub(crate) fn fault(
        &mut self,
        code: Code,
        span: &Range<usize>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.faults.at(self.file, span, code, message, remedy);
    }

    /// Notes a value that is not allowed.
    pub(crate) fn bad(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.fault(code::CONFIG_VALUE, span, message, remedy);
    }

    /// Refuses what a later release brings.
    pub(crate) fn not_yet(&mut self, span: &Range<usize>, what: &str, remedy: impl Into<String>) {
        self.bad(span, format!("{what} is not in this release"), remedy);
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        value: &Value<String>,
        key: &str,
        known: &[(&str, T)],
        default: T,
    ) -> T {
        let Some(value) = value else { return default };
        let word = value.get_ref();
        if let Some((_, found)) = known.iter().find(|(name, _)| name == word) {
            return *found;
        }
        let remedy = did_you_mean(word, known.iter().map(|(name, _)| *name));
        self.bad(
            &value.span(),
            format!("`{key}` cannot be \"{word}\""),
            remedy,
        );
        default
    }

    /// A duration in `range`.
    pub(crate) fn duration(
        &mut self,
        value: &Value<String>,
        key: &str,
        range: RangeInclusive<Duration>,
        default: Duration,
    ) -> Duration {
        let Some(value) = value else { return default };
        match parse_duration(value.get_ref()) {
            None => {
                let message = format!("`{key}` is no duration: \"{}\"", value.get_ref());
                self.bad(&value.span(), message, DURATION_HELP);
                default
            }
            Some(found) if !range.contains(&found) => {
                let message = format!("`{key}` is out of range: \"{}\"", value.get_ref());
                let remedy = format!("choose {:?} to {:?}", range.start(), range.end());
                self.bad(&value.span(), message, remedy);
                default
            }
            Some(found) => found,
        }
    }

    /// A duration without bounds of its own, if it is given.
    pub(crate) fn any_duration(&mut self, value: &Value<String>, key: &str) -> Option<Duration> {
        value.as_ref()?;
        Some(self.duration(value, key, Duration::ZERO..=Duration::MAX, Duration::ZERO))
    }

    /// A size that `fits`, which `rule` says in words.
    pub(crate) fn size(
        &mut self,
        value: &Value<Quantity>,
        key: &str,
        (rule, fits): (&str, fn(u64) -> bool),
        default: u64,
    ) -> u64 {
        let Some(value) = value else { return default };
        let text = &value.get_ref().0;
        match parse_size(text) {
            None => {
                self.bad(
                    &value.span(),
                    format!("`{key}` is no size: \"{text}\""),
                    SIZE_HELP,
                );
                default
            }
            Some(found) if !fits(found) => {
                let message = format!("`{key}` cannot be {text}");
                self.bad(&value.span(), message, format!("choose {rule}"));
                default
            }
            Some(found) => found,
        }
    }

    /// A number in `range`.
    pub(crate) fn number<N: Copy + PartialOrd + std::fmt::Display>(
        &mut self,
        value: &Value<N>,
        key: &str,
        range: RangeInclusive<N>,
        default: N,
    ) -> N {
        let Some(value) = value else { return default };
        let found = *value.get_ref();
        if range.contains(&found) {
            return found;
        }
        let remedy = format!("choose {} to {}", range.start(), range.end());
        self.bad(&value.span(), format!("`{key}` cannot be {found}"), remedy);
        default
    }

    /// A name that also stands in paths and headers.
    pub(crate) fn name(&mut self, value: &Spanned<String>, what: &str) {
        let name = value.get_ref();
        let lawful = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let fits = (1..=MAX_NAME).contains(&name.chars().count());
        if !fits || !name.chars().all(lawful) || name.starts_with(['.', '-']) {
            self.bad(
                &value.span(),
                format!("\"{name}\" cannot be the name of {what}"),
                "use 1 to 64 letters, digits, `.`, `_` and `-`, no `.` or `-` in front",
            );
        }
    }

    /// Text that must not be empty or too long.
    pub(crate) fn text(&mut self, value: &Spanned<String>, key: &str, longest: usize) {
        let length = value.get_ref().chars().count();
        if value.get_ref().trim().is_empty() {
            self.bad(
                &value.span(),
                format!("`{key}` is empty"),
                "write it or leave the key out",
            );
        } else if length > longest || value.get_ref().contains(char::is_control) {
            let message = format!("`{key}` is too long or holds control characters");
            self.bad(
                &value.span(),
                message,
                format!("use at most {longest} printable characters"),
            );
        }
    }

    /// A name that must be among `known`.
    pub(crate) fn known(&mut self, value: &Spanned<String>, what: &str, known: &BTreeSet<String>) {
        if !known.contains(value.get_ref()) {
            let message = format!("no {what} \"{}\" is configured", value.get_ref());
            let remedy = did_you_mean(value.get_ref(), known.iter().map(String::as_str));
            self.bad(&value.span(), message, remedy);
        }
    }

    /// The path of a secret's file, which others must not be able to read. A missing file is
    /// found when the secret is needed: a partner's need not be here.
    pub(crate) fn secret_file(&mut self, value: &Spanned<String>) -> PathBuf {
        let path = self.file.resolve(value.get_ref());
        if let Ok(Some(found)) = trust::unsafe_for(&path, Keep::FromReading) {
            let message = format!("{} {}", found.path.display(), found.why);
            self.fault(code::CONFIG_UNSAFE, &value.span(), message, found.remedy);
        }
        path
    }
}
