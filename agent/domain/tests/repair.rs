//! What brings mirrors back, and may a plan be cut off anywhere?
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use twinset_domain::repair::{
    Data, Deed, Held, Lost, Part, Plan, Presence, Scope, Step, View, Volume, Wanted, plan,
    returning,
};
use twinset_domain::standing::Standing;
use twinset_domain::{FamilyNo, MirrorNo, Position, Shape, Slot};

fn position(number: u64) -> Position {
    Position::new(number).unwrap()
}

/// What the media set should hold: a set of some chunks, a void, a set that was removed lawfully.
fn wanted(shape: Shape) -> BTreeMap<Position, Wanted> {
    let families = || shape.families();
    BTreeMap::from([
        (
            position(1),
            Wanted::Set(families().map(|f| (f, 3)).collect()),
        ),
        (position(2), Wanted::Void(true)),
        (position(3), Wanted::Dropped(families().collect())),
        (
            position(4),
            Wanted::Set(families().map(|f| (f, 1)).collect()),
        ),
    ])
}

fn whole(slot: Slot, sets: &BTreeMap<Position, Wanted>) -> Volume {
    let held = |wanted: &Wanted| Held {
        data: match wanted {
            Wanted::Set(_) => Data::There {
                bad: BTreeSet::new(),
                longer: false,
            },
            Wanted::Dropped(_) | Wanted::Void(_) => Data::Missing,
        },
        second: Part::Sound,
    };
    Volume {
        slot,
        presence: Presence::Answers,
        header: Part::Sound,
        sets: sets.iter().map(|(p, wanted)| (*p, held(wanted))).collect(),
        records: (1..=4).map(|sequence| (sequence, Part::Sound)).collect(),
        strays: Vec::new(),
        unknown: Vec::new(),
    }
}

fn view(shape: Shape) -> View {
    let sets = wanted(shape);
    View {
        shape,
        volumes: shape.slots().map(|slot| whole(slot, &sets)).collect(),
        headers: shape.families().collect(),
        records: (1..=4).map(|n| (n, format!("record.{n}"))).collect(),
        standings: shape
            .mirrors()
            .map(|mirror| (mirror, Standing::InStep))
            .collect(),
        sets,
    }
}

/// The media after a step, as the effects leave them.
fn apply(view: &mut View, step: &Step) {
    let sources: Vec<Volume> = view.volumes.clone();
    let volume = view
        .volumes
        .iter_mut()
        .find(|volume| volume.slot == step.slot)
        .unwrap();
    let mut held = |position: Position, change: &dyn Fn(&mut Held)| {
        change(volume.sets.entry(position).or_insert(Held::NOTHING));
    };
    match &step.deed {
        Deed::PutHeader { .. } => {
            volume.header = Part::Sound;
            volume.presence = Presence::Answers;
        }
        Deed::PutData { position } | Deed::RewriteData { position, .. } => {
            let lost = (0..3).filter(|chunk| {
                !sources.iter().any(|twin| {
                    twin.slot.family == step.slot.family
                        && twin.presence == Presence::Answers
                        && matches!(twin.sets.get(position).map(|held| &held.data),
                            Some(Data::There { bad, .. }) if !bad.contains(chunk))
                })
            });
            let bad: BTreeSet<u64> = lost.collect();
            held(*position, &|held| {
                held.data = Data::There {
                    bad: bad.clone(),
                    longer: false,
                };
            });
        }
        Deed::PutManifest { position, .. } | Deed::PutVoid { position, .. } => {
            held(*position, &|held| held.second = Part::Sound);
        }
        Deed::RemoveData { position, .. } => held(*position, &|held| held.data = Data::Missing),
        Deed::PutRecord { sequence, .. } => {
            volume.records.insert(*sequence, Part::Sound);
        }
        Deed::RemoveRecord { name } => volume.strays.retain(|stray| stray != name),
    }
}

/// What may happen to a volume.
#[derive(Clone, Debug)]
enum Harm {
    Header(bool),
    Flip(u64, u64),
    Longer(u64),
    NoData(u64),
    Second(u64, bool),
    Record(u64, bool),
    Leftover(u64),
    Blank,
}

