//! Asks for what was not given, one line each.

use std::io::{self, BufRead, IsTerminal, Write};

use twinset_domain::{Fault, code};

use super::os;

/// Longest answer, in bytes.
const MAX_ANSWER: u64 = 4096;
/// How often a question that needs an answer is asked.
const TRIES: usize = 5;

/// Who answers.
#[derive(Debug)]
pub(super) enum Asker {
    /// Somebody, over standard input.
    Somebody,
    /// Nobody: what is missing is said at once, by its flags.
    Nobody(Vec<&'static str>),
}

impl Asker {
    /// Somebody where there is a terminal, or where that is wished for.
    pub(super) fn new(wished: bool, json: bool) -> Self {
        let there = io::stdin().is_terminal() && io::stderr().is_terminal();
        if wished || (there && !json) {
            Self::Somebody
        } else {
            Self::Nobody(Vec::new())
        }
    }

    /// Whether questions make sense.
    pub(super) const fn is_somebody(&self) -> bool {
        matches!(self, Self::Somebody)
    }

    /// A text that must be there.
    pub(super) fn needed(
        &mut self,
        given: Option<String>,
        (flag, question): (&'static str, &str),
        default: Option<&str>,
    ) -> Result<String, Fault> {
        if let Some(given) = given.filter(|given| !given.is_empty()) {
            return Ok(given);
        }
        match self {
            Self::Nobody(missing) => {
                if default.is_none() {
                    missing.push(flag);
                }
                Ok(default.unwrap_or_default().to_owned())
            }
            Self::Somebody => {
                for _ in 0..TRIES {
                    let answer = said(question, default)?;
                    if let Some(answer) = answer.or(default.map(str::to_owned)) {
                        return Ok(answer);
                    }
                }
                Err(lacks(&[flag]))
            }
        }
    }

    /// A text that may be left out.
    pub(super) fn wanted(
        &mut self,
        given: Option<String>,
        question: &str,
    ) -> Result<Option<String>, Fault> {
        match self {
            Self::Somebody if given.is_none() => said(question, None),
            _ => Ok(given),
        }
    }

    /// A password, not shown while it is typed.
    pub(super) fn secret(&mut self, question: &str) -> Result<Option<String>, Fault> {
        match self {
            Self::Nobody(_) => Ok(None),
            Self::Somebody => {
                let _silence = os::without_echo();
                let answer = said(question, None);
                eprintln!();
                answer
            }
        }
    }

    /// What nobody said and must be.
    pub(super) fn done(self) -> Result<(), Fault> {
        match self {
            Self::Nobody(missing) if !missing.is_empty() => Err(lacks(&missing)),
            _ => Ok(()),
        }
    }
}

fn lacks(flags: &[&str]) -> Fault {
    let message = format!("not given: {}", flags.join(", "));
    Fault::new(code::USAGE, "init", message)
        .remedy("give them; or run it on a terminal, or with --ask, and it asks")
}

/// Asks on standard error, so that the result can be kept; nothing for an empty line.
fn said(question: &str, default: Option<&str>) -> Result<Option<String>, Fault> {
    let mut err = io::stderr();
    let _ = match default {
        Some(default) => write!(err, "{question} [{default}]: "),
        None => write!(err, "{question}: "),
    };
    let _ = err.flush();
    line()
}

/// A line of standard input, without its end; nothing for an empty one.
pub(super) fn line() -> Result<Option<String>, Fault> {
    let failed = |cause: &dyn std::fmt::Display| {
        Fault::new(code::USAGE, "standard input", "an answer cannot be read")
            .cause(cause)
            .remedy("give everything by flags; twinset help init names them")
    };
    let mut text = String::new();
    // One lock at a time: what follows a line stays in the shared buffer.
    let read = io::Read::take(io::stdin().lock(), MAX_ANSWER)
        .read_line(&mut text)
        .map_err(|error| failed(&error))?;
    if read == 0 {
        return Err(failed(&"it has ended"));
    }
    let answer = text.trim_end_matches(['\n', '\r']).trim();
    Ok((!answer.is_empty()).then(|| answer.to_owned()))
}
