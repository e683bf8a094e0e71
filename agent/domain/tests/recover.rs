//! What a dead run left, and what may be done about it.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use twinset_domain::recover::{Piece, Second, SetState, Step, classify, plan};
use twinset_domain::{FamilyNo, MirrorNo, Shape, Slot};

const SHAPE: Shape = Shape {
    families: 2,
    mirrors: 2,
};

fn piece(mirror: u8, family: u16, data: bool, second: Second, verdict: bool) -> Piece {
    let slot = Slot {
        mirror: MirrorNo(mirror),
        family: FamilyNo(family),
    };
    Piece {
        slot,
        data,
        second,
        verdict,
        dropped: false,
    }
}

/// One letter per volume, mirror by mirror: `.` nothing, `d` data alone, `s` sealed, `v` void,
/// `V` void with data, `p` published, `m` manifest alone, `x` dropped, `X` dropped with its data.
fn pieces(letters: &str) -> Vec<Piece> {
    let slots = SHAPE.slots();
    slots
        .zip(letters.chars())
        .map(|(slot, letter)| {
            let (data, second, verdict) = match letter {
                'd' => (true, Second::Nothing, false),
                's' => (true, Second::Manifest, false),
                'v' => (false, Second::Void, false),
                'V' => (true, Second::Void, false),
                'p' => (true, Second::Manifest, true),
                'm' => (false, Second::Manifest, false),
                _ => (false, Second::Nothing, false),
            };
            let dropped = matches!(letter, 'x' | 'X');
            let (data, second, verdict) = match letter {
                'x' | 'X' => (letter == 'X', Second::Manifest, true),
                _ => (data, second, verdict),
            };
            Piece {
                dropped,
                ..piece(slot.mirror.0, slot.family.0, data, second, verdict)
            }
        })
        .collect()
}

#[test]
fn states_by_what_lies_where() {
    let rows = [
        ("....", SetState::Empty),
        ("d...", SetState::Unsealed),
        ("sd..", SetState::Unsealed),
        ("s.s.", SetState::Unsealed),
        ("ss..", SetState::Unconfirmed),
        ("s..s", SetState::Unconfirmed),
        ("ssss", SetState::Unconfirmed),
        ("ssps", SetState::Published),
        ("p...", SetState::Published),
        ("vd..", SetState::Void),
        ("vvvv", SetState::Void),
        ("ssvv", SetState::Unconfirmed),
        ("xxxx", SetState::Dropped),
        ("Xppp", SetState::Dropped),
        ("x...", SetState::Dropped),
    ];
    for (letters, state) in rows {
        assert_eq!(classify(SHAPE, &pieces(letters), true), state, "{letters}");
    }
}

#[test]
fn nothing_is_called_unsealed_while_a_volume_is_missing() {
    assert_eq!(classify(SHAPE, &pieces("sd"), false), SetState::Unconfirmed);
}

#[test]
fn an_unsealed_set_is_voided_before_its_data_goes() {
    let steps = plan(SetState::Unsealed, &pieces("sd.d"));
    let first_removal = steps
        .iter()
        .position(|s| matches!(s, Step::RemoveData(_)))
        .unwrap();
    let bare_voids = steps[..first_removal]
        .iter()
        .filter(|s| matches!(s, Step::PutVoid(_)))
        .count();
    assert_eq!(bare_voids, 4, "{steps:?}");
}

#[test]
fn a_kept_set_is_healed_where_it_has_holes() {
    let slot = |mirror, family| Slot {
        mirror: MirrorNo(mirror),
        family: FamilyNo(family),
    };
    let steps = plan(SetState::Unconfirmed, &pieces("ssd."));
    assert_eq!(
        steps,
        [
            Step::Heal(slot(2, 1)),
            Step::Heal(slot(2, 2)),
            Step::Confirm
        ]
    );
    let steps = plan(SetState::Published, &pieces("ppps"));
    assert_eq!(steps, [Step::CopyVerdict(slot(2, 2))]);
}

fn any_pieces(letters: &str) -> impl Strategy<Value = Vec<Piece>> + use<> {
    proptest::string::string_regex(letters)
        .unwrap()
        .prop_map(|letters| pieces(&letters))
}

