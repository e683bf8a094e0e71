#![allow(clippy::unwrap_used, clippy::panic)]
use proptest::prelude::*;

use super::*;

pub(crate) fn sample() -> MediaHeader {
    let draft = Draft {
        media_set: "11111111-2222-4333-8444-555555555555".parse().unwrap(),
        name: "Payroll media".to_owned(),
        description: "Größe: 2 x 2".to_owned(),
        shape: Shape {
            families: 2,
            mirrors: 2,
        },
        written: "2026-11-21T01:00:00Z".parse().unwrap(),
        block_size: 4096,
        encoding: "raw".to_owned(),
        agent: "66666666-7777-4888-9999-aaaaaaaaaaaa".parse().unwrap(),
        agent_name: "sql-a".to_owned(),
    };
    let slot = Slot {
        mirror: MirrorNo(2),
        family: FamilyNo(1),
    };
    let family = "bbbbbbbb-cccc-4ddd-8eee-ffffffffffff".parse().unwrap();
    let mut header = MediaHeader::new(&draft, slot, family);
    header.software = "Twinset 0.1.0".to_owned();
    header
}

#[test]
fn the_bytes_of_format_1_are_golden() {
    let bytes = sample().to_disk_bytes().unwrap();
    assert_eq!(bytes.len(), DISK_BYTES);
    assert_eq!(&bytes[..4], b"TAPE");
    assert_eq!(&bytes[BLOCK..BLOCK + 4], b"SFMB");
    assert_eq!(&bytes[86..88], b"WT", "vendor id 0x5457, little-endian");
    let expected = "cac01aa59ccab7661924b3a7f71b2c0628e07487a32d1833cbc867abd717cb7f";
    assert_eq!(blake3::hash(&bytes).to_hex().as_str(), expected);
}

#[test]
fn what_is_written_is_read() {
    let header = sample();
    let read = MediaHeader::parse(&header.to_disk_bytes().unwrap()).unwrap();
    assert_eq!(
        read,
        MediaHeader {
            check: read.check.clone(),
            ..header
        }
    );
}

#[test]
fn every_flipped_bit_is_found() {
    let bytes = sample().to_disk_bytes().unwrap();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1 << (at % 8);
        assert!(MediaHeader::parse(&altered).is_err(), "byte {at}");
    }
}

#[test]
fn every_cut_is_found() {
    let bytes = sample().to_disk_bytes().unwrap();
    for length in 0..bytes.len() {
        assert!(MediaHeader::parse(&bytes[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_newer_format_is_refused_with_both_versions() {
    let mut header = sample();
    header.format = 2;
    let error = MediaHeader::parse(&header.to_disk_bytes().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "media header has format 2, this version reads up to 1"
    );
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let mut header = sample();
    header.name = "x".repeat(129);
    let error = header.to_disk_bytes().unwrap_err();
    assert_eq!(error.to_string(), "media name has 129 bytes, 128 expected");
    header.name = "a\nb".to_owned();
    assert!(header.to_disk_bytes().is_err());
    header.name = "𝕏".repeat(64);
    header.description = "漢".repeat(255);
    header.agent_name = "x".repeat(128);
    MediaHeader::parse(&header.to_disk_bytes().unwrap()).unwrap();
}

proptest! {
    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
        let _ = MediaHeader::parse(&bytes);
        let mut tape = bytes;
        if tape.len() > 60 {
            tape[..4].copy_from_slice(b"TAPE");
            let sum = fields::xor16(&tape[..50]);
            tape[50..52].copy_from_slice(&sum.to_le_bytes());
        }
        let _ = MediaHeader::parse(&tape);
    }
}

#[test]
fn a_tape_header_has_no_soft_filemark_and_reads_back() {
    let bytes = sample().to_bytes(Form::Tape).unwrap();
    assert_eq!(bytes.len(), TAPE_BYTES);
    assert_eq!(bytes[56] & 1, 0, "bit 0: soft filemarks in use");
    assert_eq!(sample().to_disk_bytes().unwrap()[56] & 1, 1);
    assert_eq!(MediaHeader::parse(&bytes).unwrap().slot(), sample().slot());
    // Its own form is part of what is proved: neither is the beginning of the other.
    let disk = sample().to_disk_bytes().unwrap();
    assert!(MediaHeader::parse(&disk[..TAPE_BYTES]).is_err());
}
