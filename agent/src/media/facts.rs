//! What the quick consistency check needs to know of one volume, from names and a few records.

use std::collections::BTreeSet;

use twinset_domain::append::{Behind, DEVICE_CLASS, Found, Tail};
use twinset_domain::name::{self, RecordKind, RecordName};
use twinset_domain::standing::{Change, Closed, Statement};
use twinset_format::header::MediaHeader;
use twinset_format::record::{self, Record};
use twinset_plugin_api::{Capabilities, RecordEntry, SectionEntry};

use super::volume::Volume;
use crate::device::DeviceFault;

/// Facts of a volume with a sound header, but for what is known already.
///
/// # Errors
/// The device's.
pub(super) fn found(
    volume: &Volume,
    header: &MediaHeader,
    behind: Behind,
) -> Result<Found, DeviceFault> {
    let found = look(volume, header, behind)?;
    let end = found.tail.as_ref().map_or(0, |tail| tail.sequence);
    if end < behind.sequence {
        // It lacks something, or its end is a void at an old position.
        return look(volume, header, Behind::NOTHING);
    }
    Ok(found)
}

fn look(volume: &Volume, header: &MediaHeader, behind: Behind) -> Result<Found, DeviceFault> {
    let sections = volume.sections_behind(behind)?;
    let records = volume.records_behind(behind)?;
    let leftovers = volume.leftovers()?;
    let verdicts: BTreeSet<u64> = records
        .iter()
        .filter_map(|record| RecordName::verdict(&record.name))
        .map(|verdict| verdict.position.get())
        .collect();
    let (mut data, mut manifests, mut voids) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for section in sections.iter().filter(|section| section.index > 0) {
        let kind = match (section.index % 2, name::parse_void(&section.name)) {
            (1, _) => &mut data,
            (_, Some(_)) => &mut voids,
            _ => &mut manifests,
        };
        kind.insert(section.index.div_ceil(2));
    }
    // Unsealed data, data or a manifest without the other half, data under a void, unfinished work.
    let mut unresolved: BTreeSet<u64> = data.symmetric_difference(&manifests).copied().collect();
    // What a published set lacks is damage, not a dead run's work.
    unresolved.retain(|position| !verdicts.contains(position));
    let work = leftovers.iter().filter(|left| left.run_id.is_some());
    unresolved.extend(work.map(|left| left.index.unwrap_or(0).div_ceil(2)));
    let said = said(volume, &records)?;
    let end = end(volume, &sections, &records)?;
    let last = sections.last();
    let highest = last.map_or(0, |section| section.index.div_ceil(2));
    Ok(Found {
        media_set: header.media_set,
        shape: header.shape,
        slot: header.slot(),
        agent: header.agent,
        properties: properties(volume),
        // What the list left out is taken.
        highest: highest.max(behind.position),
        tail: end.as_ref().map(|end| end.tail.clone()),
        signer: end.and_then(|end| end.signer),
        unconfirmed: manifests.difference(&verdicts).copied().collect(),
        unresolved: unresolved.into_iter().collect(),
        statements: said.statements,
        closed: said.closed,
    })
}

/// What the records of a volume say of mirrors and of the media set itself.
#[derive(Default)]
pub(super) struct Said {
    pub(super) statements: Vec<Statement>,
    pub(super) closed: Option<Closed>,
}

/// Reads the few records that are about mirrors. One that is damaged says nothing here: its twins
/// on the other mirrors do, and a verify names it.
pub(super) fn said(volume: &Volume, records: &[RecordEntry]) -> Result<Said, DeviceFault> {
    let mut said = Said::default();
    for entry in records {
        let Some(named) = RecordName::parse(&entry.name) else {
            continue;
        };
        let change = match named.kind {
            RecordKind::OutOfStep => Change::OutOfStep,
            RecordKind::InStep => Change::InStep,
            RecordKind::MirrorDropped => Change::Dropped,
            RecordKind::Closed => {
                let record = Record::parse(&volume.record(&entry.name)?);
                let record = record.ok().filter(|record| record.name() == Some(named));
                said.closed = Some(Closed {
                    sequence: named.sequence,
                    by: record.as_ref().map(|record| record.agent),
                    previous: record.and_then(|record| record.previous),
                });
                continue;
            }
            RecordKind::Verdict | RecordKind::Drop => continue,
        };
        if entry.length > record::MAX_BYTES {
            continue;
        }
        if let Ok(record) = Record::parse(&volume.record(&entry.name)?)
            && record.name() == Some(named)
        {
            said.statements.push(Statement {
                sequence: record.sequence,
                change,
                mirrors: record.mirrors,
                position: record.position,
            });
        }
    }
    Ok(said)
}

/// Properties that must match between mirrors (design: who must be there).
pub(super) fn properties(volume: &Volume) -> Vec<(&'static str, String)> {
    let d = &volume.description;
    let has = |bit: u32| (d.capabilities & bit != 0).to_string();
    vec![
        (DEVICE_CLASS, format!("{:?}", d.class)),
        (
            "block sizes",
            format!("{} to {}", d.block_sizes.0, d.block_sizes.1),
        ),
        ("alignment", d.alignment.to_string()),
        (
            "transfer sizes",
            format!("{} to {}", d.transfer_sizes.0, d.transfer_sizes.1),
        ),
        ("spanning", has(Capabilities::SPAN)),
        ("appending", has(Capabilities::APPEND)),
    ]
}

/// End of the chain on a volume.
struct End {
    tail: Tail,
    signer: Option<String>,
}

/// The last record or void in writing order, as it lies on this volume.
fn end(
    volume: &Volume,
    sections: &[SectionEntry],
    records: &[RecordEntry],
) -> Result<Option<End>, DeviceFault> {
    let record = records
        .iter()
        .filter_map(|record| Some((RecordName::parse(&record.name)?.sequence, &record.name)))
        .max();
    let void = sections
        .iter()
        .filter_map(|section| Some((name::parse_void(&section.name)?, section.index)))
        .max();
    let limit = record::MAX_BYTES;
    let (sequence, bytes) = match (record, void) {
        (Some((record, name)), void) if void.is_none_or(|(void, _)| void < record) => {
            (record, volume.record(name)?)
        }
        (_, Some((void, index))) => (void, volume.read_section(index, limit)?),
        _ => return Ok(None),
    };
    // A damaged tail still has a hash: it then differs from its twins' and says so.
    let (hash, signer) = match Record::parse(&bytes) {
        Ok(record) => (record.hash(), record.signer.map(|key| key.to_string())),
        Err(error) => (format!("damaged: {error}"), None),
    };
    let tail = Tail { sequence, hash };
    Ok(Some(End { tail, signer }))
}
