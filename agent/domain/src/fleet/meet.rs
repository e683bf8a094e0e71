//! What follows when an agent and the shared catalog meet.
//!
//! Both sides know a number and the tag of the event under it. Tags are random, so equal numbers
//! with equal tags mean equal events, and a catalog that was rolled back and went on otherwise is
//! noticed at the first meeting, whatever it wrote since.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Event, MAX_BATCH};
use crate::Moment;

/// What tells an event from every other, even from one under the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(pub Uuid);

impl Tag {
    /// Stands before the first event of an epoch.
    pub const NONE: Self = Self(Uuid::nil());

    /// A new random one.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

/// How far an agent was heard at the shared catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The epoch.
    pub epoch: u64,
    /// The last number of it that was taken; 0 for none.
    pub last: u64,
    /// Its tag.
    pub tag: Tag,
}

/// What the agent's own outbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ours {
    /// The highest epoch that was ever begun here; 0 for none.
    pub epoch: u64,
    /// Changes are written down in it. Else the next meeting begins a new one.
    pub open: bool,
    /// Highest number that the shared catalog is known to have taken.
    pub acked: u64,
}

/// What is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meet {
    /// Everything behind this number of the current epoch.
    After(u64),
    /// A new epoch is to be begun, with everything that the agent holds.
    Anew {
        /// Its number.
        epoch: u64,
        /// Why.
        why: Why,
    },
}

/// Why an epoch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Nothing was written down: the first meeting of this catalog, or one after a long absence.
    NothingWritten,
    /// The shared catalog does not know the agent any more.
    Forgotten,
    /// The shared catalog was set back.
    SetBack,
    /// This catalog was set back, or is a copy: the shared one has heard other things of the agent.
    OtherPast,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingWritten => "nothing was written down for it until now",
            Self::Forgotten => "it does not know this agent any more",
            Self::SetBack => "it was set back",
            Self::OtherPast => "it has heard other things of this agent than its catalog knows",
        })
    }
}

/// What is to be sent; `tag` is what stands here under the number of the shared catalog's mark, if
/// that number is known here.
#[must_use]
pub fn meet(ours: &Ours, theirs: Option<&Mark>, tag: Option<Tag>) -> Meet {
    let highest = theirs.map_or(0, |mark| mark.epoch).max(ours.epoch);
    let anew = |why| Meet::Anew {
        epoch: highest.saturating_add(1),
        why,
    };
    if !ours.open {
        return anew(Why::NothingWritten);
    }
    match theirs {
        // An epoch that was begun here and of which nothing arrived yet is whole.
        None if ours.acked == 0 => Meet::After(0),
        None => anew(Why::Forgotten),
        Some(mark) if mark.epoch < ours.epoch && ours.acked == 0 => Meet::After(0),
        Some(mark) if mark.epoch < ours.epoch => anew(Why::SetBack),
        Some(mark) if mark.epoch > ours.epoch => anew(Why::OtherPast),
        Some(mark) if tag == Some(mark.tag) => Meet::After(mark.last),
        Some(mark) if mark.last < ours.acked => anew(Why::SetBack),
        Some(_) => anew(Why::OtherPast),
    }
}

/// An event with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its number in the epoch, from 1.
    pub number: u64,
    /// Its tag.
    pub tag: Tag,
    /// When it happened.
    pub at: Moment,
    /// What happened.
    pub event: Event,
}

/// Events that are sent together and taken together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Their epoch.
    pub epoch: u64,
    /// The tag of the event before the first.
    pub before: Tag,
    /// The events, by number without a gap, at most [`MAX_BATCH`].
    pub events: Vec<Told>,
}

/// What the shared catalog does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Takes all events but the first so many, which it has.
    Take {
        /// How many it has.
        skip: usize,
    },
    /// Has them all, or begun a later epoch since: nothing is to be done.
    Known,
    /// Takes nothing.
    Refused(Misfit),
}

/// Why a batch is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// Events are missing before it, or an epoch does not begin with its begin.
    Gap,
    /// Under a number that was taken another event stands.
    OtherPast,
    /// Numbers are not in a row, or there are too many.
    Shape,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gap => "events are missing before these",
            Self::OtherPast => "other events were taken under these numbers",
            Self::Shape => "the events are not numbered in a row",
        })
    }
}

/// Which events of a batch are taken where an agent was heard so far.
#[must_use]
pub fn fit(mark: Option<&Mark>, batch: &Batch) -> Fit {
    let events = &batch.events;
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Fit::Known;
    };
    let before = first.number.wrapping_sub(1);
    let in_row = || {
        let numbers = (first.number..).zip(events);
        first.number > 0
            && numbers
                .into_iter()
                .all(|(number, told)| told.number == number)
    };
    if events.len() > MAX_BATCH as usize || !in_row() {
        return Fit::Refused(Misfit::Shape);
    }
    let mark = match mark {
        Some(mark) if mark.epoch == batch.epoch => *mark,
        Some(mark) if mark.epoch > batch.epoch => return Fit::Known,
        // Behind an older epoch, or nothing: the new one begins.
        _ if before == 0 && first.event == Event::Begin => Mark {
            epoch: batch.epoch,
            last: 0,
            tag: Tag::NONE,
        },
        _ => return Fit::Refused(Misfit::Gap),
    };
    if before > mark.last {
        return Fit::Refused(Misfit::Gap);
    }
    if last.number < mark.last {
        // Its tag is not known any more; what follows on it was taken.
        return Fit::Known;
    }
    let skip = usize::try_from(mark.last - before).unwrap_or(usize::MAX);
    let there = match skip.checked_sub(1) {
        None => Some(batch.before),
        Some(at) => events.get(at).map(|told| told.tag),
    };
    match there {
        Some(tag) if tag != mark.tag => Fit::Refused(Misfit::OtherPast),
        Some(_) if skip == events.len() => Fit::Known,
        Some(_) => Fit::Take { skip },
        None => Fit::Refused(Misfit::Shape),
    }
}
