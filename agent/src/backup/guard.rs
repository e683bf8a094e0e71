//! The chain guard before a backup: facts of the source and of the media, and what follows.

mod elsewhere;

use std::collections::BTreeMap;

use serde::Serialize;
use twinset_domain::chain::{
    self, Bridge, Decision, Endangered, Foreign, Held, Question, Reason, Source, Wanted, endangered,
};
use twinset_domain::recover::SetState;
use twinset_domain::{BackupKind, Fault, Position, code};
use twinset_format::card::Card;
use twinset_format::mtf::SetFacts;
use twinset_plugin_api::Access;

use elsewhere::{continues_elsewhere, newest, others_sets};

use super::desk::{Desk, Target};
use crate::clock;
use crate::media::inventory::{self, SetOnMedia};
use crate::media::known;
use crate::media::matrix::Matrix;
use crate::sqlserver::Session;
use crate::sqlserver::facts::{self, DAMAGED, DatabaseFacts};
use crate::sqlserver::history::newest_sets;

/// The media sets that a database's backups may lie on.
pub struct Targets {
    /// That of fulls and differentials.
    pub data: Target,
    /// That of logs; the same where the group keeps all in one.
    pub logs: Target,
    /// Those of the other partners' agents, for reading: the chain may go on from there.
    pub others: Vec<Target>,
}

/// What the guard says of one database.
#[derive(Debug, Serialize)]
pub struct Guarded {
    /// The database.
    pub database: String,
    /// What is to be done, and why.
    pub decision: Decision,
    /// Why, in words.
    pub why: String,
    /// Backups of others that put restore points at risk.
    pub foreign: Vec<Endangered>,
    /// Some of them were not known before.
    #[serde(skip)]
    pub news: bool,
    /// The media set that holds the newest set of the chain.
    #[serde(skip)]
    newest: Option<String>,
    /// The differential base that was found held; compared again before success.
    #[serde(skip)]
    pub base: Option<uuid::Uuid>,
}

impl Targets {
    /// The media set that takes a kind.
    #[must_use]
    pub const fn of(&self, kind: BackupKind) -> &Target {
        match kind {
            BackupKind::Log => &self.logs,
            BackupKind::Full | BackupKind::Differential => &self.data,
        }
    }
}

/// Asks the source, looks at the media, decides. Nothing is written, but what was read of the media
/// is remembered.
///
/// # Errors
/// Why server, media or catalog cannot be asked.
pub fn guard(
    desk: &mut Desk<'_>,
    targets: &Targets,
    database: &DatabaseFacts,
    (wanted, bridge): (Wanted, Bridge),
    control: &mut Session,
) -> Result<Guarded, Fault> {
    // A base must be there still when a differential is to stand on it.
    let look = wanted.kind == BackupKind::Differential;
    let mut question = Question {
        wanted,
        bridge,
        source: source(database, control)?,
        held: held_here(desk, targets, &database.name, (look, false))?,
    };
    let mut decision = chain::judge(&question);
    if continues_elsewhere(&decision) {
        // The catalog may be older than the media, where it was set back or lost.
        question.held = held_here(desk, targets, &database.name, (true, true))?;
        decision = chain::judge(&question);
    }
    let mut unread = Vec::new();
    if continues_elsewhere(&decision) {
        for other in &targets.others {
            match others_sets(desk, other, &database.name) {
                Ok(theirs) => question.held.extend(theirs),
                Err(fault) => unread.push(format!("{}: {}", fault.object, fault.message)),
            }
        }
        decision = chain::judge(&question);
    }
    if matches!(decision.reason, Reason::RolledBack { .. })
        && let Some(now) = facts::probe_database(control, &database.name)?
    {
        // It was asked before the media were, and another run's backup may have come between.
        question.source = source(&now, control)?;
        decision = chain::judge(&question);
    }
    tracing::debug!(?decision, held = question.held.len(), "chain guard");
    let foreign = if chain::suspects_others(&question, &decision) {
        others(&question, &database.name, control)?
    } else {
        Vec::new()
    };
    Ok(Guarded {
        database: database.name.clone(),
        decision,
        why: match unread.as_slice() {
            [] => decision.why(),
            unread => format!(
                "{}; what the partner's agent holds could not be read: {}",
                decision.why(),
                unread.join("; ")
            ),
        },
        foreign,
        news: false,
        newest: newest(&question.held),
        base: question.source.bases.first().copied().flatten(),
    })
}

