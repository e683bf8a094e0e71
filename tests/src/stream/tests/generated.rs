//! The generator: right by the checker's reading, the same for the same seed, any size.

use std::time::Instant;

use super::{Kind, check, check_in_steps, small, whole};
use crate::stream::{
    GeneratedStream, Lsn, Spec, StreamCheck, SumPolicy, check_families, generate_files, parse_size,
};

#[test]
fn every_shape_passes_the_checker_and_says_what_was_asked() {
    for kind in [Kind::Full, Kind::Differential, Kind::Log] {
        for (families, block_size, checksum) in [
            (1, 512, false),
            (1, 4096, true),
            (2, 512, true),
            (3, 4096, false),
            (1, 1024, false),
            (2, 8192, true),
            (1, 65_536, true),
        ] {
            let spec = Spec {
                block_size,
                checksum,
                set_name: "nightly".into(),
                database: "Склад".into(),
                server: "HOST\\INST".into(),
                ..small(kind, families)
            };
            let mut all = Vec::new();
            for family in 1..=families {
                let bytes = whole(&spec, family, 1 << 20);
                let facts = check(&bytes, SumPolicy::IfPresent)
                    .unwrap_or_else(|fault| panic!("{kind:?} {families} {block_size}: {fault}"));
                assert_eq!(bytes.len() % block_size as usize, 0);
                all.push(facts);
            }
            check_families(&all).unwrap();
            let (media, set) = (&all[0], &all[0].sets[0]);
            assert_eq!(media.media_set_guid, spec.media_set_guid);
            assert_eq!(
                (media.block_size, media.family_id),
                (block_size, spec.family_id(1))
            );
            assert_eq!((set.kind, set.set_guid), (Some(kind), spec.set_guid));
            assert_eq!((&set.database, &set.server), (&spec.database, &spec.server));
            assert_eq!(
                (&set.machine, &set.name),
                (&"HOST".to_owned(), &spec.set_name)
            );
            assert_eq!((set.lsns, set.version), (spec.lsns, spec.version));
            assert_eq!(
                (set.family_guid, set.fork_guid),
                (spec.family_guid, spec.fork_guid)
            );
            assert_eq!((set.started, set.finished), (spec.started, spec.finished));
            assert_eq!(set.has_checksum, checksum);
            assert_eq!(set.sums_verified > 0, checksum);
        }
    }
}

#[test]
fn equal_seeds_give_equal_bytes_however_they_are_read() {
    let spec = Spec {
        checksum: true,
        ..small(Kind::Full, 2)
    };
    let bytes = whole(&spec, 2, 65536);
    assert!(bytes == whole(&spec, 2, 4099));
    assert!(bytes != whole(&spec, 1, 65536));
    assert!(
        bytes
            != whole(
                &Spec {
                    seed: 8,
                    ..spec.clone()
                },
                2,
                65536
            )
    );
    let golden = blake3::hash(&bytes).to_hex();
    assert_eq!(&golden[..16], GOLDEN, "the generator's bytes changed");
}

/// Start of the hash of one known stream; changes only when the generator does.
const GOLDEN: &str = "66ed0b58c53db96b";

#[test]
fn a_terabyte_knows_its_length_beforehand() {
    let spec = Spec::new(1, 3 << 40, 3);
    let mut stream = GeneratedStream::new(&spec, 1).unwrap();
    assert!(stream.total_length() > 1 << 40);
    assert_eq!(stream.total_length() % 512, 0);
    let mut piece = vec![0; 1 << 20];
    let mut check = StreamCheck::new(SumPolicy::IfPresent);
    for _ in 0..4 {
        assert_eq!(stream.fill(&mut piece), piece.len());
        check.feed(&piece).unwrap();
    }
}

