#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;

fn sample() -> Record {
    Record::new(Draft {
        media_set: "11111111-2222-4333-8444-555555555555".parse().unwrap(),
        sequence: 3,
        previous: Some("ab".repeat(32)),
        outcome: Outcome::Success,
        position: Position::new(2).unwrap(),
        run: "99999999-2222-4333-8444-555555555555".parse().unwrap(),
        mirrors: vec![MirrorNo(1), MirrorNo(2)],
        manifests: vec!["cd".repeat(32)],
        history: None,
        agent: "66666666-7777-4888-9999-aaaaaaaaaaaa".parse().unwrap(),
        written: "2026-11-21T01:00:00Z".parse().unwrap(),
        note: None,
    })
}

#[test]
fn the_bytes_of_format_1_are_golden() {
    insta::assert_snapshot!(String::from_utf8(sample().to_bytes()).unwrap());
}

#[test]
fn every_flipped_bit_and_every_cut_is_found() {
    let bytes = sample().to_bytes();
    assert_eq!(Record::parse(&bytes).unwrap().to_bytes(), bytes);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            assert!(Record::parse(&altered).is_err(), "byte {at} bit {bit}");
        }
        assert!(Record::parse(&bytes[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn a_signed_record_is_golden_and_every_flipped_bit_of_it_is_found() {
    let signer = Signer::from_text(&"9d".repeat(32)).unwrap();
    let record = sample().signed(Some(&signer));
    assert_eq!(record.signature(), Signed::By(signer.public()));
    let bytes = record.to_bytes();
    insta::assert_snapshot!(std::str::from_utf8(&bytes).unwrap());
    let read = Record::parse(&bytes).unwrap();
    assert_eq!(
        (read.to_bytes(), read.signature()),
        (bytes.clone(), record.signature())
    );
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            assert!(Record::parse(&altered).is_err(), "byte {at} bit {bit}");
        }
    }
    assert_eq!(sample().signature(), Signed::No);
}

#[test]
fn a_changed_fact_breaks_the_signature() {
    let signer = Signer::from_text(&"9d".repeat(32)).unwrap();
    let mut record = sample().signed(Some(&signer));
    record.mirrors.pop();
    let forged = Record::parse(&record.to_bytes()).unwrap();
    assert_eq!(forged.signature(), Signed::Bad);
}

#[test]
fn a_newer_format_is_refused_with_both_versions() {
    let mut record = sample();
    record.format = 9;
    let error = Record::parse(&record.to_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "record has format 9, this version reads up to 1"
    );
}
