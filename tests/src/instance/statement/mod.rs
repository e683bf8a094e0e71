//! T-SQL batches: cut into statements, told apart by their first words, run one by one.

pub mod dbcc;
pub mod lexer;
pub mod rights;
pub mod run;
pub mod simple;
pub mod split;

pub use lexer::{Kind, Token};

use crate::tds::tokens::ServerMessage;

/// Reads tokens one after another; the small grammars are written on top of it.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    /// The batch.
    pub text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first token.
    #[must_use]
    pub const fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        Self {
            text,
            tokens,
            at: 0,
        }
    }

    /// The next token, left where it is.
    #[must_use]
    pub fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// The next token.
    pub fn take(&mut self) -> Option<&'a Token> {
        let token = self.tokens.get(self.at);
        self.at += usize::from(token.is_some());
        token
    }

    /// Whether nothing is left but a semicolon.
    #[must_use]
    pub fn at_end(&self) -> bool {
        self.tokens[self.at.min(self.tokens.len())..]
            .iter()
            .all(|token| token.is_sign(';'))
    }

    /// Takes the next token if it is this unquoted word.
    pub fn word(&mut self, word: &str) -> bool {
        let hit = self.peek().is_some_and(|token| token.is_word(word));
        self.at += usize::from(hit);
        hit
    }

    /// Takes the next token if it is this sign.
    pub fn sign(&mut self, sign: char) -> bool {
        let hit = self.peek().is_some_and(|token| token.is_sign(sign));
        self.at += usize::from(hit);
        hit
    }

    /// Takes this word, or says what is wrong.
    pub fn expect_word(&mut self, word: &str) -> Result<(), ServerMessage> {
        if self.word(word) {
            Ok(())
        } else {
            Err(self.wrong())
        }
    }

    /// Takes this sign, or says what is wrong.
    pub fn expect_sign(&mut self, sign: char) -> Result<(), ServerMessage> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(self.wrong())
        }
    }

    /// Error 102 at the next token.
    #[must_use]
    pub fn wrong(&self) -> ServerMessage {
        let near = self.peek().or(self.tokens.last());
        super::query::syntax(near.map_or("", |token| token.raw(self.text)))
    }

    /// A name: bare or quoted.
    pub fn name(&mut self) -> Result<String, ServerMessage> {
        match self.peek().map(|token| &token.kind) {
            Some(Kind::Word(name) | Kind::Name(name)) => {
                self.at += 1;
                Ok(name.clone())
            }
            _ => Err(self.wrong()),
        }
    }

    /// The text from the next token to the end of the statement.
    #[must_use]
    pub fn rest(&self) -> &'a str {
        let mut tokens = self.tokens.get(self.at..).unwrap_or_default();
        while let Some((last, before)) = tokens.split_last()
            && last.is_sign(';')
        {
            tokens = before;
        }
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => &self.text[first.start..last.end],
            _ => "",
        }
    }

    /// The tokens from the next one on.
    #[must_use]
    pub fn rest_tokens(&self) -> &'a [Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    /// Text of an expression up to this word, or to the end.
    pub fn expression_before(&mut self, word: &str) -> Result<&'a str, ServerMessage> {
        let (mut first, mut last) = (None, None);
        while let Some(token) = self.peek() {
            if token.is_word(word) || token.is_sign(';') {
                break;
            }
            first = first.or(Some(token.start));
            last = Some(token.end);
            self.at += 1;
        }
        match (first, last) {
            (Some(first), Some(last)) => Ok(&self.text[first..last]),
            _ => Err(self.wrong()),
        }
    }

    /// Text of an expression up to a comma or semicolon outside brackets.
    pub fn expression(&mut self) -> Result<&'a str, ServerMessage> {
        let (mut depth, mut first, mut last) = (0_i32, None, None);
        while let Some(token) = self.peek() {
            let ends =
                depth == 0 && (token.is_sign(',') || token.is_sign(';') || token.is_sign(')'));
            if ends {
                break;
            }
            depth += i32::from(token.is_sign('(')) - i32::from(token.is_sign(')'));
            first = first.or(Some(token.start));
            last = Some(token.end);
            self.at += 1;
        }
        match (first, last) {
            (Some(first), Some(last)) => Ok(&self.text[first..last]),
            _ => Err(self.wrong()),
        }
    }
}

#[cfg(test)]
mod tests;
