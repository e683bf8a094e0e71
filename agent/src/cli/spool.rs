//! `twinset media spool`: volumes that wait for a drive.

use std::collections::BTreeSet;

use serde::Serialize;
use twinset_domain::{Exit, FamilyNo, Fault, MediaSetId, MirrorNo, Slot, code};
use twinset_format::header::MediaHeader;

use super::args::SpoolArgs;
use super::context::{Context, patience, target_of};
use super::{device, interrupt};
use crate::backup::desk::Target;
use crate::clock;
use crate::config::checked::media::{DEFAULT_DEVICE_DEADLINE, DEFAULT_MEDIUM_WAIT};
use crate::media::holds::Hold;
use crate::media::volume::Place;
use crate::report::{Output, bytes};
use crate::restore::open::{self, OpenSet};
use crate::restore::spool::{Order, Spool, Spooled};

/// The plugin whose folders are read in the place of other volumes.
const DISK: &str = "disk";

/// A copy, and what is still to come.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    spooled: Spooled,
    /// Families of which no mirror was spooled whole: their volumes must be in the drives.
    to_bring: Vec<FamilyNo>,
}

#[derive(Serialize)]
struct Removed {
    /// The media set, if there was a copy of it.
    removed: Option<MediaSetId>,
}

/// Opens a media set for a restore: what does not answer is read from the spool.
///
/// # Errors
/// As [`open::open_spooled`].
pub(super) fn open(
    context: &Context,
    target: &Target,
    id: Option<MediaSetId>,
) -> Result<OpenSet, Fault> {
    let known = match id {
        Some(id) => Some(id),
        None => context
            .catalog
            .media_set(&target.key)?
            .map(|known| known.id),
    };
    let spooled = context.config.spool_dir.as_ref();
    let spool = match spooled.is_some_and(|dir| dir.is_dir()) {
        true => Some(folder(context)?),
        false => None,
    };
    open::open_spooled(target, context.state.agent, known, spool.as_ref())
}

/// The spool of the configuration.
fn folder(context: &Context) -> Result<Spool, Fault> {
    let remedy = "name a folder with room for the missing families: spool_dir in [restore], \
                  and the disk plugin: [plugins.disk]";
    let Some(dir) = context.config.spool_dir.clone() else {
        let message = "no folder for families that wait for a drive";
        return Err(Fault::new(code::SPOOL_DIR, "spool_dir", message).remedy(remedy));
    };
    let plugin = context.plugin(DISK).map_err(|fault| fault.remedy(remedy))?;
    Ok(Spool {
        dir,
        like: Place {
            slot: Slot {
                mirror: MirrorNo(1),
                family: FamilyNo(1),
            },
            label: DISK.to_owned(),
            plugin,
            options: String::new(),
            deadline: DEFAULT_DEVICE_DEADLINE,
            medium_wait: DEFAULT_MEDIUM_WAIT,
        },
    })
}

/// Runs the verb.
pub(super) fn spool(context: &Context, args: &SpoolArgs, output: &Output) -> Result<Exit, Fault> {
    let (_, target) = target_of(context, &args.set)?;
    let spool = folder(context)?;
    let known = context
        .catalog
        .media_set(&target.key)?
        .map(|known| known.id);
    let known = args.set.id.or(known);
    let agent = context.state.agent;
    let (Some(device), Some(plugin)) = (&args.device, &args.plugin) else {
        let removed = spool.remove(known, target.shape, agent, clock::now())?;
        match removed {
            Some(id) => output.line(format!("removed the copies of media set {id}")),
            None => output.line("nothing was spooled"),
        }
        return Ok(output.finish(Ok((Exit::Done, Removed { removed }))));
    };
    let (source, header) = device::open_alone(&context.config, plugin, device)?;
    belongs(&target, known, &header)?;
    let sets = device::readable(&source)?;
    let wanted: BTreeSet<_> = args.positions.iter().copied().collect();
    let order = Order {
        source: &source,
        header: &header,
        sets: &sets,
        wanted: &wanted,
    };
    let plan = spool.plan(&order, agent)?;
    if args.dry_run {
        output.line(format!(
            "{}: {} sets, {}, into {}",
            plan.slot,
            plan.sets.len(),
            bytes(plan.bytes),
            plan.folder.display()
        ));
        plan.fits()?;
        return Ok(output.finish(Ok((Exit::Done, plan))));
    }
    source.wait_with(&patience(output));
    let progress = output.progress();
    let held = Hold::take(&source, agent, clock::now);
    let spooled = spool.copy(&order, plan, agent, &*progress, interrupt::flag())?;
    drop(held);
    let to_bring = spool.lacking(&spooled.plan, target.shape, agent);
    Ok(tell(&target.key, Told { spooled, to_bring }, output))
}

/// Whether the volume is one of the media set's.
fn belongs(target: &Target, known: Option<MediaSetId>, header: &MediaHeader) -> Result<(), Fault> {
    let slot = header.slot();
    if known.is_none_or(|id| id == header.media_set) && target.shape == header.shape {
        return Ok(());
    }
    let message = format!(
        "the volume in the device is {slot} of another media set, {} ({})",
        header.media_set, header.name
    );
    Err(Fault::new(
        code::WRONG_MEDIA_SET,
        format!("media set {}", target.key),
        message,
    )
    .remedy("bring a volume of this media set, or name the other one by --id"))
}

fn tell(key: &str, told: Told, output: &Output) -> Exit {
    let Spooled { plan, damage } = &told.spooled;
    for damage in damage {
        output.line(format!("damaged {damage}: a twin must have it"));
    }
    output.line(format!(
        "{} sets of {} lie in {}",
        plan.sets.len() + plan.there.len(),
        plan.slot,
        plan.folder.display()
    ));
    if !plan.there.is_empty() {
        output.line(format!(
            "{} of them from before; if the volume was repaired since, first: \
             twinset media spool {key} --remove",
            plan.there.len()
        ));
    }
    if told.to_bring.is_empty() {
        output.line("every family was spooled");
    } else {
        let families: Vec<String> = told.to_bring.iter().map(ToString::to_string).collect();
        output.line(format!(
            "not spooled: {}; spool their volumes too, or have them in the drives",
            families.join(", ")
        ));
    }
    let exit = if damage.is_empty() {
        Exit::Done
    } else {
        Exit::Degraded
    };
    output.finish(Ok((exit, told)))
}
