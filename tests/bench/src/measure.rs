//! One command line, measured; two of them in turns.
//!
//! A side of a pair is a line of shell, printed so that anybody can repeat it by hand. Bash's own
//! `time` measures it: wall, user and system time of everything the line starts, in milliseconds.

use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Between two looks at a process's memory.
const LOOK: Duration = Duration::from_millis(2);

/// What one run took, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Taken {
    /// On the clock.
    pub(crate) wall: f64,
    /// User and system time together.
    pub(crate) cpu: f64,
}

/// Runs a line of shell and measures it.
///
/// # Errors
/// When it does not end with 0: what it said.
pub(crate) fn run(line: &str) -> io::Result<Taken> {
    let script = format!("TIMEFORMAT='%R %U %S'; time {{ {line} ; }} 2>&3");
    let said = tempfile::NamedTempFile::new()?;
    // The measured line speaks to the file, `time` alone to our pipe.
    let script = format!("exec 3>{}; {script}", said.path().display());
    let output = Command::new("bash")
        .args(["-c", &format!("set -e; {script}")])
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        let said = fs::read_to_string(said.path()).unwrap_or_default();
        return Err(io::Error::other(format!(
            "{}: {line}\n{said}{text}",
            output.status
        )));
    }
    parse(&text).ok_or_else(|| io::Error::other(format!("no times from: {line}\n{text}")))
}

/// Reads `%R %U %S` from the last line.
fn parse(text: &str) -> Option<Taken> {
    let mut numbers = text
        .lines()
        .last()?
        .split_whitespace()
        .map(str::parse::<f64>);
    let mut next = || numbers.next()?.ok();
    let (wall, user, system) = (next()?, next()?, next()?);
    Some(Taken {
        wall,
        cpu: user + system,
    })
}

/// Both sides of a row, over all pairs.
pub(crate) struct Pairs {
    ours: Vec<Taken>,
    theirs: Vec<Taken>,
}

/// Medians of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Medians {
    /// Ours, in seconds.
    pub(crate) ours: f64,
    /// The peer's, in seconds.
    pub(crate) theirs: f64,
    /// Median of the paired ratios.
    pub(crate) ratio: f64,
}

/// Runs both sides in turns, each after its own preparation, which is not measured.
///
/// # Errors
/// The first run that fails.
pub(crate) fn pairs(
    count: u16,
    mut ours: impl FnMut() -> io::Result<Taken>,
    mut theirs: impl FnMut() -> io::Result<Taken>,
) -> io::Result<Pairs> {
    let mut pairs = Pairs {
        ours: Vec::new(),
        theirs: Vec::new(),
    };
    for _ in 0..count {
        pairs.ours.push(ours()?);
        pairs.theirs.push(theirs()?);
    }
    Ok(pairs)
}

/// Runs ours and two peers in turns, each after its own preparation. What counts of the peers is,
/// measure by measure, the better one.
///
/// # Errors
/// The first run that fails.
pub(crate) fn against_two(
    count: u16,
    mut ours: impl FnMut() -> io::Result<Taken>,
    mut one: impl FnMut() -> io::Result<Taken>,
    mut other: impl FnMut() -> io::Result<Taken>,
) -> io::Result<Pairs> {
    pairs(count, &mut ours, || {
        let (one, other) = (one()?, other()?);
        Ok(Taken {
            wall: one.wall.min(other.wall),
            cpu: one.cpu.min(other.cpu),
        })
    })
}

impl Pairs {
    /// Medians of one measure.
    pub(crate) fn medians(&self, of: impl Fn(&Taken) -> f64) -> Medians {
        let ratios = self
            .ours
            .iter()
            .zip(&self.theirs)
            .map(|(a, b)| of(a) / of(b));
        Medians {
            ours: median(self.ours.iter().map(&of)),
            theirs: median(self.theirs.iter().map(&of)),
            ratio: median(ratios),
        }
    }
}

/// The middle of the numbers; of an even count, the mean of the two in the middle.
pub(crate) fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match (numbers.get(middle), numbers.get(middle.wrapping_sub(1))) {
        (Some(high), Some(low)) if numbers.len().is_multiple_of(2) => f64::midpoint(*low, *high),
        (Some(middle), _) => *middle,
        (None, _) => f64::NAN,
    }
}

/// Runs a program and gives its largest resident size in bytes, as the kernel keeps it (`VmHWM`).
/// The last look is at most a few milliseconds before its end.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn peak_memory(program: &mut Command) -> io::Result<u64> {
    let mut child = program.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        peak = peak.max(high_water(&text).unwrap_or(0));
        if let Some(end) = child.try_wait()? {
            return if end.success() {
                Ok(peak)
            } else {
                Err(io::Error::other(format!("{end}: {program:?}")))
            };
        }
        thread::sleep(LOOK);
    }
}

/// `VmHWM:    12345 kB` in bytes.
fn high_water(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Load averages over 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}
