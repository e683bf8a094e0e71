#![allow(clippy::unwrap_used, clippy::panic)]
use proptest::prelude::*;
use twinset_domain::Lsn;

use super::*;
use crate::tree::TreeHasher;

fn sample(length: usize) -> Manifest {
    let mut hasher = TreeHasher::new();
    hasher.update(&vec![7; length]);
    let set = SetFacts {
        number: 1,
        database: Some("Payroll \"2026\"\n".to_owned()),
        kind: Some(BackupKind::Full),
        first_lsn: Some(Lsn::from_parts(39, 1720, 1)),
        ..SetFacts::default()
    };
    let draft = Draft {
        media_set: "11111111-2222-4333-8444-555555555555".parse().unwrap(),
        position: Position::FIRST,
        run: "99999999-2222-4333-8444-555555555555".parse().unwrap(),
        family: FamilyNo(1),
        shape: Shape {
            families: 2,
            mirrors: 2,
        },
        source: Source::Vdi,
        database: "Payroll".to_owned(),
        kind: Some(BackupKind::Full),
        container: Container::Mtf,
        sets: vec![set],
        data_name: "Payroll.full.20261121T010000Z.bak".to_owned(),
        block_size: Some(4096),
        max_transfer_size: Some(1 << 20),
        agent: "66666666-7777-4888-9999-aaaaaaaaaaaa".parse().unwrap(),
        written: "2026-11-21T01:00:00Z".parse().unwrap(),
        circumstances: Circumstances {
            copy_only: false,
            ..Circumstances::default()
        },
        parts: Vec::new(),
        incomplete: false,
    };
    let mut manifest = Manifest::raw(draft, hasher.finish());
    manifest.facts.software = "Twinset 0.1.0".to_owned();
    manifest
}

#[test]
fn the_bytes_of_format_1_are_golden() {
    let bytes = sample(9 << 20).to_bytes();
    let line = std::str::from_utf8(&bytes[..bytes.iter().position(|b| *b == b'\n').unwrap()]);
    insta::assert_snapshot!(line.unwrap());
    assert_eq!(bytes.len(), line.unwrap().len() + 1 + 3 * 32);
}

#[test]
fn parts_that_are_not_as_long_as_the_section_are_refused() {
    let part = |media_sequence, length| Part {
        media_sequence,
        length,
    };
    let mut manifest = sample(9 << 20);
    manifest.facts.parts = vec![part(1, 8 << 20), part(2, 1 << 20)];
    assert_eq!(
        Manifest::parse(&manifest.to_bytes()).unwrap().facts.parts,
        manifest.facts.parts
    );
    manifest.facts.parts = vec![part(1, 8 << 20), part(2, u64::MAX)];
    assert!(Manifest::parse(&manifest.to_bytes()).is_err());
}

#[test]
fn what_is_written_is_read() {
    for length in [0, 1, 4 << 20, (4 << 20) + 1, 9 << 20] {
        let manifest = sample(length);
        let bytes = manifest.to_bytes();
        let read = Manifest::parse(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        assert_eq!(read.chunks, manifest.chunks);
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_found() {
    let bytes = sample(9 << 20).to_bytes();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            assert!(Manifest::parse(&altered).is_err(), "byte {at} bit {bit}");
        }
        assert!(Manifest::parse(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert!(Manifest::parse(&[bytes, vec![0]].concat()).is_err());
}

#[test]
fn a_newer_format_is_refused_with_both_versions() {
    let mut manifest = sample(10);
    manifest.facts.format = 7;
    let error = Manifest::parse(&manifest.to_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "manifest has format 7, this version reads up to 1"
    );
}

proptest! {
    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let _ = Manifest::parse(&bytes);
        let _ = crate::record::Record::parse(&bytes);
    }

    #[test]
    fn lengths_that_lie_never_panic(length: u64, tail in 0_usize..200) {
        let mut manifest = sample(10);
        manifest.facts.stored_length = length;
        manifest.chunks = vec![[1; 32]; tail];
        let _ = Manifest::parse(&manifest.to_bytes());
    }
}

#[test]
fn a_signature_covers_facts_and_chunk_hashes() {
    let signer = Signer::from_text(&"9d".repeat(32)).unwrap();
    let plain = sample(9 << 20);
    assert_eq!(plain.clone().signed(None).to_bytes(), plain.to_bytes());
    let signed = plain.signed(Some(&signer));
    let read = Manifest::parse(&signed.to_bytes()).unwrap();
    assert_eq!(read.signature(), Signed::By(signer.public()));
    let mut redated = read.clone();
    redated.facts.written = "2020-01-01T00:00:00Z".parse().unwrap();
    let mut rehashed = read;
    rehashed.chunks[1][0] ^= 1;
    for forged in [redated, rehashed] {
        assert_eq!(forged.signature(), Signed::Bad);
    }
}
