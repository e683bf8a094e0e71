//! What staged files say of themselves, read from their first byte to their last.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use twinset_domain::Fault;
use twinset_domain::stage::Stream;
use twinset_format::mtf::{Container, StreamReader};

use super::folder::Folder;
use super::intent::Intent;
use crate::media::writer::cancelled;

/// Bytes of one read.
const PIECE: usize = 1 << 20;

/// What was found.
pub(super) struct Looked {
    /// All families together.
    pub(super) stream: Stream,
    /// BLAKE3 of each file, as hex, in the order of families.
    pub(super) hashes: Vec<String>,
    /// Why it is not complete.
    pub(super) why: Option<String>,
}

/// Reads all files of an intent. One that is missing or cannot be read counts as not complete.
///
/// # Errors
/// That the operator stopped it.
pub(super) fn look(folder: &Folder, intent: &Intent, stop: &AtomicBool) -> Result<Looked, Fault> {
    let mut looked = Looked {
        stream: Stream::Complete,
        hashes: Vec::new(),
        why: None,
    };
    for name in intent.files() {
        match one(&folder.path(&name), stop)? {
            Ok((hash, Container::Mtf)) => looked.hashes.push(hash),
            Ok((hash, _)) => {
                looked.hashes.push(hash);
                if looked.stream == Stream::Complete {
                    looked.stream = Stream::Hidden;
                }
            }
            Err(why) => {
                looked.stream = Stream::Incomplete;
                looked.why.get_or_insert(format!("{name}: {why}"));
            }
        }
    }
    Ok(looked)
}

type Told = Result<(String, Container), String>;

/// Hash and container of a file that is whole as far as that can be told, or why it is not.
fn one(path: &Path, stop: &AtomicBool) -> Result<Told, Fault> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let (mut reader, mut hasher) = (StreamReader::new(), blake3::Hasher::new());
    let mut piece = vec![0; PIECE];
    let mut length = 0_u64;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(cancelled());
        }
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(got) => {
                let bytes = piece.get(..got).unwrap_or_default();
                reader.feed(bytes);
                hasher.update(bytes);
                length += got as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error.to_string())),
        }
    }
    let complete = reader.is_complete();
    let stream = reader.finish();
    // A structure that this release does not know hides whether the file is whole.
    let hidden = stream.container == Container::Mssqlbak || stream.lost.is_some() && length > 0;
    let container = match (stream.container, hidden) {
        (Container::Mtf, false) if complete => Container::Mtf,
        (_, true) if stream.container != Container::Opaque => Container::Mssqlbak,
        _ => return Ok(Err(format!("its {length} bytes end within a backup set"))),
    };
    Ok(Ok((hasher.finalize().to_hex().to_string(), container)))
}
