//! The `twinset` command: arguments, log, verb, exit code.

use std::process::ExitCode;

use twinset::cli;
use twinset::report::logging;

fn main() -> ExitCode {
    let exit = match cli::args::Args::read(std::env::args_os()) {
        Ok(args) => {
            logging::init(args.log_level, args.json);
            cli::run(args)
        }
        Err(exit) => exit,
    };
    exit.code().into()
}
