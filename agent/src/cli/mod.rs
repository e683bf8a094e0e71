//! The command line: one function per verb, wired here.

pub mod args;
mod config;

use twinset_domain::{Exit, Fault, code};

use crate::report::Output;
use args::{Args, ConfigVerb, Verb};

/// Does what was typed and tells how the process ends.
#[must_use]
pub fn run(args: Args) -> Exit {
    let output = Output::new(args.json, args.no_progress);
    match args.verb {
        Verb::Config(ConfigVerb::Check) => config::check(&args.config, &output),
        _ => output.finish::<()>(Err(Fault::new(
            code::USAGE,
            "command line",
            "this verb is not wired in this build",
        )
        .remedy("take a release build"))),
    }
}
