//! What becomes of a media set that its writer gives up, or that outlives its writer: closing it,
//! and giving up a mirror. Who may set it right (design 4.3, 4.4; P5).

use serde::Serialize;

use crate::append::{self, Found, Seen, State, Tail};
use crate::standing::Standing;
use crate::{AgentId, Fault, MediaSetId, MirrorNo, Position, Shape, Slot, code};

/// One record that closes the volumes which tell the same history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Branch {
    /// The record that it follows.
    pub previous: Option<Tail>,
    /// Volumes that get it.
    pub volumes: Vec<Slot>,
}

/// How a media set is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Closing {
    /// The media set.
    pub media_set: MediaSetId,
    /// The agent that wrote it until now.
    pub writer: AgentId,
    /// First position that it will never have.
    pub position: Position,
    /// Records to write: one, or one for each history where mirrors diverged. None where the
    /// media set is closed on every volume already.
    pub branches: Vec<Branch>,
    /// Volumes that lack the record which closed their twins already.
    pub copies: Vec<Slot>,
    /// Places that do not answer; what returns there later is closed all the same, by its twins.
    pub absent: Vec<String>,
}

/// Decides how to close a media set on the volumes that answer. Any agent may: it gives nobody the
/// right to append.
///
/// # Errors
/// [`code::NO_VOLUME`] when no volume with a sound header answers.
pub fn closing(
    label: &str,
    media_set: Option<MediaSetId>,
    volumes: &[Seen],
) -> Result<Closing, Fault> {
    let found = found(media_set, volumes);
    let Some((_, first)) = found.first() else {
        let message = "no volume with a sound header answers";
        return Err(
            Fault::new(code::NO_VOLUME, format!("media set {label}"), message)
                .remedy("mount the shares; a media set is closed on the volumes that answer"),
        );
    };
    let said = found
        .iter()
        .filter_map(|(_, f)| f.closed.as_ref())
        .max_by_key(|closed| closed.sequence);
    let lacks = |volume: &Found| {
        said.is_some_and(|said| {
            let hash = volume.tail.as_ref().map(|tail| &tail.hash);
            hash == said.previous.as_ref() || order(volume.tail.as_ref()) + 1 < said.sequence
        })
    };
    let is_open = |(_, volume): &&(&Seen, &Found)| volume.closed.is_none();
    let (copies, open): (Vec<_>, Vec<_>) = found
        .iter()
        .filter(is_open)
        .partition(|(_, volume)| lacks(volume));
    let branches = branches(&open);
    let highest = found.iter().map(|(_, f)| f.highest).max().unwrap_or(0);
    let position = highest
        .checked_add(1)
        .and_then(Position::new)
        .unwrap_or(Position::FIRST);
    let absent = |seen: &&Seen| !found.iter().any(|(there, _)| there.slot == seen.slot);
    Ok(Closing {
        media_set: first.media_set,
        writer: first.agent,
        position,
        branches,
        copies: copies.iter().map(|(seen, _)| seen.slot).collect(),
        absent: volumes
            .iter()
            .filter(absent)
            .map(|seen| format!("{} ({})", seen.device, seen.slot))
            .collect(),
    })
}

const fn order(tail: Option<&Tail>) -> u64 {
    match tail {
        Some(tail) => tail.sequence,
        None => 0,
    }
}

/// The histories of volumes that nothing closed yet. A volume that is behind gets the record that
/// follows the newest one.
fn branches(open: &[&(&Seen, &Found)]) -> Vec<Branch> {
    let newest = open.iter().filter_map(|(_, f)| f.tail.clone()).max();
    let mut branches: Vec<Branch> = Vec::new();
    for (seen, volume) in open {
        let at_end = order(volume.tail.as_ref()) == order(newest.as_ref());
        let previous = if at_end { &volume.tail } else { &newest };
        match branches.iter_mut().find(|b| b.previous == *previous) {
            Some(branch) => branch.volumes.push(seen.slot),
            None => branches.push(Branch {
                previous: previous.clone(),
                volumes: vec![seen.slot],
            }),
        }
    }
    branches
}

fn found(media_set: Option<MediaSetId>, volumes: &[Seen]) -> Vec<(&Seen, &Found)> {
    let all = volumes.iter().filter_map(|seen| match &seen.state {
        State::Found(found) => Some((seen, &**found)),
        _ => None,
    });
    all.filter(|(_, f)| media_set.is_none_or(|id| id == f.media_set))
        .collect()
}

/// How a mirror is given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MirrorDrop {
    /// The media set.
    pub media_set: MediaSetId,
    /// The mirror.
    pub mirror: MirrorNo,
    /// True where a record says so already: it is copied to those that lack it.
    pub said: bool,
    /// First position that the mirror will lack.
    pub position: Position,
    /// The record that the one about the drop follows.
    pub previous: Option<Tail>,
    /// Volumes that get the record.
    pub volumes: Vec<Slot>,
    /// Mirrors that are left.
    pub left: Vec<MirrorNo>,
}