/// Remembers the backups of others, for status, and so that nobody is told of them twice.
///
/// # Errors
/// [`code::CATALOG`].
pub fn remember(
    desk: &mut Desk<'_>,
    targets: &Targets,
    guarded: &mut Guarded,
) -> Result<(), Fault> {
    if !guarded.foreign.is_empty() {
        let (key, database) = (&targets.data.key, &guarded.database);
        let new = desk
            .catalog
            .saw(key, database, &guarded.foreign, clock::now())?;
        guarded.news = new > 0;
    }
    Ok(())
}

/// How the database stands.
pub(super) fn source(database: &DatabaseFacts, control: &mut Session) -> Result<Source, Fault> {
    Ok(Source {
        is_master: database.name.eq_ignore_ascii_case("master"),
        is_simple: database.recovery_model.eq_ignore_ascii_case("SIMPLE"),
        is_damaged: DAMAGED.contains(&database.state),
        family: database.family_guid,
        fork: database.recovery_fork_guid,
        next_log: database.last_log_backup_lsn,
        bases: facts::differential_bases(control, database.database_id)?,
    })
}

/// The sets of a database on its media sets, for data and for logs; where their media are looked at
/// in any case is said of each.
///
/// # Errors
/// Why media or catalog cannot be asked.
pub(super) fn held_here(
    desk: &mut Desk<'_>,
    targets: &Targets,
    database: &str,
    (data, logs): (bool, bool),
) -> Result<Vec<Held>, Fault> {
    let mut all = held(desk, &targets.data, database, data)?;
    if targets.logs.key != targets.data.key {
        all.extend(held(desk, &targets.logs, database, logs)?);
    }
    Ok(all)
}

/// The sets of a database on one media set: by the catalog, and where that does not know all, by
/// the media.
///
/// # Errors
/// Why media or catalog cannot be asked.
pub(super) fn held(
    desk: &mut Desk<'_>,
    target: &Target,
    database: &str,
    look: bool,
) -> Result<Vec<Held>, Fault> {
    let known = desk.catalog.media_set(&target.key)?;
    let mut cards: BTreeMap<Position, Card> = desk
        .catalog
        .sets(&target.key)?
        .into_iter()
        .map(|card| (card.position, card))
        .collect();
    let highest = known.as_ref().map_or(0, |known| known.highest);
    if look || known.is_none() || (cards.len() as u64) < highest {
        let id = known.as_ref().map(|known| known.id);
        let matrix = Matrix::open(
            &target.places,
            target.shape,
            desk.state.agent,
            Access::Read,
            id,
        )?;
        let remembered = known::of(cards.values());
        let (mut sets, _) = inventory::read_unknown(&matrix, &remembered);
        let state = |position| cards.get(&position).map(|card| card.state);
        let differs = |set: &SetOnMedia| state(set.position).is_some_and(|s| s != set.state);
        if sets.iter().any(differs) {
            sets = inventory::read(&matrix);
        }
        let whole = matrix.is_whole() && matrix.media_set.is_some();
        let mut new = Vec::new();
        for set in &sets {
            match cards.get_mut(&set.position) {
                // Of a set that is remembered only names were read: its data must still be there.
                Some(card) if set.manifests.is_empty() => {
                    if whole && !set.pieces.iter().any(|piece| piece.data) {
                        card.mirrors.clear();
                    }
                }
                _ => new.extend(set.card()),
            }
        }
        if let Some(id) = id.filter(|_| whole && !new.is_empty()) {
            desk.catalog.remember(&target.key, id, &new)?;
        }
        cards.extend(new.into_iter().map(|card| (card.position, card)));
    }
    Ok(held_of(target, cards.values(), database))
}

fn held_of<'a>(
    target: &Target,
    cards: impl IntoIterator<Item = &'a Card>,
    database: &str,
) -> Vec<Held> {
    let ours = |card: &&Card| {
        card.database
            .as_ref()
            .is_some_and(|name| name.eq_ignore_ascii_case(database))
    };
    let cards = cards.into_iter().filter(ours);
    cards.flat_map(|card| of_card(target, card)).collect()
}

