//! What verbs say and do about stage folders.

use serde::Serialize;
use twinset_domain::stage::Room;
use twinset_domain::{Fault, Moment};

use super::context::{Context, desk};
use crate::backup::desk::{Desk, Target};
use crate::backup::stage::Planned;
use crate::backup::stage::adopt::{self, Adopted};
use crate::backup::stage::folder::{Folder, Found};
use crate::config::{Config, Group, Source};
use crate::report::{Output, bytes, utc};
use crate::sqlserver::InstanceSettings;

/// The stage folder of a group, if its backups go through one.
pub(super) fn folder(group: &Group) -> Option<Folder> {
    match &group.source {
        Source::Vdi => None,
        Source::Stage(stage) => Some(Folder {
            dir: stage.dir.clone(),
            server: stage.server.clone(),
        }),
    }
}

/// Stage folders of all groups that write to a media set, each once.
fn folders(config: &Config, media_set: &str) -> Vec<Folder> {
    let mut folders: Vec<Folder> = Vec::new();
    for group in config.groups.values() {
        let writes =
            group.media_set == media_set || group.log_media_set.as_deref() == Some(media_set);
        if let Some(folder) = folder(group).filter(|_| writes)
            && folders.iter().all(|known| known.dir != folder.dir)
        {
            folders.push(folder);
        }
    }
    folders
}

/// Files and room of a backup through a stage folder, for people.
pub(super) fn print(planned: &Planned, output: &Output) {
    for file in &planned.files {
        output.line(format!("  file {file}"));
    }
    match &planned.room {
        Room::Enough => {}
        Room::Doubtful(why) | Room::TooLittle(why) => output.warn(why),
    }
}

/// Takes in what earlier runs staged for a media set of this instance, before the chain is looked
/// at.
pub(super) fn adopt(
    desk: &mut Desk<'_>,
    target: &Target,
    folder: &Folder,
    settings: &InstanceSettings,
) -> Result<(), Fault> {
    let adopted = adopt::adopt(desk, target, folder, &|name| {
        (name == settings.name).then(|| settings.clone())
    })?;
    for one in adopted {
        desk.progress.note(&one.to_string());
    }
    Ok(())
}

/// Takes in what dead runs staged for a media set.
pub(super) fn adopt_all(
    context: &mut Context,
    key: &str,
    target: &Target,
    output: &Output,
) -> Result<Vec<Adopted>, Fault> {
    let folders = folders(&context.config, key);
    let instances = super::restore::instances(context);
    let progress = output.progress();
    let mut all = Vec::new();
    for folder in folders {
        let mut desk = desk(context, &*progress);
        let adopted = adopt::adopt(&mut desk, target, &folder, &|name| {
            instances.get(name).cloned()
        })?;
        for one in &adopted {
            output.line(one);
        }
        all.extend(adopted);
    }
    Ok(all)
}

/// A backup that waits in a stage folder.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Staged {
    database: String,
    kind: String,
    started: Moment,
    bytes: u64,
    /// The media hold it; only its files are left to be removed.
    done: bool,
    files: Vec<String>,
}

impl Staged {
    fn new(folder: &Folder, found: Found) -> Self {
        let intent = found.intent;
        Self {
            files: intent
                .files()
                .map(|name| folder.path(&name).display().to_string())
                .collect(),
            database: intent.database,
            kind: intent.kind.to_string(),
            started: intent.started,
            bytes: found.bytes,
            done: found.done,
        }
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        let what = if self.done {
            "is on the media, its files are left"
        } else {
            "is not on the media yet"
        };
        format!(
            "  staged {} backup of {} {what}: {}, {} in {}",
            self.kind,
            self.database,
            utc(self.started),
            bytes(self.bytes),
            self.files.join(", ")
        )
    }
}

/// What lies in a group's stage folder for a media set.
pub(super) fn leftovers(group: &Group, target: &Target) -> Result<Vec<Staged>, Fault> {
    let Some(folder) = folder(group) else {
        return Ok(Vec::new());
    };
    let found = folder.intents()?.into_iter();
    Ok(found
        .filter(|found| found.intent.media_set == target.key)
        .map(|found| Staged::new(&folder, found))
        .collect())
}
