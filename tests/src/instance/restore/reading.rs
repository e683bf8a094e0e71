//! One device of a RESTORE: reads of changing size into the checker.

use std::sync::{Mutex, PoisonError};

use super::judge;
use crate::instance::session::Session;
use crate::instance::transfer::lane::Sizes;
use crate::instance::transfer::port::{Broken, Port};
use crate::instance::transfer::together::Together;
use crate::instance::transfer::{DeviceKind, Plan, Verb};
use crate::stream::{StreamCheck, StreamFacts, StreamFault, SumPolicy};
use crate::tds::tokens::ServerMessage;

/// What a device thread brings.
pub struct Got {
    /// The checker, with everything it saw.
    pub check: StreamCheck,
    /// What is wrong with the stream.
    pub fault: Option<StreamFault>,
}

/// What the device threads share beyond [`Together`].
pub struct Shared<'a> {
    session: &'a Session,
    plan: &'a Plan,
    refused: Mutex<Option<Vec<ServerMessage>>>,
}

impl<'a> Shared<'a> {
    /// For one statement.
    #[must_use]
    pub const fn new(session: &'a Session, plan: &'a Plan) -> Self {
        Self {
            session,
            plan,
            refused: Mutex::new(None),
        }
    }

    /// Why the plan cannot be carried out, if so.
    #[must_use]
    pub fn refused(&self) -> Option<Vec<ServerMessage>> {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Decides once the head of the media is known.
    fn judge(&self, sizes: Sizes, facts: &StreamFacts) -> Result<(), Broken> {
        let judged = judge::media(self.plan, sizes, facts)
            .and_then(|()| judge::head_known(self.session, self.plan, facts));
        judged.map_err(|said| {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
            Broken::Stopped
        })
    }
}

/// Reads one device to its end, or as far as the statement needs.
pub fn read(
    port: &mut Port,
    index: usize,
    sizes: Sizes,
    together: &Together,
    shared: &Shared<'_>,
) -> Result<Got, Broken> {
    let plan = shared.plan;
    let head_only = matches!(plan.verb, Verb::LabelOnly | Verb::FileListOnly);
    let mut got = Got {
        check: checker(plan),
        fault: None,
    };
    let mut dice = 0x9E37_79B9_7F4A_7C15_u64 ^ ((index as u64) << 32) ^ together.faults.seed;
    if together.faults.vdi.clear_error_first {
        port.forget_error()?;
    }
    let mut known = false;
    loop {
        if together.stopped() {
            return Err(Broken::Stopped);
        }
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let size = size_of(dice, sizes);
        let mut count = 0;
        let at_end = port.fetch(size, |bytes| {
            count = bytes.len();
            got.fault = got.check.feed(bytes).err();
        })?;
        let all = together.count(count as u64);
        if got.fault.is_some() {
            // The statement is lost: the other devices need not go on.
            together.stop();
            return Ok(got);
        }
        if together
            .faults
            .abort_after_bytes
            .is_some_and(|limit| all >= limit)
        {
            return Err(Broken::Aborted);
        }
        let facts = got.check.facts();
        let set = judge::chosen(plan, facts);
        let now_known = facts.is_opaque || set.is_some_and(|set| set.kind_letter != 0);
        if now_known && !known {
            known = true;
            if index == 0 {
                let size = set.map_or(0, |set| set.backup_size);
                together.progress.begin(size);
                shared.judge(sizes, facts)?;
            }
            if head_only {
                return Ok(got);
            }
        }
        // In a file it finds its set, and reads no further.
        let whole = judge::chosen(plan, got.check.facts()).is_some_and(|set| set.is_complete);
        let found = plan.kind == DeviceKind::Disk && plan.verb != Verb::HeaderOnly && whole;
        let closes = together.faults.restore_closes_early || found;
        let early = closes && got.check.is_at_end_of_set();
        if at_end && together.faults.vdi.read_past_end {
            // The end is an answer other than success; whatever comes now is not part of the stream.
            port.forget_error()?;
            port.fetch(sizes.block as usize, |_| {})?;
        }
        if early || at_end {
            return Ok(got);
        }
    }
}

/// A file is looked at as far as the set that is wanted.
fn checker(plan: &Plan) -> StreamCheck {
    let check = StreamCheck::new(policy(plan));
    let all = plan.kind != DeviceKind::Disk || plan.verb == Verb::HeaderOnly;
    let position = plan.number("FILE").unwrap_or(1);
    match u16::try_from(position) {
        Ok(position) if !all => check.until(position),
        _ => check,
    }
}

fn policy(plan: &Plan) -> SumPolicy {
    match (plan.has("CHECKSUM"), plan.has("NO_CHECKSUM")) {
        (true, _) => SumPolicy::Require,
        (_, true) => SumPolicy::Ignore,
        _ => SumPolicy::IfPresent,
    }
}

/// A multiple of the block size, mostly large; it does not follow the sizes of the writes.
const fn size_of(dice: u64, sizes: Sizes) -> usize {
    let blocks = (sizes.transfer / sizes.block) as u64;
    let draw = dice >> 33;
    let count = if draw.is_multiple_of(4) {
        1 + (draw >> 2) % blocks
    } else {
        blocks
    };
    (count * sizes.block as u64) as usize
}
