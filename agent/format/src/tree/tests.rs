#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn bytes(length: usize) -> Vec<u8> {
    (0..length)
        .map(|i| (i as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3])
        .collect()
}

#[test]
fn the_root_is_what_b3sum_prints_around_every_chunk_border() {
    let chunk = CHUNK as usize;
    let data = bytes(5 * chunk + 7);
    for length in [
        0,
        1,
        chunk - 1,
        chunk,
        chunk + 1,
        2 * chunk,
        3 * chunk + 5,
        5 * chunk + 7,
    ] {
        let mut hasher = TreeHasher::new();
        for piece in data[..length].chunks(1_000_003) {
            hasher.update(piece);
        }
        let hashes = hasher.finish();
        assert_eq!(
            hashes.root,
            *blake3::hash(&data[..length]).as_bytes(),
            "{length}"
        );
        assert_eq!(hashes.chunks.len(), length.div_ceil(chunk));
        for (i, chunk_bytes) in data[..length].chunks(chunk).enumerate() {
            assert_eq!(
                hashes.chunks[i],
                chunk_hash(i as u64, chunk_bytes),
                "{length} {i}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn pieces_do_not_matter(cuts in prop::collection::vec(1_usize..3_000_000, 1..6)) {
        let data = bytes(cuts.iter().sum());
        let mut hasher = TreeHasher::new();
        let mut rest = &data[..];
        for cut in cuts {
            let (now, later) = rest.split_at(cut);
            hasher.update(now);
            rest = later;
        }
        let hashes = hasher.finish();
        prop_assert_eq!(hashes.root, *blake3::hash(&data).as_bytes());
        prop_assert_eq!(hashes.length, data.len() as u64);
    }
}
