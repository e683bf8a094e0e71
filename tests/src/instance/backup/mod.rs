//! BACKUP DATABASE and BACKUP LOG: checked, streamed, recorded.
//!
//! [`check`] refuses before any device is opened, [`source`] provides the bytes, [`record`] writes
//! what follows from success into databases and msdb.

pub mod check;
pub mod feed;
pub mod flags;
pub mod media;
mod opening;
pub mod record;
pub mod source;

use std::time::{Duration, Instant};

use sqlvdi::abi::commands;

use super::faults::Drop;
use super::mirroring;
use super::mirroring::knobs::When;
use super::query::Variables;
use super::session::Session;
use super::statement::run::Flow;
use super::statement::{Reader, dbcc};
use super::transfer::lane::{self, Devices, LaneEnd, Sizes};
use super::transfer::port::{Broken, Port};
use super::transfer::together::{Switch, Together};
use super::transfer::{Plan, Verb, messages};
use crate::stream::{StreamCheck, StreamFacts, SumPolicy};
use crate::tds::reply::{Reply, Stop};
use crate::tds::tokens::ServerMessage;
use feed::Feed;
use source::Streams;

/// Writes after which an extra Flush comes, where the knob asks for one.
const EXTRA_FLUSH_AFTER: u32 = 3;

/// Writes after which a damaged page is met.
const DAMAGE_AFTER: u32 = 2;
/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

/// What a device thread brings.
struct Sent {
    facts: StreamFacts,
}

impl Session {
    /// Runs a BACKUP statement.
    pub fn backup(
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
        match self.run_backup(&plan, reply) {
            Ok(()) => {
                self.last_error = 0;
                reply.done(command, None);
            }
            // Taken back by the client, or killed: the response ends without words.
            Err(refused) if refused.is_empty() && reply.interrupt.raised().is_some() => {
                self.note_failure(&plan);
                reply.failed(command);
            }
            Err(mut refused) => {
                self.note_failure(&plan);
                reply.interrupt.settle();
                refused.push(messages::terminating(plan.verb));
                self.fail(reply, command, &refused);
            }
        }
        Flow::Next
    }

    fn run_backup(&mut self, plan: &Plan, reply: &mut Reply) -> Result<(), Vec<ServerMessage>> {
        let sizes = check::before_open(self, plan)?;
        let outcome = self.checked_backup(plan, sizes, reply);
        let spid = self.spid();
        let mut state = self.instance.state();
        if let Some(database) = state.database_mut(&plan.database) {
            database.let_go(spid);
        }
        outcome
    }

    fn checked_backup(
        &mut self,
        plan: &Plan,
        sizes: Sizes,
        reply: &mut Reply,
    ) -> Result<(), Vec<ServerMessage>> {
        let one = |message| vec![message];
        let faults = self.instance.faults();
        let progress = self.note_request(plan.verb.name());
        if let Some(number) = faults.fail_before_open {
            return Err(vec![messages::numbered(number, &plan.database)]);
        }
        let folder = self.instance.backup_folder().clone();
        let found = media::before_write(self, plan, &folder).map_err(one)?;
        let streams = Streams::prepare(self, plan, sizes, &found).map_err(one)?;
        progress.begin(streams.total());
        if faults.never_open {
            let _ = reply.interrupt.sleep(FOR_EVER);
            return Err(Vec::new());
        }
        self.strike(plan, When::BeforeOpen, reply)?;
        let begun = Instant::now();
        if let Some(message) = opening::refusal(plan, sizes, &faults) {
            return Err(vec![message]);
        }
        let kept = found.iter().map(|found| Some(found.as_ref()?.kept));
        let kept = kept.collect();
        let devices = Devices::open(plan, sizes, &faults, &folder).map_err(one)?;
        let devices = devices.keeping(kept);
        let mut together = Together::new(plan.devices.len(), progress, faults.clone());
        let damage = self.damaged_page(plan);
        together.damaged = damage.is_some();
        together.switch = Switch::of(self, plan);
        let complete = devices.completes();
        let sources = streams.take(found);
        let ends = lane::run(plan, &devices, &together, reply, |index, port| {
            let mut source = sources[index]
                .lock()
                .unwrap_or_else(|held| held.into_inner());
            pump(port, &mut source, &together, sizes, complete)
        });
        let judged = match (damage, self.judge(plan, ends, &together)) {
            (Some(page), Err(said)) => Err([vec![page], said].concat()),
            (_, judged) => judged,
        };
        let switched = reply.interrupt.raised() == Some(Stop::Switched);
        let stopped = reply.interrupt.raised().is_some() && !switched;
        if stopped && judged.is_err() {
            return Err(Vec::new());
        }
        // Whatever the client still does: every device has acknowledged its last command.
        let facts = judged?;
        self.strike(plan, When::Answered, reply)?;
        let recorded = record::success(self, plan, sizes, &facts);
        self.strike(plan, When::Recorded, reply)?;
        let Some(recorded) = recorded else {
            return Err(self.switched(plan, reply));
        };
        if stopped {
            return Err(Vec::new());
        }
        let seconds = begun.elapsed().as_secs_f64();
        self.finish_backup(plan, &recorded, seconds, reply)
    }

