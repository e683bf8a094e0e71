//! Data sections: every byte read and hashed, every chunk compared with its manifest.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use twinset_domain::chunk;
use twinset_format::canonical;
use twinset_format::manifest::Manifest;
use twinset_format::tree::TreeHasher;
use twinset_plugin_api::Outcome;

use super::{Pass, Report, whole};
use crate::device::{DeviceFault, Handle, Pending};
use crate::media::damage::{Damage, Kind, Section};
use crate::media::patience::patiently;
use crate::media::reader::{Broken, read_range};
use crate::media::volume::Volume;

/// Bytes read and hashed at once: stays in a core's own cache.
const PIECE: u64 = 1 << 20;

/// Hashes a data section; the chunk hashes name the place, the root proves the whole.
pub(super) fn data(
    pass: &Pass<'_>,
    volume: &Arc<Volume>,
    manifest: &Manifest,
    report: &mut Report,
) -> Result<(), DeviceFault> {
    let index = manifest.facts.position.data_section();
    let length = manifest.facts.stored_length;
    let found = volume.call(move |handle| handle.open_section(index))?;
    let mut hasher = TreeHasher::new();
    let mut unreadable: BTreeMap<u64, String> = BTreeMap::new();
    let mut ahead = Some(order(volume, 0..length.min(PIECE), Vec::new(), 0));
    let mut spare = Vec::new();
    let mut at = 0;
    while at < length && !pass.stop.load(Ordering::Relaxed) {
        let Some(pending) = ahead.take() else { break };
        let end = length.min(at + PIECE);
        if end < length {
            let next = end..length.min(end + PIECE);
            ahead = Some(order(volume, next, std::mem::take(&mut spare), 0));
        }
        let (mut first, mut begun) = (Some(pending), Vec::new());
        let read = patiently(volume, || {
            let begun_before = std::mem::take(&mut begun);
            let filled = begun_before.len();
            let pending = match first.take() {
                Some(pending) => pending,
                None => order(volume, at..end, begun_before, filled),
            };
            let read = pending.wait().map_err(Broken::from);
            read.and_then(|read| read).map_err(|broken| {
                begun = broken.bytes;
                broken.fault
            })
        });
        let mut bytes = match read {
            Ok(bytes) => bytes,
            Err(fault) if fault.outcome == Outcome::CANCELLED => return Err(fault),
            Err(fault) => {
                unreadable.insert(at / chunk::CHUNK, fault.to_string());
                Vec::new()
            }
        };
        // What is missing is hashed as zeros, so that later chunks stay at their places.
        bytes.resize(usize::try_from(end - at).unwrap_or(0), 0);
        hasher.update(&bytes);
        pass.watch.advance(end - at);
        report.bytes += end - at;
        spare = bytes;
        at = end;
    }
    if at == length {
        compare(volume, manifest, hasher, found, &unreadable, report);
    }
    Ok(())
}

fn order(
    volume: &Arc<Volume>,
    range: Range<u64>,
    buffer: Vec<u8>,
    filled: usize,
) -> Pending<Result<Vec<u8>, Broken>> {
    volume
        .lane()
        .submit(move |handle: &mut Handle| read_range(handle, range, buffer, filled))
}

fn compare(
    volume: &Arc<Volume>,
    manifest: &Manifest,
    hasher: TreeHasher,
    found: u64,
    unreadable: &BTreeMap<u64, String>,
    report: &mut Report,
) {
    let facts = &manifest.facts;
    let hashes = hasher.finish();
    let mut damage = whole(&volume.label, volume.slot, Section::Data);
    damage.name = facts.position.data_section().to_string();
    damage.position = Some(facts.position);
    let before = report.damage.len();
    for (number, (ours, theirs)) in hashes.chunks.iter().zip(&manifest.chunks).enumerate() {
        let number = number as u64;
        let Some(range) = chunk::range(number, facts.stored_length) else {
            break;
        };
        let kind = match (unreadable.get(&number), ours == theirs) {
            (Some(_), _) => Kind::Unreadable,
            // Also where the missing bytes were zeros, as which they were hashed.
            (None, _) if range.end > found => Kind::Truncated,
            (None, true) => continue,
            (None, false) => Kind::Altered,
        };
        let detail = unreadable.get(&number).cloned().unwrap_or_default();
        let (chunk, from, to) = (Some(number), Some(range.start), Some(range.end));
        report.damage.push(Damage {
            chunk,
            from,
            to,
            kind,
            detail,
            ..damage.clone()
        });
    }
    if found > facts.stored_length {
        let (from, to) = (Some(facts.stored_length), Some(found));
        report.damage.push(Damage {
            from,
            to,
            kind: Kind::TooLong,
            ..damage.clone()
        });
    }
    if report.damage.len() == before && canonical::hex(&hashes.root) != facts.stored_blake3 {
        damage.detail = "its hash is not the manifest's".to_owned();
        report.damage.push(damage);
    }
}