#[test]
fn pages_compress_like_those_of_a_database() {
    let bytes = whole(&Spec::new(3, 4 << 20, 1), 1, 1 << 20);
    let body = &bytes[1 << 20..2 << 20];
    let known: std::collections::HashSet<&[u8]> =
        body.chunks_exact(16).take(body.len() / 32).collect();
    let half = &body[body.len() / 2..];
    let fresh = half
        .chunks_exact(16)
        .filter(|piece| !known.contains(piece))
        .count();
    let share = fresh as f64 / (half.len() / 16) as f64;
    assert!((0.5..0.7).contains(&share), "{share}");
}

#[test]
fn specs_that_make_no_sense_are_refused() {
    let good = Spec::new(1, 1, 1);
    for (wrong, family) in [
        (
            Spec {
                families: 0,
                ..good.clone()
            },
            1,
        ),
        (
            Spec {
                families: 65,
                ..good.clone()
            },
            1,
        ),
        (
            Spec {
                block_size: 1000,
                ..good.clone()
            },
            1,
        ),
        (
            Spec {
                version: (10, 50, 0),
                ..good.clone()
            },
            1,
        ),
        (
            Spec {
                size: u64::MAX,
                ..good.clone()
            },
            1,
        ),
        (
            Spec {
                database: "x".repeat(129),
                ..good.clone()
            },
            1,
        ),
        (good.clone(), 0),
        (good.clone(), 2),
    ] {
        assert!(GeneratedStream::new(&wrong, family).is_err());
    }
}

#[test]
fn files_are_the_families_and_are_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let spec = Spec {
        database: "a/b".into(),
        ..small(Kind::Log, 2)
    };
    let paths = generate_files(&spec, folder.path()).unwrap();
    let names: Vec<_> = paths
        .iter()
        .map(|p| p.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, ["a_b.log.1of2.trn", "a_b.log.2of2.trn"]);
    assert!(std::fs::read(&paths[1]).unwrap() == whole(&spec, 2, 1000));
    assert!(generate_files(&spec, folder.path()).is_err());
}

#[test]
fn sizes_are_read_as_people_write_them() {
    for (text, bytes) in [
        ("0", 0),
        ("4096", 4096),
        ("64KiB", 65536),
        ("2GiB", 2 << 30),
        (" 1.5 GiB ", 3 << 29),
        ("100MB", 100_000_000),
        ("3t", 3 << 40),
        ("16777215TiB", 16_777_215 << 40),
    ] {
        assert_eq!(parse_size(text), Ok(bytes), "{text}");
    }
    for text in [
        "",
        "GiB",
        "-1",
        "1.GiBx",
        "1e3",
        "1 2",
        "16777216TiB",
        "1.0000001k",
        "٣",
    ] {
        assert!(parse_size(text).is_err(), "{text}");
    }
}

#[test]
fn log_sequence_numbers_read_as_msdb_prints_them() {
    let lsn = Lsn {
        file: 39,
        block: 488,
        slot: 71,
    };
    assert_eq!(lsn.to_string(), "39000000048800071");
    assert_eq!(Lsn::from_bytes(&lsn.to_bytes()), lsn);
}

/// Not a limit but a sight of speed: run with `--release --nocapture --ignored`.
#[test]
#[ignore = "prints speeds"]
fn speeds() {
    for checksum in [false, true] {
        let spec = Spec {
            checksum,
            ..Spec::new(7, 2 << 30, 1)
        };
        let mut stream = GeneratedStream::new(&spec, 1).unwrap();
        let mut piece = vec![0; 1 << 20];
        let begun = Instant::now();
        while stream.fill(&mut piece) > 0 {}
        let generated = begun.elapsed();
        let bytes = whole(
            &Spec {
                size: 256 << 20,
                ..spec
            },
            1,
            1 << 20,
        );
        let begun = Instant::now();
        check_in_steps(&bytes, SumPolicy::IfPresent, 1 << 20).unwrap();
        let checked = begun.elapsed() * 8;
        println!("checksum {checksum}: generate 2 GiB {generated:?}, check {checked:?}");
    }
}
