//! Words, names, literals, variables and signs of T-SQL.

use crate::tds::tokens::ServerMessage;

/// Most tokens of one batch.
const MAX_TOKENS: usize = 200_000;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An unquoted word.
    Word(String),
    /// `[name]` or `"name"`, without its quotes.
    Name(String),
    /// `'text'` or `N'text'`, without its quotes.
    Text(String),
    /// A number as written.
    Number(String),
    /// `@name` or `@@name`.
    Variable(String),
    /// Any other character.
    Sign(char),
}

/// One token with its place in the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// Byte behind the last.
    pub end: usize,
}

impl Token {
    /// Whether it is this unquoted word, in any case.
    #[must_use]
    pub fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    /// Whether it is this sign.
    #[must_use]
    pub fn is_sign(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    /// The word in capitals; empty for anything else.
    #[must_use]
    pub fn keyword(&self) -> String {
        match &self.kind {
            Kind::Word(word) => word.to_ascii_uppercase(),
            _ => String::new(),
        }
    }

    /// As it stood in the batch.
    #[must_use]
    pub fn raw<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start..self.end).unwrap_or("")
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '@' | '#' | '$')
}

/// Cuts a batch into tokens; comments and space are left out.
pub fn tokens(text: &str) -> Result<Vec<Token>, ServerMessage> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() || c == '\u{feff}' || c == '\0' {
            at += c.len_utf8();
            continue;
        }
        if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if rest.starts_with("/*") {
            at += comment(rest)?;
            continue;
        }
        let (kind, length) = token(rest, c)?;
        if out.len() == MAX_TOKENS {
            return Err(super::super::query::unsupported("batches of this length"));
        }
        out.push(Token {
            kind,
            start: at,
            end: at + length,
        });
        at += length;
    }
    Ok(out)
}

fn token(rest: &str, c: char) -> Result<(Kind, usize), ServerMessage> {
    match c {
        '\'' => quoted(rest, '\'').map(|(text, length)| (Kind::Text(text), length)),
        'N' | 'n' if rest[1..].starts_with('\'') => {
            quoted(&rest[1..], '\'').map(|(text, length)| (Kind::Text(text), length + 1))
        }
        '[' => quoted(rest, ']').map(|(text, length)| (Kind::Name(text), length)),
        '"' => quoted(rest, '"').map(|(text, length)| (Kind::Name(text), length)),
        _ if c.is_ascii_digit() => {
            let more = |c: char| c.is_alphanumeric() || c == '.';
            let length = rest.find(|c| !more(c)).unwrap_or(rest.len());
            Ok((Kind::Number(rest[..length].to_owned()), length))
        }
        _ if is_word(c) => {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let word = rest[..length].to_owned();
            Ok((
                if c == '@' {
                    Kind::Variable(word)
                } else {
                    Kind::Word(word)
                },
                length,
            ))
        }
        _ => Ok((Kind::Sign(c), c.len_utf8())),
    }
}

/// A quoted run whose closing sign stands for itself when doubled.
fn quoted(rest: &str, close: char) -> Result<(String, usize), ServerMessage> {
    let mut out = String::new();
    let mut inside = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = inside.next() {
        if c != close {
            out.push(c);
        } else if inside.peek().is_some_and(|(_, next)| *next == close) {
            out.push(c);
            inside.next();
        } else {
            return Ok((out, at + c.len_utf8()));
        }
    }
    let text = format!("Unclosed quotation mark after the character string '{out}'.");
    Err(ServerMessage::new(105, 15, text))
}

/// Length of a comment, which may hold others.
fn comment(rest: &str) -> Result<usize, ServerMessage> {
    let (mut at, mut depth) = (0, 0);
    let bytes = rest.as_bytes();
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'/', b'*') => (depth, at) = (depth + 1, at + 2),
            (b'*', b'/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Ok(at);
        }
    }
    Err(ServerMessage::new(
        113,
        15,
        "Missing end comment mark '*/'.",
    ))
}
