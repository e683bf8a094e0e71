//! What lies in a volume's folder.

use std::collections::HashSet;
use std::sync::Arc;

use twinset_plugin_api::{DeviceError, Leftover, Outcome, RecordEntry, SectionEntry};

use super::errors::failed;
use super::names::Kind;
use super::os::Entry;
use super::shelf::{Named, Shelf};

/// The file of a closed section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its number.
    pub(crate) index: u64,
    /// Its file.
    pub(crate) file: String,
}

/// All closed sections as the folder's names told them once.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    files: Arc<Vec<Named>>,
    /// By number, with their places among the files.
    order: Vec<(u64, usize)>,
}

impl Sections {
    fn named(&self, place: usize) -> Option<&Named> {
        self.order
            .get(place)
            .and_then(|(_, file)| self.files.get(*file))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The file of a section.
    pub(crate) fn file(&self, index: u64) -> Option<&str> {
        let place = self
            .order
            .binary_search_by_key(&index, |(of, _)| *of)
            .ok()?;
        self.named(place).map(|named| named.file.as_str())
    }

    /// Files of this section and those above it, from the last one on.
    pub(crate) fn down_to(&self, index: u64) -> impl Iterator<Item = &str> {
        let from = self.order.partition_point(|(of, _)| *of < index);
        let places = (from..self.order.len()).rev();
        places.filter_map(|place| self.named(place).map(|named| named.file.as_str()))
    }

    /// At most `max` sections above `after` with their lengths; a link or a folder in the place of
    /// one is refused.
    pub(crate) fn page(
        &self,
        folder: &Shelf,
        after: Option<u64>,
        max: usize,
    ) -> Result<Vec<SectionEntry>, DeviceError> {
        let from = self.order.partition_point(|(of, _)| Some(*of) <= after);
        let places = (from..self.order.len()).take(max);
        let entries = places.filter_map(|place| self.named(place));
        entries
            .filter_map(|named| measured(folder, named))
            .collect()
    }
}

fn measured(folder: &Shelf, named: &Named) -> Option<Result<SectionEntry, DeviceError>> {
    let Kind::Section { index, name } = &named.kind else {
        return None;
    };
    let length = length_of(folder, named);
    Some(length.map(|length| SectionEntry {
        index: *index,
        length,
        name: name.clone(),
    }))
}

fn read_names(folder: &Shelf) -> Result<Arc<Vec<Named>>, DeviceError> {
    folder
        .files()
        .map_err(|errno| failed("read", "the volume's folder", errno))
}

/// All section files, by number; two of one number are an error that names both.
pub(crate) fn find_sections(folder: &Shelf) -> Result<Sections, DeviceError> {
    let files = read_names(folder)?;
    let claims = Claims::of(&files);
    let mut order: Vec<(u64, usize)> = (0..)
        .zip(files.iter())
        .filter(|(_, named)| !claims.holds(folder, named))
        .filter_map(|(place, named)| Some((number(named)?, place)))
        .collect();
    order.sort_unstable();
    let sections = Sections { files, order };
    for (place, pair) in sections.order.windows(2).enumerate() {
        if let [(a, _), (b, _)] = pair
            && a == b
        {
            return Err(twice(*a, [place, place + 1].map(|p| sections.named(p))));
        }
    }
    Ok(sections)
}

const fn number(named: &Named) -> Option<u64> {
    match &named.kind {
        Kind::Section { index, .. } => Some(*index),
        _ => None,
    }
}

fn twice(index: u64, files: [Option<&Named>; 2]) -> DeviceError {
    let mut files = files.map(|named| named.map_or("", |named| named.file.as_str()));
    files.sort_unstable();
    let text = format!(
        "section {index} lies twice in the folder: {}; move the wrong one away",
        files.join(" and ")
    );
    DeviceError::new(Outcome::PERMANENT, text)
}

/// Numbers of unfinished sections. Where names cannot be moved without replacing, an empty file
/// claims its name first; after a crash in between it is not a section yet.
struct Claims(HashSet<u64>);

impl Claims {
    fn of(all: &[Named]) -> Self {
        let work = all.iter().filter_map(|named| match &named.kind {
            Kind::Work { index, .. } => *index,
            _ => None,
        });
        Self(work.collect())
    }

