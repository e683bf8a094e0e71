//! Volumes opened for reading, and the set that is to be restored from them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use twinset_domain::standing::Standing;
use twinset_domain::{AgentId, FamilyNo, Fault, MediaSetId, MirrorNo, Position, Slot, code};
use twinset_format::manifest::Manifest;
use twinset_plugin_api::Access;

use crate::backup::desk::Target;
use crate::media::damage::Damage;
use crate::media::encoding::Keys;
use crate::media::encoding::decoder::PlainReader;
use crate::media::inventory::{self, SetOnMedia, Unread};
use crate::media::known::Known;
use crate::media::matrix::Matrix;
use crate::media::reader::{FamilyReader, ReadReport, missing};
use crate::restore::spool::Spool;

/// A media set opened for reading.
pub struct OpenSet {
    /// Its volumes.
    pub matrix: Matrix,
    /// Its sets.
    pub sets: Vec<SetOnMedia>,
    /// What reads encrypted ones.
    pub keys: Keys,
    /// Volumes that answered and could not be read.
    pub unread: Vec<Unread>,
}

/// What reading came to, over all families.
#[derive(Debug, Default, Serialize)]
pub struct DamageMap {
    /// Everything that was not as it was written.
    pub damage: Vec<Damage>,
    /// Chunks that came from another mirror than the preferred one.
    pub substituted: u64,
    /// Chunks read from each volume.
    pub read_from: Vec<(Slot, u64)>,
}

/// Opens a media set for reading. Missing volumes are no error here.
///
/// # Errors
/// [`code::NO_VOLUME`] when none answers.
pub fn open(target: &Target, agent: AgentId, known: Option<MediaSetId>) -> Result<OpenSet, Fault> {
    open_beside(target, agent, known, &Known::new())
}

/// The same; what does not answer is read from its copies in the spool.
///
/// # Errors
/// [`code::NO_VOLUME`] when no volume answers and none was spooled.
pub fn open_spooled(
    target: &Target,
    agent: AgentId,
    known: Option<MediaSetId>,
    spool: Option<&Spool>,
) -> Result<OpenSet, Fault> {
    let mut matrix = Matrix::open(&target.places, target.shape, agent, Access::Read, known)?;
    if let Some(spool) = spool {
        spool.stand_in(&mut matrix, agent, known)?;
    }
    opened(target, matrix, &Known::new())
}

/// The same as [`open`], leaving manifests and records of sets unread whose marks are remembered: for those
/// who only look.
///
/// # Errors
/// [`code::NO_VOLUME`] when no volume answers.
pub fn open_beside(
    target: &Target,
    agent: AgentId,
    known: Option<MediaSetId>,
    remembered: &Known,
) -> Result<OpenSet, Fault> {
    let matrix = Matrix::open(&target.places, target.shape, agent, Access::Read, known)?;
    opened(target, matrix, remembered)
}

fn opened(target: &Target, matrix: Matrix, remembered: &Known) -> Result<OpenSet, Fault> {
    if matrix.volumes().next().is_none() {
        let object = format!("media set {}", target.key);
        let causes = matrix
            .cells
            .iter()
            .filter_map(|cell| cell.volume.as_ref().err());
        return Err(causes
            .fold(
                Fault::new(code::NO_VOLUME, object, "no volume answers"),
                |fault, cause| fault.cause(cause),
            )
            .remedy("mount the shares; or format the media set, if that was never done"));
    }
    if !remembered.is_empty() {
        matrix.volumes().for_each(|volume| volume.freeze());
    }
    let (sets, unread) = inventory::read_unknown(&matrix, remembered);
    Ok(OpenSet {
        matrix,
        sets,
        unread,
        keys: target.keys.clone(),
    })
}

