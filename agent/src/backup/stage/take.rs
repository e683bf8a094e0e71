//! From staged files to every mirror: the same pump as an import, the same verdict as VDI.

use std::fs::File;
use std::io;

use twinset_domain::system::HERE;
use twinset_domain::verdict::Verdict;
use twinset_domain::{Fault, code};
use twinset_format::record::Outcome;
use uuid::Uuid;

use super::folder::Folder;
use super::intent::Intent;
use crate::backup::desk::Desk;
use crate::backup::facts::set_facts;
use crate::backup::finished::Finished;
use crate::backup::run::Reserved;
use crate::backup::vdi::agree;
use crate::backup::{import, pump};
use crate::media::writer::Sealed;
use crate::sqlserver::history::MsdbSet;

/// How files are taken in.
pub(super) struct Take<'a> {
    /// What SQL Server said of them.
    pub(super) verdict: Verdict,
    /// What msdb said.
    pub(super) found: Option<&'a MsdbSet>,
    /// The base that a differential must have.
    pub(super) base: Option<Uuid>,
    /// Why they are not simply a success.
    pub(super) why: Option<&'a Fault>,
    /// Memory for buffers.
    pub(super) memory_limit: u64,
    /// Bytes per second that it may take.
    pub(super) throttle: Option<u64>,
}

/// Writes them to all mirrors, publishes, and removes them.
///
/// # Errors
/// [`code::STAGED`] when they could not be written; [`code::UNCONFIRMED`].
pub(super) fn take(
    desk: &mut Desk<'_>,
    reserved: Reserved,
    intent: &Intent,
    folder: &Folder,
    order: &Take<'_>,
) -> Result<Finished, Fault> {
    let sealed = match write(desk, &reserved, intent, folder, order) {
        Ok(sealed) => sealed,
        Err(fault) => {
            let fault = waits(intent, folder, fault);
            reserved.take_back(desk, &fault);
            return Err(fault);
        }
    };
    let history = order.found.map(set_facts);
    let mut contradictions = agree::contradictions(&sealed, order.found);
    contradictions.extend(agree::other_base(&sealed, order.found, order.base));
    let agree = contradictions.is_empty();
    let outcome = match order.verdict {
        Verdict::Success if agree => Outcome::Success,
        Verdict::SuccessHistoryMissing if agree => Outcome::SuccessHistoryMissing,
        _ => {
            return Err(unconfirmed(
                desk, reserved, intent, folder, &sealed, order.why, agree,
            ));
        }
    };
    let mut finished = reserved.publish(desk, &sealed, outcome, history)?;
    if outcome == Outcome::SuccessHistoryMissing {
        let note = "SQL Server could not write its own history of this backup (error 3009)";
        finished.notes.push(note.to_owned());
    }
    // The media hold it: what cannot be removed now is named by status, and removed by the next run.
    if let Err(fault) = folder.finish(intent) {
        finished
            .notes
            .push(format!("{}: {}", fault.object, fault.message));
    }
    Ok(finished)
}

/// Sealed on every required mirror, and SQL Server's word is missing: `media recover` asks again.
fn unconfirmed(
    desk: &mut Desk<'_>,
    reserved: Reserved,
    intent: &Intent,
    folder: &Folder,
    sealed: &[Sealed],
    why: Option<&Fault>,
    agree: bool,
) -> Fault {
    let facts = &reserved.facts;
    let object = format!("database {}, position {}", facts.database, facts.position);
    let message = "the staged backup is sealed on every mirror, but SQL Server's verdict is not \
                   success";
    let mut fault = match why.filter(|why| why.code == code::ROLE_LOST) {
        Some(why) => Fault::new(code::ROLE_LOST, object, why.message.clone()).cause(message),
        None => Fault::new(code::UNCONFIRMED, object, message),
    };
    if let Some(why) = why {
        fault = fault.cause(format!("{}: {}", why.object, why.message));
    }
    if !agree {
        fault = fault.cause("the stream's own facts do not agree with msdb");
    }
    let fault =
        fault.remedy("the set is kept and restorable; run media recover to have it confirmed");
    let told = reserved.keep_unconfirmed(desk, sealed, &fault);
    match told.and_then(|()| folder.finish(intent)) {
        Ok(()) => fault,
        Err(left) => fault.cause(format!("{}: {}", left.object, left.message)),
    }
}

/// All families side by side, sealed.
fn write(
    desk: &Desk<'_>,
    reserved: &Reserved,
    intent: &Intent,
    folder: &Folder,
    order: &Take<'_>,
) -> Result<Vec<Sealed>, Fault> {
    let families = intent.families;
    let buffers = pump::buffers(families, order.memory_limit, reserved.recipe())?;
    let mut stripes = Vec::new();
    for name in intent.files() {
        let path = folder.path(&name);
        readable(&path)?;
        stripes.push(import::look(&path)?);
    }
    let total = stripes.iter().map(import::Stripe::length).sum();
    let name = format!("take in {}", intent.database);
    desk.progress.begin(&name, Some(total));
    let written = import::write_all(desk, reserved, stripes, buffers, order.throttle);
    desk.progress.end();
    written
}

/// SQL Server writes files that its group may read at best.
fn readable(path: &std::path::Path) -> Result<(), Fault> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let object = path.display().to_string();
            let message = "the agent may not read what SQL Server wrote";
            Err(Fault::new(code::FILE, object, message)
                .cause(error)
                .remedy(HERE.read_of_server))
        }
        // Any other trouble is told by whoever reads.
        _ => Ok(()),
    }
}

/// SQL Server's backup is good; the files wait for the next run.
pub(super) fn waits(intent: &Intent, folder: &Folder, why: Fault) -> Fault {
    let object = folder.path(&intent.file(1)).display().to_string();
    let message = format!(
        "SQL Server's {} backup of {} is staged and not on the media yet",
        intent.kind, intent.database
    );
    let code = if why.code == code::CANCELLED {
        code::CANCELLED
    } else {
        code::STAGED
    };
    let remedy = if why.remedy.is_empty() || code == code::CANCELLED {
        String::new()
    } else {
        format!("{}; ", why.remedy)
    };
    let fault = Fault::new(code, object, message)
        .cause(format!("{} {}: {}", why.code, why.object, why.message))
        .remedy(format!(
            "{remedy}leave the staged files where they are: the next backup, or twinset media \
             recover {}, takes them in",
            intent.media_set
        ));
    why.causes.into_iter().fold(fault, Fault::cause)
}
