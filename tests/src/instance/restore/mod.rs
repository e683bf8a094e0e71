//! RESTORE in all its verbs: read, judged, applied or reported.
//!
//! [`reading`] moves the bytes into the checker, [`judge`] decides as soon as the head of the media
//! is known, [`compare`] holds the bytes against those that were sent, [`apply`] makes the database, [`reports`] answers HEADERONLY and its like.

pub mod apply;
pub mod chain;
pub mod compare;
pub mod head;
pub mod judge;
pub mod reading;
pub mod reports;
pub mod roll;
pub mod stop;

use std::time::{Duration, Instant};

use super::faults::Drop;
use super::query::Variables;
use super::session::Session;
use super::statement::Reader;
use super::statement::run::Flow;
use super::transfer::lane::{self, Devices, LaneEnd, Sizes};
use super::transfer::port::Broken;
use super::transfer::together::Together;
use super::transfer::{Plan, Verb, messages};
use crate::stream::{StreamFacts, StreamFault, check_families};
use crate::tds::reply::Reply;
use crate::tds::tokens::ServerMessage;
use reading::{Got, Shared};

type Said = Vec<ServerMessage>;

impl Session {
    /// Runs a RESTORE statement.
    pub fn restore(
        &mut self,
        reader: &mut Reader<'_>,
        variables: &Variables,
        reply: &mut Reply,
    ) -> Flow {
        reply.cut_after(self.instance.faults().cut_reply_after);
        let plan = match Plan::parse(reader, variables, self.instance.version()) {
            Ok(plan) => plan,
            Err(message) => {
                self.fail(reply, 0, &[message]);
                return Flow::EndBatch;
            }
        };
        let command = plan.verb.command();
        match self.run_restore(&plan, reply) {
            Ok(()) => {
                self.last_error = 0;
                reply.done(command, None);
            }
            Err(_) if reply.interrupt.raised().is_some() => reply.failed(command),
            Err(mut refused) => {
                refused.push(messages::terminating(plan.verb));
                self.fail(reply, command, &refused);
            }
        }
        Flow::Next
    }

    fn run_restore(&mut self, plan: &Plan, reply: &mut Reply) -> Result<(), Said> {
        let sizes = judge::before_open(self, plan)?;
        if plan.devices.is_empty() {
            apply::recover_only(self, plan)?;
            reply.message(&messages::processed(plan.verb, 0, 0.001));
            return Ok(());
        }
        let outcome = self.read_media(plan, sizes, reply);
        let mut state = self.instance.state();
        if let Some(database) = state.database_mut(&plan.database)
            && database.busy == Some(self.spid())
        {
            database.busy = None;
        }
        outcome
    }

    fn read_media(&mut self, plan: &Plan, sizes: Sizes, reply: &mut Reply) -> Result<(), Said> {
        let faults = self.instance.faults();
        let progress = self.note_request(plan.verb.name());
        let named = !plan.database.is_empty();
        if let Some(number) = faults.fail_before_open.filter(|_| named) {
            return Err(vec![messages::numbered(number, &plan.database)]);
        }
        if faults.never_open {
            let _ = reply.interrupt.sleep(Duration::from_secs(24 * 3600));
            return Err(Vec::new());
        }
        let begun = Instant::now();
        let folder = self.instance.backup_folder().clone();
        let devices =
            Devices::open(plan, sizes, &faults, &folder).map_err(|message| vec![message])?;
        let together = Together::new(plan.devices.len(), progress, faults);
        let shared = Shared::new(self, plan);
        let ends = lane::run(plan, &devices, &together, reply, |index, port| {
            reading::read(port, index, sizes, &together, &shared)
        });
        if reply.interrupt.raised().is_some() {
            return Err(Vec::new());
        }
        let refused = shared.refused();
        let got = outcome(plan, ends, refused)?;
        let first = got.first().map(|got| got.check.facts());
        let known = |facts: &StreamFacts| facts.is_opaque || judge::chosen(plan, facts).is_some();
        if plan.verb != Verb::LabelOnly && !first.is_some_and(known) && plan.has("FILE") {
            let device = plan.devices.first().map_or("", String::as_str);
            return Err(vec![messages::numbered(3287, device)]);
        }
        drop(devices);
        let seconds = begun.elapsed().as_secs_f64();
        match plan.verb {
            Verb::HeaderOnly | Verb::LabelOnly | Verb::FileListOnly => {
                reports::send(self, plan, &got, reply);
                Ok(())
            }
            Verb::VerifyOnly => {
                let facts = self.agreed(plan, got)?;
                if judge::is_damaged(plan, &facts) {
                    reply.progress(&messages::note(3188, ""));
                }
                if plan.has("LOADHISTORY") {
                    apply::load_history(self, plan, &facts);
                }
                let position = plan.number("FILE").unwrap_or(1);
                reply.progress(&messages::valid(position));
                Ok(())
            }
            _ => self.finish_restore(plan, got, seconds, reply),
        }
    }

