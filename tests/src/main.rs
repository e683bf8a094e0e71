//! `twinset-lab`: doubles to run by hand and in tests.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use twinset_tests::lab::{Lab, Scene, orders};
use twinset_tests::{demo, drill, stream};

/// Doubles of SQL Server for trying and testing Twinset.
#[derive(Debug, Parser)]
#[command(name = "twinset-lab", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show the whole path: backup to two mirrors, damage, restore, export, and a failover between
    /// two agents. Needs no SQL Server.
    ///
    /// Ends with the number of checks; fails when one of them fails.
    #[command(after_help = "Examples:\n  twinset-lab demo\n  twinset-lab demo --keep")]
    Demo {
        /// Leave the folder with everything in it.
        #[arg(long)]
        keep: bool,
    },
    /// Play failover drills: two real agents on two doubles, then every promise is looked at.
    ///
    /// Prints what was done, what each agent said, and whether the promises hold. Ends with 0 only
    /// if all of them do. With --days, a day is no 24 hours and nothing waits for a schedule: it is
    /// one backup by hand and eight events that the seed chooses (rows, logs, differentials,
    /// switches, switches in a backup, killed agents, lost servers, cut links), then everything runs
    /// again, and the promises are looked at. It takes about ten seconds. The agents answer in their
    /// own time: a seed repeats the events, not their moments.
    #[command(after_help = "\
Examples:
  twinset-lab drill --list
  twinset-lab drill planned forced
  twinset-lab drill
  twinset-lab drill --seed 7 --days 3")]
    Drill {
        /// Scenarios to play [default: all]
        #[arg(value_name = "SCENARIO", conflicts_with_all = ["list", "days"])]
        scenarios: Vec<String>,
        /// Print the scenarios
        #[arg(long, conflicts_with = "days")]
        list: bool,
        /// Seed of the days
        #[arg(long, value_name = "N", default_value_t = 1, requires = "days")]
        seed: u64,
        /// So many days by seed instead of scenarios, 1 to 30
        #[arg(long, value_name = "D",
              value_parser = clap::value_parser!(u32).range(1..=i64::from(drill::MAX_DAYS)))]
        days: Option<u32>,
    },
    /// Serve the instances of a scene until standard input closes or the process is told to end.
    ///
    /// Prints one JSON line when all of them listen: name, host, port and certificate of each.
    /// Takes orders on standard input then, one JSON object per line, such as
    /// {"instance": "SQL-A", "faults": {"bytes_per_second": 1000000}} or
    /// {"instance": "SQL-A", "database": "Payroll"}, and answers each with one.
    Serve {
        /// The scene, in TOML.
        scene: PathBuf,
        /// Folder for certificates and disk backups.
        #[arg(long)]
        folder: PathBuf,
        /// Open a door to the virtual devices for Windows programs under Wine; the line names it.
        #[arg(long)]
        vdi_door: bool,
    },
    /// Write a generated backup as files, one per family.
    Generate {
        /// Bytes of data pages, such as 2GiB.
        #[arg(long, value_parser = stream::parse_size)]
        size: u64,
        /// Number of families, 1 to 64.
        #[arg(long, default_value_t = 1)]
        families: u16,
        /// Seed of everything.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// WITH CHECKSUM.
        #[arg(long)]
        checksum: bool,
        /// Folder for the files; existing ones are not replaced.
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Demo { keep } => demo::run(keep),
        Verb::Drill { list: true, .. } => drill::list(),
        Verb::Drill {
            days: Some(days),
            seed,
            ..
        } => drill::run(&drill::Wish::Days(seed, days)),
        Verb::Drill { scenarios, .. } => drill::run(&drill::Wish::Scenarios(scenarios)),
        Verb::Serve {
            scene,
            folder,
            vdi_door,
        } => serve(&scene, &folder, vdi_door),
        Verb::Generate {
            size,
            families,
            seed,
            checksum,
            out,
        } => {
            let mut spec = stream::Spec::new(seed, size, families);
            spec.checksum = checksum;
            generate(&spec, &out)
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("twinset-lab: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn serve(scene: &std::path::Path, folder: &std::path::Path, vdi_door: bool) -> std::io::Result<()> {
    let mut lab = Lab::start(&Scene::read(scene)?, folder)?;
    if vdi_door {
        lab.open_door()?;
    }
    let mut out = std::io::stdout();
    writeln!(out, "{}", lab.ready_line())?;
    out.flush()?;
    // The caller holds the other end of standard input; its death or wish ends the lab.
    orders::serve(&lab, &mut std::io::stdin().lock(), &mut out)
}

fn generate(spec: &stream::Spec, out: &std::path::Path) -> std::io::Result<()> {
    for path in stream::generate_files(spec, out)? {
        println!("{}", path.display());
    }
    Ok(())
}
