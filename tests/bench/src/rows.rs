//! The rows of the comparison.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Arguments;
use crate::bed::{self, Bed, Tools};
use crate::measure::{self, Medians, Pairs};
use crate::sql;
use crate::tape;
use crate::wide;

/// Runs of `twinset --version`.
const STARTS: u16 = 21;
/// How far two peaks of memory may lie apart and still count as equal, in bytes.
const EQUAL: u64 = 4 << 20;
/// Most memory that an import may take, in bytes.
const MEMORY: u64 = 96 << 20;

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Row {
    /// Import to two mirrors in memory, beside mbuffer without a digest
    ImportRam,
    /// Import to two mirrors on the disk, durable on both sides
    ImportDisk,
    /// Verify of both mirrors, beside b3sum
    Verify,
    /// Peak memory of a small and a large import
    Memory,
    /// Time of `twinset --version`
    Start,
    /// Import to one to four mirrors in memory, beside tee and mbuffer without a digest
    FanRam,
    /// Import to one to four mirrors on the disk, durable on all sides
    FanDisk,
    /// Import with zstd -1 to two mirrors in memory, beside `zstd -1 -T1 | tee`
    Zstd,
    /// Export with 64 holes spread over two mirrors, beside an export of sound ones
    Holes,
    /// Bytes on a mirror over bytes of the backup
    Overhead,
    /// A look at 5 to 5000 databases of an instance that have not changed: requests and CPU
    Poll,
    /// A log backup of 1 MiB to two mirrors in memory, beside `dd conv=fsync` of two files
    LogRam,
    /// The same on the disk
    LogDisk,
    /// A backup through a virtual device, beside a bare reader that discards
    Copy,
    /// Import to two virtual tapes in memory, and their verify, beside the disk plugin
    TapeRam,
    /// The same on the disk
    TapeDisk,
}

/// Runs every row that is wanted.
///
/// # Errors
/// The first command that fails.
pub(crate) fn all(arguments: &Arguments, tools: &Tools) -> io::Result<()> {
    let wanted = |row| arguments.only.is_empty() || arguments.only.contains(&row);
    let disk = disk(arguments)?;
    if wanted(Row::ImportRam) || wanted(Row::Verify) {
        let bed = Bed::make(tools, &arguments.ram, arguments.size)?;
        if wanted(Row::ImportRam) {
            import("import-ram", &bed, arguments.pairs, false)?;
        }
        if wanted(Row::Verify) {
            verify(&bed, arguments.pairs)?;
        }
    }
    if wanted(Row::ImportDisk) {
        let bed = Bed::make(tools, &disk, arguments.size)?;
        import("import-disk", &bed, arguments.pairs, true)?;
    }
    if wanted(Row::FanRam) {
        wide::fan("fan-ram", arguments, tools, &arguments.ram, false)?;
    }
    if wanted(Row::FanDisk) {
        wide::fan("fan-disk", arguments, tools, &disk, true)?;
    }
    if wanted(Row::Zstd) {
        wide::zstd(arguments, tools)?;
    }
    if wanted(Row::Holes) {
        wide::holes(arguments, tools)?;
    }
    if wanted(Row::Overhead) {
        wide::overhead(tools, &arguments.ram)?;
    }
    if wanted(Row::Poll) {
        sql::poll(arguments, tools)?;
    }
    if wanted(Row::LogRam) {
        sql::log("log-ram", arguments, tools, &arguments.ram)?;
    }
    if wanted(Row::LogDisk) {
        sql::log("log-disk", arguments, tools, &disk)?;
    }
    if wanted(Row::Copy) {
        sql::copy(arguments, tools)?;
    }
    if wanted(Row::TapeRam) {
        tape::beside_disk("tape-ram", arguments, tools, &arguments.ram)?;
    }
    if wanted(Row::TapeDisk) {
        tape::beside_disk("tape-disk", arguments, tools, &disk)?;
    }
    if wanted(Row::Memory) {
        memory(arguments, tools, &disk)?;
    }
    if wanted(Row::Start) {
        start(tools)?;
    }
    if arguments.build {
        build(&disk)?;
    }
    Ok(())
}

fn disk(arguments: &Arguments) -> io::Result<PathBuf> {
    match &arguments.disk {
        Some(folder) => Ok(folder.clone()),
        None => {
            let here = std::env::current_exe()?;
            Ok(here
                .parent()
                .map_or_else(|| PathBuf::from("."), Path::to_path_buf))
        }
    }
}

