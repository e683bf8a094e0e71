//! What a dead run left in the stage folder: taken in, removed with proof, or left with a reason.

use std::fmt;

use serde::Serialize;
use twinset_domain::recover::SetState;
use twinset_domain::stage::{Ended, Evidence, Fate, judge};
use twinset_domain::verdict::{History, Verdict};
use twinset_domain::{BackupKind, Fault, Position, RunId, code};
use twinset_format::manifest::Source;

use super::conclude::stays;
use super::folder::{Folder, Found};
use super::intent::Intent;
use super::look::{Looked, look};
use super::take::{self, Take};
use crate::backup::desk::{Desk, Target};
use crate::backup::run::{Content, OpenRun, open};
use crate::backup::subjects::whole_mirrors;
use crate::media::inventory::{self, SetOnMedia};
use crate::media::kept;
use crate::sqlserver::facts::backup_ended;
use crate::sqlserver::history::{MsdbSet, SetKey, find_set};
use crate::sqlserver::{Connector, InstanceSettings, Purpose};

/// Memory for buffers while a staged set is taken in.
const MEMORY: u64 = 64 << 20;

/// What became of one backup in the stage folder.
#[derive(Clone, Debug, Serialize)]
pub struct Adopted {
    /// The run that staged it.
    pub run: RunId,
    /// The database.
    pub database: String,
    /// Its kind.
    pub kind: BackupKind,
    /// What became of it.
    pub became: Became,
    /// Where it lies on the media, if it does.
    pub position: Option<Position>,
    /// Why, where that is worth a word.
    pub why: Option<String>,
}

/// What became of staged files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Became {
    /// Published; the files are gone.
    TakenIn,
    /// On every mirror, without SQL Server's word; the files are gone.
    Unconfirmed,
    /// The media held it already; the files are gone.
    AlreadyThere,
    /// SQL Server never counted it; the files are gone.
    Removed,
    /// The files stay.
    Kept,
}

impl fmt::Display for Adopted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, database) = (self.kind, &self.database);
        write!(f, "staged {kind} backup of {database} (run {}): ", self.run)?;
        f.write_str(match self.became {
            Became::TakenIn => "taken in",
            Became::Unconfirmed => "taken in, unconfirmed",
            Became::AlreadyThere => "on the media already, its files are gone",
            Became::Removed => "SQL Server never counted it, its files are gone",
            Became::Kept => "left where it is",
        })?;
        if let Some(position) = self.position {
            write!(f, " at position {position}")?;
        }
        match &self.why {
            Some(why) => write!(f, ": {why}"),
            None => Ok(()),
        }
    }
}

/// Gives the settings of an instance by its name.
pub type Instances<'a> = dyn Fn(&str) -> Option<InstanceSettings> + 'a;

/// Takes in what earlier runs of this agent staged for this media set. What cannot be proved stays
/// and is named; what cannot be written to the media ends this.
///
/// # Errors
/// [`code::STAGE_DIR`], the quick check's, and [`code::STAGED`] when a staged set could not be
/// written to the media.
pub fn adopt(
    desk: &mut Desk<'_>,
    target: &Target,
    folder: &Folder,
    instances: &Instances<'_>,
) -> Result<Vec<Adopted>, Fault> {
    let agent = desk.state.agent;
    let ours = |found: &Found| found.intent.agent == agent && found.intent.media_set == target.key;
    let mut adopted = Vec::new();
    folder.clear_work()?;
    for found in folder.intents()?.into_iter().filter(ours) {
        adopted.extend(one(desk, target, folder, instances, &found)?);
    }
    Ok(adopted)
}

fn one(
    desk: &mut Desk<'_>,
    target: &Target,
    folder: &Folder,
    instances: &Instances<'_>,
    found: &Found,
) -> Result<Option<Adopted>, Fault> {
    let intent = &found.intent;
    // The lock of the media set is what a living run holds.
    let checked = open(desk, target, Some(intent.kind))?;
    let told = |became, position, why| {
        Some(Adopted {
            run: intent.run,
            database: intent.database.clone(),
            kind: intent.kind,
            became,
            position,
            why,
        })
    };
    let judged = if folder.still(found) {
        judged(desk, (&checked, target), folder, instances, found)
    } else {
        // Another process took it in meanwhile.
        checked.close();
        return Ok(None);
    };
    if let Ok(Judged::TakeIn(verdict, set)) = judged {
        let took = take_in(desk, checked, folder, intent, (verdict, set.as_deref()));
        return took.map(|(became, position)| told(became, Some(position), None));
    }
    checked.close();
    match judged? {
        Judged::There(position) => {
            folder.finish(intent)?;
            Ok(told(Became::AlreadyThere, position, None))
        }
        Judged::Discard(why) => {
            folder.discard(intent)?;
            Ok(told(Became::Removed, None, why))
        }
        Judged::Keep(why) => Ok(told(Became::Kept, None, Some(why))),
        Judged::TakeIn(..) => Ok(None),
    }
}

