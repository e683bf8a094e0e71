//! Where a mirror stands after each order of records.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use twinset_domain::standing::{Change, Standing, Statement, standings};
use twinset_domain::{MirrorNo, Position, Shape};

const SHAPE: Shape = Shape {
    families: 1,
    mirrors: 2,
};

fn said(sequence: u64, change: Change, position: u64) -> Statement {
    Statement {
        sequence,
        change,
        mirrors: vec![MirrorNo(2)],
        position: Position::new(position).unwrap(),
    }
}

fn second(statements: &[Statement]) -> Standing {
    standings(SHAPE, statements)[&MirrorNo(2)]
}

fn out(since: u64, sequence: u64) -> Standing {
    Standing::OutOfStep {
        since: Position::new(since).unwrap(),
        sequence,
    }
}

#[test]
fn the_last_word_counts() {
    use Change::{Dropped, InStep, OutOfStep};
    let rows: Vec<(Standing, Vec<Statement>)> = vec![
        (Standing::InStep, vec![]),
        (out(4, 1), vec![said(1, OutOfStep, 4)]),
        // Lost again before it was repaired: it lacks everything from the first loss on.
        (
            out(4, 2),
            vec![said(1, OutOfStep, 4), said(2, OutOfStep, 7)],
        ),
        (
            Standing::InStep,
            vec![said(1, OutOfStep, 4), said(2, InStep, 4)],
        ),
        (
            out(7, 3),
            vec![
                said(1, OutOfStep, 4),
                said(2, InStep, 4),
                said(3, OutOfStep, 7),
            ],
        ),
        (
            Standing::Dropped,
            vec![said(1, Dropped, 4), said(2, InStep, 4)],
        ),
    ];
    for (expected, statements) in rows {
        assert_eq!(second(&statements), expected, "{statements:?}");
    }
}

proptest! {
    #[test]
    fn the_order_of_reading_does_not_matter(
        mut list in prop::collection::vec((1u64..20, 0u8..3, 1u64..9), 0..12),
        seed in any::<u64>(),
    ) {
        list.sort();
        list.dedup_by_key(|s| s.0);
        let mut all: Vec<Statement> = list
            .into_iter()
            .map(|(sequence, change, position)| {
                let change = [Change::OutOfStep, Change::InStep, Change::Dropped][usize::from(change)];
                said(sequence, change, position)
            })
            .collect();
        let before = standings(SHAPE, &all);
        let length = all.len().max(1);
        all.rotate_left(usize::try_from(seed % length as u64).unwrap());
        all.extend(all.clone());
        prop_assert_eq!(before, standings(SHAPE, &all));
    }
}