/// One file to two places: ours hashes, checks and writes manifests as well.
fn import(name: &str, bed: &Bed<'_>, count: u16, durable: bool) -> io::Result<()> {
    if !bed::installed("mbuffer") {
        println!("{name}: left out, mbuffer is not installed (Debian: mbuffer)");
        return Ok(());
    }
    let (a, b) = (bed.path("peer-a"), bed.path("peer-b"));
    let (source, a, b) = (bed.source.display(), a.display(), b.display());
    let mut peer = format!("mbuffer -q -f -m 64M -s 1M -i {source} -o {a} -o {b}");
    if durable {
        peer = format!("{peer} && sync {a} {b}");
    }
    let ours = bed.import();
    println!("\n{name}: A {ours}\n{name}: B {peer}");
    let pairs = measure::pairs(
        count,
        || {
            bed.clear(&["peer-a", "peer-b"])?;
            bed.fresh()?;
            measure::run(&ours)
        },
        || {
            bed.clear(&["a", "b", "peer-a", "peer-b"])?;
            measure::run(&peer)
        },
    )?;
    bed.clear(&["a", "b", "peer-a", "peer-b"])?;
    tell(name, &pairs, [Some(1.0); 2]);
    Ok(())
}

/// Every byte of both mirrors is read and hashed on both sides.
fn verify(bed: &Bed<'_>, count: u16) -> io::Result<()> {
    if !bed::installed("b3sum") {
        println!("verify: left out, b3sum is not installed (Debian: b3sum)");
        return Ok(());
    }
    bed.fresh()?;
    measure::run(&bed.import())?;
    let copies: Vec<String> = bed
        .copies()?
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let ours = bed.ours("media verify bench");
    let peer = format!("b3sum --num-threads 1 {}", copies.join(" "));
    println!("\nverify: A {ours}\nverify: B {peer}");
    let pairs = measure::pairs(count, || measure::run(&ours), || measure::run(&peer))?;
    tell("verify", &pairs, [None, Some(1.15)]);
    Ok(())
}

/// Memory must not grow with the backup.
fn memory(arguments: &Arguments, tools: &Tools, disk: &Path) -> io::Result<()> {
    println!("\nmemory: largest resident size of an import to two mirrors on the disk");
    let small = peak(tools, disk, arguments.size)?;
    judge(
        &format!("peak memory, {} MiB", arguments.size >> 20),
        small,
        MEMORY,
    );
    if arguments.large == 0 {
        return Ok(());
    }
    match peak(tools, disk, arguments.large) {
        Ok(large) => {
            judge(
                &format!("peak memory, {} MiB", arguments.large >> 20),
                large,
                MEMORY,
            );
            judge("difference of the two", large.abs_diff(small), EQUAL);
        }
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
            println!("memory: large backup left out, {error}");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn peak(tools: &Tools, disk: &Path, size: u64) -> io::Result<u64> {
    let bed = Bed::make(tools, disk, size)?;
    bed.fresh()?;
    measure::peak_memory(&mut bed.import_command())
}

#[allow(clippy::cast_precision_loss, reason = "printed with one digit")]
fn judge(what: &str, found: u64, most: u64) {
    let (found_mib, most_mib) = (found as f64 / f64::from(1 << 20), most >> 20);
    let word = word(found <= most);
    println!("{what:<24} {found_mib:8.1} MiB   goal <= {most_mib} MiB   {word}");
}

fn start(tools: &Tools) -> io::Result<()> {
    let line = format!("{} --version", tools.twinset.display());
    println!("\nstart: {line}");
    let mut walls = Vec::new();
    for _ in 0..STARTS {
        walls.push(measure::run(&line)?.wall);
    }
    let wall = measure::median(walls.into_iter()) * 1000.0;
    println!(
        "{:<24} {wall:8.1} ms    goal < 20 ms   {}",
        "start, wall",
        word(wall < 20.0)
    );
    Ok(())
}

/// A build from nothing, in a folder of its own.
fn build(disk: &Path) -> io::Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("twinset-build-")
        .tempdir_in(disk)?;
    let line = format!(
        "CARGO_TARGET_DIR={} cargo build --release --locked -p twinset -p twinset-disk",
        folder.path().display()
    );
    println!("\nbuild: {line}");
    let fetched = Command::new("cargo").args(["fetch", "--locked"]).status()?;
    if !fetched.success() {
        return Err(io::Error::other("cargo fetch failed"));
    }
    let taken = measure::run(&line)?;
    let word = word(taken.wall <= 360.0);
    println!(
        "{:<24} {:8.0} s     goal <= 360 s   {word}",
        "clean release build", taken.wall
    );
    Ok(())
}

/// Prints a row's wall time and CPU, each with its goal.
pub(crate) fn tell(name: &str, pairs: &Pairs, [wall, cpu]: [Option<f64>; 2]) {
    let medians = pairs.medians(|taken| taken.wall);
    line(&format!("{name}, wall"), &medians, wall);
    let medians = pairs.medians(|taken| taken.cpu);
    line(&format!("{name}, CPU"), &medians, cpu);
}

pub(crate) fn line(what: &str, found: &Medians, goal: Option<f64>) {
    let goal = goal.map_or_else(String::new, |goal| {
        format!("   goal <= {goal:.2}   {}", word(found.ratio <= goal))
    });
    println!(
        "{what:<24} ratio {:5.2}   ours {:7.3} s   peer {:7.3} s{goal}",
        found.ratio, found.ours, found.theirs
    );
}

pub(crate) const fn word(good: bool) -> &'static str {
    if good { "met" } else { "missed" }
}
