//! From what the partners said to what was seen. Whether ours may be backed up is [`duty`]'s word,
//! the same as for a backup by hand.

use super::{Served, Sight, Unfit};
use crate::partner::{
    Allowed, Answer, Beside, Copy, Duty, Objection, Refusal, Role, Side, State, Term, duty, pairing,
};

/// A partner as the configuration names it, with what it said.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it said.
    pub answer: &'a Answer,
}

/// What ours and the other partner, if there is one, say together. Total.
#[must_use]
pub fn look(
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
    })
}