fn harm(volume: &mut Volume, harm: &Harm) {
    if volume.presence == Presence::Blank {
        return;
    }
    let part = |damaged: bool| {
        if damaged {
            Part::Damaged
        } else {
            Part::Missing
        }
    };
    let sets = &mut volume.sets;
    match harm {
        Harm::Header(damaged) => volume.header = part(*damaged),
        Harm::Flip(number, chunk) => {
            if let Some(Held {
                data: Data::There { bad, .. },
                ..
            }) = sets.get_mut(&position(*number))
            {
                bad.insert(if *number == 1 { *chunk } else { 0 });
            }
        }
        Harm::Longer(number) => {
            if let Some(Held {
                data: Data::There { longer, .. },
                ..
            }) = sets.get_mut(&position(*number))
            {
                *longer = true;
            }
        }
        Harm::NoData(number) => {
            sets.get_mut(&position(*number)).unwrap().data = Data::Missing;
        }
        Harm::Second(number, damaged) => {
            sets.get_mut(&position(*number)).unwrap().second = part(*damaged);
        }
        Harm::Record(sequence, damaged) => {
            volume.records.insert(*sequence, part(*damaged));
        }
        Harm::Leftover(number) => {
            sets.get_mut(&position(*number)).unwrap().data = Data::There {
                bad: BTreeSet::new(),
                longer: false,
            };
        }
        Harm::Blank => {
            volume.presence = Presence::Blank;
            volume.header = Part::Missing;
            volume.sets.clear();
            volume.records.clear();
        }
    }
}

fn any_harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        any::<bool>().prop_map(Harm::Header),
        (prop_oneof![Just(1_u64), Just(4)], 0..3_u64).prop_map(|(p, c)| Harm::Flip(p, c)),
        prop_oneof![Just(1_u64), Just(4)].prop_map(Harm::Longer),
        prop_oneof![Just(1_u64), Just(4)].prop_map(Harm::NoData),
        (1..=4_u64, any::<bool>()).prop_map(|(p, d)| Harm::Second(p, d)),
        (1..=4_u64, any::<bool>()).prop_map(|(s, d)| Harm::Record(s, d)),
        prop_oneof![Just(2_u64), Just(3)].prop_map(Harm::Leftover),
        Just(Harm::Blank),
    ]
}

/// Harm to any volumes but those of the first mirror: one sound copy of everything stays.
fn harmed() -> impl Strategy<Value = (View, Vec<Slot>)> {
    let shapes = prop_oneof![
        Just((1_u16, 2_u8)),
        Just((2, 2)),
        Just((2, 3)),
        Just((1, 4))
    ];
    let harms = prop::collection::vec((any::<prop::sample::Index>(), any_harm()), 1..12);
    (shapes, harms).prop_map(|((families, mirrors), harms)| {
        let mut view = view(Shape { families, mirrors });
        let mut hit = Vec::new();
        for (index, wrong) in harms {
            let first = usize::from(families);
            let count = view.volumes.len();
            let volume = &mut view.volumes[first + index.index(count - first)];
            harm(volume, &wrong);
            hit.push(volume.slot);
        }
        (view, hit)
    })
}

/// Repairs every mirror, blank devices by the operator's word.
fn repaired(view: &mut View, stop_after: Option<usize>) {
    let mirrors: Vec<MirrorNo> = view.shape.mirrors().collect();
    for mirror in mirrors {
        let steps = plan(view, Scope::Only(mirror)).steps;
        let some = stop_after.unwrap_or(steps.len());
        for step in steps.iter().take(some) {
            apply(view, step);
        }
    }
}