    /// The switch that a knob asks for at this moment.
    fn strike(&self, plan: &Plan, when: When, reply: &Reply) -> Result<(), Vec<ServerMessage>> {
        let wanted = self.instance.faults().mirroring.switch;
        let wanted = wanted.filter(|wanted| wanted.when == Some(when));
        let (Some(wanted), Some(network)) = (wanted, self.instance.network()) else {
            return Ok(());
        };
        if network.strike(&self.instance, &plan.database, wanted.how)
            && reply.interrupt.raised().is_some()
        {
            return Err(self.switched(plan, reply));
        }
        Ok(())
    }

    /// What a statement says whose database lost its role: nothing, where its session is gone too.
    fn switched(&self, plan: &Plan, reply: &Reply) -> Vec<ServerMessage> {
        match reply.interrupt.raised() {
            Some(Stop::Switched) | None => {
                vec![mirroring::messages::closed(952, &plan.database)]
            }
            Some(_) => Vec::new(),
        }
    }

    /// 3041
    fn note_failure(&self, plan: &Plan) {
        let text = format!(
            "BACKUP failed to complete the command {} {}. Check the backup application log for \
             detailed messages.",
            plan.verb.name(),
            plan.database
        );
        let now = self.instance.clock.now();
        let mut state = self.instance.state();
        state.errorlog.add(now, &ServerMessage::new(3041, 16, text));
    }

    /// Every device's facts, or the messages of the first that failed.
    fn judge(
        &self,
        plan: &Plan,
        ends: Vec<LaneEnd<Sent>>,
        together: &Together,
    ) -> Result<Vec<StreamFacts>, Vec<ServerMessage>> {
        let mut facts = Vec::new();
        let mut worst: Option<(u8, Vec<ServerMessage>)> = None;
        for (end, device) in ends.into_iter().zip(&plan.devices) {
            let (rank, said) = match (end.result, end.refused) {
                (Ok(sent), _) => {
                    facts.push(sent.facts);
                    continue;
                }
                (Err(_), Some(message)) => (3, vec![message]),
                (Err(Broken::Stopped), None) if together.damaged => (1, Vec::new()),
                (Err(Broken::Stopped), None) if together.faults.fail_after_bytes.is_some() => {
                    (1, vec![messages::nonrecoverable(device, 1117)])
                }
                (Err(broken), None) => {
                    let code = broken.code();
                    let rank = if matches!(broken, Broken::Reported(_)) {
                        2
                    } else {
                        0
                    };
                    let failed = messages::write_failed(device, code);
                    (rank, vec![failed, messages::nonrecoverable(device, code)])
                }
            };
            if worst.as_ref().is_none_or(|(known, _)| rank > *known) {
                worst = Some((rank, said));
            }
        }
        worst.map_or(Ok(facts), |(_, said)| Err(said))
    }

