//! Sets that nothing is restored from, and that say how the others hang together.

use super::{Index, Judge, Reason};
use crate::retention::{Place, Subject};

impl Judge<'_> {
    /// A full that says that the machine was rolled back parts what lies before it from what lies
    /// behind: while both are kept, it stays.
    pub(super) fn marks(&mut self) {
        let name = |set: &Subject| set.database.as_ref().map(|name| name.to_lowercase());
        for mark in 0..self.sets.len() {
            let marked = self.set(mark).filter(|set| set.new_branch);
            let Some(marked) = marked.filter(|_| !self.kept(mark)) else {
                continue;
            };
            let ours = |index: &Index| {
                let set = self.set(*index).filter(|set| name(set) == name(marked));
                set.is_some() && self.kept(*index)
            };
            let mut kept = (0..self.sets.len())
                .filter(ours)
                .filter_map(|i| self.set(i));
            let before = kept.clone().any(|set| set.began < marked.began);
            let behind = kept.find(|set| set.began > marked.began);
            if let Some(behind) = behind.filter(|_| before) {
                let reason = Reason::NeededBy(self.named(behind), behind.kind);
                self.keep(mark, reason);
            }
        }
    }

    /// Where forks go on from each other is told by sets, too: while those that stay would lie on
    /// another way without them, they stay. True when any was added.
    pub(super) fn signposts(&mut self) -> bool {
        let told = self.chains.signposts(&|index| self.kept(index));
        let mut added = false;
        for (sign, whose) in told {
            if self.kept(sign) {
                continue;
            }
            let Some(set) = self.set(whose) else { continue };
            let reason = Reason::NeededBy(self.named(set), set.kind);
            self.keep(sign, reason);
            added = true;
        }
        added
    }

    /// A set's place as reasons name it: without the media set where it is this one.
    pub(super) fn named(&self, set: &Subject) -> Place {
        let mut place = set.place.clone();
        if place.media_set == self.question.media_set {
            place.media_set = String::new();
        }
        place
    }
}
