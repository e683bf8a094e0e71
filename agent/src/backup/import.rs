//! Existing native backup files become a backup set of a media set.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use twinset_domain::{BackupKind, FamilyNo, Fault, Shape, code};
use twinset_format::manifest::{Circumstances, Source};
use twinset_format::mtf::{Container, MediaFacts, StreamReader};
use twinset_format::record::Outcome;

use twinset_domain::wrapping::Container as Wrapped;

use super::brake::Brake;
use super::desk::{Desk, Target};
use super::finished::Finished;
use super::pump;
use super::run::{Content, Reserved, open};
use super::sink::Pace;
use crate::media::kept;
use crate::media::writer::{FamilyWriter, Sealed, Watch};

/// Bytes at the start of a file that tell its family.
const HEAD: usize = 64 << 10;

/// What is to be imported.
pub struct Order<'a> {
    /// The database whose replica the set belongs to.
    pub database: &'a str,
    /// One file for each family, in any order.
    pub files: &'a [PathBuf],
    /// Memory for buffers.
    pub memory_limit: u64,
}

/// One file and the family it is.
pub(super) struct Stripe {
    path: PathBuf,
    file: File,
    length: u64,
    /// When it was last written to, as the file system says.
    modified: Option<SystemTime>,
    container: Container,
    media: Option<MediaFacts>,
    /// Kind of its first set, if the head of the file tells.
    kind: Option<BackupKind>,
}

impl Stripe {
    /// Its bytes.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }
}

/// Imports.
///
/// # Errors
/// Files that do not belong together (3132, 3231, 3227, 3258) or are no backups (3241, 3256), the
/// quick check's, and the devices' own. Then nothing is published and nothing stays.
pub fn import(desk: &mut Desk<'_>, target: &Target, order: &Order<'_>) -> Result<Finished, Fault> {
    let stripes = arrange(target.shape, order.files)?;
    let buffers = pump::buffers(target.shape.families, order.memory_limit, &target.recipe)?;
    let content = Content {
        source: Source::Import,
        database: order.database,
        kind: stripes.first().and_then(|stripe| stripe.kind),
        block_size: None,
        max_transfer_size: None,
        circumstances: Circumstances::default(),
        container: stripes.first().map_or(Wrapped::Unknown, |stripe| {
            kept::container(stripe.container, Source::Import, None)
        }),
    };
    let total = stripes.iter().map(|stripe| stripe.length).sum();
    let reserved = open(desk, target, content.kind)?.reserve(desk, &content)?;
    desk.progress
        .begin(&format!("import {}", order.database), Some(total));
    let written = write_all(desk, &reserved, stripes, buffers, None);
    desk.progress.end();
    match written {
        Ok(sealed) => {
            let notes = notes(order.database, &sealed);
            let mut finished = reserved.publish(desk, &sealed, Outcome::Success, None)?;
            finished.notes.extend(notes);
            Ok(finished)
        }
        Err(fault) => {
            reserved.take_back(desk, &fault);
            Err(fault)
        }
    }
}

/// Opens the files and puts them into the order of their families.
fn arrange(shape: Shape, files: &[PathBuf]) -> Result<Vec<Stripe>, Fault> {
    let mut stripes = files
        .iter()
        .map(|path| look(path))
        .collect::<Result<Vec<Stripe>, Fault>>()?;
    let declared = stripes
        .iter()
        .filter_map(|stripe| Some(stripe.media.as_ref()?.families))
        .max();
    let given = u16::try_from(stripes.len()).unwrap_or(u16::MAX);
    if let Some(declared) = declared.filter(|declared| *declared > given) {
        let message = format!("the backup has {declared} families, {given} files were given");
        return Err(Fault::new(code::FAMILY_MISSING, object(files), message)
            .remedy("name one file for each family (stripe) of the backup"));
    }
    if given != shape.families {
        let message = format!(
            "the media set has {} families, {given} files were given",
            shape.families
        );
        return Err(Fault::new(code::FAMILY_COUNT, object(files), message)
            .remedy("import into a media set with as many families as the backup has files"));
    }
    if stripes.len() > 1 {
        same_set(&stripes)?;
        stripes.sort_by_key(|stripe| stripe.media.as_ref().map_or(0, |media| media.family));
    }
    Ok(stripes)
}

