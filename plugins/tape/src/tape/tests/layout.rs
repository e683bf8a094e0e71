//! What lies on a tape, read without Twinset.

use twinset_plugin_api::Access;

use super::super::label::{Kind, Label};
use super::{NEW, Shelf, bytes, files, objects, put};

#[test]
fn the_first_tape_file_behind_the_header_is_the_native_backup() {
    let shelf = Shelf::new();
    let data = shelf.with_set(100_000);
    let files = files(&shelf.image());
    assert!(files[1] == data);
    assert!(files[0].starts_with(b"TAPE header"));
    assert_eq!(
        files.len(),
        6,
        "header, data, its label, manifest, verdict, the end"
    );
    let kinds: Vec<Option<Kind>> = files[2..5]
        .iter()
        .map(|file| Label::parse(&file[..1024]).map(|label| label.kind))
        .collect();
    let expected = [Kind::Data, Kind::Section, Kind::Record].map(Some);
    assert_eq!(kinds, expected);
    assert_eq!(&files[3][1024..], b"{manifest}");
    // Whole blocks, and a short one last.
    let blocks: Vec<usize> = objects(&shelf.image())[3..28]
        .iter()
        .map(Vec::len)
        .collect();
    assert!(
        blocks[..24].iter().all(|length| *length == 4096),
        "{blocks:?}"
    );
    assert_eq!(blocks[24], 100_000 % 4096);
}

#[test]
fn a_second_set_follows_the_first() {
    let shelf = Shelf::new();
    shelf.with_set(10_000);
    let mut device = shelf.open(Access::Write);
    device
        .mount(twinset_plugin_api::Mount::Existing(super::KEY))
        .unwrap();
    put(&mut *device, 3, "p.log.trn", NEW, &bytes(5000));
    drop(device);
    assert_eq!(files(&shelf.image())[5], bytes(5000));
}
