#![allow(clippy::unwrap_used)]

use super::flags::{Grave, flag};
use super::{Book, PAGE_FLAGS, PAGE_ROOM, Room, TOLD_MAX, read_flags, read_room};

/// A log page as drives send it.
fn page(code: u8, parameters: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (code, value) in parameters {
        body.extend_from_slice(&code.to_be_bytes());
        body.extend_from_slice(&[0x60, value.len() as u8]);
        body.extend_from_slice(value);
    }
    let length = (body.len() as u16).to_be_bytes();
    [&[code, 0], &length[..], &body].concat()
}

/// All 64 flags, with these set.
fn flags(set: &[u8]) -> Vec<u8> {
    let value = |number: u16| u8::from(set.contains(&(number as u8)));
    let values: Vec<[u8; 1]> = (1..=64).map(|number| [value(number)]).collect();
    let rows: Vec<(u16, &[u8])> = (1..).zip(values.iter().map(|value| &value[..])).collect();
    page(PAGE_FLAGS, &rows)
}

fn room(free: u32, capacity: u32) -> Vec<u8> {
    let [free, capacity] = [free, capacity].map(u32::to_be_bytes);
    let zero = [0; 4];
    page(
        PAGE_ROOM,
        &[(1, &free), (2, &zero), (3, &capacity), (4, &zero)],
    )
}

#[test]
fn flags_are_read_as_drives_send_them() {
    assert_eq!(flags(&[]).len(), 4 + 64 * 5);
    assert_eq!(read_flags(&flags(&[])).unwrap(), [0_u8; 0]);
    assert_eq!(read_flags(&flags(&[3, 20, 64])).unwrap(), [3, 20, 64]);
    // With bits that say what may be saved, fewer flags, and what the program read behind.
    let mut some = page(PAGE_FLAGS | 0x80, &[(20, &[1]), (21, &[0])]);
    some.extend([9; 7]);
    assert_eq!(read_flags(&some).unwrap(), [20]);
}

#[test]
fn room_is_told_in_bytes() {
    let some = Room {
        free: 1000 << 20,
        capacity: 400_308 << 20,
    };
    assert_eq!(read_room(&room(1000, 400_308)).unwrap(), Some(some));
    assert_eq!(read_room(&room(0, 0)).unwrap(), None);
    assert_eq!(read_room(&page(PAGE_ROOM, &[])).unwrap(), None);
    assert_eq!(read_room(&page(PAGE_ROOM, &[(1, &[0; 4])])).unwrap(), None);
}

#[test]
fn an_odd_answer_is_not_believed() {
    let wide = page(PAGE_FLAGS, &[(1, &[1, 1])]);
    let far = page(PAGE_FLAGS, &[(65, &[1])]);
    let zero = page(PAGE_FLAGS, &[(0, &[1])]);
    let twice = page(PAGE_FLAGS, &[(2, &[1]), (2, &[0])]);
    let half = flags(&[1])[..200].to_vec();
    let rows: [(&[u8], &str); 8] = [
        (b"", "it ends too early"),
        (b"\x2e\0\0", "it ends too early"),
        (&half, "it ends too early"),
        (&wide, "flag 1 has 2 bytes"),
        (&far, "flag 65 has 1 bytes"),
        (&zero, "flag 0 has 1 bytes"),
        (&twice, "parameter 2 is out of order"),
        (b"    HP        Ultrium", "it is page 20h of 32"),
    ];
    for (bytes, why) in rows {
        assert_eq!(read_flags(bytes).unwrap_err(), why);
    }
    assert_eq!(
        read_room(&room(2, 1)).unwrap_err(),
        "2097152 of 1048576 bytes are left"
    );
    let narrow = page(PAGE_ROOM, &[(1, &[1, 1])]);
    assert_eq!(read_room(&narrow).unwrap_err(), "parameter 1 has 2 bytes");
}

/// Cut anywhere or with any byte changed, an answer is refused or says nothing that its flags do not
/// say; and so is noise.
#[test]
fn no_bytes_break_the_reader() {
    let whole = flags(&[3, 20]);
    for at in 0..whole.len() {
        assert_eq!(read_flags(&whole[..at]).unwrap_err(), "it ends too early");
        for byte in 0..=255 {
            let mut changed = whole.clone();
            changed[at] = byte;
            if let Ok(read) = read_flags(&changed) {
                assert!(
                    read.len() <= 3 && read.iter().all(|n| (1..=64).contains(n)),
                    "{at}"
                );
            }
            let mut changed = room(5, 10);
            let place = at % changed.len();
            changed[place] = byte;
            if let Ok(Some(read)) = read_room(&changed) {
                assert!(read.free <= read.capacity);
            }
        }
    }
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for length in 0..4000 {
        let mut noise = Vec::new();
        for _ in 0..length % 97 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            noise.push(seed as u8);
        }
        if let [first, second, third, ..] = &mut noise[..] {
            (*first, *second, *third) = (PAGE_FLAGS, 0, 0);
        }
        if let Ok(read) = read_flags(&noise) {
            assert!(read.iter().all(|number| (1..=64).contains(number)));
        }
        let _ = read_room(&noise);
    }
}

#[test]
fn every_flag_has_words_and_what_to_do() {
    for number in 1..=64 {
        let flag = flag(number);
        assert_eq!(flag.number, number);
        for text in [flag.name, flag.means, flag.remedy] {
            assert!(!text.is_empty(), "{number}");
        }
        // Where the host cuts a line.
        assert!(
            !flag.name.contains(": ") && !flag.name.contains("; "),
            "{number}"
        );
        assert!(!flag.means.contains("; "), "{number}");
    }
    let grave = |grave| (1..=64).filter(|n| flag(*n).grave == grave).count();
    assert_eq!((grave(Grave::Critical), grave(Grave::Warning)), (20, 26));
}

#[test]
fn each_is_told_once_and_the_gravest_first() {
    let book = Book::default();
    assert_eq!(book.note(&[21, 1, 19], "TWN001").len(), 3);
    assert_eq!(book.note(&[21, 1, 20], "TWN002").len(), 2);
    assert_eq!(book.note(&[21, 1, 20], "TWN002"), [""; 0]);
    let verify = "verify its media set, repair what is bad, and take it out of use";
    let read = |cartridge: &str| {
        format!(
            "warning: read warning (TapeAlert 1), cartridge {cartridge}: reading is hard, the \
             data are still good; {verify}"
        )
    };
    assert_eq!(
        book.lines(),
        [
            "critical: clean now (TapeAlert 20): the drive must be cleaned before it goes on \
             (cartridge TWN002 was in it); put a cleaning cartridge in",
            &read("TWN001"),
            &read("TWN002"),
            "warning: clean periodic (TapeAlert 21): the drive is due for cleaning (cartridge \
             TWN001 was in it); put a cleaning cartridge in",
            "note: nearing media life (TapeAlert 19), cartridge TWN001: the cartridge comes to the \
             end of its life; have another one ready",
        ]
    );
    let all: Vec<u8> = (1..=64).collect();
    for cartridge in 0..20 {
        book.note(&all, &format!("A\n{cartridge}"));
    }
    let lines = book.lines();
    assert!(lines.concat().len() + lines.len() <= TOLD_MAX);
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("critical: ") && !line.contains('\n'))
    );
}