proptest! {
    #[test]
    fn a_plan_makes_every_mirror_whole_and_touches_no_source((view, hit) in harmed()) {
        let mut now = view.clone();
        for mirror in view.shape.mirrors() {
            for step in plan(&now, Scope::Only(mirror)).steps {
                prop_assert!(hit.contains(&step.slot), "{} touches a sound volume", step);
                prop_assert_eq!(step.slot.mirror, mirror);
                apply(&mut now, &step);
            }
        }
        let whole: Vec<Volume> = now.shape.slots().map(|slot| whole(slot, &now.sets)).collect();
        prop_assert_eq!(&now.volumes, &whole);
        prop_assert_eq!(plan(&now, Scope::All), Plan::default());
    }

    #[test]
    fn a_plan_that_is_cut_off_anywhere_ends_at_the_same_media(
        (view, _) in harmed(),
        cuts in prop::collection::vec(0..8_usize, 0..6),
    ) {
        let mut now = view;
        for cut in cuts {
            repaired(&mut now, Some(cut));
        }
        repaired(&mut now, None);
        let whole: Vec<Volume> = now.shape.slots().map(|slot| whole(slot, &now.sets)).collect();
        prop_assert_eq!(&now.volumes, &whole);
    }

    /// Records come behind the sections they speak of, in writing order, on every volume; data of
    /// a set that was removed lawfully go last.
    #[test]
    fn steps_stand_in_an_order_that_a_kill_cannot_hurt((view, _) in harmed()) {
        for mirror in view.shape.mirrors() {
            let steps = plan(&view, Scope::Only(mirror)).steps;
            let turns: Vec<_> = steps.iter().map(|step| step.deed.turn()).collect();
            let mut sorted = turns.clone();
            sorted.sort();
            prop_assert_eq!(turns, sorted);
            for slot in view.shape.slots() {
                let sequences: Vec<u64> = steps.iter().filter(|step| step.slot == slot)
                    .filter_map(|step| match step.deed {
                        Deed::PutRecord { sequence, .. } => Some(sequence),
                        _ => None,
                    })
                    .collect();
                prop_assert!(sequences.is_sorted());
            }
        }
    }

    #[test]
    fn without_a_word_no_blank_device_is_touched((view, _) in harmed()) {
        let plan = plan(&view, Scope::All);
        for volume in view.volumes.iter().filter(|v| v.presence == Presence::Blank) {
            prop_assert!(plan.steps.iter().all(|step| step.slot != volume.slot));
            prop_assert!(plan.unhealed.iter().any(|left| left.slot == volume.slot));
        }
    }
}

#[test]
fn a_chunk_lost_everywhere_is_named_and_holds_up_nothing() {
    let mut view = view(Shape {
        families: 1,
        mirrors: 2,
    });
    for volume in &mut view.volumes {
        harm(volume, &Harm::Flip(1, 1));
    }
    harm(&mut view.volumes[0], &Harm::Flip(1, 2));
    let plan = plan(&view, Scope::All);
    let lost = Lost {
        position: position(1),
        family: FamilyNo(1),
        chunk: 1,
    };
    assert_eq!(plan.lost, [lost]);
    let chunks = |step: &Step| match &step.deed {
        Deed::RewriteData { chunks, .. } => chunks.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(plan.steps.iter().map(chunks).collect::<Vec<_>>(), [[2]]);
}

#[test]
fn a_mirror_returns_when_nothing_is_left_to_do() {
    let mut view = view(Shape {
        families: 2,
        mirrors: 2,
    });
    let out = Standing::OutOfStep {
        since: position(4),
        sequence: 3,
    };
    view.standings.insert(MirrorNo(2), out);
    let all = |view: &View| returning(view, Scope::All, &plan(view, Scope::All));
    assert_eq!(all(&view), [MirrorNo(2)]);
    harm(&mut view.volumes[3], &Harm::NoData(4));
    assert_eq!(all(&view), []);
    view.volumes[3] = whole(view.volumes[3].slot, &view.sets);
    view.volumes[2].presence = Presence::Missing("gone".into());
    assert_eq!(all(&view), []);
}

#[test]
fn by_itself_only_a_mirror_that_answers_again_is_repaired() {
    let mut view = view(Shape {
        families: 1,
        mirrors: 3,
    });
    let since = |number| Standing::OutOfStep {
        since: position(number),
        sequence: 3,
    };
    view.standings.insert(MirrorNo(2), since(2));
    view.standings.insert(MirrorNo(3), since(4));
    let holds = |view: &View, mirror| Scope::Returned(position(4)).holds(MirrorNo(mirror), view);
    assert_eq!([1, 2, 3].map(|m| holds(&view, m)), [false, true, false]);
    view.volumes[1].header = Part::Damaged;
    assert!(!holds(&view, 2), "a damaged header needs the operator");
    view.standings.insert(MirrorNo(2), Standing::Dropped);
    assert!(!Scope::Only(MirrorNo(2)).holds(MirrorNo(2), &view));
}

#[test]
fn a_record_of_another_history_goes_only_from_a_mirror_out_of_step() {
    let mut view = view(Shape {
        families: 1,
        mirrors: 2,
    });
    view.volumes[1].strays.push("verdict.000003".into());
    let before = plan(&view, Scope::All);
    assert_eq!((before.steps.len(), before.unhealed.len()), (0, 1));
    let out = Standing::OutOfStep {
        since: position(4),
        sequence: 3,
    };
    view.standings.insert(MirrorNo(2), out);
    let after = plan(&view, Scope::All);
    assert_eq!((after.steps.len(), after.unhealed.len()), (1, 0));
}
