//! Reads the files, as they stand or as somebody says they would.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use twinset_domain::{Fault, code};

use super::{Loading, MAX_FILE, MAX_GROUPS};
use crate::config::draft::DraftFile;
use crate::config::secret::unsafe_fault;
use crate::config::source::SourceFile;
use crate::trust::{self, Keep};

impl Loading {
    /// The text of a file that is about to be written.
    pub(super) fn draft(&self, path: &Path) -> Option<&DraftFile> {
        let path = std::path::absolute(path).ok()?;
        self.drafts.iter().find(|draft| draft.path == path)
    }

    /// What a file holds, a little more than is taken at most.
    fn bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        if let Some(draft) = self.draft(path) {
            return Ok(draft.text.clone().into_bytes());
        }
        let mut bytes = Vec::new();
        let file = File::open(path)?;
        file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// One file as text, if it can be had and others cannot write it.
    pub(super) fn read(&mut self, path: &Path) -> Option<SourceFile> {
        let order = self.paths.len();
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.paths.push(absolute.clone());
        // Judged when it was kept.
        if let Some(text) = self.instead.texts.get(&absolute) {
            return SourceFile::new(order, path, text.clone()).ok();
        }
        let object = path.display().to_string();
        let refuse = |message: &str| Fault::new(code::CONFIG_FILE, object.clone(), message);
        let opened = self.bytes(path);
        let bytes = match opened {
            Ok(bytes) => bytes,
            Err(error) => {
                let fault = refuse("the configuration file cannot be read").source(&error);
                let remedy = match error.kind() {
                    ErrorKind::NotFound => "write it, or name another one with --config FILE",
                    _ => "let the agent's user read it",
                };
                self.faults.push(order, 0, fault.remedy(remedy));
                return None;
            }
        };
        if bytes.len() as u64 > MAX_FILE {
            let fault = refuse("the configuration file is longer than 1 MiB");
            self.faults
                .push(order, 0, fault.remedy("name the right file"));
            return None;
        }
        self.guard(order, path);
        match String::from_utf8(bytes) {
            Ok(text) => match SourceFile::new(order, path, text) {
                Ok(file) => {
                    self.texts.insert(absolute, file.text().to_owned());
                    Some(file)
                }
                Err(error) => {
                    let fault = refuse("the folder of this file cannot be found").source(&error);
                    self.faults
                        .push(order, 0, fault.remedy("name it by its absolute path"));
                    None
                }
            },
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let fault = Fault::new(
                    code::CONFIG_SYNTAX,
                    object,
                    format!("the file is not UTF-8 text (byte {at})"),
                );
                self.faults
                    .push(order, at, fault.remedy("save it as UTF-8"));
                None
            }
        }
    }

    /// Notes who else may write a file or folder.
    pub(super) fn guard(&mut self, order: usize, path: &Path) {
        let mut path = path;
        // What is not there yet will be made where its folder, or one above it, lets it.
        while !self.drafts.is_empty() && !path.exists() {
            match path.parent().filter(|above| !above.as_os_str().is_empty()) {
                Some(above) => path = above,
                None => path = Path::new("."),
            }
        }
        match trust::unsafe_for(path, Keep::FromWriting) {
            Ok(None) => {}
            Ok(Some(found)) => self.faults.push(order, 0, unsafe_fault(&found)),
            Err(error) => {
                let object = path.display().to_string();
                let fault = Fault::new(code::CONFIG_FILE, object, "its rights cannot be read");
                let remedy = "let the agent's user look at it and at the folders above it";
                self.faults
                    .push(order, 0, fault.source(&error).remedy(remedy));
            }
        }
    }

    pub(super) fn group_files(&mut self, folder: &Path) -> Vec<PathBuf> {
        if self.instead.all {
            let texts = self.instead.texts.keys();
            let here = texts.filter(|path| path.parent() == Some(folder));
            // The agent's own file may lie beside them.
            let own = self.paths.first();
            return here.filter(|path| Some(*path) != own).cloned().collect();
        }
        let order = self.paths.len();
        let object = folder.display().to_string();
        let listed = fs::read_dir(folder).and_then(|entries| {
            let paths = entries
                .take(MAX_GROUPS + 1)
                .map(|entry| entry.map(|entry| entry.path()));
            paths.collect::<Result<Vec<_>, _>>()
        });
        let mut paths = match listed {
            Ok(paths) => paths,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let fault = Fault::new(code::CONFIG_FILE, object, "the folder cannot be read");
                let remedy = "make it a folder that the agent's user can read";
                self.faults
                    .push(order, 0, fault.source(&error).remedy(remedy));
                return Vec::new();
            }
        };
        let drafted = self.drafts.iter().map(|draft| &draft.path);
        let drafted = drafted.filter(|path| path.parent() == Some(folder));
        let new: Vec<PathBuf> = drafted
            .filter(|path| !paths.contains(path))
            .cloned()
            .collect();
        paths.extend(new);
        if paths.is_empty() && !folder.exists() {
            return paths;
        }
        self.guard(order, folder);
        if paths.len() > MAX_GROUPS {
            let fault = Fault::new(code::CONFIG_FILE, object, "more than 1000 files of groups");
            self.faults.push(
                order,
                0,
                fault.remedy("name the right folder in `groups_dir`"),
            );
            return Vec::new();
        }
        paths.retain(|path| {
            path.extension().is_some_and(|ending| ending == "toml")
                && path
                    .file_name()
                    .is_some_and(|name| !name.as_encoded_bytes().starts_with(b"."))
        });
        let without = &self.instead.without;
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        paths.retain(|path| !without.contains(&absolute(path)));
        paths.sort();
        paths
    }
}
