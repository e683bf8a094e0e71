#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Read;
use std::sync::Arc;

use proptest::prelude::*;
use twinset_domain::Fault;
use zstd::zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, zstd_sys::ZSTD_EndDirective};

use super::encoder::{Encoder, Outlet, Plain};
use super::squeeze::memory;
use super::{Lock, Recipe, STORED, STORED_BUFFERS, Zstd};
use crate::age::keys::Identity;
use crate::age::{self, Key};
use crate::payload::Lease;

const SECRET: &str = "AGE-SECRET-KEY-1NC7L74X49PRL0KMAVQEVD26WT7VPA0LN9LUG7WDV5QA00KGL9WTQ5QRVXL";

/// What a medium would hold; a slow one keeps the last buffers.
#[derive(Default)]
struct Shelf {
    bytes: Vec<u8>,
    out: Vec<Lease>,
    slow: usize,
    largest: usize,
}

impl Outlet for Shelf {
    fn store(&mut self, lease: Lease) -> Result<(), Fault> {
        assert!(!lease.is_empty(), "an empty buffer was lent");
        self.bytes.extend_from_slice(&lease);
        self.largest = self.largest.max(lease.len());
        self.out.push(lease);
        if self.out.len() > self.slow {
            self.out.remove(0);
        }
        Ok(())
    }

    fn idle(&mut self) -> Result<(), Fault> {
        panic!("the encoder waits for buffers that nobody holds");
    }
}

fn identity() -> Identity {
    Identity::parse(SECRET).unwrap()
}

fn recipes() -> Vec<Recipe> {
    let zstd = Some(Zstd {
        level: 1,
        threads: 1,
    });
    let many = Some(Zstd {
        level: 3,
        threads: 3,
    });
    let age = || Some(Lock::Recipients(vec![identity().recipient()]));
    let recipe = |zstd, age| Recipe { zstd, age };
    vec![
        recipe(zstd, None),
        recipe(many, None),
        recipe(None, age()),
        recipe(zstd, age()),
        recipe(many, age()),
    ]
}

fn encode(recipe: &Recipe, pieces: &[&[u8]], slow: usize) -> (Vec<u8>, Plain) {
    let mut shelf = Shelf {
        slow,
        ..Shelf::default()
    };
    let mut encoder = Encoder::new(recipe).unwrap().unwrap();
    for piece in pieces {
        encoder.push(piece, &mut shelf).unwrap();
    }
    let plain = encoder.finish(&mut shelf).unwrap();
    assert!(shelf.largest <= STORED);
    (shelf.bytes, plain)
}

fn decode(recipe: &Recipe, stored: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut opened = stored.to_vec();
    if recipe.age.is_some() {
        let identities = [identity()];
        let source = std::io::Cursor::new(std::mem::take(&mut opened));
        let mut stream = age::open(source, &Key::Identities(&identities)).unwrap();
        stream.read_to_end(&mut opened).unwrap();
    }
    if recipe.zstd.is_none() {
        return opened;
    }
    let mut decoder = zstd::stream::read::Decoder::new(opened.as_slice()).unwrap();
    decoder.read_to_end(&mut plain).unwrap();
    plain
}

