#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

#[test]
fn a_full_file_is_kept_once_and_a_new_one_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log").join("service.log");
    let mut log = LogFile::open(&path).unwrap();
    log.write(b"first\n").unwrap();
    drop(log);
    let mut log = LogFile::open(&path).unwrap();
    log.write(b"second\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"first\nsecond\n");
    log.write(&vec![b'x'; usize::try_from(LARGEST).unwrap()])
        .unwrap();
    log.write(b"third\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"third\n");
    let old = path.with_extension("old.log");
    assert!(fs::metadata(&old).unwrap().len() > LARGEST);
    log.length = LARGEST;
    log.write(b"fourth\n").unwrap();
    assert_eq!(fs::read(&old).unwrap(), b"third\n");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2);
}