    fn holds(&self, folder: &Shelf, named: &Named) -> bool {
        number(named).is_some_and(|index| self.0.contains(&index))
            && folder.entry(&named.file) == Ok(Entry::File(0))
    }
}

/// Removes the empty file by which unfinished work claimed its name, if there is one.
pub(crate) fn remove_claim(folder: &Shelf, index: u64) -> Result<(), DeviceError> {
    for named in read_names(folder)?.iter() {
        let file = &named.file;
        if number(named) == Some(index) && folder.entry(file) == Ok(Entry::File(0)) {
            folder
                .remove(file)
                .map_err(|errno| failed("remove", file, errno))?;
        }
    }
    Ok(())
}

/// The section of a number.
pub(crate) fn find_section(folder: &Shelf, index: u64) -> Result<Option<Found>, DeviceError> {
    let sections = find_sections(folder)?;
    Ok(sections.file(index).map(|file| Found {
        index,
        file: file.to_owned(),
    }))
}

fn length_of(folder: &Shelf, named: &Named) -> Result<u64, DeviceError> {
    named
        .length(folder)
        .map_err(|errno| failed("look at", &named.file, errno))?
        .map_err(|_| not_a_file(&named.file))
}

/// The answer to a link, folder or pipe where a file belongs.
pub(crate) fn not_a_file(file: &str) -> DeviceError {
    let text = format!("{file} is not a regular file; links in a volume are refused");
    DeviceError::new(Outcome::PERMANENT, text)
}

/// All records as the folder's names told them once.
#[derive(Debug, Default)]
pub(crate) struct Records {
    files: Arc<Vec<Named>>,
    /// Places among the files, in order of the records' names.
    order: Vec<usize>,
}

impl Records {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    fn named(&self, place: usize) -> Option<(&Named, &str)> {
        let named = self.files.get(place)?;
        record_name(named).map(|name| (named, name))
    }

    /// At most `max` records whose name sorts after `after`, with their lengths.
    pub(crate) fn page(
        &self,
        folder: &Shelf,
        after: &str,
        max: usize,
    ) -> Result<Vec<RecordEntry>, DeviceError> {
        let name = |place: &usize| self.named(*place).map_or("", |(_, name)| name);
        let from = self.order.partition_point(|place| name(place) <= after);
        let places = self.order.iter().skip(from).take(max);
        let entries = places.filter_map(|place| self.named(*place));
        entries
            .map(|(named, name)| {
                Ok(RecordEntry {
                    name: name.to_owned(),
                    length: length_of(folder, named)?,
                })
            })
            .collect()
    }
}

const fn record_name(named: &Named) -> Option<&str> {
    match &named.kind {
        Kind::Record { name } => Some(name.as_str()),
        _ => None,
    }
}

/// All records, by name.
pub(crate) fn find_records(folder: &Shelf) -> Result<Records, DeviceError> {
    let files = read_names(folder)?;
    let names = (0..).zip(files.iter());
    let mut order: Vec<(&str, usize)> = names
        .filter_map(|(place, named)| Some((record_name(named)?, place)))
        .collect();
    order.sort_unstable();
    let order = order.into_iter().map(|(_, place)| place).collect();
    Ok(Records { files, order })
}

/// Unfinished work and foreign files, by name; `own` is the work file that is open now.
pub(crate) fn leftovers(folder: &Shelf, own: Option<&str>) -> Result<Vec<Leftover>, DeviceError> {
    let mut leftovers = Vec::new();
    for named in read_names(folder)?.iter() {
        let name = &named.file;
        let (run_id, index) = match &named.kind {
            Kind::Work { index, run_id } => (Some(*run_id), *index),
            Kind::Foreign => (None, None),
            _ => continue,
        };
        if own == Some(name.as_str()) {
            continue;
        }
        let length = match folder.entry(name) {
            Ok(Entry::File(length)) => length,
            _ => 0,
        };
        leftovers.push(Leftover {
            name: cut(name.clone()),
            run_id,
            index,
            length,
        });
    }
    leftovers.sort_by(|a, b| a.name.cmp(&b.name));
    leftovers.dedup_by(|a, b| a.name == b.name);
    Ok(leftovers)
}

/// Something foreign that lies beside the volumes; nobody asks how long it is.
pub(crate) fn beside(name: String) -> Leftover {
    Leftover {
        name: cut(name),
        run_id: None,
        index: None,
        length: 0,
    }
}

/// A foreign name may be longer than the border takes, once its odd bytes were replaced.
fn cut(mut name: String) -> String {
    let mut end = name.len().min(255);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}
