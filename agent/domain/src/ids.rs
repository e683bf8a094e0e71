//! Names for things, one type each, so that a family is never taken for a mirror.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Families of one media set, at most (SQL Server's own limit, error 3205).
pub const MAX_FAMILIES: u16 = 64;
/// Mirrors of one media set, at most (SQL Server's own limit, error 3214).
pub const MAX_MIRRORS: u8 = 4;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new random one.
            #[must_use]
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// A media set: made at format, stands in every header, names the volumes' folder.
    MediaSetId
}
uuid_id! {
    /// One media family of a media set: equal on all its mirrors.
    FamilyId
}
uuid_id! {
    /// One run that writes a backup set; stands in work names, manifests and records.
    RunId
}
uuid_id! {
    /// The agent that writes a media set.
    AgentId
}

/// Place of a backup set in its media set, from 1. Never given twice; holes are lawful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(NonZeroU64);

impl Position {
    /// The first one.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// `None` for 0 and for numbers whose sections could not be counted.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        if number > u64::MAX / 2 {
            None
        } else {
            NonZeroU64::new(number).map(Self)
        }
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// Section that holds the data: 2k-1.
    #[must_use]
    pub const fn data_section(self) -> u64 {
        self.0.get() * 2 - 1
    }

    /// Section that holds the manifest, or the void: 2k.
    #[must_use]
    pub const fn manifest_section(self) -> u64 {
        self.0.get() * 2
    }

    /// The set that a section belongs to; `None` for section 0, the media header.
    #[must_use]
    pub fn of_section(index: u64) -> Option<Self> {
        Self::new(index.div_ceil(2))
    }

    /// The one behind it.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::new(self.get().checked_add(1)?)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a media family, 1 to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FamilyNo(pub u16);

/// Number of a mirror, 1 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MirrorNo(pub u8);

impl fmt::Display for FamilyNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "family {}", self.0)
    }
}

impl fmt::Display for MirrorNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mirror {}", self.0)
    }
}

/// Shape of a media set, fixed when it is formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Media families, 1 to 64.
    pub families: u16,
    /// Mirrors, 1 to 4.
    pub mirrors: u8,
}

/// One place of the matrix: which family on which mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Slot {
    /// Mirror first: volumes are listed mirror by mirror, as in the configuration.
    pub mirror: MirrorNo,
    /// The family it carries.
    pub family: FamilyNo,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.mirror, self.family)
    }
}

impl Shape {
    /// Checks the limits.
    #[must_use]
    pub const fn is_lawful(self) -> bool {
        self.families >= 1
            && self.families <= MAX_FAMILIES
            && self.mirrors >= 1
            && self.mirrors <= MAX_MIRRORS
    }

    /// Families in order.
    pub fn families(self) -> impl Iterator<Item = FamilyNo> + Clone {
        (1..=self.families).map(FamilyNo)
    }

    /// Mirrors in order.
    pub fn mirrors(self) -> impl Iterator<Item = MirrorNo> + Clone {
        (1..=self.mirrors).map(MirrorNo)
    }

    /// Every place, mirror by mirror.
    pub fn slots(self) -> impl Iterator<Item = Slot> + Clone {
        self.mirrors()
            .flat_map(move |mirror| self.families().map(move |family| Slot { mirror, family }))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} families x {} mirrors", self.families, self.mirrors)
    }
}