fn object(files: &[PathBuf]) -> String {
    files
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Reads the head of a file: what it is and which family.
pub(super) fn look(path: &Path) -> Result<Stripe, Fault> {
    let object = path.display().to_string();
    let failed = |error: std::io::Error| {
        Fault::new(code::FILE, &object, "cannot be opened")
            .cause(error)
            .remedy("check the path and the rights of the agent's user")
    };
    // Asked before it is opened: opening a pipe would wait for its writer.
    let facts = std::fs::metadata(path).map_err(failed)?;
    if !facts.is_file() {
        return Err(Fault::new(code::FILE, object, "is not a plain file")
            .remedy("name the native backup files themselves"));
    }
    let mut file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    let mut head = Vec::with_capacity(HEAD);
    file.by_ref()
        .take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(failed)?;
    file.rewind().map_err(failed)?;
    let mut reader = StreamReader::new();
    reader.feed(&head);
    let stream = reader.finish();
    if stream.container == Container::Opaque {
        let why = stream
            .lost
            .map_or_else(|| "it is too short".to_owned(), |(_, why)| why);
        return Err(
            Fault::new(code::HEADER_MALFORMED, object, "is no SQL Server backup")
                .cause(why)
                .remedy("name files that BACKUP wrote; nothing was imported"),
        );
    }
    let kind = stream.sets.first().and_then(|set| set.kind);
    let (container, media, length) = (stream.container, stream.media, facts.len());
    let modified = facts.modified().ok();
    Ok(Stripe {
        path: path.to_owned(),
        file,
        length,
        modified,
        container,
        media,
        kind,
    })
}

/// Several files must be the stripes of one backup, each once.
fn same_set(stripes: &[Stripe]) -> Result<(), Fault> {
    let mut families: BTreeMap<u16, &Path> = BTreeMap::new();
    let mut first: Option<&MediaFacts> = None;
    for stripe in stripes {
        let object = stripe.path.display().to_string();
        let Some(media) = &stripe.media else {
            return Err(
                Fault::new(code::STREAM, object, "does not tell which family it is")
                    .remedy("compressed stripes cannot be told apart here: import them one by one"),
            );
        };
        let first = *first.get_or_insert(media);
        if (media.media_set, media.families) != (first.media_set, first.families) {
            return Err(
                Fault::new(code::WRONG_MEDIA_SET, object, "is of another backup")
                    .cause(format!(
                        "media set {}, not {}",
                        media.media_set, first.media_set
                    ))
                    .remedy("name the files of one backup only"),
            );
        }
        if usize::from(media.families) != stripes.len() {
            let message = format!("the backup has {} families", media.families);
            return Err(Fault::new(code::FAMILY_COUNT, object, message)
                .remedy("name one file for each family (stripe) of the backup"));
        }
        if let Some(twin) = families.insert(media.family, &stripe.path) {
            let message = format!("is family {}, and so is {}", media.family, twin.display());
            return Err(
                Fault::new(code::FAMILY_DUPLICATE, object, message).remedy("name each family once")
            );
        }
    }
    Ok(())
}

/// All families side by side, each on a thread of its own.
pub(super) fn write_all(
    desk: &Desk<'_>,
    reserved: &Reserved,
    stripes: Vec<Stripe>,
    buffers: usize,
    throttle: Option<u64>,
) -> Result<Vec<Sealed>, Fault> {
    let progress = desk.progress;
    let pace = &Pace {
        brake: Brake::new(throttle),
        stop: desk.stop,
    };
    let watch = Watch {
        progress: &progress,
        stop: desk.stop,
    };
    let outcomes: Vec<Result<Sealed, Fault>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..)
            .zip(stripes)
            .map(|(family, stripe)| {
                scope.spawn(move || {
                    let writer = reserved.writer(FamilyNo(family), Some(stripe.length), watch)?;
                    write_family(writer, stripe, buffers, progress, pace)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread.join().unwrap_or_else(|_| {
                    Err(Fault::new(
                        code::INTERNAL,
                        "import",
                        "a family's thread panicked",
                    ))
                })
            })
            .collect()
    });
    outcomes.into_iter().collect()
}

fn write_family(
    mut writer: FamilyWriter<'_>,
    mut stripe: Stripe,
    buffers: usize,
    progress: &dyn crate::report::Progress,
    pace: &Pace<'_>,
) -> Result<Sealed, Fault> {
    let pumped = pump::pump_file(
        &mut stripe.file,
        &stripe.path,
        &mut writer,
        buffers,
        progress,
        pace,
    );
    let checked = pumped
        .and_then(|length| unchanged(&stripe, length))
        .and_then(|()| {
            let complete = stripe.container != Container::Mtf || writer.is_complete();
            if complete {
                Ok(())
            } else {
                Err(incomplete(&stripe, &writer.lost()))
            }
        });
    match checked {
        Ok(()) => writer.seal(),
        Err(fault) => {
            writer.abort();
            Err(fault)
        }
    }
}

/// A file that somebody writes to while it is read is no copy of anything.
fn unchanged(stripe: &Stripe, length: u64) -> Result<(), Fault> {
    let now = stripe
        .file
        .metadata()
        .and_then(|facts| facts.modified())
        .ok();
    if length == stripe.length && now == stripe.modified {
        return Ok(());
    }
    let object = stripe.path.display().to_string();
    let message = format!(
        "changed while it was read: {} bytes, then {length}",
        stripe.length
    );
    Err(Fault::new(code::FILE, object, message).remedy("import it when its writer has ended"))
}

fn incomplete(stripe: &Stripe, lost: &Option<String>) -> Fault {
    let object = stripe.path.display().to_string();
    let fault = Fault::new(
        code::SET_INCOMPLETE,
        object,
        "the backup in it is not complete",
    )
    .remedy("the file was cut off or altered; import a sound copy");
    match lost {
        Some(why) => fault.cause(why),
        None => fault.cause("the file ends within a backup set"),
    }
}

/// Another name inside is worth a word, no fault: databases are restored under other names.
fn notes(database: &str, sealed: &[Sealed]) -> Vec<String> {
    let Some(first) = sealed.first() else {
        return Vec::new();
    };
    let sets = &first.stream.sets;
    if first.stream.container == Container::Mssqlbak {
        return vec![
            "compressed or encrypted by SQL Server: whether the file is complete cannot be told here"
                .to_owned(),
        ];
    }
    let mut notes: Vec<String> = sets
        .iter()
        .filter_map(|set| set.database.as_ref())
        .filter(|inside| !inside.eq_ignore_ascii_case(database))
        .map(|inside| format!("the backup inside is of database {inside}, not {database}"))
        .collect();
    notes.dedup();
    if sets.len() > 1 {
        notes.push(format!(
            "{} backup sets inside: export it and restore one with FILE = n",
            sets.len()
        ));
    }
    notes
}
