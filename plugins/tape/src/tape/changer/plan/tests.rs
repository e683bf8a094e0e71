#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::super::inventory::{Element, Inventory};
use super::{Known, Rules, matches, plan};

fn slot(number: u32, barcode: &str) -> Element {
    Element {
        number,
        full: true,
        barcode: (!barcode.is_empty()).then(|| barcode.to_owned()),
        ..Element::default()
    }
}

/// A library with one of each.
fn library() -> Inventory {
    let mut mail = slot(9, "NEW009L8");
    mail.mail = true;
    Inventory {
        drives: vec![
            Element {
                from: Some(1),
                ..slot(0, "TWN001L8")
            },
            Element {
                from: Some(2),
                ..slot(1, "TWN002L8")
            },
        ],
        slots: vec![
            slot(3, "TWN003L8"),
            slot(4, "CLNU01L1"),
            slot(5, "TWN005L8"),
            slot(6, ""),
            slot(7, "TWN007L8"),
            slot(8, "XYZ008L8"),
            mail,
        ],
    }
}

fn known() -> Known {
    Known {
        row: BTreeMap::from([("TWN001L8".to_owned(), 2), ("TWN003L8".to_owned(), 1)]),
        seen: BTreeMap::from([
            ("TWN005L8".to_owned(), Some("it holds VOL1".to_owned())),
            ("TWN007L8".to_owned(), None),
        ]),
    }
}

fn told(rules: &Rules) -> Vec<String> {
    let choices = plan(&library(), rules, &known(), 0);
    let told = choices.iter().map(|choice| {
        let taken = if choice.may_go_on() { "+ " } else { "- " };
        format!("{taken}{choice}")
    });
    told.collect()
}

#[test]
fn each_cartridge_is_taken_or_left_for_a_reason() {
    let all = told(&Rules::default());
    assert_eq!(
        all,
        [
            "+ slot 7 (TWN007L8): blank",
            "- TWN001L8: tape 2 of this row",
            "- TWN002L8: in drive 1, which is not this one",
            "- slot 3 (TWN003L8): tape 1 of this row",
            "- slot 4 (CLNU01L1): a cleaning cartridge",
            "- slot 5 (TWN005L8): it holds VOL1",
            "+ slot 6: not looked at yet",
            "+ slot 8 (XYZ008L8): not looked at yet",
            "- slot 9 (NEW009L8): in a mail slot, which the option `slots` does not name",
        ]
    );
    // A part of the library; a mail slot only by its number.
    let rules = Rules {
        slots: vec![(3, 6), (9, 9)],
        barcodes: None,
    };
    let part = told(&rules);
    assert!(part.contains(&"+ slot 9 (NEW009L8): not looked at yet".to_owned()));
    assert!(part.contains(&"- slot 7 (TWN007L8): outside of the option `slots`".to_owned()));
    let rules = Rules {
        slots: Vec::new(),
        barcodes: Some("TWN*L8".to_owned()),
    };
    let like = told(&rules);
    let other = "- slot 8 (XYZ008L8): not like the option `barcodes`".to_owned();
    assert!(like.contains(&other), "{like:?}");
    assert!(like.contains(&"- slot 6: not like the option `barcodes`".to_owned()));
    // Cleaning cartridges are never asked for by a pattern.
    let rules = Rules {
        slots: vec![(4, 4)],
        barcodes: Some("*".to_owned()),
    };
    assert!(told(&rules).contains(&"- slot 4 (CLNU01L1): a cleaning cartridge".to_owned()));
}

#[test]
fn a_pattern_is_text_and_stars() {
    let rows = [
        ("TWN*", "TWN001L8", true),
        ("TWN*", "XTWN001", false),
        ("*L8", "TWN001L8", true),
        ("T*0*L8", "TWN001L8", true),
        ("T*0*L8", "TWN111L8", false),
        ("TWN001L8", "TWN001L8", true),
        ("TWN001L8", "TWN001L80", false),
        ("*", "", true),
        ("AB*BA", "ABA", false),
    ];
    for (pattern, text, like) in rows {
        assert_eq!(matches(pattern, text), like, "{pattern} {text}");
    }
}
