//! From what the partners said to what was seen. Whether ours may be backed up is [`duty`]'s word,
//! the same as for a backup by hand.

mod group;

use super::{Bond, Served, Sight, Unfit};
use crate::partner::{
    Allowed, Answer, Beside, Copy, Duty, Objection, Refusal, Role, Side, Site, State, Term, duty,
    pairing,
};

/// A partner as the configuration names it, with what it said.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it said.
    pub answer: &'a Answer,
}

/// What a group of ours says of its partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What it allows.
    pub allowed: Allowed,
    /// Where it wants its logs.
    pub site: Site,
    /// What must bind the copies; nothing: whatever does.
    pub bond: Option<Bond>,
}

impl From<Allowed> for Wish {
    /// Whatever binds them, with logs where an availability group prefers them.
    fn from(allowed: Allowed) -> Self {
        Self {
            allowed,
            site: Site::Preferred,
            bond: None,
        }
    }
}

/// What ours and the other partners, if there are any, say together. Total. In an availability
/// group all of them count, in a mirroring session the first one.
#[must_use]
pub fn look(ours: Voice<'_>, others: &[Voice<'_>], against: &[Objection], wish: Wish) -> Sight {
    let bond = ours.answer.copy().map(bond);
    match (ours.answer.copy(), bond.zip(wish.bond)) {
        // Without a session a pair may be one whose row is hidden, or not mirrored yet.
        (Some(_), Some((seen, wanted)))
            if seen != wanted && (seen, wanted) != (Bond::Standalone, Bond::Mirroring) =>
        {
            Sight::Unfit(Unfit::OtherBond { seen, wanted })
        }
        (Some(copy), _) if copy.membership.is_in() => {
            group::look((ours.name, copy), others, wish.site)
        }
        _ => pair(ours, partner(ours, others), against, wish.allowed),
    }
}

/// The other partner of our session, where several are named: the one that shows the same; else the
/// first.
fn partner<'a>(ours: Voice<'_>, others: &[Voice<'a>]) -> Option<Voice<'a>> {
    let guid = |answer: &Answer| Some(answer.copy()?.session.as_ref()?.guid);
    let session = guid(ours.answer);
    let same = |voice: &&Voice<'_>| session.is_some() && guid(voice.answer) == session;
    others.iter().find(same).or(others.first()).copied()
}

/// What binds a copy, as far as it tells.
fn bond(copy: &Copy) -> Bond {
    if copy.membership.is_in() {
        Bond::AvailabilityGroup
    } else if copy.session.is_some() {
        Bond::Mirroring
    } else {
        Bond::Standalone
    }
}

/// What two partners say of a session.
fn pair(
    ours: Voice<'_>,
    other: Option<Voice<'_>>,
    against: &[Objection],
    allowed: Allowed,
) -> Sight {
    let nobody = Voice {
        name: "",
        answer: &Answer::Absent,
    };
    let other = other.unwrap_or(nobody);
    let copy = match ours.answer {
        Answer::Copy(copy) => copy,
        Answer::Absent => return elsewhere(ours, other).unwrap_or(Sight::Absent),
        Answer::Unreachable => return Sight::Unreachable,
    };
    match duty(ours.answer, other.answer, against, allowed) {
        Duty::Ours(beside) => here((ours.name, copy), other, &beside)
            .or_else(|| elsewhere(ours, other))
            .unwrap_or_else(|| Sight::NotOpen(copy.state.desc().to_owned())),
        Duty::Refused(refusal) => refused(refusal, (ours, copy), other),
    }
}

fn refused(refusal: Refusal, (ours, copy): (Voice<'_>, &Copy), other: Voice<'_>) -> Sight {
    match refusal {
        Refusal::NotPrincipal => elsewhere(ours, other).unwrap_or(Sight::NoPrincipal),
        Refusal::MirrorAlone { .. } | Refusal::Switching => Sight::NoPrincipal,
        Refusal::Split => Sight::Split(open(ours.name, copy)),
        // Whoever goes on in a split may not here: no fork tells the branches apart.
        Refusal::OneFork => Sight::Split(None),
        Refusal::OtherSessions => Sight::Unfit(Unfit::OtherSessions),
        Refusal::Unfit(objection) => Sight::Unfit(Unfit::Pair(objection)),
    }
}

/// Ours serves it, as far as roles go.
fn here((name, copy): (&str, &Copy), other: Voice<'_>, beside: &[Beside]) -> Option<Sight> {
    let mut who = open(name, copy)?;
    if beside.contains(&Beside::Split) {
        return Some(Sight::Split(Some(who)));
    }
    match other.answer {
        // Our row is hidden, not gone: the partner tells the session, and nothing was broken.
        Answer::Copy(copy) if beside.contains(&Beside::RowHidden) => who.term = term(copy),
        _ if copy.session.is_none() && copy.family.is_none() && !copy.sees_mirrors => {
            let right = "its row in sys.database_mirroring is hidden: VIEW ANY DATABASE and VIEW \
                         ANY DEFINITION show it (twinset grants)";
            return Some(Sight::Forbidden(right.to_owned()));
        }
        _ => {}
    }
    let exposed = |beside: &Beside| matches!(beside, Beside::Exposed(_));
    Some(Sight::Principal {
        who,
        exposed: beside.iter().any(exposed),
        backed: copy.backed,
        posts: Box::default(),
    })
}

/// The other partner serves it.
fn elsewhere(ours: Voice<'_>, other: Voice<'_>) -> Option<Sight> {
    let Answer::Copy(copy) = other.answer else {
        return None;
    };
    if pairing(ours.answer, other.answer).source() != Some(Side::Second) {
        let is_mirror = |session: &crate::partner::Session| session.role == Role::Mirror;
        let mirror = copy.session.as_ref().is_some_and(is_mirror);
        return mirror.then_some(Sight::NoPrincipal);
    }
    let exposed = copy
        .session
        .as_ref()
        .is_some_and(|session| session.state.is_exposed());
    let who = open(other.name, copy);
    Some(who.map_or_else(
        || Sight::NotOpen(copy.state.desc().to_owned()),
        |who| Sight::Principal {
            who,
            exposed,
            backed: copy.backed,
            posts: Box::default(),
        },
    ))
}

fn term(copy: &Copy) -> Option<Term> {
    copy.session.as_ref().map(|session| Term {
        guid: session.guid,
        role_sequence: session.role_sequence,
    })
}

/// Who serves it, if this copy is open.
fn open(by: &str, copy: &Copy) -> Option<Served> {
    (copy.state == State::Online).then(|| Served {
        by: by.to_owned(),
        term: term(copy),
        family: copy.family,
        fork: copy.fork,
        helper: None,
    })
}
