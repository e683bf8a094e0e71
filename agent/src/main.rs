//! The `twinset` command: arguments, log, verb, exit code.

use std::process::ExitCode;
use std::time::Duration;

use twinset::cli;
use twinset::device::settle;
use twinset::report::logging;

/// How long devices may take to close when all is done and said.
const CLOSES: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let exit = match cli::args::Args::read(std::env::args_os()) {
        Ok(args) => {
            logging::init(args.log_level, args.json);
            let exit = cli::run(args);
            settle(CLOSES);
            exit
        }
        Err(exit) => exit,
    };
    exit.code().into()
}
