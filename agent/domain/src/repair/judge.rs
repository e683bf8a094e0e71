//! What is wrong with one volume, and which of it a twin can heal.

use std::collections::BTreeMap;

use super::Wanted;
use super::{Data, Deed, Held, Lost, Part, Plan, Presence, Scope, Step, Unhealed, View, Volume};
use crate::standing::Standing;
use crate::{FamilyNo, Position, Slot};

/// Chunks that no mirror has sound, of every set that is kept.
pub(super) fn lost(view: &View) -> Vec<Lost> {
    let mut lost = Vec::new();
    for (position, wanted) in &view.sets {
        let Wanted::Set(families) = wanted else {
            continue;
        };
        for family in view.shape.families() {
            if families.contains_key(&family) && has_whole(view, *position, family) {
                continue;
            }
            // A family without a manifest cannot be read at all.
            let chunks = families.get(&family).map_or(0..1, |chunks| 0..*chunks);
            let known = families.contains_key(&family);
            let gone = chunks.filter(|chunk| !known || is_lost(view, *position, family, *chunk));
            lost.extend(gone.map(|chunk| Lost {
                position: *position,
                family,
                chunk,
            }));
        }
    }
    lost
}

fn is_lost(view: &View, position: Position, family: FamilyNo, chunk: u64) -> bool {
    let has = |volume: &&Volume| {
        volume.slot.family == family
            && volume.presence == Presence::Answers
            && matches!(&held(volume, position).data, Data::There { bad, .. } if !bad.contains(&chunk))
    };
    !view.volumes.iter().any(|volume| has(&volume))
}

/// Some mirror has the section without a flaw: the common case, told without counting chunks.
fn has_whole(view: &View, position: Position, family: FamilyNo) -> bool {
    let whole = |volume: &Volume| {
        volume.slot.family == family
            && volume.presence == Presence::Answers
            && matches!(&held(volume, position).data, Data::There { bad, .. } if bad.is_empty())
    };
    view.volumes.iter().any(whole)
}

fn held(volume: &Volume, position: Position) -> &Held {
    volume.sets.get(&position).unwrap_or(&Held::NOTHING)
}

/// The steps for one volume, and what of it stays as it is.
pub(super) fn volume(view: &View, scope: Scope, volume: &Volume, plan: &mut Plan) {
    let mut judge = Judge { view, volume, plan };
    match &volume.presence {
        Presence::Answers => {}
        // An operator's word is needed: an unmounted share looks just like an empty device.
        Presence::Blank if scope.replaces(volume.slot.mirror) => {}
        Presence::Blank => return judge.absent("nothing of the media set is there"),
        Presence::Missing(why) => return judge.absent(why),
        Presence::Refused(why) => return judge.leave(why),
    }
    if !judge.header() {
        return;
    }
    for (position, wanted) in &view.sets {
        match wanted {
            Wanted::Set(families) => judge.set(*position, families),
            Wanted::Dropped(families) => {
                if families.contains(&volume.slot.family) {
                    judge.manifest(*position);
                }
                judge.remove(*position, true);
            }
            Wanted::Void(known) => judge.void(*position, *known),
        }
    }
    judge.records();
}

struct Judge<'a> {
    view: &'a View,
    volume: &'a Volume,
    plan: &'a mut Plan,
}

impl Judge<'_> {
    fn slot(&self) -> Slot {
        self.volume.slot
    }

    fn step(&mut self, deed: Deed) {
        let slot = self.slot();
        self.plan.steps.push(Step { slot, deed });
    }

    fn leave(&mut self, what: &str) {
        let (slot, what) = (self.slot(), what.to_owned());
        self.plan.unhealed.push(Unhealed { slot, what });
    }

    fn absent(&mut self, why: &str) {
        let mirror = self.slot().mirror.0;
        self.leave(&format!(
            "the volume is missing: {why}; bring it back, or repair onto an empty device in its \
             place by --mirror {mirror}"
        ));
    }

    /// Whether the volume has a header, or will have one.
    fn header(&mut self) -> bool {
        let replace = match self.volume.header {
            Part::Sound => return true,
            Part::Damaged => true,
            Part::Missing => false,
        };
        let known = self.view.headers.contains(&self.slot().family);
        if known {
            self.step(Deed::PutHeader { replace });
        } else {
            self.leave("the media header is damaged, and no mirror has that of the family sound");
        }
        known || replace
    }

    fn set(&mut self, position: Position, families: &BTreeMap<FamilyNo, u64>) {
        let Some(chunks) = families.get(&self.slot().family).copied() else {
            return;
        };
        let lost = |judge: &Self, chunk| is_lost(judge.view, position, judge.slot().family, chunk);
        match &held(self.volume, position).data {
            // Of a section that is on no mirror nothing is left to copy.
            Data::Missing if chunks > 0 && (0..chunks).all(|chunk| lost(self, chunk)) => {}
            Data::Missing => self.step(Deed::PutData { position }),
            Data::There { bad, longer } => {
                let heal = bad.iter().filter(|chunk| !lost(self, **chunk));
                let chunks: Vec<u64> = heal.copied().collect();
                if *longer || !chunks.is_empty() {
                    self.step(Deed::RewriteData { position, chunks });
                }
            }
        }
        self.manifest(position);
    }

    fn manifest(&mut self, position: Position) {
        match held(self.volume, position).second {
            Part::Sound => {}
            part => self.step(Deed::PutManifest {
                position,
                replace: part == Part::Damaged,
            }),
        }
    }

    fn void(&mut self, position: Position, known: bool) {
        match held(self.volume, position).second {
            Part::Sound => {}
            part if known => self.step(Deed::PutVoid {
                position,
                replace: part == Part::Damaged,
            }),
            Part::Damaged => {
                let what = format!("the void of position {position} is damaged on every mirror");
                return self.leave(&what);
            }
            Part::Missing => return,
        }
        self.remove(position, false);
    }

    fn remove(&mut self, position: Position, dropped: bool) {
        if held(self.volume, position).data != Data::Missing {
            self.step(Deed::RemoveData { position, dropped });
        }
    }

    fn records(&mut self) {
        let standing = self.view.standings.get(&self.slot().mirror);
        let out = matches!(standing, Some(Standing::OutOfStep { .. }));
        for name in &self.volume.strays {
            if out {
                self.step(Deed::RemoveRecord { name: name.clone() });
            } else {
                self.leave(&format!(
                    "the record {name} contradicts those of the others"
                ));
            }
        }
        for name in &self.volume.unknown {
            self.leave(&format!(
                "the record {name} is damaged, and no mirror has it sound"
            ));
        }
        for (sequence, name) in &self.view.records {
            let replace = match self.volume.records.get(sequence) {
                Some(Part::Sound) => continue,
                Some(Part::Damaged) => true,
                Some(Part::Missing) | None => false,
            };
            self.step(Deed::PutRecord {
                name: name.clone(),
                sequence: *sequence,
                replace,
            });
        }
    }
}
