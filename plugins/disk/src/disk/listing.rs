//! What lies in a volume's folder.

use std::collections::HashSet;

use twinset_plugin_api::{DeviceError, Leftover, Outcome, RecordEntry, SectionEntry};

use super::errors::failed;
use super::names::{self, Kind};
use super::os::{Entry, Folder};

/// A closed section as the folder's names tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its number.
    pub(crate) index: u64,
    /// Its name.
    pub(crate) name: String,
    /// Its file.
    pub(crate) file: String,
}

fn read_names(folder: &Folder) -> Result<Vec<(String, Kind)>, DeviceError> {
    let names = folder
        .names()
        .map_err(|errno| failed("read", "the volume's folder", errno))?;
    let kind = |name: String| {
        let kind = names::classify(&name);
        (name, kind)
    };
    Ok(names.into_iter().map(kind).collect())
}

/// All section files, by number; two of one number are an error that names both.
pub(crate) fn find_sections(folder: &Folder) -> Result<Vec<Found>, DeviceError> {
    let all = read_names(folder)?;
    let unfinished: HashSet<u64> = all
        .iter()
        .filter_map(|(_, kind)| match kind {
            Kind::Work { index, .. } => *index,
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    for (file, kind) in all {
        if let Kind::Section { index, name } = kind {
            // Where names cannot be moved without replacing, an empty file claims its name first;
            // after a crash in between it is not a section yet.
            let claim = unfinished.contains(&index) && folder.entry(&file) == Ok(Entry::File(0));
            if !claim {
                found.push(Found { index, name, file });
            }
        }
    }
    found.sort_by(|a, b| (a.index, &a.file).cmp(&(b.index, &b.file)));
    for pair in found.windows(2) {
        if let [a, b] = pair
            && a.index == b.index
        {
            let text = format!(
                "section {} lies twice in the folder: {} and {}; move the wrong one away",
                a.index, a.file, b.file
            );
            return Err(DeviceError::new(Outcome::PERMANENT, text));
        }
    }
    Ok(found)
}

/// Removes the empty file by which unfinished work claimed its name, if there is one.
pub(crate) fn remove_claim(folder: &Folder, index: u64) -> Result<(), DeviceError> {
    for (file, kind) in read_names(folder)? {
        let claims = matches!(kind, Kind::Section { index: of, .. } if of == index);
        if claims && folder.entry(&file) == Ok(Entry::File(0)) {
            folder
                .remove(&file)
                .map_err(|errno| failed("remove", &file, errno))?;
        }
    }
    Ok(())
}

/// The section of a number.
pub(crate) fn find_section(folder: &Folder, index: u64) -> Result<Option<Found>, DeviceError> {
    Ok(find_sections(folder)?
        .into_iter()
        .find(|found| found.index == index))
}

/// Says how long a section is; a link or a folder in its place is refused.
pub(crate) fn measure(folder: &Folder, found: &Found) -> Result<SectionEntry, DeviceError> {
    let length = length_of(folder, &found.file)?;
    Ok(SectionEntry {
        index: found.index,
        length,
        name: found.name.clone(),
    })
}

fn length_of(folder: &Folder, file: &str) -> Result<u64, DeviceError> {
    match folder
        .entry(file)
        .map_err(|errno| failed("look at", file, errno))?
    {
        Entry::File(length) => Ok(length),
        _ => Err(not_a_file(file)),
    }
}

/// The answer to a link, folder or pipe where a file belongs.
pub(crate) fn not_a_file(file: &str) -> DeviceError {
    let text = format!("{file} is not a regular file; links in a volume are refused");
    DeviceError::new(Outcome::PERMANENT, text)
}

/// All records, by name.
pub(crate) fn records(folder: &Folder) -> Result<Vec<RecordEntry>, DeviceError> {
    let mut records = Vec::new();
    for (file, kind) in read_names(folder)? {
        if let Kind::Record { name } = kind {
            records.push(RecordEntry {
                name,
                length: length_of(folder, &file)?,
            });
        }
    }
    records.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(records)
}

/// Unfinished work and foreign files, by name; `own` is the work file that is open now.
pub(crate) fn leftovers(folder: &Folder, own: Option<&str>) -> Result<Vec<Leftover>, DeviceError> {
    let mut leftovers = Vec::new();
    for (name, kind) in read_names(folder)? {
        let (run_id, index) = match kind {
            Kind::Work { index, run_id } => (Some(run_id), index),
            Kind::Foreign => (None, None),
            _ => continue,
        };
        if own == Some(name.as_str()) {
            continue;
        }
        let length = match folder.entry(&name) {
            Ok(Entry::File(length)) => length,
            _ => 0,
        };
        leftovers.push(Leftover {
            name: cut(name),
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
