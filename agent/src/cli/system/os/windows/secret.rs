//! `twinset secret seal`: a password into a file that this machine alone can open.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use serde::Serialize;
use twinset_domain::{Exit, Fault, code};
use twinset_win32::{console, security};

use crate::config;
use crate::report::Output;

/// Longest secret, in bytes: sealed and as text it must not be longer than a plain one may be.
const MAX: u64 = 2048;

/// What was done.
#[derive(Debug, Serialize)]
struct Sealed {
    file: String,
}

/// Reads one line of standard input and writes the file.
pub(super) fn seal(file: &Path, output: &Output) -> Exit {
    let shown = file.display().to_string();
    let done = read().and_then(|secret| write(file, &secret));
    match done {
        Ok(()) => {
            output.line(format!("{shown} can be opened on this machine alone"));
            output.finish(Ok((Exit::Done, Sealed { file: shown })))
        }
        Err(error) => {
            let fault = Fault::new(code::SECRET, shown, "the secret cannot be sealed");
            output.finish::<()>(Err(fault.cause(error).remedy(
                "type one line of at most 2048 bytes, and name a file that is not there yet, in a \
                 folder that you may write",
            )))
        }
    }
}

fn read() -> io::Result<String> {
    let input = io::stdin();
    let _silence = console::without_echo();
    if input.is_terminal() {
        eprint!("secret: ");
    }
    let mut line = String::new();
    io::Read::take(input.lock(), MAX + 2).read_line(&mut line)?;
    let secret = line.trim_end_matches(['\r', '\n']);
    if secret.is_empty() || secret.len() as u64 > MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(secret.to_owned())
}

fn write(file: &Path, secret: &str) -> io::Result<()> {
    let text = config::os::seal(secret)?;
    let mut made = security::create_private(file)?;
    made.write_all(text.as_bytes())?;
    made.sync_all()
}
