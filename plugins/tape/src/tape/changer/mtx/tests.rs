#![allow(clippy::unwrap_used)]

use super::super::inventory::{At, Element};
use super::parse;

/// As mtx 1.3.12 prints it.
const TOLD: &str = "  Storage Changer /dev/sg3:2 Drives, 7 Slots ( 1 Import/Export )
Data Transfer Element 0:Full (Storage Element 1 Loaded):VolumeTag = TVM001L8                        
Data Transfer Element 1:Empty
      Storage Element 1:Empty
      Storage Element 2:Full :VolumeTag=TVM002L8                        
      Storage Element 3:Full :VolumeTag=CLNU01L1
      Storage Element 4:Full 
      Storage Element 5:Full :VolumeTag=TWIN:AlternateVolumeTag=X
      Storage Element 6:Full :VolumeTag=TWIN
      Storage Element 7 IMPORT/EXPORT:Full :VolumeTag=NEW001L8
";

#[test]
fn every_kind_of_line_is_read() {
    let inventory = parse(TOLD).unwrap();
    assert_eq!(inventory.drives.len(), 2);
    let first = Element {
        number: 0,
        full: true,
        barcode: Some("TVM001L8".to_owned()),
        from: Some(1),
        mail: false,
    };
    assert_eq!(inventory.drives[0], first);
    assert!(!inventory.drives[1].full && !inventory.slots[0].full);
    assert!(inventory.slots[6].mail && inventory.slots[6].full);
    let named = inventory.cartridges();
    let names: Vec<_> = named
        .iter()
        .map(|(name, (at, _))| (name.as_str(), *at))
        .collect();
    // Two with one barcode are known by their slots, and so is one without any.
    assert_eq!(
        names,
        [
            ("CLNU01L1", At::Slot(3)),
            ("NEW001L8", At::Slot(7)),
            ("TVM001L8", At::Drive(0)),
            ("TVM002L8", At::Slot(2)),
            ("slot 4", At::Slot(4)),
            ("slot 5", At::Slot(5)),
            ("slot 6", At::Slot(6)),
        ]
    );
    let unknown = TOLD.replace(
        "(Storage Element 1 Loaded)",
        "(Unknown Storage Element Loaded)",
    );
    assert_eq!(parse(&unknown).unwrap().drives[0].from, None);
}

#[test]
fn what_is_not_understood_is_not_believed() {
    let rows = [
        ("", "the line ``"),
        ("mtx: Request Sense: Long Report=yes\n", "the line `mtx:"),
        (
            &TOLD.replace("7 Slots", "8 Slots"),
            "it says 2 drives and 8 slots",
        ),
        (
            &TOLD.replace("2 Drives", "-2 Drives"),
            "the line `  Storage Changer",
        ),
        (
            &TOLD.replace("Element 4:", "Element 2:"),
            "the line `      Storage Element 2:Full ",
        ),
        (&TOLD.replace("Element 2:", "Element 0:"), "the line"),
        (&TOLD.replace("Element 4:", "Element 70000:"), "the line"),
        (&TOLD.replace("1:Empty\nD", "1:Half\nD"), "the line"),
        (
            &TOLD.replace("1:Empty\n ", "1:Jammed\n "),
            "the line `Data Transfer Element 1:Jammed`",
        ),
    ];
    for (text, begins) in rows {
        if text == TOLD {
            continue;
        }
        let why = parse(text).unwrap_err();
        assert!(why.starts_with(begins), "{text}\n{why}");
    }
}

/// Cut anywhere, with any byte changed: it is refused, or says no more than was printed.
#[test]
fn no_change_of_a_byte_makes_up_a_cartridge() {
    let sound = parse(TOLD).unwrap();
    let bytes = TOLD.as_bytes();
    for at in 0..bytes.len() {
        let cut = String::from_utf8_lossy(&bytes[..at]).into_owned();
        if let Ok(read) = parse(&cut) {
            assert_eq!(read.slots.len(), sound.slots.len(), "{cut}");
        }
        for byte in [b'0', b'9', b':', b' ', b'\n', b'E', b'(', 0, 0xff] {
            let mut changed = bytes.to_vec();
            changed[at] = byte;
            let changed = String::from_utf8_lossy(&changed).into_owned();
            let Ok(read) = parse(&changed) else { continue };
            let differs = |a: &[Element], b: &[Element]| {
                assert_eq!(a.len(), b.len(), "{changed}");
                a.iter().zip(b).filter(|(a, b)| a.full != b.full).count()
            };
            let moved = differs(&read.drives, &sound.drives) + differs(&read.slots, &sound.slots);
            assert_eq!(moved, 0, "{changed}");
        }
    }
}