    /// All families whole, of one set, and as an instance of this lab once sent them.
    fn agreed(&self, plan: &Plan, got: Vec<Got>) -> Result<Vec<StreamFacts>, Said> {
        let early = self.instance.faults().restore_closes_early;
        let mut facts = Vec::new();
        for (at, got) in got.into_iter().enumerate() {
            let device = &plan.devices[at];
            if early {
                facts.push(got.check.facts().clone());
                continue;
            }
            facts.push(got.check.finish().map_err(|fault| said(&fault, device))?);
        }
        check_families(&facts).map_err(|fault| {
            let at = usize::try_from(fault.offset).unwrap_or(0);
            said(&fault, plan.devices.get(at).map_or("", String::as_str))
        })?;
        if !early && !compare::as_sent(&self.instance, plan, &facts) {
            return Err(vec![messages::numbered(3189, "")]);
        }
        Ok(facts)
    }

    fn finish_restore(
        &mut self,
        plan: &Plan,
        got: Vec<Got>,
        seconds: f64,
        reply: &mut Reply,
    ) -> Result<(), Said> {
        let faults = self.instance.faults();
        let facts = self.agreed(plan, got)?;
        if faults.fail_after_close {
            return Err(vec![messages::nonrecoverable(&plan.database, 1117)]);
        }
        let bad = compare::damage_of(&self.instance, plan, &facts);
        let survived = judge::over_damage(plan, &facts, &bad)?;
        let mut applied = apply::apply(self, plan, &facts, bad)?;
        applied.notes.extend(survived);
        let files = applied.files;
        let command = plan.verb.command();
        let sets = facts
            .iter()
            .filter_map(|family| judge::chosen(plan, family));
        let bytes: u64 = sets.map(|set| set.data_bytes).sum();
        let position = plan.number("FILE").unwrap_or(1);
        for (at, file) in files.iter().enumerate() {
            let pages = if at == 0 { bytes / 8192 } else { 0 };
            reply.message(&messages::file_done(pages, &plan.database, file, position));
            reply.done(command, None);
        }
        if let Some(number) = faults.error_then_success {
            reply.message(&messages::numbered(number, &plan.database));
            reply.failed(command);
        }
        for number in applied.notes {
            reply.message(&messages::note(number, &plan.database));
            reply.done(command, None);
        }
        if faults.drop_connection == Some(Drop::BeforeSuccess) {
            reply.hang_up();
            return Ok(());
        }
        reply.progress(&messages::processed(plan.verb, bytes / 8192, seconds));
        if faults.drop_connection == Some(Drop::AfterSuccess) {
            reply.hang_up();
            return Ok(());
        }
        let delay = match faults.never_done {
            true => Duration::from_secs(24 * 3600),
            false => Duration::from_millis(faults.done_delay_ms),
        };
        let _ = reply.interrupt.sleep(delay);
        Ok(())
    }
}

/// A fault of the stream as the server says it.
fn said(fault: &StreamFault, device: &str) -> Said {
    let number = i32::try_from(fault.number).unwrap_or(3241);
    match number {
        3203 => vec![messages::read_failed(device, 38)],
        _ => vec![messages::numbered(number, device)],
    }
}

/// What the devices brought, or the gravest thing that went wrong.
fn outcome(plan: &Plan, ends: Vec<LaneEnd<Got>>, refused: Option<Said>) -> Result<Vec<Got>, Said> {
    let mut got = Vec::new();
    let mut worst: Option<(u8, Said)> = refused.map(|said| (3, said));
    for (end, device) in ends.into_iter().zip(&plan.devices) {
        let (rank, messages) = match (end.result, end.refused) {
            (Ok(mut brought), _) => {
                if let Some(fault) = brought.fault.take() {
                    (4, said(&fault, device))
                } else {
                    got.push(brought);
                    continue;
                }
            }
            (Err(_), Some(message)) => (5, vec![message]),
            (Err(Broken::Reported(code)), None) => (2, vec![messages::read_failed(device, code)]),
            (Err(broken), None) => (0, vec![messages::read_failed(device, broken.code())]),
        };
        if worst.as_ref().is_none_or(|(known, _)| rank > *known) {
            worst = Some((rank, messages));
        }
    }
    worst.map_or(Ok(got), |(_, said)| Err(said))
}