proptest! {
    /// P1: a set that is sealed somewhere in every family is never removed, whatever else lies about.
    #[test]
    fn what_may_be_acknowledged_is_never_removed(pieces in any_pieces("[.dsvVpm]{4}"), all_read: bool) {
        let sealed = SHAPE.families().all(|family| {
            pieces.iter().any(|p| p.slot.family == family && p.second == Second::Manifest)
        });
        let published = pieces.iter().any(|p| p.verdict);
        let steps = plan(classify(SHAPE, &pieces, all_read), &pieces);
        if sealed || published || !all_read {
            let removes = |s: &Step| {
                matches!(s, Step::RemoveData(_) | Step::RemoveManifest(_) | Step::PutVoid(_))
            };
            let void = classify(SHAPE, &pieces, all_read) == SetState::Void;
            prop_assert!(void || !steps.iter().any(removes), "{:?}", steps);
        }
    }

    /// Recovery ends: after its steps nothing is left to do, and cutting it off anywhere leads to
    /// the same end.
    #[test]
    fn recovery_goes_on_after_any_cut(pieces in any_pieces("[.dsvVpmxX]{4}"), cut in 0_usize..12) {
        let state = classify(SHAPE, &pieces, true);
        let mut now = pieces.clone();
        apply(&mut now, plan(state, &pieces).into_iter().take(cut));
        for _ in 0..3 {
            let steps = plan(classify(SHAPE, &now, true), &now);
            apply(&mut now, steps.into_iter());
        }
        let end = classify(SHAPE, &now, true);
        let rest = plan(end, &now);
        prop_assert!(rest.iter().all(|s| *s == Step::Confirm), "{:?} -> {:?}", pieces, rest);
        let dead = matches!(state, SetState::Unsealed | SetState::Void);
        prop_assert_eq!(dead, end == SetState::Void, "{:?} became {:?}", state, end);
    }
}

/// What the steps do to the volumes.
fn apply(pieces: &mut [Piece], steps: impl Iterator<Item = Step>) {
    for step in steps {
        let (Step::Heal(slot)
        | Step::CopyVerdict(slot)
        | Step::CopyDrop(slot)
        | Step::CopyManifest(slot)
        | Step::RemoveManifest(slot)
        | Step::PutVoid(slot)
        | Step::RemoveData(slot)) = step
        else {
            continue;
        };
        let piece = pieces.iter_mut().find(|p| p.slot == slot).unwrap();
        match step {
            Step::Heal(_) => (piece.data, piece.second) = (true, Second::Manifest),
            Step::CopyVerdict(_) => piece.verdict = true,
            Step::CopyDrop(_) => piece.dropped = true,
            Step::CopyManifest(_) => piece.second = Second::Manifest,
            Step::RemoveManifest(_) => piece.second = Second::Nothing,
            Step::PutVoid(_) => piece.second = Second::Void,
            Step::RemoveData(_) => piece.data = false,
            Step::Confirm => {}
        }
    }
}

#[test]
fn a_drop_is_told_everywhere_before_any_data_goes() {
    let steps = plan(SetState::Dropped, &pieces("Xpp."));
    let last_word = steps
        .iter()
        .rposition(|s| matches!(s, Step::CopyDrop(_) | Step::CopyVerdict(_)));
    let first_removal = steps.iter().position(|s| matches!(s, Step::RemoveData(_)));
    assert!(last_word.unwrap() < first_removal.unwrap(), "{steps:?}");
    let words = steps
        .iter()
        .filter(|s| matches!(s, Step::CopyDrop(_)))
        .count();
    assert_eq!(words, 3);
    let removed = steps
        .iter()
        .filter(|s| matches!(s, Step::RemoveData(_)))
        .count();
    assert_eq!(removed, 3);
    let copied = steps
        .iter()
        .filter(|s| matches!(s, Step::CopyManifest(_)))
        .count();
    assert_eq!(copied, 1);
    assert_eq!(plan(SetState::Dropped, &pieces("xxxx")), []);
}
