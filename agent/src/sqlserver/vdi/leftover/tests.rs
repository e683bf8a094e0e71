#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

#[test]
fn only_objects_of_that_set_go() {
    let folder = tempfile::tempdir().unwrap();
    let mine = [
        "Host_twinset-7_SQLVDIMemoryName_0",
        "sem.twinset-7-1",
        "twinset-7",
    ];
    let others = [
        "Host_twinset-77_SQLVDIMemoryName_0",
        "Host_xtwinset-7_a",
        "twinset",
        "other",
    ];
    for name in mine.iter().chain(&others) {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    assert_eq!(remove_in(folder.path(), "twinset-7"), mine.len());
    for name in others {
        assert!(folder.path().join(name).exists(), "{name}");
    }
    assert_eq!(remove_in(folder.path(), ""), 0);
    assert_eq!(remove_in(Path::new("/no/such/folder"), "twinset-7"), 0);
}
