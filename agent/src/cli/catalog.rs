//! `twinset catalog`: what the agent remembers, and how it learns it again (promise P7).

use serde::Serialize;
use twinset_domain::{Exit, Fault, code};
use twinset_format::card::Card;

use super::context::Context;
use super::show;
use crate::backup::desk::Target;
use crate::catalog::{KnownSet, Remembered};
use crate::config::MediaSet;
use crate::media::inventory::SetOnMedia;
use crate::report::{Output, bytes, table, utc};

/// What is shown: nothing but what the media tell too.
#[derive(Serialize)]
struct Shown {
    media_sets: Vec<Remembered>,
}

/// `twinset catalog show`.
pub(super) fn show(context: &Context, only: Option<&str>, output: &Output) -> Result<Exit, Fault> {
    if let Some(only) = only {
        context.config.media_set(only)?;
    }
    let mut media_sets = context.catalog.remembered()?;
    // A media set of `{database}` paths is many: `payroll/HR`, `payroll/Payroll`.
    let meant = |key: &str| only.is_none_or(|only| key == only || is_of(key, only));
    media_sets.retain(|set| meant(&set.key));
    for set in &media_sets {
        tell(set, output);
    }
    if media_sets.is_empty() {
        output.line("the catalog knows no media set");
    }
    Ok(output.finish(Ok((Exit::Done, Shown { media_sets }))))
}

fn is_of(key: &str, set: &str) -> bool {
    key.strip_prefix(set)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn tell(set: &Remembered, output: &Output) {
    output.line(format!(
        "media set {}: {}, record {}",
        set.key, set.media_set, set.sequence
    ));
    let row = |card: &Card| {
        let dash = || "-".to_owned();
        vec![
            card.position.to_string(),
            show::state(card.state).to_owned(),
            card.database.clone().unwrap_or_else(dash),
            card.kind.map_or_else(dash, |kind| kind.to_string()),
            card.written.map_or_else(dash, utc),
            bytes(card.bytes()),
        ]
    };
    let rows: Vec<Vec<String>> = set.sets.iter().map(row).collect();
    if rows.is_empty() {
        return output.line("  no backup sets");
    }
    let head = ["position", "state", "database", "kind", "written", "bytes"];
    output.line(table(&head, &rows));
}

/// What was read of one media set.
#[derive(Serialize)]
struct Rebuilt {
    media_set: String,
    sets: usize,
    highest: u64,
    sequence: u64,
}

pub(super) fn rebuild(
    context: &mut Context,
    only: Option<&str>,
    database: Option<&str>,
    output: &Output,
) -> Result<Exit, Fault> {
    let chosen: Vec<MediaSet> = match only {
        Some(only) => vec![context.config.media_set(only)?.clone()],
        None => context.config.media_sets.values().cloned().collect(),
    };
    let (mut rebuilt, mut faults) = (Vec::new(), Vec::new());
    for set in chosen {
        for target in targets(context, &set, database)? {
            match read(context, &target) {
                Ok(found) => {
                    output.line(format!(
                        "media set {}: {} sets, up to position {}, record {}",
                        found.media_set, found.sets, found.highest, found.sequence
                    ));
                    rebuilt.push(found);
                }
                // One that was never formatted has nothing to tell.
                Err(fault) if fault.code == code::NO_VOLUME && only.is_none() => {
                    output.line(format!("media set {}: no volume answers", target.key));
                }
                Err(fault) => faults.push(fault),
            }
        }
    }
    Ok(output.finish_both(Exit::Done, rebuilt, &faults))
}

/// The media sets behind a key of the configuration: one, or one for each database that is named.
fn targets(
    context: &Context,
    set: &MediaSet,
    database: Option<&str>,
) -> Result<Vec<Target>, Fault> {
    if database.is_some() || !set.per_database() {
        return Ok(vec![context.target(set, database)?]);
    }
    let groups = context.config.groups.values();
    let ours = groups.filter(|group| {
        group.media_set == set.key || group.log_media_set.as_ref() == Some(&set.key)
    });
    let mut names: Vec<&str> = ours.flat_map(|group| group.databases.named()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| context.target(set, Some(name)))
        .collect()
}

/// Reads a media set whole. Every volume must answer: what a missing one holds would be forgotten,
/// and the next backup would give its positions again.
fn read(context: &mut Context, target: &Target) -> Result<Rebuilt, Fault> {
    let opened = context.open_set(target)?;
    let object = format!("media set {}", target.key);
    let (Some(id), []) = (opened.matrix.media_set, opened.missing().as_slice()) else {
        let message = "not every volume answers, so what it holds is not known";
        let missing = opened.missing();
        let fault = Fault::new(code::MIRROR_MISSING, object, message);
        return Err(missing
            .iter()
            .fold(fault, |fault, volume| fault.cause(volume))
            .remedy("bring the volume back, then run it again; the catalog was left as it is"));
    };
    let cards: Vec<Card> = opened.sets.iter().filter_map(SetOnMedia::card).collect();
    let highest = opened.sets.last().map_or(0, |set| set.position.get());
    let sequence = opened.matrix.newest_tail().map_or(0, |tail| tail.sequence);
    context.catalog.attach(
        &target.key,
        &KnownSet {
            id,
            highest,
            sequence,
        },
    )?;
    context.catalog.remember_only(&target.key, id, &cards)?;
    Ok(Rebuilt {
        media_set: target.key.clone(),
        sets: cards.len(),
        highest,
        sequence,
    })
}
