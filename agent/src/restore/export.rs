//! Native backup files again, one per family, with the statement that restores them (P9).

mod os;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use twinset_domain::{BackupKind, Fault, Position, RunId, code};
use twinset_format::manifest::Facts;

use super::open::{DamageMap, OpenSet};
use crate::media::encoding::decoder::PlainReader;
use crate::media::reader::ReadReport;
use crate::report::Progress;
use crate::sqlserver::statement::{Medium, Recovery, RestoreStatement, Transfer};

/// What was exported.
#[derive(Debug, Serialize)]
pub struct Exported {
    /// The files, in the order of families.
    pub files: Vec<PathBuf>,
    /// Bytes over all of them.
    pub bytes: u64,
    /// What SQL Server is told to restore them.
    pub statement: String,
    /// What was damaged, and where it was taken from.
    pub map: DamageMap,
}

/// Exports the set at a position.
///
/// # Errors
/// [`code::LOST`] and [`code::SET_MISSING`]; [`code::FILE`] when a file is there already or the
/// folder cannot be written. A file appears under its name only when it is whole and durable.
pub fn export(
    open: &OpenSet,
    position: Position,
    folder: &Path,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Exported, Fault> {
    let readers = open.plain_readers(position)?;
    let Some(manifest) = open.manifest(position) else {
        return Err(Fault::new(
            code::SET_MISSING,
            format!("position {position}"),
            "no manifest",
        ));
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, "cannot be made", &error))?;
    let names: Vec<PathBuf> = (1..=readers.len())
        .map(|family| folder.join(name(&manifest.facts, family, readers.len())))
        .collect();
    for path in &names {
        if path.symlink_metadata().is_ok() {
            return Err(
                Fault::new(code::FILE, path.display().to_string(), "is there already")
                    .remedy("nothing is replaced: choose an empty folder"),
            );
        }
    }
    let bytes = readers.iter().map(PlainReader::length).sum();
    let what = format!("export {} position {position}", manifest.facts.database);
    progress.begin(&what, Some(bytes));
    let outcomes: Vec<Result<ReadReport, Fault>> = std::thread::scope(|scope| {
        let threads: Vec<_> = readers
            .into_iter()
            .zip(&names)
            .map(|(reader, path)| scope.spawn(move || write(reader, path, progress, stop)))
            .collect();
        let panicked = || Fault::new(code::INTERNAL, "export", "a family's thread panicked");
        threads
            .into_iter()
            .map(|t| t.join().unwrap_or_else(|_| Err(panicked())))
            .collect()
    });
    progress.end();
    let mut map = DamageMap::default();
    for outcome in outcomes {
        map.add(outcome?);
    }
    let statement = statement(open, position, &names);
    Ok(Exported {
        files: names,
        bytes,
        statement,
        map,
    })
}

/// `0001.Payroll.full.20261121T010000Z.bak` without the encoding's ending, or `...family1of2.bak` for stripes; the number is the
/// position.
pub(super) fn name(facts: &Facts, family: usize, families: usize) -> String {
    let ended = facts.data_name.as_str();
    let data_name = ended.strip_suffix(".age").unwrap_or(ended);
    let data_name = data_name.strip_suffix(".zst").unwrap_or(data_name);
    let position = facts.position.get();
    match data_name.rsplit_once('.') {
        Some((stem, ending)) if families > 1 => {
            format!("{position:04}.{stem}.family{family}of{families}.{ending}")
        }
        _ => format!("{position:04}.{data_name}"),
    }
}

fn failed(path: &Path, message: &str, error: &std::io::Error) -> Fault {
    Fault::new(code::FILE, path.display().to_string(), message)
        .cause(error)
        .remedy("check space and rights of the folder")
}

/// Writes one family under a work name, makes it durable, and only then gives it its name.
fn write(
    mut reader: PlainReader,
    path: &Path,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<ReadReport, Fault> {
    // A name of this run alone, never opened if it is there: no second export and no link that
    // somebody laid can share it.
    let mut work = path.as_os_str().to_owned();
    work.push(format!(".{}.part", RunId::random()));
    let work = PathBuf::from(work);
    let cannot = |error: std::io::Error| failed(path, "cannot be written", &error);
    let mut file: File = os::create_private(&work).map_err(cannot)?;
    let mut copy = || -> Result<(), Fault> {
        while let Some(chunk) = reader.next_block()? {
            if stop.load(Ordering::Relaxed) {
                return Err(Fault::new(
                    code::CANCELLED,
                    "export",
                    "stopped by the operator",
                ));
            }
            file.write_all(&chunk).map_err(cannot)?;
            progress.advance(chunk.len() as u64);
            reader.reuse(chunk);
        }
        file.sync_all().map_err(cannot)?;
        // A link never replaces, a rename would.
        fs::hard_link(&work, path).map_err(cannot)
    };
    let copied = copy();
    // Windows takes no name from a file that is open.
    drop(file);
    let _ = fs::remove_file(&work);
    copied.map(|()| reader.finish())
}

/// The exact RESTORE for the exported files, under a name beside the original's.
fn statement(open: &OpenSet, position: Position, files: &[PathBuf]) -> String {
    let facts = open.manifest(position).map(|manifest| &manifest.facts);
    RestoreStatement {
        // Never the original's name: the line is there to be pasted at three in the morning.
        database: facts.map_or_else(String::new, |facts| format!("{}_Copy", facts.database)),
        kind: facts
            .and_then(|facts| facts.kind)
            .unwrap_or(BackupKind::Full),
        devices: files
            .iter()
            .map(|path| Medium::Disk(path.display().to_string()))
            .collect(),
        moves: Vec::new(),
        replace: false,
        recovery: Recovery::NoRecovery,
        checksum: facts
            .and_then(|facts| facts.sets.first())
            .is_some_and(|set| set.checksum == Some(true)),
        over_damage: facts.is_some_and(|facts| facts.over_damage),
        transfer: Transfer {
            block_size: facts.and_then(|facts| facts.block_size).unwrap_or(0),
            max_transfer_size: facts.and_then(|facts| facts.max_transfer_size).unwrap_or(0),
            buffer_count: 0,
        },
        stop: None,
    }
    .to_sql()
}
