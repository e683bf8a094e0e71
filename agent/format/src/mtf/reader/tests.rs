#![allow(clippy::unwrap_used, clippy::panic)]
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

/// A real file of SQL Server, or `None` where the corpus is not at hand.
fn corpus(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("TWINSET_CORPUS").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/corpus"
            ))
        },
        PathBuf::from,
    );
    let bytes = std::fs::read(root.join(name)).ok();
    if bytes.is_none() {
        eprintln!(
            "skipped: {name} is not in the corpus folder {}",
            root.display()
        );
    }
    bytes
}

fn read(bytes: &[u8], piece: usize) -> StreamFacts {
    let mut reader = StreamReader::new();
    for piece in bytes.chunks(piece) {
        reader.feed(piece);
    }
    reader.finish()
}

/// File, version, families, this family, block size, sets, kind.
type Row = (&'static str, &'static str, u16, u16, u32, usize, char);

const MTF: &[Row] = &[
    ("v10.50-full-512.bak", "10.50.1600", 1, 1, 512, 1, 'D'),
    ("v10.50-log-checksum.trn", "10.50.1600", 1, 1, 512, 1, 'L'),
    (
        "v10.50-stripe1of2-full.bak",
        "10.50.4042",
        2,
        1,
        512,
        1,
        'D',
    ),
    (
        "v10.50-stripe2of2-full.bak",
        "10.50.4042",
        2,
        2,
        512,
        1,
        'D',
    ),
    ("v10.50-stripe1of2-log.trn", "10.50.4042", 2, 1, 512, 1, 'L'),
    ("v10.50-stripe2of2-log.trn", "10.50.4042", 2, 2, 512, 1, 'L'),
    ("v10.50-diff-512.bak", "10.50.1600", 1, 1, 512, 1, 'I'),
    ("v13-full-512.bak", "13.0.5081", 1, 1, 512, 1, 'D'),
    ("v13-log-512.trn", "13.0.5081", 1, 1, 512, 1, 'L'),
    ("v9-appended-2-sets.bak", "9.0.3077", 1, 1, 512, 2, 'D'),
    ("v11-full-4096.bak", "11.0.2100", 1, 1, 4096, 1, 'D'),
    (
        "v15-full-4096-cyrillic.bak",
        "15.0.2000",
        1,
        1,
        4096,
        1,
        'D',
    ),
    (
        "v16-stripe2of2-4096-lone.bak",
        "16.0.1000",
        2,
        2,
        4096,
        1,
        'D',
    ),
];

#[test]
fn every_real_file_is_read_to_its_end_whatever_the_pieces() {
    for (name, version, families, family, block, sets, letter) in MTF {
        let Some(bytes) = corpus(name) else { continue };
        let facts = read(&bytes, 1 << 20);
        assert_eq!(facts.lost, None, "{name}");
        assert!(facts.complete, "{name}");
        assert_eq!(facts.container, Container::Mtf);
        let media = facts.media.clone().unwrap();
        let found = (
            media.families,
            media.family,
            media.block_size,
            facts.sets.len(),
        );
        assert_eq!(found, (*families, *family, *block, *sets), "{name}");
        for (i, set) in facts.sets.iter().enumerate() {
            assert_eq!(usize::from(set.number), i + 1);
            assert_eq!(set.server_version.as_deref(), Some(*version), "{name}");
            assert_eq!(set.letter, Some(*letter), "{name}");
            assert!(set.set.is_some() && set.database.is_some() && set.last_lsn.is_some());
            assert!(
                set.finished.is_some(),
                "{name}: the end of the set tells the finish time"
            );
        }
        assert_eq!(read(&bytes, 511), facts, "{name}");
    }
}

#[test]
fn both_stripes_tell_one_set() {
    let (Some(one), Some(two)) = (
        corpus("v10.50-stripe1of2-full.bak"),
        corpus("v10.50-stripe2of2-full.bak"),
    ) else {
        return;
    };
    let (one, two) = (read(&one, 65536), read(&two, 65536));
    assert_eq!(one.sets, two.sets);
    assert_eq!(one.media.unwrap().media_set, two.media.unwrap().media_set);
    assert_eq!(one.sets[0].backup_size, Some(1_661_952));
}

#[test]
fn the_log_follows_the_full() {
    let (Some(full), Some(log)) = (corpus("v13-full-512.bak"), corpus("v13-log-512.trn")) else {
        return;
    };
    let (full, log) = (read(&full, 4096), read(&log, 4096));
    assert_eq!(
        full.sets[0].set.unwrap().to_string(),
        "c6c44151-8a2c-4c6c-9bf5-2e02090c8ebc"
    );
    assert_eq!(log.sets[0].family_guid, full.sets[0].family_guid);
    assert_eq!(log.sets[0].database_backup_lsn, full.sets[0].checkpoint_lsn);
}

#[test]
fn a_compressed_container_is_opaque() {
    let Some(bytes) = corpus("v13-compressed-512.bak") else {
        return;
    };
    let facts = read(&bytes, 100_000);
    assert_eq!(facts.container, Container::Mssqlbak);
    assert!(facts.sets.is_empty() && !facts.complete && facts.lost.is_none());
}

#[test]
fn a_cut_file_is_never_complete() {
    let Some(bytes) = corpus("v10.50-stripe2of2-log.trn") else {
        return;
    };
    for length in (0..bytes.len()).step_by(64) {
        assert!(!read(&bytes[..length], 4096).complete, "{length}");
    }
    assert!(read(&bytes, 4096).complete);
}

#[test]
fn other_bytes_are_named_so() {
    let facts = read(b"PK\x03\x04 a zip file is no backup", 7);
    assert_eq!(facts.container, Container::Opaque);
    assert!(facts.lost.unwrap().1.contains("neither with TAPE"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn altered_streams_never_panic(
        at in 0_usize..17_000, value: u8, length in 1_usize..17_920, piece in 1_usize..9000,
    ) {
        let Some(mut bytes) = corpus("v10.50-stripe2of2-log.trn") else { return Ok(()) };
        bytes[at] = value;
        bytes.truncate(length.max(at));
        let _ = read(&bytes, piece);
    }

    #[test]
    fn noise_never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..6000)) {
        let _ = read(&bytes, 100);
        // The same noise behind a sound TAPE header: lengths and offsets are all lies.
        if bytes.len() > 60 {
            bytes[..4].copy_from_slice(b"TAPE");
            let sum = crate::mtf::fields::xor16(&bytes[..50]);
            bytes[50..52].copy_from_slice(&sum.to_le_bytes());
        }
        let _ = read(&bytes, 100);
    }
}
