//! All volumes of a media set, opened together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use twinset_domain::append::{Behind, Seen, State, Tail, mirror_standings, newest_tail};
use twinset_domain::name::{RecordKind, RecordName};
use twinset_domain::owner;
use twinset_domain::standing::{Closed, Standing};
use twinset_domain::{AgentId, Fault, MediaSetId, MirrorNo, Shape, Slot, code};
use twinset_format::header::MediaHeader;
use twinset_format::sign::Signer;
use twinset_plugin_api::{Access, Outcome};

use super::facts::found;
use super::publish::Chain;
use super::volume::{Place, Volume, header_fault, own_fault};
use crate::device::DeviceFault;

/// One place of the matrix and what answered there.
#[derive(Clone)]
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
    /// What was left out by [`Matrix::only`]: below this position, a mirror that was not read may
    /// hold what nobody else does.
    pub unread_below: u64,
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
            None => only_media_set(&opened, agent)?,
        };
        let mut cells = Vec::with_capacity(opened.len());
        for (place, volume) in opened {
            cells.push(mount(place, volume, media_set, Volume::mount)?);
        }
        Ok(Self {
            media_set,
            shape,
            cells,
            unread_below: 0,
        })
    }

    /// A volume alone, read only: the one that the device names first, whichever its place is.
    ///
    /// # Errors
    /// As [`Matrix::open`].
    pub fn open_alone(place: &Place, agent: AgentId) -> Result<Self, Fault> {
        let opened = [(place, Volume::open(place, agent, Access::Read))];
        let media_set = only_media_set(&opened, agent)?;
        let [(place, volume)] = opened;
        let cell = mount(place, volume, media_set, Volume::mount_first)?;
        let alone = Shape {
            families: 1,
            mirrors: 1,
        };
        Ok(Self {
            media_set,
            shape: alone,
            cells: vec![cell],
            unread_below: 0,
        })
    }

    /// The part of the matrix that some mirrors are: what a run, a recovery or a repair works with
    /// while others are out of step.
    #[must_use]
    pub fn only(
        &self,
        mirrors: &BTreeSet<MirrorNo>,
        standings: &BTreeMap<MirrorNo, Standing>,
    ) -> Self {
        let below = |mirror: MirrorNo| match standings.get(&mirror) {
            Some(Standing::OutOfStep { since, .. }) => since.get(),
            Some(Standing::Dropped) => 0,
            Some(Standing::InStep) | None => u64::MAX,
        };
        let left_out = self.shape.mirrors().filter(|m| !mirrors.contains(m));
        let cells = self.cells.iter();
        Self {
            media_set: self.media_set,
            shape: self.shape,
            cells: cells
                .filter(|cell| mirrors.contains(&cell.place.slot.mirror))
                .cloned()
                .collect(),
            unread_below: left_out.map(below).max().unwrap_or(0),
        }
    }

    /// Where every mirror stands, by the records of all volumes that answer.
    #[must_use]
    pub fn standings(&self) -> BTreeMap<MirrorNo, Standing> {
        mirror_standings(self.shape, &self.seen())
    }

    /// The mirrors that are in step by every record. The others are repair's work, not recovery's.
    #[must_use]
    pub fn in_step(&self) -> Self {
        let standings = self.standings();
        let mirrors = standings.iter();
        let mirrors = mirrors
            .filter(|(_, standing)| **standing == Standing::InStep)
            .map(|(mirror, _)| *mirror)
            .collect();
        self.only(&mirrors, &standings)
    }

    /// Closes every device and waits for it: its lock is free when this returns. Volumes that are
    /// in use elsewhere are closed there.
    pub fn close(self) {
        for cell in self.cells {
            let volume = cell.volume.ok().map(Arc::try_unwrap);
            if let Some(Ok(volume)) = volume
                && let Err(fault) = volume.close()
            {
                tracing::debug!(%fault, "close");
            }
        }
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

    /// The chain, to be continued behind its newest record. A history goes on with the key that it
    /// was signed with; one that was not signed yet may begin to be.
    ///
    /// # Errors
    /// [`code::SIGNER`] when another key, or none, would sign what comes next.
    pub fn chain(&self, label: &str, signer: Option<Signer>) -> Result<Chain, Fault> {
        chain_behind(&self.seen(), label, signer)
    }

    /// Whether the newest record bears a signature.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        let seen = self.seen();
        let found = seen.iter().filter_map(|seen| match &seen.state {
            State::Found(found) => Some(found),
            _ => None,
        });
        let newest = found.max_by(|a, b| a.tail.cmp(&b.tail));
        newest.is_some_and(|found| found.signer.is_some())
    }

    /// Whether an agent may set right, repair or expire this media set.
    ///
    /// # Errors
    /// [`code::OTHER_WRITER`].
    pub fn may_maintain(&self, label: &str, agent: AgentId) -> Result<(), Fault> {
        owner::may_maintain(label, agent, self.media_set, &self.seen())
    }

    /// What closed the media set, if anything did.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        let closed = |seen: &Seen| match &seen.state {
            State::Found(found) => found.closed.clone(),
            _ => None,
        };
        self.seen().iter().find_map(closed)
    }

    /// The last verdict or void of all volumes.
    #[must_use]
    pub fn newest_tail(&self) -> Option<Tail> {
        newest_tail(&self.seen())
    }

    /// What the quick consistency check looks at: headers, tails, properties.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen_behind(Behind::NOTHING)
    }

    /// [`Matrix::seen`], but for what is known already.
    #[must_use]
    pub fn seen_behind(&self, behind: Behind) -> Vec<Seen> {
        std::thread::scope(|scope| {
            let look = |cell| scope.spawn(move || self.see(cell, behind));
            let threads: Vec<_> = self.cells.iter().map(look).collect();
            let cells = self.cells.iter().zip(threads);
            cells
                .map(|(cell, thread)| {
                    thread.join().unwrap_or_else(|_| Seen {
                        slot: cell.place.slot,
                        device: cell.place.label.clone(),
                        state: State::Missing("looking at it panicked".to_owned()),
                    })
                })
                .collect()
        })
    }

    fn see(&self, cell: &Cell, behind: Behind) -> Seen {
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
            (Ok(volume), Ok(header)) => match found(volume, header, behind) {
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
    agent: AgentId,
) -> Result<Option<MediaSetId>, Fault> {
    let mut ids = BTreeSet::new();
    for (_, volume) in opened {
        if let Ok(volume) = volume {
            ids.extend(volume.media_sets().unwrap_or_default());
        }
    }
    if ids.len() > 1 {
        // Closed ones lie beside the one that goes on.
        let open: Vec<MediaSetId> = ids
            .iter()
            .copied()
            .filter(|id| !is_closed(opened, agent, *id))
            .collect();
        if let [id] = open[..] {
            return Ok(Some(id));
        }
        let list: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let device = opened.first().map_or("", |(place, _)| place.label.as_str());
        let message = "the devices hold several media sets, and the catalog knows none of them";
        return Err(Fault::new(code::WRONG_MEDIA_SET, device, message)
            .cause(format!("found: {}", list.join(", ")))
            .remedy("give each media set paths of its own, or bring the catalog back"));
    }
    Ok(ids.pop_first())
}

/// [`Matrix::chain`] for those who have looked already.
///
/// # Errors
/// As there.
pub fn chain_behind(seen: &[Seen], label: &str, signer: Option<Signer>) -> Result<Chain, Fault> {
    let found = seen.iter().filter_map(|seen| match &seen.state {
        State::Found(found) => Some(found),
        _ => None,
    });
    let newest = found.max_by(|a, b| a.tail.cmp(&b.tail));
    let (tail, signed) = newest.map_or((None, None), |f| (f.tail.clone(), f.signer.clone()));
    let ours = signer.as_ref().map(|signer| signer.public().to_string());
    match signed {
        Some(signed) if ours.as_ref() != Some(&signed) => {
            let message = "the media set is signed with another key than the configured one";
            let ours = ours.unwrap_or_else(|| "none".to_owned());
            Err(Fault::new(code::SIGNER, format!("media set {label}"), message)
                .cause(format!("its last record is signed by {signed}, configured is {ours}"))
                .remedy(
                    "name the right key in [agent] signing_key_file; for another key, format a new media set",
                ))
        }
        _ => Ok(Chain { tail, signer }),
    }
}

/// Whether any volume of a media set says that it was closed.
fn is_closed(
    opened: &[(&Place, Result<Volume, DeviceFault>)],
    agent: AgentId,
    id: MediaSetId,
) -> bool {
    opened.iter().any(|(place, _)| {
        let records = Volume::open(place, agent, Access::Read)
            .and_then(|volume| volume.mount(id).and_then(|()| volume.records()));
        let closed = |name: &str| {
            RecordName::parse(name).is_some_and(|name| name.kind == RecordKind::Closed)
        };
        records.is_ok_and(|records| records.iter().any(|record| closed(&record.name)))
    })
}

fn mount(
    place: &Place,
    volume: Result<Volume, DeviceFault>,
    media_set: Option<MediaSetId>,
    how: fn(&Volume, MediaSetId) -> Result<(), DeviceFault>,
) -> Result<Cell, Fault> {
    let volume = volume.and_then(|volume| match media_set {
        Some(id) => how(&volume, id).map(|()| volume),
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
