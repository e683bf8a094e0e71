//! How forks go on from each other, which sets tell it, and on which of them a restore ends.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Chains, End, Family, Index, Subject, family};
use crate::fork::{Forked, Path};

/// Where the parts of all sets stand among the forks of their families.
fn forked(sets: &[Subject]) -> BTreeMap<Family, Vec<(Index, Forked)>> {
    let mut families: BTreeMap<Family, Vec<(Index, Forked)>> = BTreeMap::new();
    for (index, set) in sets.iter().enumerate() {
        for part in &set.parts {
            let told = families.entry(family(set, part)).or_default();
            told.push((index, part.forked()));
        }
    }
    families
}

fn without_sets(forked: &[(Index, Forked)]) -> Vec<Forked> {
    forked.iter().map(|(_, forked)| *forked).collect()
}

/// The ways to the ends of all forks.
pub(super) fn paths(sets: &[Subject]) -> BTreeMap<(Family, Uuid), Path> {
    let mut paths = BTreeMap::new();
    for (family, all) in forked(sets) {
        let all = without_sets(&all);
        for fork in all.iter().filter_map(|forked| forked.fork) {
            let path = paths.entry((family.clone(), fork));
            path.or_insert_with(|| Path::to(Some(fork), &all));
        }
    }
    paths
}

impl Chains<'_> {
    /// The forks that a restore to a set ends on.
    pub(in crate::retention) fn ends(&self, index: Index) -> BTreeSet<End> {
        let parts = self.sets.get(index).map_or(&[][..], |set| &set.parts);
        parts.iter().map(|part| part.fork).collect()
    }

    /// Sets that tell the way to a kept one, where those that are kept tell another: each with the
    /// kept one that would lie elsewhere.
    pub(in crate::retention) fn signposts(
        &self,
        kept: &dyn Fn(Index) -> bool,
    ) -> Vec<(Index, Index)> {
        let mut signs = Vec::new();
        for all in forked(self.sets).values() {
            let left: Vec<_> = all.iter().copied().filter(|(set, _)| kept(*set)).collect();
            if left.len() == all.len() {
                continue;
            }
            let (all_ways, left_ways) = (without_sets(all), without_sets(&left));
            let forks: BTreeSet<Uuid> = left_ways.iter().filter_map(|set| set.fork).collect();
            for fork in forks {
                let (whole, tellers) = Path::told(Some(fork), &all_ways);
                let path = Path::to(Some(fork), &left_ways);
                let strays = |(_, set): &&(Index, Forked)| whole.holds(*set) != path.holds(*set);
                if let Some((whose, _)) = left.iter().find(strays) {
                    let tellers = tellers.iter().filter_map(|number| all.get(*number));
                    signs.extend(tellers.map(|(sign, _)| (*sign, *whose)));
                }
            }
        }
        signs
    }
}
