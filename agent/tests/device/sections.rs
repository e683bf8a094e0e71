//! Sections: create-only, whole or invisible, in the order of their numbers.

use std::fs;
use std::os::unix::fs::symlink;

use twinset::device::{Access, Outcome, SectionMode, SectionRequest};

use crate::plugins::{Place, RUN, get, put, section};

const RUN_HEX: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

#[test]
fn a_section_is_invisible_until_it_is_ended_and_then_it_is_all_there() {
    let place = Place::new();
    let mut handle = place.blank();
    handle
        .begin_section(&section(1, "Payroll.full.bak"))
        .unwrap();
    handle.write(b"first ").unwrap();
    handle.sync().unwrap();
    handle.write(b"second").unwrap();
    assert_eq!(place.files(), [format!(".work.1.{RUN_HEX}")]);
    assert!(handle.sections().unwrap().is_empty() && handle.leftovers().unwrap().is_empty());
    handle.end_section().unwrap();
    assert_eq!(place.files(), ["0001.Payroll.full.bak"]);
    let found = handle.sections().unwrap();
    assert_eq!(
        (found[0].index, found[0].length, found[0].name.as_str()),
        (1, 12, "Payroll.full.bak")
    );
    assert_eq!(get(&mut handle, 1), b"first second");
}

#[test]
fn a_number_is_given_once_whatever_the_name() {
    let place = Place::new();
    let mut handle = place.blank();
    put(&mut handle, 1, "a.bak", b"a");
    let fault = handle.begin_section(&section(1, "b.bak")).unwrap_err();
    assert_eq!(
        (fault.outcome, fault.call),
        (Outcome::EXISTS, "begin_section")
    );
    assert_eq!(get(&mut handle, 1), b"a");
}

#[test]
fn a_section_that_appeared_meanwhile_is_not_replaced() {
    let place = Place::new();
    let mut handle = place.blank();
    handle.begin_section(&section(1, "a.bak")).unwrap();
    handle.write(b"ours").unwrap();
    fs::write(place.volume().join("0001.a.bak"), b"theirs").unwrap();
    assert_eq!(handle.end_section().unwrap_err().outcome, Outcome::EXISTS);
    handle.abort_section().unwrap();
    assert_eq!(place.files(), ["0001.a.bak"]);
    assert_eq!(get(&mut handle, 1), b"theirs");
}

#[test]
fn an_aborted_section_leaves_nothing_and_its_number_is_free() {
    let place = Place::new();
    let mut handle = place.blank();
    handle.begin_section(&section(1, "a.bak")).unwrap();
    handle.write(&[1; 100_000]).unwrap();
    handle.abort_section().unwrap();
    handle.abort_section().unwrap();
    assert!(place.files().is_empty());
    put(&mut handle, 1, "a.bak", b"again");
}

#[test]
fn calls_out_of_order_are_refused() {
    let place = Place::new();
    let mut handle = place.open(Access::Write);
    assert_eq!(handle.sections().unwrap_err().outcome, Outcome::NO_MEDIUM);
    let mut handle = place.blank();
    assert!(
        handle
            .end_section()
            .unwrap_err()
            .text
            .contains("no section is begun")
    );
    assert!(
        handle
            .write(b"x")
            .unwrap_err()
            .text
            .contains("no section is begun")
    );
    handle.abort_section().unwrap();
    handle.begin_section(&section(1, "a")).unwrap();
    let fault = handle.begin_section(&section(2, "b")).unwrap_err();
    assert!(fault.text.contains("begun already"), "{fault}");
    assert!(
        handle
            .read(&mut [0])
            .unwrap_err()
            .text
            .contains("no section is open")
    );
    assert_eq!(
        handle.open_section(9).unwrap_err().outcome,
        Outcome::NOT_FOUND
    );
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let place = Place::new();
    let mut handle = place.blank();
    for name in ["../x", "a/b", "", "x.record", "a b"] {
        let fault = handle.begin_section(&section(1, name)).unwrap_err();
        assert_eq!(fault.outcome, Outcome::PERMANENT, "{name}");
    }
}

#[test]
fn sections_come_in_the_order_of_their_numbers_however_many() {
    let place = Place::new();
    let mut handle = place.blank();
    put(&mut handle, 10_001, "last", b"x");
    for index in (0..1100).rev() {
        fs::write(place.volume().join(format!("{index:04}.s")), [0; 3]).unwrap();
    }
    let found = handle.sections().unwrap();
    assert_eq!(found.len(), 1101);
    assert!(
        found[..1100]
            .iter()
            .enumerate()
            .all(|(at, s)| s.index == at as u64 && s.length == 3)
    );
    assert_eq!(found[1100].index, 10_001);
}

#[test]
fn a_number_that_lies_there_twice_is_an_error_that_names_both() {
    let place = Place::new();
    let mut handle = place.blank();
    put(&mut handle, 1, "a.bak", b"a");
    fs::write(place.volume().join("00001.b.bak"), b"b").unwrap();
    let fault = handle.sections().unwrap_err();
    assert_eq!(fault.outcome, Outcome::PERMANENT);
    assert!(
        fault.text.contains("00001.b.bak") && fault.text.contains("0001.a.bak"),
        "{fault}"
    );
    assert!(handle.open_section(1).is_err());
}