/// What giving a mirror up needs to know.
#[derive(Clone, Debug)]
pub struct DropWish<'a> {
    /// Key of the media set, for messages.
    pub label: &'a str,
    /// Who asks.
    pub agent: AgentId,
    /// Its media set, if the catalog knows it.
    pub media_set: Option<MediaSetId>,
    /// Its shape.
    pub shape: Shape,
    /// How many whole mirrors the configuration asks for; as many as there are means: all that are
    /// left.
    pub min_mirrors: u8,
    /// Highest writing order that the catalog remembers.
    pub sequence_known: u64,
    /// The mirror.
    pub mirror: MirrorNo,
}

/// Decides whether a mirror may be given up for good.
///
/// # Errors
/// [`code::USAGE`] for a mirror that the media set does not have, [`code::OTHER_WRITER`],
/// [`code::MIRROR_MISSING`] when too few whole mirrors would be left, and
/// [`code::MIRROR_DIVERGED`] when the others lack records that the catalog knows.
pub fn drop_mirror(wish: &DropWish<'_>, volumes: &[Seen]) -> Result<MirrorDrop, Fault> {
    let object = format!("media set {}, {}", wish.label, wish.mirror);
    if !(1..=wish.shape.mirrors).contains(&wish.mirror.0) {
        let message = "the media set has no such mirror";
        return Err(Fault::new(code::USAGE, object, message).remedy(format!(
            "mirrors 1 to {} are configured",
            wish.shape.mirrors
        )));
    }
    may_maintain(wish.label, wish.agent, wish.media_set, volumes)?;
    let standings = append::mirror_standings(wish.shape, volumes);
    let found = found(wish.media_set, volumes);
    let families = usize::from(wish.shape.families);
    let whole = |mirror: &MirrorNo| {
        let here = found.iter().filter(|(seen, _)| seen.slot.mirror == *mirror);
        *mirror != wish.mirror
            && standings.get(mirror) == Some(&Standing::InStep)
            && here.count() == families
    };
    let left: Vec<MirrorNo> = wish.shape.mirrors().filter(whole).collect();
    let needed = if wish.min_mirrors >= wish.shape.mirrors {
        1
    } else {
        wish.min_mirrors.max(1)
    };
    if left.len() < usize::from(needed) {
        let message = format!(
            "{} whole mirrors in step would be left, {needed} must be",
            left.len()
        );
        return Err(Fault::new(code::MIRROR_MISSING, object, message).remedy(
            "bring another mirror back first (media repair), or lower min_mirrors in the configuration",
        ));
    }
    let rest: Vec<&(&Seen, &Found)> = found
        .iter()
        .filter(|(seen, _)| left.contains(&seen.slot.mirror))
        .collect();
    let previous = rest.iter().filter_map(|(_, f)| f.tail.clone()).max();
    let top = previous.as_ref().map_or(0, |tail| tail.sequence);
    if wish.sequence_known > top {
        let message = format!(
            "what is left ends at record {top}, the catalog knows record {}",
            wish.sequence_known
        );
        return Err(Fault::new(code::MIRROR_DIVERGED, object, message)
            .cause("the newest sets may lie on this mirror alone")
            .remedy("bring it back; or close the media set (media adopt) and format a new one"));
    }
    let highest = found.iter().map(|(_, f)| f.highest).max().unwrap_or(0);
    let position = highest.checked_add(1).and_then(Position::new);
    let media_set = wish
        .media_set
        .or_else(|| found.first().map(|(_, f)| f.media_set));
    let (Some(position), Some(media_set)) = (position, media_set) else {
        let message = "no volume of the media set answers";
        return Err(Fault::new(code::NO_VOLUME, object, message).remedy("mount the shares"));
    };
    Ok(MirrorDrop {
        media_set,
        mirror: wish.mirror,
        said: standings.get(&wish.mirror) == Some(&Standing::Dropped),
        position,
        previous,
        volumes: rest.iter().map(|(seen, _)| seen.slot).collect(),
        left,
    })
}

/// Who may set right, repair or expire: the agent that the headers name, and whoever closed the
/// media set.
///
/// # Errors
/// [`code::OTHER_WRITER`].
pub fn may_maintain(
    label: &str,
    agent: AgentId,
    media_set: Option<MediaSetId>,
    volumes: &[Seen],
) -> Result<(), Fault> {
    let found = found(media_set, volumes);
    let closed = |f: &Found| {
        f.closed
            .as_ref()
            .is_some_and(|closed| closed.by == Some(agent))
    };
    if found.iter().any(|(_, f)| closed(f)) {
        return Ok(());
    }
    let Some((seen, other)) = found.iter().find(|(_, f)| f.agent != agent) else {
        return Ok(());
    };
    let object = format!("media set {label}");
    let message = "another agent writes this media set";
    Err(Fault::new(code::OTHER_WRITER, object, message)
        .cause(format!(
            "the header of {} names agent {}",
            seen.device, other.agent
        ))
        .remedy(format!(
            "do it on that agent's host; if the host is lost: twinset media adopt {label}"
        )))
}