/// Bytes half of which repeat.
fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    (0..length)
        .map(|at| {
            if at % 64 < 32 {
                return (at / 64) as u8;
            }
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

#[test]
fn every_encoding_gives_back_what_went_in() {
    for recipe in recipes() {
        for length in [0, 1, 511, STORED - 1, STORED, STORED + 1, (9 << 20) + 3] {
            let plain = bytes(length, 7);
            let pieces: Vec<&[u8]> = plain.chunks(1 << 20).collect();
            let (stored, told) = encode(&recipe, &pieces, STORED_BUFFERS - 1);
            assert_eq!(told.length, length as u64);
            assert_eq!(told.blake3, *blake3::hash(&plain).as_bytes());
            assert!(decode(&recipe, &stored) == plain, "{recipe:?}, {length}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn buffer_boundaries_change_nothing(
        cuts in proptest::collection::vec(0_usize..400_000, 0..24),
        slow in 0_usize..STORED_BUFFERS,
        which in 0_usize..5,
        seed in any::<u64>(),
    ) {
        let recipe = &recipes()[which];
        let plain = bytes(cuts.iter().sum(), seed);
        let mut rest = plain.as_slice();
        let mut pieces = Vec::new();
        for cut in cuts {
            let (now, later) = rest.split_at(cut);
            pieces.push(now);
            rest = later;
        }
        let (stored, told) = encode(recipe, &pieces, slow);
        prop_assert_eq!(told.blake3, *blake3::hash(&plain).as_bytes());
        prop_assert!(decode(recipe, &stored) == plain);
    }
}

#[test]
fn a_section_is_one_frame_with_a_checksum() {
    let recipe = Recipe {
        zstd: Some(Zstd {
            level: 3,
            threads: 1,
        }),
        age: None,
    };
    let (stored, _) = encode(&recipe, &[&bytes(3 << 20, 1)], 0);
    assert_eq!(stored[..4], [0x28, 0xb5, 0x2f, 0xfd]);
    assert_eq!(stored[4] & 4, 4, "no content checksum");
    let frame = zstd::zstd_safe::find_frame_compressed_size(&stored).unwrap();
    assert_eq!(frame, stored.len());
}

#[test]
fn what_a_recipe_is_called() {
    let names: Vec<(&str, &str)> = recipes().iter().map(|r| (r.name(), r.ending())).collect();
    let rows = [
        ("zstd", ".zst"),
        ("zstd", ".zst"),
        ("age", ".age"),
        ("zstd+age", ".zst.age"),
        ("zstd+age", ".zst.age"),
    ];
    assert_eq!(names, rows);
    let raw = Recipe::default();
    assert_eq!((raw.name(), raw.ending(), raw.memory(64)), ("raw", "", 0));
    assert!(Encoder::new(&raw).unwrap().is_none());
}

#[test]
fn a_passphrase_is_never_shown() {
    let lock = Lock::Passphrase(Arc::new(|show| {
        show("very secret");
        Ok(())
    }));
    let recipe = Recipe {
        zstd: None,
        age: Some(lock),
    };
    assert!(!format!("{recipe:?}").contains("secret"));
}

/// What zstd really takes, so that the plan never promises less.
fn taken(zstd: Zstd) -> u64 {
    let mut context = CCtx::create();
    let set = |context: &mut CCtx<'_>, parameter| context.set_parameter(parameter).unwrap();
    set(
        &mut context,
        CParameter::CompressionLevel(i32::from(zstd.level)),
    );
    set(&mut context, CParameter::ChecksumFlag(true));
    if zstd.threads > 1 {
        set(&mut context, CParameter::NbWorkers(u32::from(zstd.threads)));
    }
    let plain = bytes(1 << 20, 3);
    let mut room = vec![0; STORED];
    let mut most = 0;
    for _ in 0..if zstd.level > 9 { 12 } else { 48 } {
        let mut input = InBuffer::around(&plain);
        while input.pos() < plain.len() {
            let mut output = OutBuffer::around(&mut room[..]);
            let go_on = ZSTD_EndDirective::ZSTD_e_continue;
            context
                .compress_stream2(&mut output, &mut input, go_on)
                .unwrap();
            most = most.max(context.sizeof() as u64);
        }
    }
    most
}

#[test]
fn zstd_takes_no_more_memory_than_was_planned() {
    let rows = [
        (1, 1),
        (2, 1),
        (3, 1),
        (5, 1),
        (9, 1),
        (12, 1),
        (15, 1),
        (19, 1),
        (1, 2),
        (3, 2),
        (3, 4),
    ];
    for (level, threads) in rows {
        let zstd = Zstd { level, threads };
        let (taken, planned) = (taken(zstd), memory(zstd));
        assert!(
            taken <= planned,
            "level {level}, {threads} threads: {taken} > {planned}"
        );
        assert!(
            planned < taken * 3,
            "level {level}: far too much is planned, {planned}"
        );
    }
}
