//! Why a set stays or goes, in words.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Period, Place};
use crate::{AgentId, BackupKind, Moment};

/// One reason. Its text is what people and programs read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Written in the window, which begins here.
    InWindow(Moment),
    /// Needed to restore to the start of the window.
    WindowStart(Moment),
    /// The last full of a period.
    Count(Period, String),
    /// Part of the last chain that this database can be restored from.
    LastChain(String),
    /// A set that stays cannot be restored without it.
    NeededBy(Place, Option<BackupKind>),
    /// SQL Server's verdict on it is not known.
    Unconfirmed,
    /// No manifest of it can be read, or the stream hides what it is.
    Unknown,
    /// No group speaks for its database.
    NoGroup,
    /// A group keeps everything, and why.
    Everything(String, String),
    /// Somebody reads the media set.
    Held(AgentId, Moment),
    /// Its storage refuses to remove it before this moment; the last of all where none is named.
    Locked(Moment),
    /// It lies on fewer mirrors than needed to count.
    NotCounted(u8, u8),
    /// Nothing keeps it.
    Expired,
}

impl Reason {
    /// Whether it keeps the set.
    #[must_use]
    pub const fn keeps(&self) -> bool {
        !matches!(self, Self::NotCounted(..) | Self::Expired)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InWindow(start) => write!(f, "in the window (since {start})"),
            Self::WindowStart(start) => {
                write!(f, "needed to restore to the start of the window ({start})")
            }
            Self::Count(period, name) => write!(f, "{} {name}", period.word()),
            Self::LastChain(database) => write!(f, "last restorable chain of {database}"),
            Self::NeededBy(place, kind) => {
                write!(f, "needed by position {}", place.position)?;
                if let Some(kind) = kind {
                    write!(f, " ({kind})")?;
                }
                match place.media_set.as_str() {
                    "" => Ok(()),
                    other => write!(f, " of {other}"),
                }
            }
            Self::Unconfirmed => f.write_str("unconfirmed: kept"),
            Self::Unknown => f.write_str("what is in it cannot be told: kept"),
            Self::NoGroup => f.write_str("its database is in no group: kept"),
            Self::Everything(group, why) => write!(f, "group {group} keeps everything: {why}"),
            Self::Held(agent, until) => write!(f, "held by agent {agent} until {until}"),
            Self::Locked(Moment(i64::MAX)) => {
                f.write_str("locked in its store until a legal hold is lifted")
            }
            Self::Locked(until) => write!(f, "locked in its store until {until}"),
            Self::NotCounted(mirrors, least) => write!(
                f,
                "lies on {mirrors} of {least} mirrors needed: not counted"
            ),
            Self::Expired => f.write_str("older than the window and in no count"),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
