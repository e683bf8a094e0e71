//! Files as text, and places in them.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use twinset_domain::{Code, Fault};

/// A place in a configuration file, printed as `agent.toml:12:9`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the operator named it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One file that was read.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Its place among all files, for the order of faults.
    pub(crate) order: usize,
    /// The folder it stands in, absolute, where its relative paths start.
    folder: PathBuf,
    /// The file, absolute.
    path: PathBuf,
    name: Arc<str>,
    text: String,
    line_starts: Vec<usize>,
}

impl SourceFile {
    /// A file that was read from `path`.
    ///
    /// # Errors
    /// The working folder, where a relative `path` starts, cannot be found.
    pub(crate) fn new(order: usize, path: &Path, text: String) -> io::Result<Self> {
        let absolute = std::path::absolute(path)?;
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Ok(Self {
            order,
            folder: absolute.parent().unwrap_or(Path::new("/")).to_path_buf(),
            path: absolute,
            name: path.display().to_string().into(),
            text,
            line_starts,
        })
    }

    /// The file, absolute.
    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// An absolute path as the operator would name it: below this file's folder it starts where
    /// the operator's name for this file does.
    pub(crate) fn shown(&self, path: &Path) -> PathBuf {
        let folder = Path::new(&*self.name).parent().unwrap_or(Path::new(""));
        match path.strip_prefix(&self.folder) {
            Ok(rest) => folder.join(rest),
            Err(_) => path.to_path_buf(),
        }
    }

    /// Its text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where `span` begins.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let mut at = span.start.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let line = self.line_starts.partition_point(|start| *start <= at);
        let start = self
            .line_starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let column = self.text.get(start..at).unwrap_or_default().chars().count() + 1;
        Place {
            file: self.name.clone(),
            line,
            column,
        }
    }

    /// A path of this file: a relative one starts at the file's folder.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// A fault at `span`.
    pub(crate) fn fault(
        &self,
        code: Code,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> Fault {
        Fault::new(code, self.place(span).to_string(), message)
    }
}

/// All faults found so far, in whatever order they were found.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    found: Vec<((usize, usize), Fault)>,
}

impl Faults {
    /// Adds a fault that stands at `span` of `file`.
    pub(crate) fn at(
        &mut self,
        file: &SourceFile,
        span: &Range<usize>,
        code: Code,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let fault = file.fault(code, span, message).remedy(remedy);
        self.push(file.order, span.start, fault);
    }

    /// Adds a fault of the `order`th file, at a byte of it.
    pub(crate) fn push(&mut self, order: usize, byte: usize, fault: Fault) {
        self.found.push(((order, byte), fault));
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The files that have some, by their order.
    pub(crate) fn orders(&self) -> BTreeSet<usize> {
        self.found.iter().map(|((order, _), _)| *order).collect()
    }

    /// All of them, by file and place; equal ones once.
    pub(crate) fn into_sorted(mut self) -> Vec<Fault> {
        self.found.sort_by(|a, b| {
            (a.0, a.1.code.text(), &a.1.message).cmp(&(b.0, b.1.code.text(), &b.1.message))
        });
        let mut faults: Vec<Fault> = self.found.into_iter().map(|(_, fault)| fault).collect();
        faults.dedup();
        faults
    }
}
