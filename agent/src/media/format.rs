//! Makes a media set: a header on every volume. Nothing else in the product formats.

use std::sync::Arc;

use twinset_domain::append::unlike;
use twinset_domain::recover::SetState;
use twinset_domain::{FamilyId, Fault, MediaSetId, Moment, code, name, wrapping};
use twinset_format::header::{Draft, MediaHeader};
use twinset_plugin_api::{Access, Capabilities, Outcome, SectionMode};

use super::facts::properties;
use super::inventory::{self, SetOnMedia};
use super::matrix::Matrix;
use super::volume::{Place, SmallSection, Volume};
use crate::device::{Handle, Observation};

/// What is wanted.
pub struct Order<'a> {
    /// Key in the configuration, for messages.
    pub label: &'a str,
    /// Everything of the header but the place; `media_set` is the id a new one gets.
    pub draft: Draft,
    /// The devices.
    pub places: &'a [Place],
    /// The media set that the catalog knows under this key.
    pub known: Option<MediaSetId>,
    /// Attach to a media set that is there already.
    pub if_needed: bool,
    /// Go on although there are foreign files beside, or a media set whose sets are all dropped or
    /// void.
    pub overwrite: bool,
    /// Remove this media set first, with all its sets.
    pub destroy: Option<MediaSetId>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// A new media set was made.
    Formatted(MediaSetId),
    /// The media set was there already.
    Attached(MediaSetId),
}

/// What trying the storage behind each volume showed, with the volume's place.
///
/// # Errors
/// The first device's that could not be tried at all.
pub fn probe(order: &Order<'_>, id: MediaSetId) -> Result<Vec<(String, Observation)>, Fault> {
    let mut told = Vec::new();
    for place in order.places {
        let volume = Volume::open(place, order.draft.agent, Access::Read)?;
        volume.mount(id)?;
        let probed = volume.call(Handle::probe)?;
        told.extend(probed.into_iter().map(|seen| (volume.place(), seen)));
    }
    Ok(told)
}

/// Formats.
///
/// # Errors
/// [`code::NOT_EXPIRED`] and [`code::MEDIA_NAME`] when a media set is there,
/// [`code::FOREIGN_DATA`], and the devices' own. What was begun is taken back.
pub fn format(order: &Order<'_>) -> Result<Done, Fault> {
    let (agent, shape) = (order.draft.agent, order.draft.shape);
    let matrix = Matrix::open(order.places, shape, agent, Access::Write, order.known)?;
    if let Some(id) = matrix.media_set
        && matrix.cells.iter().any(|cell| cell.volume.is_ok())
    {
        if order.destroy == Some(id) {
            may_destroy(order, &matrix)?;
            destroy(&matrix)?;
        } else if let Some(done) = attach(order, &matrix, id)? {
            return Ok(done);
        }
    } else if let Some(wanted) = order.destroy {
        let message = format!("media set {wanted} is not there");
        return Err(
            Fault::new(code::SET_MISSING, order.label, message).remedy("look: twinset media show")
        );
    } else if order.known.is_some() {
        return Err(all_missing(order, &matrix));
    }
    drop(matrix);
    write_headers(order)
}

/// A media set that is known but answers nowhere is unmounted, not blank.
fn all_missing(order: &Order<'_>, matrix: &Matrix) -> Fault {
    let message = "the media set was formatted before, and none of its volumes answers";
    let fault = Fault::new(
        code::NO_VOLUME,
        format!("media set {}", order.label),
        message,
    );
    let causes = matrix
        .cells
        .iter()
        .filter_map(|cell| cell.volume.as_ref().err());
    causes
        .fold(fault, |fault, cause| fault.cause(cause))
        .remedy("mount the shares; a used volume that looks blank is never formatted")
}