/// What is to become of staged files.
enum Judged {
    There(Option<Position>),
    Discard(Option<String>),
    Keep(String),
    TakeIn(Verdict, Option<Box<MsdbSet>>),
}

fn judged(
    desk: &Desk<'_>,
    (checked, target): (&OpenRun, &Target),
    folder: &Folder,
    instances: &Instances<'_>,
    found: &Found,
) -> Result<Judged, Fault> {
    let intent = &found.intent;
    if found.done {
        return Ok(Judged::There(None));
    }
    desk.progress.note(&format!(
        "a {} backup of {} is staged: {} bytes",
        intent.kind, intent.database, found.bytes
    ));
    let looked = look(folder, intent, desk.stop)?;
    if let Some(position) = lies_at(checked, target, intent, &looked) {
        return Ok(Judged::There(Some(position)));
    }
    let (ended, history, set) = ask(instances, intent);
    let evidence = Evidence {
        ended,
        history,
        stream: looked.stream,
    };
    let fate = judge(&evidence);
    tracing::debug!(run = %intent.run, ?evidence, ?fate, "staged backup of a dead run judged");
    Ok(match fate {
        Fate::Discard => Judged::Discard(looked.why),
        Fate::Keep(why) => {
            let remedy = stays(intent, folder, why).remedy;
            let incomplete = looked
                .why
                .map_or_else(String::new, |why| format!(" ({why})"));
            Judged::Keep(format!("{why}{incomplete}; {remedy}"))
        }
        Fate::TakeIn(verdict) => Judged::TakeIn(verdict, set.map(Box::new)),
    })
}

/// Writes the files to the media as a run of its own.
fn take_in(
    desk: &mut Desk<'_>,
    checked: OpenRun,
    folder: &Folder,
    intent: &Intent,
    (verdict, found): (Verdict, Option<&MsdbSet>),
) -> Result<(Became, Position), Fault> {
    let content = Content {
        source: Source::Stage,
        database: &intent.database,
        kind: Some(intent.kind),
        block_size: intent.block_size,
        max_transfer_size: intent.max_transfer_size,
        container: kept::ordered(&intent.circumstances.asked.clone().unwrap_or_default()),
        circumstances: intent.circumstances.clone(),
    };
    let reserved = checked.reserve(desk, &content)?;
    let position = reserved.facts.position;
    let order = Take {
        verdict,
        found,
        base: None,
        why: None,
        memory_limit: MEMORY.saturating_mul(u64::from(intent.families)),
        throttle: None,
    };
    match take::take(desk, reserved, intent, folder, &order) {
        Ok(finished) => Ok((Became::TakenIn, finished.position)),
        Err(fault) if fault.code == code::UNCONFIRMED => Ok((Became::Unconfirmed, position)),
        Err(fault) => Err(fault),
    }
}

/// Where the media hold these very bytes already: a run may have died between its verdict and the
/// removal of the files. The hashes say so, whatever the catalog knows.
fn lies_at(
    checked: &OpenRun,
    target: &Target,
    intent: &Intent,
    looked: &Looked,
) -> Option<Position> {
    if looked.hashes.len() != usize::from(intent.families) {
        return None;
    }
    let least = target.min_mirrors.of(intent.kind);
    let same = |set: &&SetOnMedia| {
        let hashes: Vec<&String> = set
            .manifests
            .values()
            .map(|manifest| &manifest.facts.plain_blake3)
            .collect();
        let sealed = matches!(set.state, SetState::Published | SetState::Unconfirmed);
        sealed
            && hashes == looked.hashes.iter().collect::<Vec<_>>()
            && whole_mirrors(checked.matrix.shape, set) >= least
    };
    let sets = inventory::read(&checked.matrix);
    sets.iter().find(same).map(|set| set.position)
}

/// What the server says of a run that died: whether its statement has ended, and whether msdb has
/// the set. The statement is asked for first: one that ends in between is then seen in msdb.
fn ask(instances: &Instances<'_>, intent: &Intent) -> (Ended, History, Option<MsdbSet>) {
    let silent = (Ended::MayRun, History::Unknown, None);
    let Some(settings) = instances(&intent.instance) else {
        return silent;
    };
    let asked = || -> Result<_, Fault> {
        let mut control = Connector::new(settings, "stage").open(Purpose::Control)?;
        let ended = match backup_ended(&mut control, &intent.database, intent.run)? {
            true => Ended::Gone,
            false => Ended::MayRun,
        };
        Ok((
            ended,
            find_set(&mut control, SetKey::File(&intent.file(1)))?,
        ))
    };
    match asked() {
        Ok((ended, Some(set))) => (ended, History::Found, Some(set)),
        Ok((ended, None)) => (ended, History::Absent, None),
        Err(fault) => {
            tracing::warn!(%fault, "the server of a staged backup could not be asked");
            silent
        }
    }
}