#[test]
fn links_in_a_volume_are_refused() {
    let place = Place::new();
    let mut handle = place.blank();
    symlink("/etc/passwd", place.volume().join("0001.a.bak")).unwrap();
    let fault = handle.open_section(1).unwrap_err();
    assert!(
        fault
            .text
            .contains("symbolic links in a volume are refused"),
        "{fault}"
    );
    assert!(handle.sections().unwrap_err().text.contains("0001.a.bak"));
    symlink("/etc/passwd", place.volume().join("x.record")).unwrap();
    assert!(handle.get_record("x").is_err());
    let made = std::process::Command::new("mkfifo")
        .arg(place.volume().join("0002.pipe"))
        .status();
    if made.is_ok_and(|status| status.success()) {
        assert!(
            handle
                .open_section(2)
                .unwrap_err()
                .text
                .contains("not a regular file")
        );
    }
}

#[test]
fn a_repaired_section_replaces_the_damaged_one_when_it_is_whole() {
    let place = Place::new();
    let mut handle = place.blank();
    put(&mut handle, 1, "a.bak", b"damaged");
    put(&mut handle, 2, "b.json", b"keep");
    let repair = |name| SectionRequest {
        mode: SectionMode::Repair,
        ..section(1, name)
    };
    handle.begin_section(&repair("a.bak")).unwrap();
    handle.write(b"sound").unwrap();
    assert_eq!(get(&mut handle, 1), b"damaged");
    handle.end_section().unwrap();
    assert_eq!(get(&mut handle, 1), b"sound");
    handle.begin_section(&repair("other.bak")).unwrap();
    handle.write(b"renamed").unwrap();
    handle.end_section().unwrap();
    assert_eq!(place.files(), ["0001.other.bak", "0002.b.json"]);
    assert_eq!(get(&mut handle, 1), b"renamed");
}

#[test]
fn reading_can_begin_anywhere_and_ends_at_the_end() {
    let place = Place::new();
    let mut handle = place.blank();
    let bytes: Vec<u8> = (0..9 * 1024 * 1024_u32).map(|n| (n % 251) as u8).collect();
    put(&mut handle, 1, "a.bak", &bytes);
    assert_eq!(get(&mut handle, 1), bytes);
    handle.seek(9_000_000).unwrap();
    let mut buffer = vec![0; 1000];
    assert_eq!(handle.read(&mut buffer).unwrap(), 1000);
    assert_eq!(buffer, bytes[9_000_000..9_001_000]);
    handle.seek(bytes.len() as u64).unwrap();
    assert_eq!(handle.read(&mut buffer).unwrap(), 0);
    let fault = handle.seek(bytes.len() as u64 + 1).unwrap_err();
    assert_eq!(fault.outcome, Outcome::END_OF_SECTION);
}

#[test]
fn removal_takes_one_section_and_truncation_takes_the_rest() {
    let place = Place::new();
    let mut handle = place.blank();
    for index in 0..6 {
        put(&mut handle, index, "s", b"x");
    }
    handle.remove_section(1).unwrap();
    assert_eq!(
        handle.remove_section(1).unwrap_err().outcome,
        Outcome::NOT_FOUND
    );
    handle.truncate(4).unwrap();
    assert_eq!(place.files(), ["0000.s", "0002.s", "0003.s"]);
}

#[test]
fn leftovers_tell_run_and_section_and_foreign_files_are_left_alone() {
    let place = Place::new();
    let mut handle = place.blank();
    handle.begin_section(&section(7, "a.bak")).unwrap();
    handle.write(b"half").unwrap();
    drop(handle);
    fs::write(place.volume().join("notes.txt"), b"mine").unwrap();
    fs::create_dir(place.volume().join("folder")).unwrap();
    let mut handle = place.existing(Access::Write);
    let left = handle.leftovers().unwrap();
    let work = format!(".work.7.{RUN_HEX}");
    assert_eq!(
        left.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(),
        [&work, "folder", "notes.txt"]
    );
    assert_eq!(
        (left[0].run_id, left[0].index, left[0].length),
        (Some(RUN), Some(7), 4)
    );
    assert_eq!(
        (left[2].run_id, left[2].index, left[2].length),
        (None, None, 4)
    );
    assert!(handle.remove_leftover("notes.txt").is_err());
    assert!(handle.remove_leftover("../notes.txt").is_err());
    handle.remove_leftover(&work).unwrap();
    assert_eq!(place.files(), ["folder", "notes.txt"]);
}

#[test]
fn an_empty_file_beside_work_of_its_number_is_a_claim_and_goes_with_it() {
    let place = Place::new();
    let mut handle = place.blank();
    let work = format!(".work.3.{RUN_HEX}");
    fs::write(place.volume().join(&work), b"whole").unwrap();
    fs::write(place.volume().join("0003.a.bak"), b"").unwrap();
    assert!(handle.sections().unwrap().is_empty());
    handle.remove_leftover(&work).unwrap();
    assert!(place.files().is_empty());
}

#[test]
fn the_space_of_the_volume_is_told() {
    let place = Place::new();
    let status = place.blank().status().unwrap();
    assert!(status.free.unwrap() > 0 && status.capacity.unwrap() >= status.free.unwrap());
}
