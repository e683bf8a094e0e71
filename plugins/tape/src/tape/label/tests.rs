#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Kind, Label, SIZE, hex};

fn sample() -> Label {
    Label {
        index: Some(2),
        name: "manifest.json".into(),
        run: hex(&[0xa5; 16]),
        length: 77,
        ..Label::new("00ff", 3, Kind::Section)
    }
}

#[test]
fn a_label_is_one_block_and_reads_back() {
    let block = sample().to_block().unwrap();
    assert_eq!(block.len(), SIZE);
    assert_eq!(Label::parse(&block), Some(sample()));
}

#[test]
fn every_altered_bit_makes_it_no_label() {
    let block = sample().to_block().unwrap();
    for bit in 0..SIZE * 8 {
        let mut altered = block.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Label::parse(&altered), None, "bit {bit}");
    }
    assert_eq!(Label::parse(&block[..SIZE - 1]), None);
}

#[test]
fn names_that_do_not_fit_make_no_label() {
    let mut label = sample();
    label.name = "n".repeat(200);
    assert!(label.to_block().is_some());
    label.volume = "v".repeat(SIZE);
    assert_eq!(label.to_block(), None);
}
