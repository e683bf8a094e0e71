//! Replicas in words.

use std::fmt;

use super::{Access, Barred, Preference, ReplicaRole, Unfollowed};

impl fmt::Display for ReplicaRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Resolving => "resolving",
        })
    }
}

impl fmt::Display for Preference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "the primary",
            Self::SecondaryOnly => "a secondary only",
            Self::Secondary => "a secondary",
            Self::None => "any replica, by priority",
            Self::Other => "something unknown",
        })
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "not readable",
            Self::ReadOnly => "readable with read intent",
            Self::All => "readable",
        })
    }
}

impl fmt::Display for Unfollowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadScale { name } => write!(
                f,
                "availability group {name} is a read-scale group (cluster type NONE): nobody \
                 arbitrates its roles"
            ),
            Self::Distributed { name, distributed } => write!(
                f,
                "availability group {name} is part of the distributed group {distributed}"
            ),
            Self::Contained { name } => write!(f, "availability group {name} is a contained one"),
        }
    }
}

impl fmt::Display for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolving => {
                f.write_str("the replica here is RESOLVING: neither primary nor secondary")
            }
            Self::NeedsPrimary {
                primary: Some(primary),
            } => write!(f, "only the primary takes it, which is {primary}"),
            Self::NeedsPrimary { primary: None } => f.write_str("only the primary takes it"),
            Self::NotPreferred { preference } => write!(
                f,
                "the availability group prefers {preference}, and not this replica"
            ),
            Self::Configured => f.write_str("the group's file wants it on the primary"),
            Self::NotFollowing {
                synchronization,
                suspended,
            } => {
                write!(f, "the secondary here is {synchronization}")?;
                match suspended {
                    Some(why) => write!(f, " ({why})"),
                    None => Ok(()),
                }
            }
            Self::NotReadable => f.write_str(
                "the secondary here is not readable (ALLOW_CONNECTIONS = NO), and is not backed up",
            ),
            Self::Basic => {
                f.write_str("the secondary of a basic availability group takes no backups")
            }
        }
    }
}
