//! Which sets tell how forks go on from each other.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Chains, Family, Index, family};
use crate::fork::{Forked, Path};

impl Chains<'_> {
    /// Sets that tell the way to a kept one, where those that are kept tell another: each with the
    /// kept one that would lie elsewhere.
    pub(in crate::retention) fn signposts(
        &self,
        kept: &dyn Fn(Index) -> bool,
    ) -> Vec<(Index, Index)> {
        let mut families: BTreeMap<Family, Vec<(Index, Forked)>> = BTreeMap::new();
        for (index, set) in self.sets.iter().enumerate() {
            for part in &set.parts {
                let told = families.entry(family(set, part)).or_default();
                told.push((index, part.forked()));
            }
        }
        let mut signs = Vec::new();
        for all in families.values() {
            let left: Vec<_> = all.iter().copied().filter(|(set, _)| kept(*set)).collect();
            if left.len() == all.len() {
                continue;
            }
            let ways = |sets: &[(Index, Forked)]| sets.iter().map(|(_, set)| *set).collect();
            let (all_ways, left_ways): (Vec<_>, Vec<_>) = (ways(all), ways(&left));
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
