//! Generated sets as files, and sizes as people write them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::generate::GeneratedStream;
use super::spec::Spec;

/// Bytes moved at a time.
const STEP: usize = 1 << 20;

/// Reads a size such as `2GiB`, `512 MiB`, `64KiB`, `1.5GiB`, `100MB` or `4096`.
///
/// # Errors
/// A sentence that names the forms allowed.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let refused = || {
        format!("{text:?} is not a size: write a number and B, KiB, MiB, GiB, TiB, kB, MB, GB, TB")
    };
    let text = text.trim();
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = (text[..split].trim(), text[split..].trim());
    let unit: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(refused()),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 6 {
        return Err(refused());
    }
    let whole: u64 = whole.parse().map_err(|_| refused())?;
    let part: u64 = format!("{part:0<6}").parse().map_err(|_| refused())?;
    let bytes =
        u128::from(whole) * u128::from(unit) + u128::from(part) * u128::from(unit) / 1_000_000;
    u64::try_from(bytes).map_err(|_| refused())
}

/// Writes every family of a set into `folder`, named `<database>.<kind>.<family>of<n>.bak`
/// or `.trn`, and returns the paths in the order of the families. Existing files are not
/// replaced.
///
/// # Errors
/// What [`Spec::check`] says, or an error of the file system.
pub fn generate_files(spec: &Spec, folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let mut paths = Vec::new();
    let mut buffer = vec![0; STEP];
    for family in 1..=spec.families {
        let mut stream = GeneratedStream::new(spec, family).map_err(io::Error::other)?;
        let path = folder.join(file_name(spec, family));
        let mut file = File::create_new(&path)?;
        loop {
            let count = stream.fill(&mut buffer);
            if count == 0 {
                break;
            }
            file.write_all(&buffer[..count])?;
        }
        paths.push(path);
    }
    Ok(paths)
}

fn file_name(spec: &Spec, family: u16) -> String {
    use super::words::Kind;
    let (kind, extension) = match spec.kind {
        Kind::Full => ("full", "bak"),
        Kind::Differential => ("diff", "bak"),
        Kind::Log => ("log", "trn"),
    };
    let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let database: String = spec
        .database
        .chars()
        .map(|c| if good(c) { c } else { '_' })
        .collect();
    match spec.families {
        1 => format!("{database}.{kind}.{extension}"),
        all => format!("{database}.{kind}.{family}of{all}.{extension}"),
    }
}
