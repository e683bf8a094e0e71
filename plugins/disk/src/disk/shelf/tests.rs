//! Names that are remembered are those that are there.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

use super::Shelf;
use crate::disk::os;

fn shelf(path: &Path, locked: bool) -> Shelf {
    Shelf::new(os::open_folder(path).unwrap(), locked)
}

fn files(shelf: &Shelf) -> BTreeSet<String> {
    let files = shelf.files().unwrap();
    let names: BTreeSet<String> = files.iter().map(|named| named.file.clone()).collect();
    assert_eq!(names.len(), files.len(), "a name stands twice");
    names
}

fn there(path: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(path).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn own_changes_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path(), true);
    assert_eq!(files(&shelf), there(folder.path()));
    drop(
        shelf
            .create(".work.1.abababababababababababababababab")
            .unwrap(),
    );
    assert_eq!(files(&shelf), there(folder.path()));
    shelf
        .place(".work.1.abababababababababababababababab", "0001.a.bak")
        .unwrap();
    assert_eq!(files(&shelf), there(folder.path()));
    drop(shelf.create("0002.b").unwrap());
    shelf.replace("0002.b", "0001.a.bak").unwrap();
    assert_eq!(files(&shelf), there(folder.path()));
    assert!(shelf.create("0001.a.bak").is_err());
    assert!(shelf.place("0001.a.bak", "0001.a.bak").is_err());
    drop(shelf.create("0003.c").unwrap());
    assert!(shelf.place("0003.c", "0001.a.bak").is_err());
    assert_eq!(files(&shelf), there(folder.path()));
    shelf.remove("0001.a.bak").unwrap();
    assert_eq!(files(&shelf), there(folder.path()));
    assert!(shelf.remove("0001.a.bak").is_err());
    shelf.remove("0003.c").unwrap();
    assert_eq!(files(&shelf), BTreeSet::new());
}

#[test]
fn without_the_lock_nothing_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path(), false);
    for number in 0..50 {
        std::fs::write(folder.path().join(format!("{number:04}.x")), b"").unwrap();
        assert_eq!(files(&shelf), there(folder.path()));
    }
}

/// Under the lock only readers' holds come from elsewhere; after each record of ours they are seen,
/// however soon before it they came.
#[test]
fn what_others_left_is_seen_behind_a_record_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path(), true);
    for number in 0..50 {
        files(&shelf);
        std::fs::write(folder.path().join(format!("hold.{number}.record")), b"").unwrap();
        let name = format!("drop.{number}");
        super::super::record::put(&shelf, &name, b"{}", &[number; 16]).unwrap();
        assert_eq!(files(&shelf), there(folder.path()));
    }
}
