//! All volumes of a media set, opened together, and what the quick check needs to know of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use twinset_domain::append::{Found, Seen, State, Tail};
use twinset_domain::name::RecordName;
use twinset_domain::{AgentId, Fault, MediaSetId, Shape, Slot, code, name};
use twinset_format::header::MediaHeader;
use twinset_format::record::Record;
use twinset_plugin_api::{Access, Capabilities, Outcome, RecordEntry, SectionEntry};

use super::volume::{Place, Volume, header_fault, own_fault};
use crate::device::DeviceFault;

/// One place of the matrix and what answered there.
pub struct Cell {
    /// The configured place.
    pub place: Place,
    /// The mounted volume, or why there is none.
    pub volume: Result<Arc<Volume>, DeviceFault>,
    /// Its header, or why it cannot be trusted.
    pub header: Result<MediaHeader, Fault>,
}

/// The volumes of one media set.
pub struct Matrix {
    /// The media set, if any volume or the catalog knows it.
    pub media_set: Option<MediaSetId>,
    /// Its shape by configuration.
    pub shape: Shape,
    /// Every place, mirror by mirror.
    pub cells: Vec<Cell>,
}

impl Matrix {
    /// Opens every place and mounts the volumes of one media set. A place that does not answer is
    /// noted, not an error: reading goes on with the others.
    ///
    /// # Errors
    /// [`code::WRONG_MEDIA_SET`] when nothing says which of several media sets is meant, and
    /// [`code::LOCKED`] when another writer holds a volume.
    pub fn open(
        places: &[Place],
        shape: Shape,
        agent: AgentId,
        access: Access,
        known: Option<MediaSetId>,
    ) -> Result<Self, Fault> {
        let opened: Vec<_> = places
            .iter()
            .map(|place| (place, Volume::open(place, agent, access)))
            .collect();
        let media_set = match known {
            Some(id) => Some(id),
            None => only_media_set(&opened)?,
        };
        let mut cells = Vec::with_capacity(opened.len());
        for (place, volume) in opened {
            cells.push(mount(place, volume, media_set)?);
        }
        Ok(Self {
            media_set,
            shape,
            cells,
        })
    }

    /// The volumes that answered, mirror by mirror.
    pub fn volumes(&self) -> impl Iterator<Item = &Arc<Volume>> {
        self.cells
            .iter()
            .filter_map(|cell| cell.volume.as_ref().ok())
    }

    /// The volume at a place.
    #[must_use]
    pub fn volume(&self, slot: Slot) -> Option<&Arc<Volume>> {
        self.volumes().find(|volume| volume.slot == slot)
    }

    /// Gives the only volume the place that its header tells, for looking at a volume alone.
    pub fn place_alone(&mut self, slot: Slot, shape: Shape) {
        self.shape = shape;
        for cell in &mut self.cells {
            cell.place.slot = slot;
            if let Ok(volume) = &mut cell.volume
                && let Some(volume) = Arc::get_mut(volume)
            {
                volume.slot = slot;
            }
        }
    }

    /// A sound header of the media set: all say the same but for the place.
    #[must_use]
    pub fn any_header(&self) -> Option<&MediaHeader> {
        self.cells
            .iter()
            .filter_map(|cell| cell.header.as_ref().ok())
            .find(|header| Some(header.media_set) == self.media_set)
    }

    /// Whether every place answered.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.cells.iter().all(|cell| cell.volume.is_ok())
    }

    /// The last verdict or void of all volumes.
    #[must_use]
    pub fn newest_tail(&self) -> Option<Tail> {
        let tail = |state| match state {
            State::Found(found) => found.tail,
            _ => None,
        };
        self.seen()
            .into_iter()
            .filter_map(|seen| tail(seen.state))
            .max()
    }

    /// What the quick consistency check looks at: headers, tails, properties.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.cells.iter().map(|cell| self.see(cell)).collect()
    }

    fn see(&self, cell: &Cell) -> Seen {
        let state = match (&cell.volume, &cell.header) {
            (Err(fault), _) if fault.outcome == Outcome::NO_MEDIUM && self.media_set.is_none() => {
                State::Blank
            }
            (Err(fault), _) if fault.outcome == Outcome::WRONG_MEDIUM => {
                State::Other(fault.to_string())
            }
            (Err(fault), _) => State::Missing(fault.to_string()),
            (Ok(_), Err(fault)) => {
                State::Damaged(fault.causes.first().unwrap_or(&fault.message).clone())
            }
            (Ok(volume), Ok(header)) => match found(volume, header) {
                Ok(found) => State::Found(Box::new(found)),
                Err(fault) => State::Missing(fault.to_string()),
            },
        };
        Seen {
            slot: cell.place.slot,
            device: cell.place.label.clone(),
            state,
        }
    }
}

