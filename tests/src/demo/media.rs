//! The volumes as plain files: looked at, broken, compared.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Longest manifest line read here.
const MAX_MANIFEST: u64 = 1 << 20;
/// Bytes compared at once.
const PIECE: usize = 1 << 20;

/// The folder of the volume at a place, under its device's folder.
pub(super) fn volume(folder: &Path, mirror: u8, family: u8) -> io::Result<PathBuf> {
    let device = folder.join(format!("mirror{mirror}/family{family}"));
    let missing = || io::Error::other(format!("no volume in {}", device.display()));
    let entries = fs::read_dir(&device)?.collect::<Result<Vec<_>, _>>()?;
    let found = entries
        .iter()
        .map(fs::DirEntry::path)
        .find(|path| path.is_dir());
    found.ok_or_else(missing)
}

/// Names and sizes of the files of a volume, sorted, without its lock.
pub(super) fn listing(volume: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(volume)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            files.push((name, entry.metadata()?.len()));
        }
    }
    files.sort();
    Ok(files)
}

/// The file of a volume whose name begins like this.
pub(super) fn file(volume: &Path, begins: &str) -> io::Result<PathBuf> {
    let found = listing(volume)?
        .into_iter()
        .find(|(name, _)| name.starts_with(begins));
    let missing = || io::Error::other(format!("no {begins}... in {}", volume.display()));
    found.map(|(name, _)| volume.join(name)).ok_or_else(missing)
}

/// Flips one bit of the byte at an offset.
pub(super) fn flip(path: &Path, offset: u64) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset)?;
    byte[0] ^= 0b1000;
    file.write_all_at(&byte, offset)
}

/// BLAKE3 that the manifest of the first backup set names for the bytes of its family.
pub(super) fn named_hash(volume: &Path) -> io::Result<String> {
    let mut line = Vec::new();
    let manifest = File::open(file(volume, "0002.")?)?;
    BufReader::new(manifest.take(MAX_MANIFEST)).read_until(b'\n', &mut line)?;
    let facts: Value = serde_json::from_slice(&line)?;
    let hash = facts["plain_blake3"].as_str();
    hash.map(str::to_owned)
        .ok_or_else(|| io::Error::other("the manifest names no hash"))
}

/// BLAKE3 of a file.
pub(super) fn hash(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Whether two files hold the same bytes.
pub(super) fn same(left: &Path, right: &Path) -> io::Result<bool> {
    let (left, right) = (File::open(left)?, File::open(right)?);
    let length = left.metadata()?.len();
    if right.metadata()?.len() != length {
        return Ok(false);
    }
    let (mut ours, mut theirs) = (vec![0; PIECE], vec![0; PIECE]);
    let mut at = 0;
    while at < length {
        let take = usize::try_from(length - at).unwrap_or(PIECE).min(PIECE);
        left.read_exact_at(&mut ours[..take], at)?;
        right.read_exact_at(&mut theirs[..take], at)?;
        if ours[..take] != theirs[..take] {
            return Ok(false);
        }
        at += take as u64;
    }
    Ok(true)
}