impl OpenSet {
    /// Volumes that do not answer or whose header cannot be trusted.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let silent = |cell: &crate::media::matrix::Cell| match (&cell.volume, &cell.header) {
            (Err(fault), _) => Some(format!(
                "{} ({}): {}",
                cell.place.label, cell.place.slot, fault.text
            )),
            (_, Err(fault)) => Some(format!("{}: {}", fault.object, fault.message)),
            _ => {
                let slot = cell.place.slot;
                let unread = self.unread.iter().find(|unread| unread.slot == slot)?;
                Some(format!(
                    "{} ({slot}): unreadable: {}",
                    cell.place.label, unread.why
                ))
            }
        };
        // A mirror that was dropped is not missed.
        let dropped = self.dropped();
        let counts =
            |cell: &&crate::media::matrix::Cell| !dropped.contains(&cell.place.slot.mirror);
        let cells = self.matrix.cells.iter().filter(counts);
        cells.filter_map(silent).collect()
    }

    /// Mirrors that were given up for good.
    fn dropped(&self) -> BTreeSet<MirrorNo> {
        let standings = self.matrix.standings();
        let dropped = standings
            .iter()
            .filter(|(_, standing)| **standing == Standing::Dropped);
        dropped.map(|(mirror, _)| *mirror).collect()
    }

    /// The set at a position, with everything it needs to be read.
    ///
    /// # Errors
    /// [`code::SET_MISSING`]; [`code::LOST`] when a family has no manifest.
    pub fn readers(&self, position: Position) -> Result<Vec<FamilyReader>, Fault> {
        let object = format!("position {position}");
        let set = self.sets.iter().find(|set| set.position == position);
        if set.is_some_and(|set| set.is_kept() && set.manifests.is_empty()) {
            let message = "its manifests are damaged or missing on every mirror";
            return Err(Fault::new(code::LOST, object, message)
                .remedy("bring a missing volume back, or choose another set"));
        }
        let Some(set) = set.filter(|set| set.is_kept()) else {
            return Err(
                Fault::new(code::SET_MISSING, object, "there is no backup set")
                    .remedy("look: twinset media show"),
            );
        };
        let dropped = self.dropped();
        (1..)
            .map(FamilyNo)
            .zip(set.sources(self.matrix.shape))
            .map(|(family, mut sources)| {
                // What a dropped mirror still holds is the last resort.
                sources.sort_by_key(|slot| (dropped.contains(&slot.mirror), *slot));
                self.reader(set, family, &sources, &dropped)
            })
            .collect()
    }

    /// The same as SQL Server wrote it. Every key was proved when this returns.
    ///
    /// # Errors
    /// As [`Self::readers`]; [`code::NO_KEY`] and [`code::UNDECODABLE`].
    pub fn plain_readers(&self, position: Position) -> Result<Vec<PlainReader>, Fault> {
        self.readers(position)?
            .into_iter()
            .map(|reader| PlainReader::open(reader, &self.keys))
            .collect()
    }

    fn reader(
        &self,
        set: &SetOnMedia,
        family: FamilyNo,
        sources: &[Slot],
        dropped: &BTreeSet<MirrorNo>,
    ) -> Result<FamilyReader, Fault> {
        let object = format!("position {}, {family}", set.position);
        let Some(manifest) = set.manifests.get(&family).filter(|_| !sources.is_empty()) else {
            return Err(
                Fault::new(code::LOST, object, "the family is on no mirror").remedy(
                    "bring a missing volume back, or choose another set; volumes that share a \
                     drive are spooled: twinset media spool",
                ),
            );
        };
        let volumes = sources
            .iter()
            .filter_map(|slot| self.matrix.volume(*slot))
            .map(Arc::clone);
        let mut reader = FamilyReader::new(manifest.clone(), volumes.collect());
        for cell in self
            .matrix
            .cells
            .iter()
            .filter(|cell| cell.place.slot.family == family)
        {
            let slot = cell.place.slot;
            if !sources.contains(&slot) && !dropped.contains(&slot.mirror) {
                let why = cell
                    .volume
                    .as_ref()
                    .err()
                    .map_or_else(String::new, |f| f.text.clone());
                reader.note(missing(cell.place.label.clone(), slot, set.position, why));
            }
        }
        Ok(reader)
    }

    /// The manifest of the first family.
    #[must_use]
    pub fn manifest(&self, position: Position) -> Option<&Manifest> {
        self.sets
            .iter()
            .find(|set| set.position == position)?
            .any_manifest()
    }
}

impl DamageMap {
    /// Adds one family's report.
    pub fn add(&mut self, report: ReadReport) {
        self.damage.extend(report.damage);
        self.substituted += report.substituted;
        self.read_from.extend(report.read_from);
    }
}
