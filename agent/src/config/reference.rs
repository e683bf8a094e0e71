//! The reference page of the configuration, written from the one list of keys.

use std::fmt::Write;

use super::raw::{Key, keys};

/// The tables of `docs/reference-configuration.md`, in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::new();
    let mut file = "";
    let mut table = None;
    for key in keys() {
        if key.file != file {
            file = key.file;
            table = None;
            // Writing into a string cannot fail.
            let _ = write!(page, "## {file}\n\n");
        }
        if table != Some(key.table) {
            if table.is_some() {
                page.push('\n');
            }
            table = Some(key.table);
            let title = if key.table.is_empty() {
                "Top of the file"
            } else {
                key.table
            };
            let _ = write!(
                page,
                "### {title}\n\n| key | type | default | meaning |\n|---|---|---|---|\n"
            );
        }
        row(&mut page, &key);
    }
    page
}

fn row(page: &mut String, key: &Key) {
    let meaning = key.meaning.trim();
    let _ = writeln!(
        page,
        "| `{}` | {} | {} | {meaning} |",
        key.name, key.kind, key.default
    );
}