/// Without a catalog, the one media set that the devices hold.
fn only_media_set(
    opened: &[(&Place, Result<Volume, DeviceFault>)],
) -> Result<Option<MediaSetId>, Fault> {
    let mut ids = BTreeSet::new();
    for (_, volume) in opened {
        if let Ok(volume) = volume {
            ids.extend(volume.media_sets().unwrap_or_default());
        }
    }
    if ids.len() > 1 {
        let list: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let device = opened.first().map_or("", |(place, _)| place.label.as_str());
        let message = "the devices hold several media sets, and the catalog knows none of them";
        return Err(Fault::new(code::WRONG_MEDIA_SET, device, message)
            .cause(format!("found: {}", list.join(", ")))
            .remedy("give each media set paths of its own, or bring the catalog back"));
    }
    Ok(ids.pop_first())
}

fn mount(
    place: &Place,
    volume: Result<Volume, DeviceFault>,
    media_set: Option<MediaSetId>,
) -> Result<Cell, Fault> {
    let volume = volume.and_then(|volume| match media_set {
        Some(id) => volume.mount(id).map(|()| volume),
        None => {
            let text = "no volume of a media set is there".to_owned();
            Err(own_fault(&place.label, "mount", Outcome::NO_MEDIUM, text))
        }
    });
    match &volume {
        Err(fault) if fault.outcome == Outcome::LOCKED => return Err(fault.clone().into()),
        Err(fault) if fault.outcome == Outcome::BAD_OPTION => return Err(fault.clone().into()),
        _ => {}
    }
    let header = match &volume {
        Ok(volume) => volume
            .header()
            .map_err(|problem| header_fault(&volume.place(), &problem)),
        Err(fault) => Err(fault.clone().into()),
    };
    Ok(Cell {
        place: place.clone(),
        volume: volume.map(Arc::new),
        header,
    })
}

/// Facts of a volume with a sound header.
fn found(volume: &Volume, header: &MediaHeader) -> Result<Found, DeviceFault> {
    let sections = volume.sections()?;
    let records = volume.records()?;
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
    let highest = sections
        .last()
        .map_or(0, |section| section.index.div_ceil(2));
    Ok(Found {
        media_set: header.media_set,
        shape: header.shape,
        slot: header.slot(),
        agent: header.agent,
        properties: properties(volume),
        highest,
        tail: tail(volume, &sections, &records)?,
        unconfirmed: manifests.difference(&verdicts).copied().collect(),
        unresolved: unresolved.into_iter().collect(),
    })
}

/// Properties that must match between mirrors (design: who must be there).
fn properties(volume: &Volume) -> Vec<(&'static str, String)> {
    let d = &volume.description;
    let has = |bit: u32| (d.capabilities & bit != 0).to_string();
    vec![
        ("device class", format!("{:?}", d.class)),
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

/// The last record or void in writing order, as it lies on this volume.
fn tail(
    volume: &Volume,
    sections: &[SectionEntry],
    records: &[RecordEntry],
) -> Result<Option<Tail>, DeviceFault> {
    let record = records
        .iter()
        .filter_map(|record| Some((RecordName::parse(&record.name)?.sequence, &record.name)))
        .max();
    let void = sections
        .iter()
        .filter_map(|section| Some((name::parse_void(&section.name)?, section.index)))
        .max();
    let limit = twinset_format::record::MAX_BYTES;
    let (sequence, bytes) = match (record, void) {
        (Some((record, name)), void) if void.is_none_or(|(void, _)| void < record) => {
            (record, volume.record(name)?)
        }
        (_, Some((void, index))) => (void, volume.read_section(index, limit)?),
        _ => return Ok(None),
    };
    // A damaged tail still has a hash: it then differs from its twins' and says so.
    let hash = match Record::parse(&bytes) {
        Ok(record) => record.hash(),
        Err(error) => format!("damaged: {error}"),
    };
    Ok(Some(Tail { sequence, hash }))
}
