#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Where, parse};
use crate::tape::changer::By;

#[test]
fn a_drive_and_an_image_are_places() {
    let drive = parse(r#"{"drive":"/dev/nst0","block_size":"64KiB","compression":false}"#);
    let drive = drive.unwrap();
    assert_eq!(drive.place, Where::Drive("/dev/nst0".into()));
    assert_eq!((drive.block, drive.compression), (65_536, Some(false)));
    let image = parse(r#"{"image":"/t/a.tap","capacity":"16MiB"}"#).unwrap();
    assert_eq!(image.place, Where::Image("/t/a.tap".into()));
    assert_eq!((image.block, image.capacity), (262_144, Some(16 << 20)));
    parse(r#"{"drive":"/dev/tape/by-id/scsi-35000-nst"}"#).unwrap();
}

#[test]
fn a_library_has_an_arm_and_may_be_divided() {
    let options = r#"{"drive":"/dev/nst0","changer":"/dev/sg3","drive_element":0,
        "slots":"1-4, 7","barcodes":"TWN*"}"#;
    let robot = parse(options).unwrap().robot.unwrap();
    let by = By::Mtx {
        program: "/usr/sbin/mtx".into(),
        node: "/dev/sg3".into(),
    };
    assert_eq!((robot.by, robot.element), (by, Some(0)));
    assert_eq!(robot.rules.slots, [(1, 4), (7, 7)]);
    assert_eq!(robot.rules.barcodes.as_deref(), Some("TWN*"));
    let options = parse(r#"{"library":"/t/lib","cartridges":4}"#).unwrap();
    assert_eq!(options.place, Where::Library("/t/lib".into()));
    assert_eq!(
        (options.cartridges, options.robot.unwrap().element),
        (4, None)
    );
    assert_eq!(parse(r#"{"library":"/t/lib"}"#).unwrap().cartridges, 0);
}

#[test]
fn every_refusal_names_its_key() {
    let rows = [
        (r#"[]"#, "options: "),
        (r#"{}"#, "drive: missing"),
        (r#"{"drive":"/dev/st0"}"#, "drive: closing /dev/st0 rewinds"),
        (
            r#"{"drive":"/dev/tape/by-id/scsi-35000"}"#,
            "drive: closing",
        ),
        (r#"{"drive":"nst0"}"#, "drive: must be an absolute path"),
        (r#"{"drive":"/dev/nst0","image":"/a"}"#, "image: "),
        (r#"{"image":"/a","block_size":1000}"#, "block_size: "),
        (r#"{"image":"/a","block_size":"2MiB"}"#, "block_size: "),
        (r#"{"image":"/a","capacity":4096}"#, "capacity: at least"),
        (
            r#"{"drive":"/dev/nst0","capacity":"1GiB"}"#,
            "capacity: a drive",
        ),
        (
            r#"{"image":"/a","capacity":"1 GB"}"#,
            "capacity: must be bytes",
        ),
        (r#"{"image":"/a","compression":true}"#, "compression: "),
        (r#"{"image":"/a","shelf":"/b"}"#, "shelf: a device has one"),
        (r#"{"shelf":"b"}"#, "shelf: must be an absolute path"),
        (r#"{"image":"/a","cartridges":3}"#, "cartridges: only"),
        (r#"{"shelf":"/a","cartridges":0}"#, "cartridges: must be"),
        (r#"{"shelf":"/a","last":"x"}"#, "last: must be"),
        (r#"{"image":"/a","path":"/b"}"#, "path: unknown option"),
        (r#"{"image":"/a","library":"/b"}"#, "library: has drives"),
        (
            r#"{"image":"/a","changer":"/dev/sg1"}"#,
            "changer: only with",
        ),
        (
            r#"{"library":"/a","changer":"/dev/sg1"}"#,
            "changer: a virtual",
        ),
        (r#"{"library":"/a","mtx":"/bin/mtx"}"#, "mtx: only with"),
        (
            r#"{"drive":"/dev/nst0","mtx":"/bin/mtx"}"#,
            "mtx: only with",
        ),
        (r#"{"drive":"/dev/nst0","slots":"1"}"#, "slots: only with"),
        (r#"{"library":"/a","slots":"4-1"}"#, "slots: must be"),
        (r#"{"library":"/a","slots":"0-1"}"#, "slots: must be"),
        (r#"{"library":"/a","slots":"1,"}"#, "slots: must be"),
        (r#"{"library":"/a","barcodes":""}"#, "barcodes: must be"),
        (
            r#"{"library":"/a","drive_element":-1}"#,
            "drive_element: must be",
        ),
        (
            r#"{"library":"/a","drive_element":"1"}"#,
            "drive_element: must be",
        ),
    ];
    for (options, begins) in rows {
        let text = parse(options).unwrap_err().text;
        assert!(text.starts_with(begins), "{options}: {text}");
    }
}
