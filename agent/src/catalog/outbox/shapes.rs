//! Rows of this catalog as a fleet is told of them.

use rusqlite::Row;
use twinset_domain::alert::Entry;
use twinset_domain::fleet::{
    AlertTold, Inside, MAX_INSIDE, MemberTold, RunTold, SetTold, name, text,
};
use twinset_domain::protection::Record;
use twinset_domain::{MediaSetId, Moment};
use twinset_format::card::Card;
use twinset_format::mtf::SetFacts;

/// A backup set. What msdb said fills what the stream does not tell.
pub(crate) fn set_told(key: &str, media_set: MediaSetId, card: &Card) -> SetTold {
    let known = card.sets.iter().take(MAX_INSIDE);
    let mut inside: Vec<Inside> = known
        .map(|set| {
            let history = card.history.as_ref();
            inside(set, history.filter(|history| is_same(set, history)))
        })
        .collect();
    if let (true, Some(history)) = (inside.is_empty(), &card.history) {
        inside.push(self::inside(history, None));
    }
    SetTold {
        media_set,
        key: name(key),
        position: card.position.get(),
        state: card.state,
        run: card.run,
        database: card.database.as_deref().map(name),
        kind: card.kind,
        written: card.written,
        published: card.published,
        bytes: card.bytes(),
        mirrors: u16::try_from(card.mirrors.len()).unwrap_or(u16::MAX),
        copy_only: card.copy_only,
        over_damage: card.over_damage,
        inside,
    }
}

/// The stream of an encrypted backup tells little; msdb's row is about it all the same.
fn is_same(set: &SetFacts, history: &SetFacts) -> bool {
    set.set.is_none() || history.set.is_none() || set.set == history.set
}

fn inside(set: &SetFacts, history: Option<&SetFacts>) -> Inside {
    fn first<T: Clone>(
        set: &SetFacts,
        history: Option<&SetFacts>,
        of: impl Fn(&SetFacts) -> Option<T>,
    ) -> Option<T> {
        of(set).or_else(|| of(history?))
    }
    Inside {
        set: first(set, history, |one| one.set),
        family: first(set, history, |one| one.family_guid),
        fork: first(set, history, |one| one.recovery_fork),
        database: first(set, history, |one| one.database.as_deref().map(name)),
        server: first(set, history, |one| one.server.as_deref().map(name)),
        kind: first(set, history, |one| one.kind),
        first_lsn: first(set, history, |one| Some(one.first_lsn?.to_string())),
        last_lsn: first(set, history, |one| Some(one.last_lsn?.to_string())),
    }
}

/// What [`run_told`] reads.
pub(crate) const RUN: &str =
    "SELECT run, media_set, database, what, state, started, ended, bytes, note FROM run";

/// A run; `None` where its id is none.
pub(crate) fn run_told(row: &Row<'_>) -> rusqlite::Result<Option<RunTold>> {
    let run: String = row.get(0)?;
    let Ok(run) = run.parse() else {
        return Ok(None);
    };
    let word = |at: usize| -> rusqlite::Result<String> { Ok(name(&row.get::<_, String>(at)?)) };
    Ok(Some(RunTold {
        run,
        key: word(1)?,
        database: word(2)?,
        what: word(3)?,
        state: word(4)?,
        started: Moment(row.get(5)?),
        ended: row.get::<_, Option<i64>>(6)?.map(Moment),
        bytes: row.get::<_, i64>(7)?.unsigned_abs(),
        note: row.get::<_, Option<String>>(8)?.as_deref().map(text),
    }))
}

/// An alert.
pub(crate) fn alert_told(entry: &Entry) -> AlertTold {
    AlertTold {
        id: entry.id,
        code: name(&entry.code),
        object: text(&entry.object),
        severity: entry.severity,
        message: text(&entry.message),
        remedy: text(&entry.remedy),
        group: entry.group.as_deref().map(name),
        database: entry.database.as_deref().map(name),
        first: entry.first,
        resolved: entry.resolved.as_ref().map(|end| end.at),
        by_hand: entry.resolved.as_ref().is_some_and(|end| end.by_hand),
    }
}

/// A protected database, from its record as it is kept; `None` where a newer release wrote it.
pub(crate) fn member_told(group: &str, database: &str, record: &str) -> Option<MemberTold> {
    let record: Record = serde_json::from_str(record).ok()?;
    Some(MemberTold::new(group, database, &record))
}
