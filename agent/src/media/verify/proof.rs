//! Who wrote what: signatures of records and manifests, and the end of the history that was
//! expected. Nothing but the media and a public key is needed.

use std::collections::{BTreeMap, BTreeSet};

use twinset_domain::append::Tail;
use twinset_domain::recover::{Second, SetState};
use twinset_domain::{FamilyNo, Position};
use twinset_format::manifest::Manifest;
use twinset_format::record::Record;
use twinset_format::sign::{PublicKey, Signed};

use super::chain::Records;
use super::follow::History;
use super::{Report, whole};
use crate::media::damage::Section;
use crate::media::inventory::SetOnMedia;

/// What verify holds the documents against.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Keys that may have signed; empty: signatures must be good, whoever made them.
    pub keys: Vec<PublicKey>,
    /// Whether something must be signed at all: said where a key was given by hand.
    pub required: bool,
    /// A record that the history must hold, and may go on behind.
    pub tail: Option<Tail>,
}

/// Judges signatures, each document once.
struct Judge<'a> {
    proof: &'a Proof,
    strangers: BTreeSet<PublicKey>,
}

impl Judge<'_> {
    /// What is wrong with a document's signature; unsigned ones are wrong where `needed`.
    fn wrong(&mut self, signed: Signed, needed: bool) -> Option<String> {
        match signed {
            Signed::By(key) if self.proof.keys.contains(&key) => None,
            Signed::By(key) if self.proof.keys.is_empty() => {
                self.strangers.insert(key);
                None
            }
            Signed::By(key) => Some(format!("it is signed by another key, {key}")),
            Signed::Bad => Some("its signature is not good".to_owned()),
            Signed::No if needed => Some("it bears no signature".to_owned()),
            Signed::No => None,
        }
    }
}

/// Checks signatures and the expected end; what is wrong goes into the report.
pub(super) fn check(
    proof: &Proof,
    history: &History,
    volumes: &[Records],
    sets: &[&SetOnMedia],
    report: &mut Report,
) {
    expected_tail(proof, history, report);
    let mut judge = Judge {
        proof,
        strangers: BTreeSet::new(),
    };
    let from = history
        .records
        .iter()
        .find(|(_, record)| record.signer.is_some())
        .map(|(sequence, _)| *sequence);
    let authentic = records(&mut judge, from, history, volumes, report);
    let signed_sets = manifests(&mut judge, from, &authentic, sets, volumes, report);
    if proof.required && from.is_none() && !signed_sets {
        let any = !history.records.is_empty() || sets.iter().any(|set| set.is_kept());
        if any {
            let finding = "nothing on the media bears a signature: nothing proves who wrote it";
            report.history.push(finding.to_owned());
        }
    }
    for key in judge.strangers {
        report.notes.push(format!(
            "signed by {key}, which was not compared with a key that you trust: --public-key"
        ));
    }
}

fn expected_tail(proof: &Proof, history: &History, report: &mut Report) {
    let Some(tail) = &proof.tail else { return };
    let (sequence, hash) = (tail.sequence, &tail.hash);
    let found = history.records.get(&sequence).map(Record::hash);
    let finding = match found {
        Some(found) if found == *hash => return,
        Some(found) => format!("record {sequence} is {found}, not {hash} as expected"),
        None => {
            let end = history.tail.as_ref().map_or(0, |tail| tail.sequence);
            format!("the media end at record {end}, record {sequence} was expected: cut off")
        }
    };
    report.history.push(finding);
}

/// Every record from the first signed one on; those that are authentic somewhere.
fn records<'h>(
    judge: &mut Judge<'_>,
    from: Option<u64>,
    history: &'h History,
    volumes: &[Records],
    report: &mut Report,
) -> BTreeMap<u64, &'h Record> {
    let mut authentic = BTreeMap::new();
    for (sequence, record) in &history.records {
        let needed = from.is_some_and(|from| *sequence >= from);
        let wrong = judge.wrong(record.signature(), needed);
        if wrong.is_none() && record.signer.is_some() {
            authentic.insert(*sequence, record);
        }
        let mut bad_everywhere = wrong.is_some();
        for volume in volumes {
            let Some(ours) = volume.sound.get(sequence) else {
                continue;
            };
            let wrong = if ours == record {
                wrong.clone()
            } else {
                judge.wrong(ours.signature(), needed)
            };
            match wrong {
                Some(detail) => {
                    let mut damage = volume.damage(Some(ours), *sequence);
                    damage.detail = detail;
                    report.damage.push(damage);
                }
                None => bad_everywhere = false,
            }
        }
        if bad_everywhere {
            report.history.push(format!(
                "record {sequence} in writing order is authentic on no mirror"
            ));
        }
    }
    authentic
}

/// Every manifest must be signed, or named by a record that is. Tells whether any bears a
/// signature.
fn manifests(
    judge: &mut Judge<'_>,
    from: Option<u64>,
    authentic: &BTreeMap<u64, &Record>,
    sets: &[&SetOnMedia],
    volumes: &[Records],
    report: &mut Report,
) -> bool {
    let since = from.and_then(|from| authentic.range(from..).map(|(_, r)| r.position).min());
    let named: BTreeSet<&str> = authentic
        .values()
        .flat_map(|record| record.manifests.iter().map(String::as_str))
        .collect();
    let mut any = false;
    for set in sets {
        if matches!(set.state, SetState::Void | SetState::Empty) {
            continue;
        }
        for (family, manifest) in &set.manifests {
            any |= manifest.facts.signer.is_some();
            let needed = since.is_some_and(|since| set.position >= since)
                && !named.contains(manifest.hash().as_str());
            if let Some(detail) = judge.wrong(manifest.signature(), needed) {
                tell(set, *family, manifest, &detail, volumes, report);
            }
        }
    }
    any
}

/// The manifest of a family is the same on all its mirrors, and so is what is wrong with it.
fn tell(
    set: &SetOnMedia,
    family: FamilyNo,
    manifest: &Manifest,
    detail: &str,
    volumes: &[Records],
    report: &mut Report,
) {
    let position: Position = manifest.facts.position;
    let holders = set
        .pieces
        .iter()
        .filter(|piece| piece.slot.family == family && piece.second == Second::Manifest);
    for piece in holders {
        let volume = volumes.iter().find(|volume| volume.slot == piece.slot);
        let label = volume.map_or("", |volume| volume.label.as_str());
        let mut damage = whole(label, piece.slot, Section::Manifest);
        damage.name = position.manifest_section().to_string();
        damage.position = Some(position);
        damage.detail = detail.to_owned();
        report.damage.push(damage);
    }
    report.history.push(format!(
        "position {position}, {family}: its manifest is authentic on no mirror: {detail}"
    ));
}
