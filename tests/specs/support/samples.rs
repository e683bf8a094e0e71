//! Backup files: generated ones, and those of the corpus.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use twinset_tests::stream::{Kind, Spec, generate_files};

/// Files of a generated full backup of database Payroll, one per family.
pub(crate) fn generated(folder: &Path, seed: u64, size: u64, families: u16) -> Vec<PathBuf> {
    let folder = folder.join(format!("source-{seed}-{size}-{families}"));
    let _ = std::fs::remove_dir_all(&folder);
    generate_files(&Spec::new(seed, size, families), &folder).unwrap()
}

/// The file of a generated log backup of Payroll.
pub(crate) fn log_backup(folder: &Path, seed: u64) -> PathBuf {
    let spec = Spec {
        kind: Kind::Log,
        ..Spec::new(seed, 1 << 16, 1)
    };
    generate_files(&spec, &folder.join(format!("log-{seed}")))
        .unwrap()
        .remove(0)
}

/// The folder of real backup files, or a word that the test is skipped.
pub(crate) fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("TWINSET_CORPUS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let folder = named.unwrap_or(beside);
    if folder.is_dir() {
        return Some(folder);
    }
    super::skip(&format!(
        "no corpus of real backup files at {}",
        folder.display()
    ));
    None
}
