//! The end of BACKUP TO DISK: evidence, and what becomes of the files.

use std::sync::atomic::Ordering;

use twinset_domain::stage::{Ended, Evidence, Fate, Stream, Why, judge};
use twinset_domain::system::HERE;
use twinset_domain::verdict::{History, Verdict};
use twinset_domain::{BackupKind, Fault, code};

use super::folder::Folder;
use super::intent::Intent;
use super::{Order, Probed, look, reconnected, take};
use crate::backup::desk::Desk;
use crate::backup::finished::Finished;
use crate::backup::role::{After, Before, Lost, look_again};
use crate::backup::run::Reserved;
use crate::media::writer::cancelled;
use crate::sqlserver::facts::backup_ended;
use crate::sqlserver::history::{MsdbSet, SetKey, find_set};
use crate::sqlserver::{PlainEnd, Session, StatementEnd};

/// SQL Server could not write its history; the backup itself is good.
const HISTORY_ROW_FAILED: u32 = 3009;

/// Judges how the statement ended, and carries it out.
pub(super) fn conclude(
    desk: &mut Desk<'_>,
    reserved: Reserved,
    (intent, folder): (&Intent, &Folder),
    ran: Result<PlainEnd, Fault>,
    order: &Order<'_>,
    probed: &mut Probed,
) -> Result<Finished, Fault> {
    let Probed {
        control,
        instance,
        partner,
        membership,
        ..
    } = probed;
    let after = After {
        before: Before::of(intent.circumstances.mirroring, membership),
        database: &intent.database,
        ours: order.settings,
        instance,
        other: partner.as_ref(),
    };
    let ran = match ran {
        Ok(ran) => ran,
        Err(fault) => return dropped(desk, reserved, intent, folder, fault),
    };
    let failed = !matches!(ran, PlainEnd::Ended(StatementEnd::Ok));
    let lost = look_again(&after, control, failed);
    let server = server_fault(&ran, intent, folder);
    let (history, found) = ask(control, order, intent);
    let ended = ended(&ran, history, control, intent);
    let trusted =
        matches!((ended, history), (Ended::Clean, History::Found)) || ended == Ended::HistoryFailed;
    let looked = match look_at(trusted, intent, folder) {
        Ok(looked) => looked,
        Err(fault) => return kept(desk, reserved, intent, folder, fault),
    };
    let stream = looked
        .as_ref()
        .map_or(Stream::Complete, |looked| looked.stream);
    let evidence = Evidence {
        ended,
        history,
        stream,
    };
    let fate = judge(&evidence);
    tracing::debug!(?evidence, ?fate, "staged backup judged");
    let why = first_cause(server, lost.as_ref(), intent);
    match fate {
        Fate::Discard => dropped(desk, reserved, intent, folder, why),
        Fate::Keep(reason) => {
            let unproved = looked.and_then(|looked| looked.why);
            let fault = stays_though(stays(intent, folder, reason), &why, unproved);
            reserved.take_back(desk, &fault);
            Err(fault)
        }
        Fate::TakeIn(_) if desk.stop.load(Ordering::Relaxed) => {
            kept(desk, reserved, intent, folder, cancelled())
        }
        Fate::TakeIn(verdict) => {
            let order = take::Take {
                verdict: match lost {
                    // Taken in for what it is worth: `media recover` asks whether it counted.
                    Some(_) => Verdict::Unconfirmed,
                    None => verdict,
                },
                found: found.as_ref(),
                base: order
                    .base
                    .filter(|_| intent.kind == BackupKind::Differential),
                why: Some(&why),
                memory_limit: order.memory_limit,
                throttle: order.throttle,
            };
            take::take(desk, reserved, intent, folder, &order)
        }
    }
}

/// Files that stay, with what was said of them.
fn stays_though(fault: Fault, why: &Fault, unproved: Option<String>) -> Fault {
    let fault = fault.cause(format!("{} {}: {}", why.code, why.object, why.message));
    unproved.into_iter().fold(fault, Fault::cause)
}

/// The files themselves, where the server's word alone is not enough.
fn look_at(trusted: bool, intent: &Intent, folder: &Folder) -> Result<Option<look::Looked>, Fault> {
    if trusted {
        return Ok(None);
    }
    let never = std::sync::atomic::AtomicBool::new(false);
    look::look(folder, intent, &never).map(Some)
}

/// What SQL Server said, or that the role was lost, which came first.
fn first_cause(server: Option<Fault>, lost: Option<&Lost>, intent: &Intent) -> Fault {
    let Some(lost) = lost else {
        return server.unwrap_or_else(cancelled);
    };
    let switched = lost
        .fault(format!("database {}", intent.database))
        .remedy("the agent of the principal takes the next backup");
    match server {
        Some(server) if !lost.is_certain() => server.cause(switched.message),
        Some(server) => switched.cause(format!("then {}: {}", server.code, server.message)),
        None => switched,
    }
}

