//! Fewer drives than families: volumes that wait for a drive are copied into `spool_dir` one after
//! the other, and read from there in their place (design 4.4).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use twinset_domain::{AgentId, FamilyNo, Fault, MediaSetId, Moment, Position, Shape, Slot, code};
use twinset_format::header::MediaHeader;
use twinset_format::manifest::{self, Manifest};
use twinset_plugin_api::Access;

use crate::folder;
use crate::media::damage::Damage;
use crate::media::holds;
use crate::media::inventory::SetOnMedia;
use crate::media::matrix::{Cell, Matrix};
use crate::media::spool as copy;
use crate::media::volume::{Place, Volume};
use crate::media::writer::cancelled;
use crate::report::Progress;

/// What manifests and records take beside the data: a thousandth, and this.
const MARGIN: u64 = 1 << 20;

/// The spool folder, and what makes a place in it.
pub struct Spool {
    /// The configured folder.
    pub dir: PathBuf,
    /// A place of the disk plugin, all but its slot and its folder.
    pub like: Place,
}

/// What is to be copied.
pub struct Order<'a> {
    /// The one volume, opened.
    pub source: &'a Matrix,
    /// Its header.
    pub header: &'a MediaHeader,
    /// Its sets.
    pub sets: &'a [SetOnMedia],
    /// Positions that are wanted; all that must stay readable, if there are none.
    pub wanted: &'a BTreeSet<Position>,
}

/// What will be copied.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// The media set.
    pub media_set: MediaSetId,
    /// The volume's place.
    pub slot: Slot,
    /// Its copy's folder.
    pub folder: PathBuf,
    /// Sets that will be copied.
    pub sets: Vec<Position>,
    /// Sets that were copied before.
    pub there: Vec<Position>,
    /// Bytes that the copy takes.
    pub bytes: u64,
    /// Bytes that are free, where the system tells.
    pub free: Option<u64>,
}

/// What was copied.
#[derive(Debug, Serialize)]
pub struct Spooled {
    /// As it was planned.
    #[serde(flatten)]
    pub plan: Plan,
    /// What the volume did not give soundly.
    pub damage: Vec<Damage>,
}

impl Spool {
    /// The folder of a media set's copies.
    #[must_use]
    pub fn of(&self, id: MediaSetId) -> PathBuf {
        self.dir.join(id.to_string())
    }

    fn folder(&self, id: MediaSetId, Slot { mirror, family }: Slot) -> PathBuf {
        self.of(id).join(format!("m{}f{}", mirror.0, family.0))
    }

    fn place(&self, slot: Slot, folder: &Path) -> Place {
        Place {
            slot,
            label: format!("spool {}", folder.display()),
            options: serde_json::json!({ "path": folder }).to_string(),
            ..self.like.clone()
        }
    }