    fn finish_backup(
        &mut self,
        plan: &Plan,
        recorded: &record::Recorded,
        seconds: f64,
        reply: &mut Reply,
    ) -> Result<(), Vec<ServerMessage>> {
        let faults = self.instance.faults();
        if faults.fail_after_close {
            return Err(vec![messages::nonrecoverable(&plan.database, 1117)]);
        }
        let command = plan.verb.command();
        for (pages, file) in &recorded.files {
            let position = recorded.position;
            reply.message(&messages::file_done(*pages, &plan.database, file, position));
            reply.done(command, None);
        }
        if let Some(number) = faults.error_then_success {
            reply.message(&messages::numbered(number, &plan.database));
            reply.failed(command);
        }
        if recorded.damaged {
            reply.message(&messages::damaged_backup());
            reply.done(command, None);
        }
        if faults.history_fails {
            reply.message(&messages::numbered(3009, ""));
            reply.failed(command);
        }
        if faults.drop_connection == Some(Drop::BeforeSuccess) {
            reply.hang_up();
            return Ok(());
        }
        let pages = recorded.files.iter().map(|(pages, _)| pages).sum();
        reply.progress(&messages::processed(plan.verb, pages, seconds));
        if faults.drop_connection == Some(Drop::AfterSuccess) {
            reply.hang_up();
            return Ok(());
        }
        let delay = match faults.never_done {
            true => FOR_EVER,
            false => Duration::from_millis(faults.done_delay_ms),
        };
        let _ = reply.interrupt.sleep(delay);
        Ok(())
    }

    /// With CHECKSUM every page is looked at: the first damaged one ends the statement, unless it
    /// goes on over errors. msdb learns of the page either way.
    fn damaged_page(&self, plan: &Plan) -> Option<ServerMessage> {
        if plan.verb == Verb::BackupLog || !plan.has("CHECKSUM") {
            return None;
        }
        let now = self.instance.clock.now();
        let mut guard = self.instance.state();
        let state = &mut *guard;
        let database = state.database(&plan.database)?;
        let (id, pages) = (database.id, database.bad_pages.clone());
        let goes_on = plan.has("CONTINUE_AFTER_ERROR");
        let met = if goes_on { pages.len() } else { 1 };
        for page in pages.iter().take(met) {
            dbcc::suspect(state, id, *page, now);
        }
        let first = pages.first().filter(|_| !goes_on)?;
        Some(messages::bad_page(&plan.database, *first))
    }
}

/// One device from the first write to the answer of Complete.
fn pump(
    port: &mut Port,
    source: &mut Feed,
    together: &Together,
    sizes: Sizes,
    complete: bool,
) -> Result<Sent, Broken> {
    let faults = &together.faults;
    if faults.vdi.clear_error_first {
        port.forget_error()?;
    }
    if let Some(code) = faults.unknown_command {
        // Whatever the client answers to a command that does not exist, it goes on.
        match port.command(code) {
            Err(Broken::Reported(50)) | Ok(()) => port.forget_error()?,
            Err(broken) => return Err(broken),
        }
    }
    let known = source.known.take();
    let mut check = known.unwrap_or_else(|| StreamCheck::new(SumPolicy::Ignore));
    let mut writes = 0_u32;
    while let Some(size) = source.next_size(writes, sizes) {
        if together.stopped() {
            return Err(Broken::Stopped);
        }
        let mut fault = None;
        port.send(size, |room| {
            fault = source.fill(room).err();
            // A fault of the stream itself is the business of whoever reads it back.
            let _ = check.feed(room);
        })?;
        if fault.is_some() {
            return Err(Broken::Reported(1117));
        }
        writes += 1;
        let all = together.count(size as u64);
        if faults.fail_after_bytes.is_some_and(|limit| all >= limit) {
            together.stop();
            return Err(Broken::Stopped);
        }
        if faults.abort_after_bytes.is_some_and(|limit| all >= limit) {
            return Err(Broken::Aborted);
        }
        if together.damaged && writes == DAMAGE_AFTER {
            together.stop();
            return Err(Broken::Stopped);
        }
        if source.flushes_between() && writes == EXTRA_FLUSH_AFTER {
            port.flush()?;
        }
    }
    port.settle()?;
    port.flush()?;
    if !together.meet() {
        return Err(Broken::Stopped);
    }
    if complete {
        port.command(commands::COMPLETE)?;
    }
    if !together.meet_again() {
        return Err(Broken::Stopped);
    }
    let mut facts = check.facts().clone();
    facts.blake3 = check.digest();
    Ok(Sent { facts })
}
