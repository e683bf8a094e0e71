//! `twinset media format`.

use serde::Serialize;
use twinset_domain::{Exit, Fault, MediaSetId};
use twinset_format::header::Draft;

use super::args::SetArgs;
use super::chosen::chosen;
use super::context::{Context, target_of};
use crate::backup::desk::Target;
use crate::catalog::KnownSet;
use crate::clock;
use crate::config::MediaSet;
use crate::device::{Observation, Observed};
use crate::media::format::{self, Done};
use crate::report::Output;

/// What the operator wants of a format.
pub(super) struct Wish {
    pub(super) if_needed: bool,
    pub(super) overwrite: bool,
    pub(super) destroy: Option<MediaSetId>,
}

#[derive(Serialize)]
struct Formatted {
    media_set: MediaSetId,
    formatted: bool,
    volumes: usize,
    /// What trying the storage behind the volumes showed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    observed: Vec<Seen>,
    /// The media set for log backups that was made beside, where nobody named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_media_set: Option<Box<Formatted>>,
}

/// Something that was seen of a device's storage.
#[derive(Serialize)]
struct Seen {
    device: String,
    level: &'static str,
    text: String,
}

impl Seen {
    fn of((device, seen): (String, Observation)) -> Self {
        let level = match seen.level {
            Observed::Ok => "ok",
            Observed::Note => "note",
            Observed::Warning => "warning",
        };
        Self {
            device,
            level,
            text: seen.text,
        }
    }
}

/// Formats a media set, and the one for log backups that lies beside it.
pub(super) fn format_set(
    context: &mut Context,
    args: &SetArgs,
    wish: &Wish,
    output: &Output,
) -> Result<Exit, Fault> {
    let (set, target) = target_of(context, args)?;
    let mut formatted = one(context, &set, &target, wish, output)?;
    if let Some(beside) = beside(context, &set) {
        let target = context.target(&beside, args.database.as_deref())?;
        // It is there once the first is: then only attached, and never destroyed with it.
        let wish = Wish {
            if_needed: true,
            overwrite: wish.overwrite,
            destroy: None,
        };
        let made = one(context, &beside, &target, &wish, output)?;
        formatted.log_media_set = Some(Box::new(made));
    }
    Ok(output.finish(Ok((Exit::Done, formatted))))
}

/// Formats what a group needs and what was not formatted yet.
pub(super) fn format_group(
    context: &mut Context,
    group: &str,
    database: Option<&str>,
    output: &Output,
) -> Result<Exit, Fault> {
    let group = context.config.group(group)?.clone();
    let wish = Wish {
        if_needed: true,
        overwrite: false,
        destroy: None,
    };
    let mut formatted = Vec::new();
    for key in group.media_sets() {
        let set = context.config.media_set(key)?.clone();
        let databases: Vec<Option<String>> = match (set.per_database(), database) {
            (false, _) => vec![None],
            (true, Some(one)) => vec![Some(one.to_owned())],
            (true, None) => {
                let (_, _, names) = chosen(context, &group.name, None)?;
                names.into_iter().map(Some).collect()
            }
        };
        for database in databases {
            let target = context.target(&set, database.as_deref())?;
            formatted.push(one(context, &set, &target, &wish, output)?);
        }
    }
    output.line(format!(
        "the service protects group {} by itself: twinset status {}",
        group.name, group.name
    ));
    Ok(output.finish(Ok((Exit::Done, formatted))))
}

/// The media set beside, if it stands in no file.
fn beside(context: &Context, set: &MediaSet) -> Option<MediaSet> {
    let config = &context.config;
    let mut groups = config.groups.values();
    let group = groups.find(|group| group.media_set == set.key)?;
    let beside = config.media_sets.get(group.log_media_set.as_ref()?)?;
    beside.is_beside.then(|| beside.clone())
}

fn one(
    context: &mut Context,
    set: &MediaSet,
    target: &Target,
    wish: &Wish,
    output: &Output,
) -> Result<Formatted, Fault> {
    let _lock = context.state.lock_media_set(&target.key)?;
    let order = format::Order {
        label: &target.key,
        draft: Draft {
            media_set: MediaSetId::random(),
            name: set.name.clone(),
            description: set.description.clone(),
            shape: target.shape,
            written: clock::now(),
            block_size: set.block_size,
            encoding: target.recipe.name().to_owned(),
            agent: context.state.agent,
            agent_name: context.config.agent.name.clone(),
        },
        places: &target.places,
        known: context
            .catalog
            .media_set(&target.key)?
            .map(|known| known.id),
        if_needed: wish.if_needed,
        overwrite: wish.overwrite,
        destroy: wish.destroy,
    };
    let done = format::format(&order)?;
    let (id, formatted) = match done {
        Done::Formatted(id) => (id, true),
        Done::Attached(id) => (id, false),
    };
    let known = KnownSet {
        id,
        highest: 0,
        sequence: 0,
    };
    context.catalog.attach(&target.key, &known)?;
    let what = if formatted {
        "formatted"
    } else {
        "already formatted, attached"
    };
    output.line(format!(
        "media set {} {what}: {id}, {}",
        target.key, target.shape
    ));
    let observed = match format::probe(&order, id) {
        Ok(observed) => observed,
        Err(fault) => {
            output.warn(format!("the storage could not be tried: {fault}"));
            Vec::new()
        }
    };
    let observed: Vec<Seen> = observed.into_iter().map(Seen::of).collect();
    for seen in &observed {
        output.line(format!("{} {}: {}", seen.level, seen.device, seen.text));
    }
    Ok(Formatted {
        observed,
        media_set: id,
        formatted,
        volumes: target.places.len(),
        log_media_set: None,
    })
}
