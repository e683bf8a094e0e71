#![allow(clippy::unwrap_used)]

use super::*;

fn sample() -> Note {
    Note::new(Draft {
        media_set: "11111111-2222-4333-8444-555555555555".parse().unwrap(),
        position: Position::FIRST,
        run: "99999999-2222-4333-8444-555555555555".parse().unwrap(),
        family: FamilyNo(1),
        media_sequence: 2,
        bytes: 262_144..1_048_576,
        data_name: "Payroll.full.20261121T010000Z.bak".to_owned(),
        written: "2026-11-21T01:00:00Z".parse().unwrap(),
    })
}

#[test]
fn the_bytes_of_format_1_are_golden() {
    let bytes = sample().to_bytes();
    insta::assert_snapshot!(String::from_utf8_lossy(&bytes), @r#"
    {"check":"e5fb942c10e46c2f884d4d8f0c105d4d11751c8d86bbac1cb1255ecb8c2b748a","format":1,"media_set":"11111111-2222-4333-8444-555555555555","position":1,"run":"99999999-2222-4333-8444-555555555555","family":1,"media_sequence":2,"from":262144,"to":1048576,"data_name":"Payroll.full.20261121T010000Z.bak","written":"2026-11-21T01:00:00Z"}
    "#);
}

#[test]
fn what_is_written_is_read() {
    let note = sample();
    let read = Note::parse(&note.to_bytes()).unwrap();
    assert_eq!(read.to_bytes(), note.to_bytes());
    assert_eq!((read.from, read.to), (262_144, 1_048_576));
}

#[test]
fn a_note_with_any_bit_flipped_or_cut_at_any_length_is_refused() {
    let bytes = sample().to_bytes();
    for at in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[at / 8] ^= 1 << (at % 8);
        assert!(Note::parse(&bad).is_err(), "bit {at}");
    }
    for length in 0..bytes.len() {
        assert!(Note::parse(&bytes[..length]).is_err(), "length {length}");
    }
}
