//! Damage: each kind is refused with the number SQL Server would use.

use super::{Kind, check, check_in_steps, number, small, whole};
use crate::stream::{Spec, SumPolicy};

#[test]
fn a_cut_stream_never_passes_wherever_it_is_cut() {
    let spec = Spec {
        checksum: true,
        ..small(Kind::Full, 1)
    };
    let bytes = whole(&spec, 1, 65536);
    let mut numbers = std::collections::BTreeSet::new();
    let edges = (0..bytes.len()).filter(|at| at % 512 < 2 || at % 512 > 510 || *at < 5000);
    for length in edges.chain([bytes.len() - 1]) {
        let found = number(check_in_steps(
            &bytes[..length],
            SumPolicy::IfPresent,
            65536,
        ));
        assert!(
            [3254, 3208, 3256, 3203].contains(&found),
            "{found} at {length}"
        );
        numbers.insert(found);
    }
    assert_eq!(
        numbers.into_iter().collect::<Vec<_>>(),
        [3203, 3208, 3254, 3256]
    );
}

#[test]
fn what_is_no_backup_at_all_is_3242() {
    assert_eq!(number(check(&[0; 4096], SumPolicy::IfPresent)), 3242);
    assert_eq!(
        number(check(
            b"PK\x03\x04 some archive, surely",
            SumPolicy::IfPresent
        )),
        3242
    );
    assert_eq!(number(check(b"", SumPolicy::IfPresent)), 3254);
}

#[test]
fn another_format_version_is_3243() {
    let mut bytes = whole(&small(Kind::Full, 1), 1, 65536);
    bytes[93] = 2;
    assert_eq!(number(check(&bytes, SumPolicy::IfPresent)), 3243);
}

#[test]
fn a_changed_bit_in_any_header_is_3241() {
    let bytes = whole(&small(Kind::Differential, 1), 1, 65536);
    let mut headers = 0;
    for at in (0..bytes.len()).step_by(512) {
        let kind = &bytes[at..at + 4];
        if ![
            b"TAPE", b"SFMB", b"SSET", b"VOLB", b"MSCI", b"MSDA", b"MSTL", b"MSLS", b"ESET",
        ]
        .iter()
        .any(|known| known.as_slice() == kind)
        {
            continue;
        }
        headers += 1;
        for bit in [4 * 8 + 1, 9 * 8, 20 * 8 + 3, 36 * 8, 50 * 8 + 5] {
            let mut changed = bytes.clone();
            changed[at + bit / 8] ^= 1 << (bit % 8);
            let found = number(check(&changed, SumPolicy::IfPresent));
            assert!(
                [3241, 3266].contains(&found),
                "{found} at {at:#x} bit {bit}"
            );
        }
    }
    assert_eq!(headers, 12);
}

#[test]
fn changed_pages_are_3189_with_checksums_and_for_the_hash_without() {
    for kind in [Kind::Full, Kind::Log] {
        let with = Spec {
            checksum: true,
            ..small(kind, 1)
        };
        let mut bytes = whole(&with, 1, 65536);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        assert_eq!(number(check(&bytes, SumPolicy::IfPresent)), 3189);
        let without = small(kind, 1);
        let good = whole(&without, 1, 65536);
        let mut bad = good.clone();
        bad[middle] ^= 0x10;
        let digests = [&good, &bad].map(|b| check(b, SumPolicy::IfPresent).unwrap().blake3);
        assert_ne!(digests[0], digests[1]);
        assert_eq!(number(check(&good, SumPolicy::Require)), 3187);
    }
}

#[test]
fn blocks_doubled_dropped_or_exchanged_are_3241() {
    let bytes = whole(&small(Kind::Full, 1), 1, 65536);
    let end = bytes.len();
    let (a, b) = (end - 0x1000, end - 0x800);
    let dropped = [&bytes[..a], &bytes[a + 0x200..]].concat();
    let doubled = [&bytes[..0x600], &bytes[0x400..]].concat();
    let exchanged = [&bytes[..a], &bytes[b..end], &bytes[a..b]].concat();
    for changed in [dropped, doubled, exchanged] {
        assert_eq!(number(check(&changed, SumPolicy::IfPresent)), 3241);
    }
}

#[test]
fn bytes_behind_the_last_set_are_3266() {
    let mut bytes = whole(&small(Kind::Log, 1), 1, 65536);
    bytes.extend([0; 512]);
    assert_eq!(number(check(&bytes, SumPolicy::IfPresent)), 3266);
    bytes.truncate(bytes.len() - 500);
    assert_eq!(number(check(&bytes, SumPolicy::IfPresent)), 3266);
}

#[test]
fn any_single_changed_byte_is_met_without_a_panic() {
    let bytes = whole(&small(Kind::Log, 2), 2, 65536);
    let heads = (0..0x2200).chain(bytes.len() - 0x2600..bytes.len());
    for at in heads {
        let mut changed = bytes.clone();
        changed[at] ^= 0xff;
        let _ = check_in_steps(&changed, SumPolicy::IfPresent, 1 << 20);
    }
}
