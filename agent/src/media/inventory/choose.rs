//! Which manifest stands for a family where mirrors disagree.

use std::collections::BTreeMap;

use twinset_domain::{FamilyNo, Shape};
use twinset_format::manifest::Manifest;
use twinset_format::record::Record;

/// One manifest for each family: where mirrors disagree, the one that the verdict names.
pub(super) fn manifests_of<'a>(
    shape: Shape,
    verdict: Option<&Record>,
    found: impl Iterator<Item = &'a Manifest>,
) -> BTreeMap<FamilyNo, Manifest> {
    let mut chosen: BTreeMap<FamilyNo, Manifest> = BTreeMap::new();
    for manifest in found {
        let facts = &manifest.facts;
        if verdict.is_some_and(|verdict| verdict.run != facts.run) {
            continue;
        }
        let better = match chosen.get(&facts.family) {
            None => true,
            Some(before) if before == manifest => false,
            Some(before) => !names(verdict, before, shape) && names(verdict, manifest, shape),
        };
        if better {
            chosen.insert(facts.family, manifest.clone());
        }
    }
    chosen
}

/// Whether a verdict names this manifest. One that does not name all of them names none.
pub(super) fn names(verdict: Option<&Record>, manifest: &Manifest, shape: Shape) -> bool {
    let Some(verdict) = verdict.filter(|v| v.manifests.len() == usize::from(shape.families)) else {
        return true;
    };
    let family = usize::from(manifest.facts.family.0).checked_sub(1);
    let named = family.and_then(|family| verdict.manifests.get(family));
    named.is_some_and(|named| *named == manifest.hash())
}
