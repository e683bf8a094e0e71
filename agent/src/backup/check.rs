//! The consistency check of one database (design 7.3): identity and chain at the source, headers
//! and tails of every mirror, unconfirmed sets resolved, mirrors brought back; then a verdict.
//!
//! It is not DBCC CHECKDB: it compares the replica with its source.

use serde::{Deserialize, Serialize};
use twinset_domain::chain::{Action, Bridge, Held, Reason, Wanted};
use twinset_domain::protection::Verdict;
use twinset_domain::repair::Scope;
use twinset_domain::{BackupKind, Exit, Fault};

use super::desk::{Desk, Target};
use super::guard::{self, Guarded, Targets};
use super::repair::{self, Wish};
use super::vdi::{self, Order};
use super::{recover, replica, run};
use crate::media::recover::Ask;
use crate::media::repair::Depth;

/// How a check is done.
pub struct Manner<'a> {
    /// Every byte of every mirror is read.
    pub deep: bool,
    /// Mirrors out of step are brought back; else they are named.
    pub repairs: bool,
    /// What bridges a chain that others broke.
    pub bridge: Bridge,
    /// Asks servers about sets without a verdict.
    pub ask: &'a mut Ask<'a>,
}

/// What a check found and did.
#[derive(Debug, Serialize, Deserialize)]
pub struct Checked {
    /// The database.
    pub database: String,
    /// What follows.
    pub verdict: Verdict,
    /// Why, in words.
    pub why: String,
    /// What was found on the way and set right, or not.
    pub notes: Vec<String>,
    /// Everything could be set right.
    pub whole: bool,
}

impl Checked {
    /// How a process ends that checked it.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match (&self.verdict, self.whole) {
            (Verdict::Inconsistent(_), _) => Exit::Refused,
            (_, false) => Exit::Degraded,
            (_, true) => Exit::Done,
        }
    }
}

/// Checks one database.
///
/// # Errors
/// Why the source or the media cannot be asked at all; what can be asked and does not match is a
/// verdict.
pub fn check(
    desk: &mut Desk<'_>,
    targets: &Targets,
    order: &Order<'_>,
    mut manner: Manner<'_>,
) -> Result<Checked, Fault> {
    let mut probed = vdi::look(desk, order, "check")?;
    let mut media = Media::default();
    for (target, kind) in each(targets) {
        media.check(desk, (target, kind), &mut manner)?;
    }
    let wanted = Wanted {
        kind: BackupKind::Log,
        copy_only: false,
        tail: false,
    };
    let facts = &probed.database;
    let logless = facts.recovery_model.eq_ignore_ascii_case("SIMPLE")
        || facts.name.eq_ignore_ascii_case("master");
    let wish = (wanted, manner.bridge);
    let mut guarded = guard::guard(desk, targets, facts, wish, &mut probed.control)?;
    guard::remember(desk, targets, &mut guarded)?;
    let verdict = if logless {
        without_logs(desk, targets, &facts.name)?
    } else {
        let verdict = verdict(&guarded, targets);
        match &verdict {
            // What only the primary takes is that agent's to take: the guard stands before each
            // log of ours.
            Verdict::Take(kind)
                if *kind != BackupKind::Log && replica::is_secondary(&probed.membership) =>
            {
                media.notes.push(format!(
                    "{}: a {kind} backup of the primary must come first",
                    guarded.why
                ));
                Verdict::Continue
            }
            _ => verdict,
        }
    };
    let foreign = guarded.foreign.iter();
    media
        .notes
        .extend(foreign.map(|other| format!("{}: {}", other.by.described(), other.risk())));
    Ok(Checked {
        database: order.database.to_owned(),
        verdict,
        why: guarded.why,
        notes: media.notes,
        whole: media.whole,
    })
}

/// The media sets that are written, each once.
fn each(targets: &Targets) -> Vec<(&Target, BackupKind)> {
    let mut each = vec![(&targets.data, BackupKind::Full)];
    if targets.logs.key != targets.data.key {
        each.push((&targets.logs, BackupKind::Log));
    }
    each
}

/// What was found on the media.
struct Media {
    notes: Vec<String>,
    whole: bool,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            notes: Vec::new(),
            whole: true,
        }
    }
}

impl Media {
    /// What dead runs left, mirrors, then everything that a run looks at before it writes.
    fn check(
        &mut self,
        desk: &mut Desk<'_>,
        (target, kind): (&Target, BackupKind),
        manner: &mut Manner<'_>,
    ) -> Result<(), Fault> {
        let key = &target.key;
        let recovered = recover::recover(desk, target, &mut *manner.ask)?;
        for position in &recovered.unconfirmed {
            self.notes.push(format!(
                "{key}: position {position} stays unconfirmed: no server could confirm it"
            ));
        }
        let wish = Wish {
            scope: Scope::All,
            depth: if manner.deep {
                Depth::Everything
            } else {
                Depth::SinceLost
            },
        };
        if manner.repairs {
            let report = repair::repair(desk, target, wish)?;
            let steps = report.steps.iter();
            self.notes
                .extend(steps.map(|step| format!("{key}: repaired {step}")));
            let unhealed = report.unhealed.iter();
            self.notes
                .extend(unhealed.map(|left| format!("{key}: {}: {}", left.slot, left.what)));
            let lost = report.lost.iter();
            self.notes.extend(lost.map(|lost| {
                format!(
                    "{key}: lost on every mirror: position {}, {}, chunk {}",
                    lost.position, lost.family, lost.chunk
                )
            }));
            self.whole &= report.exit() == Exit::Done;
        } else {
            let plan = repair::dry_run(desk, target, wish)?;
            let steps = plan.steps.iter();
            self.notes
                .extend(steps.map(|step| format!("{key}: media repair would: {step}")));
            self.whole &= plan.steps.is_empty() && plan.unhealed.is_empty();
        }
        run::open(desk, target, Some(kind))?.close();
        Ok(())
    }
}

/// What the chain guard would take as a log now is what the check says.
fn verdict(guarded: &Guarded, targets: &Targets) -> Verdict {
    match guarded.decision.action {
        Action::Take { kind, .. } if kind != BackupKind::Log => Verdict::Take(kind),
        Action::Take { .. } if guarded.follows_other(targets) => Verdict::Take(BackupKind::Log),
        Action::Take { .. } => Verdict::Continue,
        Action::Skip | Action::Refuse if guarded.decision.reason == Reason::NoBase => {
            Verdict::Take(BackupKind::Full)
        }
        Action::Skip | Action::Refuse => Verdict::Inconsistent(guarded.why.clone()),
    }
}

/// A database without log backups needs a full that is held, and no more.
fn without_logs(desk: &mut Desk<'_>, targets: &Targets, name: &str) -> Result<Verdict, Fault> {
    let held = guard::held(desk, &targets.data, name, false)?;
    let full = |held: &Held| held.kind == BackupKind::Full && held.sound;
    Ok(if held.iter().any(full) {
        Verdict::Continue
    } else {
        Verdict::Take(BackupKind::Full)
    })
}
