//! The chain that others left.

use std::collections::BTreeSet;

use super::{Asked, Import, Outcome, TakeOver, Theirs};
use crate::{BackupKind, Lsn};

/// Which files are taken in, and how the database goes on then.
#[must_use]
pub fn take_over(asked: &Asked<'_>) -> TakeOver {
    let (imports, outcome) = match needed(asked) {
        Ok(sets) => (imports(&sets), Outcome::GoesOn),
        Err(why) => (Vec::new(), Outcome::NewBase { why }),
    };
    TakeOver {
        database: asked.database.to_owned(),
        imports,
        outcome,
    }
}

/// What is not held yet of the shortest chain up to the next log, all of it reachable.
fn needed<'a>(asked: &Asked<'a>) -> Result<Vec<&'a Theirs>, String> {
    let chain = chain(asked)?;
    let missing = chain
        .into_iter()
        .filter(|set| !asked.held.contains(&set.set));
    let missing: Vec<&Theirs> = missing.collect();
    for set in &missing {
        let file = set.files.first().map_or("", String::as_str);
        if let Some(why) = &set.unreachable {
            return Err(format!("its {} in {file} cannot be read: {why}", set.kind));
        }
        let families = match set.kind {
            BackupKind::Log => asked.families.1,
            BackupKind::Full | BackupKind::Differential => asked.families.0,
        };
        if set.files.len() != usize::from(families) {
            return Err(format!(
                "its {} in {file} has {} files, the media set {families} families",
                set.kind,
                set.files.len()
            ));
        }
    }
    Ok(missing)
}

/// The base of the data files, the newest differential on it, and the logs behind.
fn chain<'a>(asked: &Asked<'a>) -> Result<Vec<&'a Theirs>, String> {
    let source = asked.source;
    if source.bases.is_empty() {
        return Err("the login may not see its data files, which name their base".to_owned());
    }
    let mut bases = source.bases.iter();
    let first = bases.next().copied().flatten();
    let Some(base) = first.filter(|base| bases.all(|other| *other == Some(*base))) else {
        return Err("its data files do not name one and the same full backup".to_owned());
    };
    let sets = asked.theirs;
    let full = sets
        .iter()
        .find(|set| set.kind == BackupKind::Full && set.set == base)
        .ok_or_else(|| format!("msdb does not know the full backup that it stands on, {base}"))?;
    let differential = sets
        .iter()
        .filter(|set| set.kind == BackupKind::Differential && set.base == Some(base))
        .max_by_key(|set| set.last);
    let mut chain = vec![full];
    chain.extend(differential);
    if source.is_simple || source.is_master {
        return Ok(chain);
    }
    let Some(next) = source.next_log else {
        return Err("its log was never backed up, or was given up".to_owned());
    };
    let newest = differential.unwrap_or(full);
    let Some(mut end) = newest.last else {
        return Err("msdb does not say where its last full or differential ends".to_owned());
    };
    while let Some(log) = following(sets, end) {
        end = log.last.unwrap_or(end);
        chain.push(log);
    }
    if end < next {
        return Err(format!(
            "msdb knows no log backup from {end} to {next}, where the next log starts"
        ));
    }
    Ok(chain)
}

/// The log that holds what stands at a place and reaches furthest.
fn following(sets: &[Theirs], at: Lsn) -> Option<&Theirs> {
    sets.iter()
        .filter(|set| set.kind == BackupKind::Log && !set.copy_only)
        .filter(|set| set.first.is_some_and(|first| first <= at) && set.last > Some(at))
        .max_by_key(|set| set.last)
}

/// Sets by their files: several that lie in one file are taken in together.
fn imports(sets: &[&Theirs]) -> Vec<Import> {
    let mut seen = BTreeSet::new();
    let new = sets.iter().filter(|set| seen.insert(set.files.clone()));
    new.map(|set| Import {
        kind: set.kind,
        files: set.files.clone(),
    })
    .collect()
}
