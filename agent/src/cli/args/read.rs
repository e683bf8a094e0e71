//! From what was typed to what is wanted, or to a fault of usage.

use std::ffi::OsString;

use clap::Parser as _;
use clap::error::ErrorKind;
use twinset_domain::{Exit, Fault, code};

use super::Args;
use crate::report::Output;

impl Args {
    /// What was typed; help, version and faults of usage are printed here.
    ///
    /// # Errors
    /// How the process ends when there is nothing to do: `Done` after help or version, `Usage`
    /// otherwise. With `--json` among the arguments the fault is one JSON object.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Exit> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        Self::try_parse_from(&arguments).map_err(|error| {
            let help = matches!(
                error.kind(),
                ErrorKind::DisplayHelp
                    | ErrorKind::DisplayVersion
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            );
            if help || !arguments.iter().any(|argument| argument == "--json") {
                // A closed standard output is no reason to end otherwise.
                let _ = error.print();
                return if error.use_stderr() {
                    Exit::Usage
                } else {
                    Exit::Done
                };
            }
            Output::new(true, true).finish::<()>(Err(usage(&error)))
        })
    }
}

/// A fault of usage as every other fault: what is wrong, then what may be typed.
pub(super) fn usage(error: &clap::Error) -> Fault {
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let (remedy, message): (Vec<&str>, Vec<&str>) = lines
        .filter(|line| !line.starts_with("For more"))
        .partition(|line| line.starts_with("Usage:") || line.starts_with("tip:"));
    let message = message.join(" ");
    Fault::new(
        code::USAGE,
        "command line",
        message.trim_start_matches("error: "),
    )
    .remedy(if remedy.is_empty() {
        "see `twinset help`".into()
    } else {
        remedy.join("; ")
    })
}