/// Decides what to do about a media set that is there.
fn attach(order: &Order<'_>, matrix: &Matrix, id: MediaSetId) -> Result<Option<Done>, Fault> {
    let object = format!("media set {}", order.label);
    if matrix.closed().is_some() {
        // It takes no more sets: a new media set goes beside it, in folders of its own.
        return Ok(None);
    }
    let Some(header) = matrix.any_header() else {
        let fault = matrix
            .cells
            .iter()
            .find_map(|cell| cell.header.as_ref().err());
        return Err(fault.cloned().unwrap_or_else(|| {
            Fault::new(
                code::HEADER_MALFORMED,
                object,
                "no volume has a sound header",
            )
        }));
    };
    if header.name != order.draft.name {
        let message = format!(
            "the media are named {:?}, not {:?}",
            header.name, order.draft.name
        );
        return Err(Fault::new(code::MEDIA_NAME, object, message)
            .remedy("correct the name in the configuration, or use other paths"));
    }
    if order.if_needed {
        wrapping::same_encoding(order.label, &header.encoding, &order.draft.encoding)?;
    }
    let wrong_shape = header.shape != order.draft.shape;
    if wrong_shape || header.agent != order.draft.agent || !order.if_needed {
        let sets = inventory::read(matrix);
        let expired = |set: &SetOnMedia| matches!(set.state, SetState::Dropped | SetState::Void);
        if order.overwrite && sets.iter().all(expired) {
            may_destroy(order, matrix)?;
            destroy(matrix)?;
            return Ok(None);
        }
        let sets = sets.len();
        let message = format!("media set {id} is there, with {sets} backup sets");
        return Err(Fault::new(code::NOT_EXPIRED, object, message)
            .cause(format!(
                "it is {}, written by agent {}",
                header.shape, header.agent
            ))
            .remedy(format!(
                "attach with --if-needed; or remove it with all its sets: --destroy {id}"
            )));
    }
    if matrix.is_whole() && matrix.cells.iter().all(|cell| cell.header.is_ok()) {
        return Ok(Some(Done::Attached(id)));
    }
    finish_interrupted(order, matrix, header).map(Some)
}

/// A format that was cut off left some volumes without a header; while no set was ever written,
/// it is finished with the same id. Later, a missing volume is a missing mirror.
fn finish_interrupted(
    order: &Order<'_>,
    matrix: &Matrix,
    header: &MediaHeader,
) -> Result<Done, Fault> {
    let written = matrix.volumes().any(|volume| {
        let sections = volume
            .sections()
            .map_or(usize::MAX, |sections| sections.len());
        sections > 1 || volume.records().map_or(true, |records| !records.is_empty())
    });
    if written {
        let fault = matrix
            .cells
            .iter()
            .find_map(|cell| cell.header.as_ref().err());
        return Err(fault.cloned().unwrap_or_else(|| {
            Fault::new(
                code::MIRROR_MISSING,
                order.label,
                "a volume of the media set is missing",
            )
        }));
    }
    let draft = Draft {
        media_set: header.media_set,
        written: header.written,
        ..order.draft.clone()
    };
    for cell in matrix.cells.iter().filter(|cell| cell.header.is_err()) {
        let family = matrix
            .cells
            .iter()
            .filter_map(|cell| cell.header.as_ref().ok())
            .find(|header| header.family == cell.place.slot.family)
            .map_or_else(FamilyId::random, |header| header.family_id);
        let volume = match &cell.volume {
            Ok(volume) => Arc::clone(volume),
            Err(_) => {
                let volume = Volume::open(&cell.place, draft.agent, Access::Write)?;
                volume.mount_blank(header.media_set)?;
                Arc::new(volume)
            }
        };
        remove_work(&volume)?;
        put_header(&volume, &MediaHeader::new(&draft, cell.place.slot, family))?;
    }
    Ok(Done::Attached(header.media_set))
}

/// Headers on blank volumes; all of them or, as far as possible, none.
fn write_headers(order: &Order<'_>) -> Result<Done, Fault> {
    let draft = &order.draft;
    let families: Vec<FamilyId> = draft.shape.families().map(|_| FamilyId::random()).collect();
    let mut made: Vec<Volume> = Vec::new();
    let mut opened = open_alike(order)?;
    let outcome = order.places.iter().zip(opened.drain(..)).try_for_each(
        |(place, volume)| -> Result<(), Fault> {
            refuse_foreign(order, &volume)?;
            volume.mount_blank(draft.media_set)?;
            let family = usize::from(place.slot.family.0 - 1);
            let family = families
                .get(family)
                .copied()
                .unwrap_or_else(FamilyId::random);
            made.push(volume);
            let Some(volume) = made.last() else {
                return Ok(());
            };
            put_header(volume, &MediaHeader::new(draft, place.slot, family))
        },
    );
    if let Err(fault) = outcome {
        for volume in made {
            let place = volume.place();
            let truncated = volume.call(|handle| handle.truncate(0));
            // A device that is closed removes what it had made and nothing lies in any more. Waited
            // for: else this process may end before.
            if let Err(left) = truncated.and_then(|()| volume.close()) {
                tracing::warn!(volume = place, fault = %left, "header not taken back");
            }
        }
        return Err(fault);
    }
    Ok(Done::Formatted(draft.media_set))
}

/// Opens all devices; they must be alike before the first of them is written.
fn open_alike(order: &Order<'_>) -> Result<Vec<Volume>, Fault> {
    let opened: Vec<Volume> = order
        .places
        .iter()
        .map(|place| Volume::open(place, order.draft.agent, Access::Write))
        .collect::<Result<_, _>>()?;
    let told: Vec<_> = opened
        .iter()
        .map(|volume| (volume.label.as_str(), properties(volume)))
        .collect();
    let devices: Vec<(&str, &[(&str, String)])> = told
        .iter()
        .map(|(label, properties)| (*label, properties.as_slice()))
        .collect();
    match unlike(&devices).into_iter().next() {
        Some(fault) => Err(fault),
        None => Ok(opened),
    }
}

