//! May the agent of a partner back its copy up now? Decided by what both partners said (design 7.2,
//! rows 11 to 15).

use std::fmt;

use serde::Serialize;

use super::{Answer, Copy, Objection, Pairing, Role, SessionState, Side, State, pairing};

/// What a group allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// A partner that is named by its address.
    pub ip: bool,
    /// Going on with one's own copy while both partners claim to be principal.
    pub split: bool,
}

/// What is said beside a backup that may be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beside {
    /// The session stands still: the principal's log cannot be truncated meanwhile.
    Exposed(SessionState),
    /// The other partner does not answer; that the database is open is SQL Server's own word.
    PartnerSilent,
    /// The other copy looks like a mirror whose row our login may not see.
    MirrorHidden,
    /// Our own row is hidden, while the partner calls itself the mirror.
    RowHidden,
    /// One of the two knows no session any more.
    HalfRemoved,
    /// Both claim to be principal: what is taken is one of two branches.
    Split,
    /// A partner is named by this address.
    ExplicitIp(String),
}

/// Why nothing may be taken here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The other partner is principal.
    NotPrincipal,
    /// Our copy is the mirror, or looks like one, and no principal is seen.
    MirrorAlone {
        /// It shows no session to our login.
        hidden: bool,
    },
    /// The roles are changing.
    Switching,
    /// Both claim to be principal.
    Split,
    /// Without a session both copies are open on one recovery fork: nothing would tell their logs
    /// apart, and a restore would join what never was one.
    OneFork,
    /// Each is in a session with a server that is not configured.
    OtherSessions,
    /// The pair is none that can be protected.
    Unfit(Objection),
}

impl Refusal {
    /// The copy here is the mirror: its backups are another agent's.
    #[must_use]
    pub const fn is_mirror_here(&self) -> bool {
        matches!(self, Self::NotPrincipal | Self::MirrorAlone { .. })
    }

    /// A second look may read otherwise: the two partners are asked one after the other.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Switching
                | Self::Split
                | Self::OneFork
                | Self::MirrorAlone { .. }
                | Self::NotPrincipal
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPrincipal => "the other partner is principal",
            Self::MirrorAlone { hidden: false } => {
                "the database is the mirror here, and no principal is seen"
            }
            Self::MirrorAlone { hidden: true } => {
                "the database is RESTORING here and shows no session: a mirror's row is hidden from \
                 a login that is no sysadmin"
            }
            Self::Switching => "the roles are changing just now",
            Self::Split => "both partners claim to be principal",
            Self::OneFork => "both partners have it open on one recovery fork, without a session",
            Self::OtherSessions => "each partner is mirrored with another server than configured",
            Self::Unfit(objection) => return objection.fmt(f),
        })
    }
}

/// What is to be done with our copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// It may be backed up here, as far as roles go; with what is to be said.
    Ours(Vec<Beside>),
    /// It may not.
    Refused(Refusal),
}

/// Decides. A partner that cannot be asked never stops the backup of a principal that is open:
/// quorum is SQL Server's business. Where no session is seen at all, it is not the roles that
/// speak against a backup.
#[must_use]
pub fn duty(ours: &Answer, theirs: &Answer, against: &[Objection], allowed: Allowed) -> Duty {
    let Answer::Copy(copy) = ours else {
        return Duty::Ours(Vec::new());
    };
    let read = pairing(ours, theirs);
    match place(copy, theirs, read, allowed.split) {
        Ok(mut beside) => match unfit(read, against, allowed.ip, &mut beside) {
            None => Duty::Ours(beside),
            Some(objection) => Duty::Refused(Refusal::Unfit(objection)),
        },
        Err(refusal) => Duty::Refused(refusal),
    }
}

/// Where our copy stands.
fn place(
    copy: &Copy,
    theirs: &Answer,
    read: Pairing,
    go_on_in_split: bool,
) -> Result<Vec<Beside>, Refusal> {
    let mut beside = Vec::new();
    let state = copy.session.as_ref().map(|session| session.state);
    if let Some(state) = state.filter(|state| state.is_exposed()) {
        beside.push(Beside::Exposed(state));
    }
    let open_here = copy.session.is_none() && copy.state == State::Online;
    match read {
        Pairing::Alone {
            principal: Side::First,
            ..
        } => beside.push(Beside::PartnerSilent),
        Pairing::MirrorHidden {
            principal: Side::First,
        } => beside.push(Beside::MirrorHidden),
        Pairing::HalfRemoved {
            principal: Side::First,
        } => beside.push(Beside::HalfRemoved),
        // The partner says that it is the mirror, so somebody serves it: we do.
        Pairing::NoPrincipal if open_here && copy.sees_mirrors => beside.push(Beside::HalfRemoved),
        Pairing::NoPrincipal if open_here => beside.push(Beside::RowHidden),
        Pairing::Separate { related: true } if one_fork(copy, theirs) => {
            return Err(Refusal::OneFork);
        }
        Pairing::Split if go_on_in_split => beside.push(Beside::Split),
        Pairing::Split => return Err(Refusal::Split),
        Pairing::Switching if is_mirror(copy) => {
            return Err(Refusal::MirrorAlone { hidden: false });
        }
        Pairing::Switching => return Err(Refusal::Switching),
        Pairing::NoPrincipal => return Err(Refusal::MirrorAlone { hidden: false }),
        Pairing::OtherSessions => return Err(Refusal::OtherSessions),
        Pairing::Closed if hides(copy) && *theirs == Answer::Unreachable => {
            return Err(Refusal::MirrorAlone { hidden: true });
        }
        // Two databases of one name are each its own server's.
        Pairing::Healthy { .. }
        | Pairing::MirrorHidden { .. }
        | Pairing::Alone { .. }
        | Pairing::HalfRemoved { .. }
            if read.source() == Some(Side::Second) =>
        {
            return Err(Refusal::NotPrincipal);
        }
        _ => {}
    }
    Ok(beside)
}

/// The other copy is on the same recovery fork, as far as both tell theirs.
fn one_fork(copy: &Copy, theirs: &Answer) -> bool {
    matches!(theirs, Answer::Copy(other) if copy.fork.is_some() && copy.fork == other.fork)
}

fn is_mirror(copy: &Copy) -> bool {
    let session = copy.session.as_ref();
    session.is_some_and(|session| session.role == Role::Mirror)
}

/// A copy that may be a mirror whose row our login does not see.
fn hides(copy: &Copy) -> bool {
    copy.state == State::Restoring && copy.session.is_none() && !copy.sees_mirrors
}

fn unfit(
    read: Pairing,
    against: &[Objection],
    ip: bool,
    beside: &mut Vec<Beside>,
) -> Option<Objection> {
    let found = against.iter().filter(|_| read.is_mirrored());
    for objection in found {
        match objection {
            Objection::ExplicitIp { address } if ip => {
                beside.push(Beside::ExplicitIp(address.clone()));
            }
            refused => return Some(refused.clone()),
        }
    }
    None
}
