//! `twinset-bench`: Twinset beside the tools that do one part of its work.
//!
//! Every row is a pair of command lines, ours and a peer's, over the same bytes, run in turns
//! (A B A B ...) on the same machine. What counts is the median of the paired ratios; seconds are
//! printed for orientation. The figures steer, they judge nobody: the program fails only when a
//! command fails. A peer that is not installed is named and its row left out.

mod bed;
mod measure;
mod rows;
mod sql;
mod tape;
mod wide;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use twinset_tests::stream::parse_size;

/// Compares Twinset with mbuffer and b3sum, in turns, over the same bytes.
#[derive(Debug, Parser)]
#[command(name = "twinset-bench", version)]
pub(crate) struct Arguments {
    /// Bytes of the backup that is imported and verified
    #[arg(long, default_value = "1GiB", value_parser = parse_size)]
    size: u64,
    /// Bytes of the large backup whose peak memory is compared; 0 leaves it out
    #[arg(long, default_value = "8GiB", value_parser = parse_size)]
    large: u64,
    /// Pairs of runs in each row
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=99))]
    pairs: u16,
    /// Folder in memory
    #[arg(long, default_value = "/dev/shm")]
    ram: PathBuf,
    /// Folder on the real disk [default: beside this program]
    #[arg(long)]
    disk: Option<PathBuf>,
    /// Only these rows
    #[arg(long, value_enum)]
    only: Vec<rows::Row>,
    /// Measure a clean release build too; run it from the project's folder
    #[arg(long)]
    build: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("twinset-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let tools = bed::Tools::find()?;
    println!("twinset   {}", tools.twinset.display());
    println!("load      {}", measure::load());
    println!(
        "pairs     {}, in turns; ratios are medians of pairs, below 1 is ours",
        arguments.pairs
    );
    rows::all(arguments, &tools)?;
    println!("load      {}", measure::load());
    Ok(())
}