pub(super) fn put_header(volume: &Volume, header: &MediaHeader) -> Result<(), Fault> {
    let bytes = header.to_bytes(volume.form()).map_err(|error| {
        Fault::new(
            code::CONFIG_VALUE,
            volume.place(),
            "the header cannot hold these names",
        )
        .cause(error)
        .remedy("shorten name and description of the media set")
    })?;
    volume.put_section(SmallSection {
        index: 0,
        name: name::HEADER.to_owned(),
        run: *header.media_set.0.as_bytes(),
        bytes: Arc::new(bytes),
        mode: SectionMode::New,
    })?;
    Ok(())
}

/// Foreign files beside are reported; only with `--overwrite` the volume goes beside them, or
/// where a media set that was destroyed already lay beside them. They are never touched.
fn refuse_foreign(order: &Order<'_>, volume: &Volume) -> Result<(), Fault> {
    let foreign: Vec<String> = volume
        .leftovers()
        .unwrap_or_default()
        .into_iter()
        .map(|left| left.name)
        .take(5)
        .collect();
    if foreign.is_empty() || order.overwrite || order.destroy.is_some() {
        return Ok(());
    }
    let message = "the folder holds files that are not Twinset's";
    Err(Fault::new(code::FOREIGN_DATA, volume.place(), message)
        .cause(format!("found: {}", foreign.join(", ")))
        .remedy("use an empty folder, or --overwrite to go beside them; they are never touched"))
}

/// Every volume must be there, sound and ours before the first byte of any of them goes.
fn may_destroy(order: &Order<'_>, matrix: &Matrix) -> Result<(), Fault> {
    for cell in &matrix.cells {
        let header = match (&cell.volume, &cell.header) {
            (Err(fault), _) => return Err(Fault::from(fault.clone())),
            (Ok(_), Err(fault)) => return Err(fault.clone()),
            (Ok(_), Ok(header)) => header,
        };
        if header.agent != order.draft.agent {
            let object = format!("{} ({})", cell.place.label, cell.place.slot);
            return Err(Fault::new(
                code::OTHER_WRITER,
                object,
                "another agent writes this volume",
            )
            .cause(format!(
                "its header names agent {} ({})",
                header.agent, header.agent_name
            ))
            .remedy("destroy the media set on that host; nothing was removed"));
        }
    }
    unlocked(order, matrix)
}

/// Nothing goes while storage locks any section: what could be hidden would still be there.
fn unlocked(order: &Order<'_>, matrix: &Matrix) -> Result<(), Fault> {
    for volume in matrix.volumes() {
        if volume.description.capabilities & Capabilities::METERED_READ == 0 {
            continue;
        }
        for section in volume.sections()?.iter().rev() {
            let index = section.index;
            let told = volume.call(move |handle: &mut Handle| handle.inspect_section(index));
            let until = match told {
                Ok(told) => told.locked_until.map(|until| until / 1000),
                // A damaged section is no reason to keep the media set.
                Err(fault) if fault.outcome == Outcome::PERMANENT => None,
                Err(fault) => return Err(fault.into()),
            };
            if let Some(until) = until.filter(|until| *until > order.draft.written.0) {
                let message = format!(
                    "section {index} is locked in its store until {}",
                    Moment(until)
                );
                return Err(Fault::new(code::NOT_EXPIRED, volume.place(), message)
                    .remedy("nothing was removed; try again when the locks have ended"));
            }
        }
    }
    Ok(())
}

/// Removes every section and record, headers last: what is cut off half-way is still known as a
/// volume of this media set.
fn destroy(matrix: &Matrix) -> Result<(), Fault> {
    for volume in matrix.volumes() {
        // Where single sections cannot go, cutting takes the records along.
        let records = if volume.can_remove() {
            volume.records()?
        } else {
            Vec::new()
        };
        for record in records {
            volume.call(move |handle: &mut Handle| handle.remove_record(&record.name))?;
        }
        remove_work(volume)?;
        volume.call(|handle| handle.truncate(1))?;
    }
    for volume in matrix.volumes() {
        volume.call(|handle| handle.truncate(0))?;
    }
    Ok(())
}

/// Removes what a run that was cut off left unfinished.
fn remove_work(volume: &Volume) -> Result<(), Fault> {
    let left = volume.leftovers()?.into_iter();
    for left in left.filter(|left| left.run_id.is_some()) {
        volume.call(move |handle: &mut Handle| handle.remove_leftover(&left.name))?;
    }
    Ok(())
}
