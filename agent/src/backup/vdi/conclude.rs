//! The end of a backup: evidence, verdict, and what it means for what was written.

use twinset_domain::verdict::{Evidence, History, Statement, Verdict, judge};
use twinset_domain::{Fault, code};
use twinset_format::record::Outcome;

use uuid::Uuid;

use super::agree::{self, stream_facts};
use super::session::Streamed;
use crate::backup::desk::Desk;
use crate::backup::facts::set_facts;
use crate::backup::finished::Finished;
use crate::backup::role::{After, Lost, look_again};
use crate::backup::run::Reserved;
use crate::media::writer::cancelled;
use crate::sqlserver::history::{MsdbSet, SetKey, find_set};
use crate::sqlserver::statement::Transfer;
use crate::sqlserver::vdi::{DeviceEnd, End};
use crate::sqlserver::{Session, StatementEnd};

/// Judges and carries the verdict out.
pub(super) fn conclude(
    desk: &mut Desk<'_>,
    reserved: Reserved,
    streamed: Streamed,
    (transfer, base): (Transfer, Option<Uuid>),
    (after, control): (&After<'_>, &mut Session),
) -> Result<Finished, Fault> {
    // Asked first: a role that is lost while msdb is asked is lost behind the backup.
    let failed = !matches!(streamed.statement, Some(StatementEnd::Ok));
    let lost = look_again(after, control, failed);
    let (history, found) = ask(control, &streamed);
    let mut contradictions = agree::contradictions(&streamed.sealed, found.as_ref());
    let other_base = agree::other_base(&streamed.sealed, found.as_ref(), base);
    contradictions.extend(other_base.clone());
    if let Some(found) = &found {
        contradictions.extend(agree::other_devices(&streamed.set_name, found));
    }
    let evidence = evidence(&reserved, &streamed, history, contradictions.is_empty());
    let verdict = match judge(&evidence) {
        // What SQL Server calls a success on a server that lost the role is kept, not published.
        Verdict::Success | Verdict::SuccessHistoryMissing if lost.is_some() => Verdict::Unconfirmed,
        verdict => verdict,
    };
    tracing::debug!(?evidence, ?verdict, ?lost, "backup judged");
    match verdict {
        Verdict::Success => {
            let facts = found.as_ref().map(set_facts);
            reserved.publish(desk, &streamed.sealed, Outcome::Success, facts)
        }
        Verdict::SuccessHistoryMissing => {
            let outcome = Outcome::SuccessHistoryMissing;
            let mut finished = reserved.publish(desk, &streamed.sealed, outcome, None)?;
            finished.notes.push(
                "SQL Server could not write its own history of this backup (error 3009)".to_owned(),
            );
            Ok(finished)
        }
        Verdict::Unconfirmed => {
            let mut fault = unconfirmed(&reserved, &streamed, &evidence, contradictions);
            if other_base.is_some() {
                fault = fault.remedy(
                    "keep that full's files: the set restores on it alone; stop the job that \
                     takes it. The next backup becomes a full and begins anew",
                );
            }
            if let Some(lost) = &lost {
                fault = kept_though(&reserved, lost, fault);
            }
            reserved.keep_unconfirmed(desk, &streamed.sealed, &fault)?;
            Err(fault)
        }
        Verdict::Failed => {
            let stopped = desk.stop.load(std::sync::atomic::Ordering::Relaxed);
            let fault = if stopped {
                cancelled()
            } else {
                let fault = first_cause(&reserved, &streamed, transfer);
                match lost.filter(Lost::is_certain) {
                    Some(lost) => behind_switch(&reserved, &streamed, &lost, fault),
                    None => fault,
                }
            };
            reserved.take_back(desk, &fault);
            Err(fault)
        }
    }
}

/// Looks for the set in msdb: by the GUID of the stream, else by the name of its device.
fn ask(control: &mut Session, streamed: &Streamed) -> (History, Option<MsdbSet>) {
    if streamed.sealed.is_empty() {
        return (History::Unknown, None);
    }
    let key = match stream_facts(&streamed.sealed).and_then(|set| set.set) {
        Some(guid) => SetKey::Guid(guid),
        None => SetKey::VirtualDevice(&streamed.set_name),
    };
    match find_set(control, key) {
        Ok(Some(set)) => (History::Found, Some(set)),
        Ok(None) => (History::Absent, None),
        Err(fault) => {
            tracing::warn!(%fault, "msdb could not be asked");
            (History::Unknown, None)
        }
    }
}

fn evidence(
    reserved: &Reserved,
    streamed: &Streamed,
    history: History,
    facts_agree: bool,
) -> Evidence {
    let families = usize::from(reserved.facts.shape.families);
    let ends = &streamed.devices;
    let statement = match &streamed.statement {
        Some(StatementEnd::Ok) => Statement::Clean,
        Some(end @ StatementEnd::Error { number, .. }) => {
            // 3009 counts as a warning only when it stands alone.
            let alone = !end.has_error_besides(*number);
            Statement::Error(if alone {
                *number
            } else {
                first_other(end, *number)
            })
        }
        Some(StatementEnd::Lost(_)) | None => Statement::Lost,
    };
    let lengths_agree = ends
        .iter()
        .zip(&streamed.sealed)
        .all(|(end, sealed)| end.bytes == sealed.manifest.facts.plain_length);
    Evidence {
        statement,
        history,
        all_answered: ends.len() == families && ends.iter().all(|end| end.answered),
        all_closed: ends.len() == families
            && ends.iter().all(|end| end.end == End::Closed)
            && lengths_agree,
        all_sealed: streamed.sealed.len() == families,
        facts_agree,
    }
}

/// The first error that is not the given one.
fn first_other(end: &StatementEnd, number: u32) -> u32 {
    match end {
        StatementEnd::Error { all, .. } => all
            .iter()
            .map(|message| message.number)
            .find(|n| *n != number)
            .unwrap_or(number),
        StatementEnd::Ok | StatementEnd::Lost(_) => number,
    }
}

/// The cause that came first: our own fault, then SQL Server's error. 3013, 3041 and 995 are
/// consequences, never causes.
fn first_cause(reserved: &Reserved, streamed: &Streamed, transfer: Transfer) -> Fault {
    let object = format!("database {}", reserved.facts.database);
    let server = streamed
        .statement
        .as_ref()
        .and_then(|end| end.fault(&object));
    let ours = streamed.fault.clone().or_else(|| {
        streamed
            .devices
            .iter()
            .find_map(|device| match &device.end {
                End::Failed(fault) | End::Protocol(fault) => Some(fault.clone()),
                End::Closed | End::Aborted => None,
            })
    });
    if ours.is_none() && several_failed(streamed) {
        return several_devices(object, server);
    }
    let server = server.map(|fault| both_sides(fault, reserved, transfer));
    match (ours, server) {
        (Some(ours), Some(server)) if ours.code != code::CANCELLED => ours
            .cause(format!("then {}", server.message))
            .cause("SQL Server was not answered: it released no log, and counts no backup"),
        (Some(fault), _) | (None, Some(fault)) => fault,
        (None, None) => Fault::new(
            code::VDI_SESSION,
            object,
            "the backup did not come to its end",
        )
        .remedy("see SQL Server's error log; nothing was published"),
    }
}

/// The role was lost: that came first, unless a device of ours failed by itself.
fn behind_switch(reserved: &Reserved, streamed: &Streamed, lost: &Lost, fault: Fault) -> Fault {
    let by_itself = |device: &DeviceEnd| matches!(device.end, End::Failed(_) | End::Protocol(_));
    let switched = lost.fault(format!("database {}", reserved.facts.database));
    if streamed.devices.iter().any(by_itself) {
        return fault.cause(switched.message);
    }
    let then = format!("then {}: {}", fault.code, fault.message);
    let causes = fault.causes.into_iter();
    causes.fold(switched.cause(then), Fault::cause).remedy(
        "nothing of it was kept, and SQL Server released no log for it; the agent of the principal \
         takes the next backup",
    )
}

/// Sealed, and the role was lost before its verdict: the set is kept as it is.
fn kept_though(reserved: &Reserved, lost: &Lost, fault: Fault) -> Fault {
    let facts = &reserved.facts;
    if !lost.is_certain() {
        return fault.cause(lost.fault(String::new()).message);
    }
    let object = format!("database {}, position {}", facts.database, facts.position);
    let switched = lost.fault(object).cause(fault.message);
    let causes = fault.causes.into_iter();
    causes.fold(switched, Fault::cause).remedy(
        "the set is kept and restorable: media recover confirms it, or proves that it never \
         counted; the agent of the principal takes the next backup",
    )
}

/// What SQL Server was asked for, beside its word that it cannot be done (3261).
fn both_sides(fault: Fault, reserved: &Reserved, transfer: Transfer) -> Fault {
    if fault.code != code::VDI_CONFIG {
        return fault;
    }
    fault.cause(format!(
        "asked for: {} devices, BLOCKSIZE {}, MAXTRANSFERSIZE {}, BUFFERCOUNT {}",
        reserved.facts.shape.families,
        transfer.block_size,
        transfer.max_transfer_size,
        transfer.buffer_count
    ))
}

/// Several devices were opened, and the set was aborted before one of them saw a byte: what is
/// reported of sets with more than one device on Linux (facts/vdi.md 3.9).
fn several_failed(streamed: &Streamed) -> bool {
    let untouched = |device: &DeviceEnd| device.end == End::Aborted && device.commands == 0;
    streamed.devices.len() > 1 && streamed.devices.iter().all(untouched)
}

fn several_devices(object: String, server: Option<Fault>) -> Fault {
    let fault = Fault::new(
        code::VDI_SESSION,
        object,
        "the set was aborted before the first byte, with several virtual devices",
    )
    .cause("on Linux several devices in one session are reported to fail");
    let fault = match server {
        Some(server) => fault.cause(format!("then {}", server.message)),
        None => fault,
    };
    fault.remedy(
        "set source = \"stage\" for the group, which takes several families; or make a media set \
         with families = 1",
    )
}

/// Sealed everywhere, but SQL Server's word is missing or speaks against it.
fn unconfirmed(
    reserved: &Reserved,
    streamed: &Streamed,
    evidence: &Evidence,
    contradictions: Vec<String>,
) -> Fault {
    let facts = &reserved.facts;
    let object = format!("database {}, position {}", facts.database, facts.position);
    let clean = evidence.statement == Statement::Clean && evidence.history == History::Found;
    let (code, message) = if clean && evidence.all_closed {
        let message = "SQL Server took the backup, and its facts contradict each other";
        (code::SQL_DISAGREES, message)
    } else {
        let message = "the set is sealed on every mirror, but SQL Server's verdict is not success";
        (code::UNCONFIRMED, message)
    };
    let statement = match &streamed.statement {
        Some(StatementEnd::Ok) => "the statement ended without error".to_owned(),
        Some(StatementEnd::Error {
            number, message, ..
        }) => format!("error {number}: {message}"),
        Some(StatementEnd::Lost(why)) => format!("the connection was lost: {why}"),
        None => "the statement did not end in time".to_owned(),
    };
    let history = match evidence.history {
        History::Found => "msdb knows the set",
        History::Absent => "msdb does not know the set",
        History::Unknown => "msdb could not be asked",
    };
    let mut fault = Fault::new(code, object, message)
        .cause(statement)
        .cause(history);
    if !evidence.all_closed {
        fault = fault.cause("a virtual device did not end as it should");
    }
    fault = contradictions.into_iter().fold(fault, Fault::cause);
    let lsns = stream_facts(&streamed.sealed).and_then(|set| Some((set.first_lsn?, set.last_lsn?)));
    if let Some((first, last)) = lsns {
        fault = fault.cause(format!("it holds log sequence numbers {first} to {last}"));
    }
    fault.remedy("the set is kept and restorable; run media recover to have it confirmed")
}