/// SQL Server never counted it: nothing of it stays.
fn dropped(
    desk: &mut Desk<'_>,
    reserved: Reserved,
    intent: &Intent,
    folder: &Folder,
    fault: Fault,
) -> Result<Finished, Fault> {
    let fault = match folder.discard(intent) {
        Ok(()) => fault,
        Err(left) => fault.cause(format!("{}: {}", left.object, left.message)),
    };
    reserved.take_back(desk, &fault);
    Err(fault)
}

/// The backup is good, and waits in the stage folder for the next run.
fn kept(
    desk: &mut Desk<'_>,
    reserved: Reserved,
    intent: &Intent,
    folder: &Folder,
    fault: Fault,
) -> Result<Finished, Fault> {
    let fault = take::waits(intent, folder, fault);
    reserved.take_back(desk, &fault);
    Err(fault)
}

/// Files that stay without being proved.
pub(super) fn stays(intent: &Intent, folder: &Folder, why: Why) -> Fault {
    let object = folder.path(&intent.file(1)).display().to_string();
    let message = format!(
        "the staged {} backup of {} stays: {why}",
        intent.kind, intent.database
    );
    let remedy = match why {
        Why::StillWritten => {
            "the next backup or media recover looks again; a login that may see other sessions \
             (VIEW SERVER STATE) proves it sooner"
        }
        Why::NotWhole => {
            "look whether another program touches stage_dir; take a full backup now: a log that \
             SQL Server released may be missing"
        }
        Why::NoProof => {
            "run twinset media recover when the instance answers; if it never can be proved, take \
             a full backup and remove the files by hand"
        }
    };
    Fault::new(code::STAGED, object, message).remedy(remedy)
}

/// Looks for the set in msdb by the name of its first file; a lost connection is made anew once.
fn ask(control: &mut Session, order: &Order<'_>, intent: &Intent) -> (History, Option<MsdbSet>) {
    let name = intent.file(1);
    let mut found = find_set(control, SetKey::File(&name));
    if found.is_err()
        && let Ok(fresh) = reconnected(order, intent.run)
    {
        *control = fresh;
        found = find_set(control, SetKey::File(&name));
    }
    match found {
        Ok(Some(set)) => (History::Found, Some(set)),
        Ok(None) => (History::Absent, None),
        Err(fault) => {
            tracing::warn!(%fault, "msdb could not be asked");
            (History::Unknown, None)
        }
    }
}

fn ended(ran: &PlainEnd, history: History, control: &mut Session, intent: &Intent) -> Ended {
    match ran {
        PlainEnd::Ended(StatementEnd::Ok) => Ended::Clean,
        PlainEnd::Ended(end @ StatementEnd::Error { number, all, .. }) => {
            let alone = *number == HISTORY_ROW_FAILED && !end.has_error_besides(*number);
            let among = all.iter().any(|m| m.number == HISTORY_ROW_FAILED);
            match (alone, among) {
                (true, _) => Ended::HistoryFailed,
                (false, true) => Ended::FailedWithoutHistory,
                (false, false) => Ended::Failed,
            }
        }
        // What msdb holds was finished before it was stopped.
        PlainEnd::Stopped if history == History::Found => Ended::Gone,
        PlainEnd::Stopped => Ended::Failed,
        PlainEnd::Ended(StatementEnd::Lost(_)) | PlainEnd::Lingers => {
            match backup_ended(control, &intent.database, intent.run) {
                Ok(true) => Ended::Gone,
                Ok(false) | Err(_) => Ended::MayRun,
            }
        }
    }
}

/// SQL Server's words about the stage folder, with a remedy of their own.
fn server_fault(ran: &PlainEnd, intent: &Intent, folder: &Folder) -> Option<Fault> {
    let PlainEnd::Ended(end) = ran else {
        return None;
    };
    let object = format!("database {}", intent.database);
    let fault = end.fault(&object)?;
    let StatementEnd::Error { all, .. } = end else {
        return Some(fault);
    };
    let has = |number: u32| all.iter().any(|message| message.number == number);
    Some(if has(3201) {
        fault.remedy(format!(
            "SQL Server cannot write to {}: stage_dir_server must name stage_dir as SQL Server sees \
             it, and SQL Server's user ({}) must be able to write there",
            folder.server, HERE.server_user
        ))
    } else if has(3202) || has(3271) {
        fault.remedy("look at the space and the health of stage_dir; nothing of it was kept")
    } else {
        fault
    })
}