/// The sets of SQL Server in one set.
fn of_card(target: &Target, card: &Card) -> Vec<Held> {
    let confirmed = match card.state {
        SetState::Published => true,
        SetState::Unconfirmed => false,
        SetState::Unsealed | SetState::Void | SetState::Dropped | SetState::Empty => {
            return Vec::new();
        }
    };
    let empty = SetFacts::default();
    let msdb = card.history.as_ref();
    let parts: Vec<(&SetFacts, &SetFacts)> = match (card.sets.as_slice(), msdb) {
        ([], Some(msdb)) => vec![(msdb, msdb)],
        ([one], Some(msdb)) => vec![(one, msdb)],
        (several, _) => several.iter().map(|one| (one, &empty)).collect(),
    };
    let part = |(stream, msdb): (&SetFacts, &SetFacts)| {
        let kind = stream.kind.or(msdb.kind).or(card.kind)?;
        let least = usize::from(target.min_mirrors.of(kind));
        Some(Held {
            media_set: target.key.clone(),
            position: card.position,
            kind,
            set: stream.set.or(msdb.set),
            copy_only: card.copy_only || stream.copy_only.or(msdb.copy_only) == Some(true),
            first: stream.first_lsn.or(msdb.first_lsn),
            last: stream.last_lsn.or(msdb.last_lsn),
            base: stream.differential_base.or(msdb.differential_base),
            family: stream.family_guid.or(msdb.family_guid),
            fork: stream.recovery_fork.or(msdb.recovery_fork),
            written: card.written.or(card.published)?,
            new_branch: card.new_branch,
            confirmed,
            sound: !confirmed || card.mirrors.len() >= least,
        })
    };
    parts.into_iter().filter_map(part).collect()
}

/// Backups of others that put restore points at risk, by the server's own history.
fn others(
    question: &Question,
    database: &str,
    control: &mut Session,
) -> Result<Vec<Endangered>, Fault> {
    let ours = |set| question.held.iter().any(|held| held.set == Some(set));
    let foreign = newest_sets(control, database)?
        .into_iter()
        .filter(|other| !ours(other.set))
        .filter_map(|other| {
            Some(Foreign {
                set: other.set,
                kind: BackupKind::from_letter(other.letter?)?,
                copy_only: other.copy_only,
                first: other.first_lsn,
                last: other.last_lsn,
                finished: other.finished,
                device: other.device,
                name: other.name,
                user: other.user,
            })
        });
    Ok(endangered(foreign.collect(), question))
}

/// Why nothing is taken, with what to do.
#[must_use]
pub fn refused(group: &str, guarded: &Guarded) -> Fault {
    let (database, decision) = (&guarded.database, &guarded.decision);
    let object = format!("database {database}");
    let (code, remedy) = match decision.reason {
        Reason::RolledBack { .. } => (
            code::ROLLED_BACK,
            format!(
                "twinset backup {group} --database {database} --kind full begins a new branch; \
                 what was taken before stays restorable by itself"
            ),
        ),
        Reason::NoBase => (
            code::NO_BASE,
            format!("first: twinset backup {group} --database {database} --kind full"),
        ),
        Reason::Simple => (
            code::LOG_OF_SIMPLE,
            "take full and differential backups, or change the recovery model".to_owned(),
        ),
        Reason::Master => (
            code::LOG_OF_MASTER,
            "take full backups of master".to_owned(),
        ),
        _ => (
            code::CHAIN_BROKEN,
            format!(
                "twinset backup {group} --database {database} --kind full makes a new base; \
                 `on_broken_chain` may do so by itself"
            ),
        ),
    };
    let fault = Fault::new(code, object, guarded.why.clone());
    let causes = guarded.foreign.iter();
    causes
        .fold(fault, |fault, other| {
            let text = format!("{}: {}", other.by.described(), other.risk());
            fault.cause(text)
        })
        .remedy(remedy)
}

/// Something that was done otherwise than asked for, or that puts restore points at risk.
#[must_use]
pub fn warned(guarded: &Guarded) -> Option<Fault> {
    let rolled = matches!(guarded.decision.reason, Reason::RolledBack { .. });
    let takes = guarded.decision.takes().is_some();
    let others = !guarded.foreign.is_empty() && (guarded.news || guarded.decision.differs());
    if !takes || !(others || rolled) {
        return None;
    }
    let object = format!("database {}", guarded.database);
    if rolled {
        let message = guarded.why.clone();
        return Some(
            Fault::new(code::FOREIGN_BACKUP, object, message)
                .cause("this full begins a new branch: nothing before it is joined with it")
                .remedy("find out who rolled the machine back, and what was lost"),
        );
    }
    let message = "backups of others stand in the chain";
    let fault = Fault::new(code::FOREIGN_BACKUP, object, message);
    let causes = guarded.foreign.iter();
    let fault = causes.fold(fault, |fault, other| {
        fault.cause(format!("{}: {}", other.by.described(), other.risk()))
    });
    Some(fault.remedy(
        "stop that job or have it take copy-only backups; keep its files while those restore \
         points are wanted",
    ))
}