    /// Media sets of which something was spooled.
    fn ids(&self) -> Vec<MediaSetId> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let named = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        named.collect()
    }

    /// Places of a shape that have a copy.
    #[must_use]
    pub fn copies(&self, id: MediaSetId, shape: Shape) -> Vec<Slot> {
        let has = |slot: &Slot| self.folder(id, *slot).is_dir();
        shape.slots().filter(has).collect()
    }

    /// Puts copies into the places of volumes that do not answer, or of which another one lies in
    /// the drive.
    ///
    /// # Errors
    /// The disk plugin's, when another process writes a copy just now.
    pub fn stand_in(
        &self,
        matrix: &mut Matrix,
        agent: AgentId,
        known: Option<MediaSetId>,
    ) -> Result<(), Fault> {
        let alone = || match self.ids()[..] {
            [id] => Some(id),
            _ => None,
        };
        let Some(id) = known.or(matrix.media_set).or_else(alone) else {
            return Ok(());
        };
        let copies = self.copies(id, matrix.shape);
        let absent = |cell: &&mut Cell| {
            let slot = cell.place.slot;
            let other = cell
                .header
                .as_ref()
                .is_ok_and(|header| header.slot() != slot || header.media_set != id);
            copies.contains(&slot) && (cell.volume.is_err() || cell.header.is_err() || other)
        };
        for cell in matrix.cells.iter_mut().filter(absent) {
            let place = self.place(cell.place.slot, &self.folder(id, cell.place.slot));
            let opened = Matrix::open(&[place], matrix.shape, agent, Access::Read, Some(id))?;
            if let Some(copy) = opened.cells.into_iter().find(|copy| copy.header.is_ok()) {
                tracing::info!(slot = %copy.place.slot, "read from the spool");
                *cell = copy;
            }
        }
        matrix.media_set = Some(id);
        Ok(())
    }

    /// What an order comes to.
    ///
    /// # Errors
    /// [`code::SET_MISSING`] for a position that the volume does not have.
    pub fn plan(&self, order: &Order<'_>, agent: AgentId) -> Result<Plan, Fault> {
        let (id, slot) = (order.header.media_set, order.header.slot());
        let copy = self.copy_of(id, slot, agent);
        let is_there = |manifest: &&Manifest| {
            let index = manifest.facts.position.manifest_section();
            let bytes = copy
                .as_ref()
                .map(|copy| copy.read_section(index, manifest::MAX_BYTES));
            matches!(bytes, Some(Ok(bytes)) if bytes == manifest.to_bytes())
        };
        let (there, new): (Vec<&Manifest>, Vec<&Manifest>) =
            order.manifests()?.into_iter().partition(is_there);
        let data: u64 = new
            .iter()
            .map(|manifest| manifest.facts.stored_length)
            .sum();
        let positions = |list: &[&Manifest]| list.iter().map(|m| m.facts.position).collect();
        Ok(Plan {
            media_set: id,
            slot,
            sets: positions(&new),
            there: positions(&there),
            bytes: data + data / 1000 + MARGIN,
            free: nearest(&self.dir).and_then(folder::free),
            folder: self.folder(id, slot),
        })
    }

    /// A place's copy, if there is one.
    fn copy_of(&self, id: MediaSetId, slot: Slot, agent: AgentId) -> Option<Volume> {
        let folder = self.folder(id, slot);
        if !folder.is_dir() {
            return None;
        }
        let volume = Volume::open(&self.place(slot, &folder), agent, Access::Read).ok()?;
        volume.mount(id).ok()?;
        Some(volume)
    }

    /// Families of which no copy holds all sets of a plan: their volumes must be in the drives.
    #[must_use]
    pub fn lacking(&self, plan: &Plan, shape: Shape, agent: AgentId) -> Vec<FamilyNo> {
        let id = plan.media_set;
        let holds_all = |slot: &Slot| {
            let copy = self.copy_of(id, *slot, agent);
            let sections = copy.and_then(|copy| copy.sections().ok());
            let sections = sections.unwrap_or_default();
            let there: BTreeSet<u64> = sections.iter().map(|section| section.index).collect();
            let mut wanted = plan.sets.iter().chain(&plan.there);
            wanted.all(|position| there.contains(&position.manifest_section()))
        };
        let whole: BTreeSet<FamilyNo> = self
            .copies(id, shape)
            .into_iter()
            .filter(holds_all)
            .map(|slot| slot.family)
            .collect();
        let lacks = |family: &FamilyNo| !whole.contains(family);
        shape.families().filter(lacks).collect()
    }

    /// Copies.
    ///
    /// # Errors
    /// [`code::SPOOL_SPACE`] and [`code::SPOOL_DIR`] before the first byte; then the devices'. What
    /// was copied stays, and the next order goes on behind it.
    pub fn copy(
        &self,
        order: &Order<'_>,
        plan: Plan,
        agent: AgentId,
        progress: &dyn Progress,
        stop: &AtomicBool,
    ) -> Result<Spooled, Fault> {
        let object = || plan.folder.display().to_string();
        plan.fits()?;
        folder::make_private(&plan.folder).map_err(|error| {
            Fault::new(code::SPOOL_DIR, object(), "cannot be made")
                .cause(error)
                .remedy("choose a folder that the agent may write: spool_dir in [restore]")
        })?;
        let source = order.source.volumes().next();
        let Some(source) = source else {
            return Err(Fault::new(code::NO_VOLUME, object(), "no volume is there"));
        };
        let place = self.place(plan.slot, &plan.folder);
        let into = Arc::new(Volume::open(&place, agent, Access::Write)?);
        copy::begin(order.header, &into)?;
        let what = format!("spool {}", plan.slot);
        progress.begin(&what, Some(plan.bytes));
        let mut advance = |bytes| {
            progress.advance(bytes);
            match stop.load(Ordering::Relaxed) {
                true => Err(cancelled()),
                false => Ok(()),
            }
        };
        let mut damage = Vec::new();
        for manifest in order.manifests()? {
            if plan.sets.contains(&manifest.facts.position) {
                damage.extend(copy::set(manifest, source, &into, &mut advance)?);
            }
        }
        copy::records(source, &into)?;
        progress.end();
        Ok(Spooled { plan, damage })
    }

    /// Removes every copy of a media set that nobody reads or writes; none is as good.
    ///
    /// # Errors
    /// [`code::LOCKED`] while a copy is written or read, and [`code::SPOOL_DIR`].
    pub fn remove(
        &self,
        id: Option<MediaSetId>,
        shape: Shape,
        agent: AgentId,
        now: Moment,
    ) -> Result<Option<MediaSetId>, Fault> {
        let found = match (id, &self.ids()[..]) {
            (Some(id), ids) => ids.contains(&id).then_some(id),
            (None, [id]) => Some(*id),
            (None, _) => None,
        };
        let Some(id) = found else { return Ok(None) };
        let folder = self.of(id);
        let object = || folder.display().to_string();
        let copies = self.copies(id, shape).into_iter();
        let places: Vec<Place> = copies
            .map(|slot| self.place(slot, &self.folder(id, slot)))
            .collect();
        // Writers hold the locks of volumes, and readers leave holds.
        let matrix = Matrix::open(&places, shape, agent, Access::Write, Some(id))?;
        let ends = holds::live(&matrix, now)?
            .into_iter()
            .map(|hold| hold.until);
        if let Some(until) = ends.max() {
            let message = format!("a restore reads it, until {until} at the latest");
            return Err(Fault::new(code::LOCKED, object(), message)
                .remedy("wait for the restore to end, then remove the copies"));
        }
        fs::remove_dir_all(&folder).map_err(|error| {
            Fault::new(code::SPOOL_DIR, object(), "cannot be removed")
                .cause(error)
                .remedy("remove the folder by hand: it holds copies alone")
        })?;
        Ok(Some(id))
    }
}

impl Plan {
    /// Whether the copy has room.
    ///
    /// # Errors
    /// [`code::SPOOL_SPACE`].
    pub fn fits(&self) -> Result<(), Fault> {
        let Some(free) = self.free.filter(|free| *free < self.bytes) else {
            return Ok(());
        };
        let message = format!("{} bytes are needed, {free} are free", self.bytes);
        let object = self.folder.display().to_string();
        Err(Fault::new(code::SPOOL_SPACE, object, message)
            .remedy("make room, or name the sets that the restore needs by --position"))
    }
}

impl<'a> Order<'a> {
    /// Manifests of the sets that are wanted, in order.
    fn manifests(&self) -> Result<Vec<&'a Manifest>, Fault> {
        let family = self.header.slot().family;
        let kept = || self.sets.iter().filter(|set| set.is_kept());
        let of = |set: &'a SetOnMedia| set.manifests.get(&family);
        if self.wanted.is_empty() {
            return Ok(kept().filter_map(of).collect());
        }
        let named = |position: &Position| {
            let set = kept().find(|set| set.position == *position);
            set.and_then(of).ok_or_else(|| {
                let object = format!("position {position}");
                Fault::new(code::SET_MISSING, object, "the volume holds no such set")
                    .remedy("look: twinset media show --plugin NAME --device JSON")
            })
        };
        self.wanted.iter().map(named).collect()
    }
}

/// A folder that is there: the one asked for, or the next above.
fn nearest(path: &Path) -> Option<&Path> {
    path.ancestors().find(|path| path.is_dir())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use insta::assert_snapshot;
    use twinset_domain::MirrorNo;

    use super::*;

    fn plan(bytes: u64, free: Option<u64>) -> Plan {
        Plan {
            media_set: "6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55".parse().unwrap(),
            slot: Slot {
                mirror: MirrorNo(1),
                family: FamilyNo(2),
            },
            folder: "/spool/m1f2".into(),
            sets: Vec::new(),
            there: Vec::new(),
            bytes,
            free,
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_before_the_first_byte() {
        assert!(plan(10, Some(10)).fits().is_ok());
        assert!(plan(10, None).fits().is_ok());
        let fault = plan(11, Some(10)).fits().unwrap_err();
        assert_eq!(fault.code, code::SPOOL_SPACE);
        assert_snapshot!(fault.message, @"11 bytes are needed, 10 are free");
    }
}
