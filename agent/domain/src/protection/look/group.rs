//! What the replicas of an availability group say: ours for itself, the others beside it.

use super::{Served, Sight, State, Unfit, Voice};
use crate::partner::{Answer, Copy, Membership, Replica, ReplicaRole, Site, Term, posts};

/// A database that our replica has. The replica's own word counts: its cluster arbitrates the roles,
/// and names the primary to every replica that it reaches.
pub(super) fn look((name, copy): (&str, &Copy), others: &[Voice<'_>], site: Site) -> Sight {
    let replica = match &copy.membership {
        Membership::Alone => return Sight::NoPrincipal,
        Membership::Hidden(right) => return Sight::Forbidden(right.clone()),
        Membership::In(replica) => replica,
    };
    if let Some(why) = replica.unfollowed() {
        return Sight::Unfit(Unfit::Group(why));
    }
    match replica.role {
        ReplicaRole::Resolving => Sight::NoPrincipal,
        ReplicaRole::Primary if copy.state != State::Online => {
            Sight::NotOpen(copy.state.desc().to_owned())
        }
        ReplicaRole::Primary => {
            let who = served(name, copy, replica);
            let rivals = related(replica, others);
            if rivals
                .iter()
                .any(|(_, _, other)| other.role == ReplicaRole::Primary)
            {
                return Sight::Split(Some(who));
            }
            let lags = |(_, _, other): &(&str, &Copy, &Replica)| !other.is_following();
            Sight::Principal {
                who,
                exposed: rivals.iter().any(lags),
                backed: copy.backed,
                posts: Box::new(posts(replica, &replicas(others), site)),
            }
        }
        ReplicaRole::Secondary => secondary((name, copy, replica), others, site),
    }
}

/// The replicas of other partners that hold the same database.
fn related<'a>(replica: &Replica, others: &[Voice<'a>]) -> Vec<(&'a str, &'a Copy, &'a Replica)> {
    let held = others.iter().filter_map(|voice| {
        let copy = voice.answer.copy()?;
        Some((voice.name, copy, copy.replica()?))
    });
    held.filter(|(_, _, other)| other.database == replica.database)
        .collect()
}

fn replicas<'a>(others: &[Voice<'a>]) -> Vec<Option<&'a Replica>> {
    // Who has no such database takes nothing of it.
    let there = others
        .iter()
        .filter(|voice| *voice.answer != Answer::Absent);
    there
        .map(|voice| voice.answer.copy().and_then(Copy::replica))
        .collect()
}

fn secondary(
    (name, copy, replica): (&str, &Copy, &Replica),
    others: &[Voice<'_>],
    site: Site,
) -> Sight {
    let Some(primary) = &replica.primary else {
        return Sight::NoPrincipal;
    };
    let all = related(replica, others);
    let serves = all
        .iter()
        .find(|(_, _, other)| other.server.eq_ignore_ascii_case(primary));
    let posts = posts(replica, &replicas(others), site);
    let by = serves.map_or(primary.as_str(), |(by, _, _)| by);
    let known = |of: fn(&Copy) -> Option<uuid::Uuid>| {
        serves
            .and_then(|(_, copy, _)| of(copy))
            .or_else(|| of(copy))
    };
    let backed = match serves {
        Some((_, theirs, _)) if copy.backed.is_unknown() => theirs.backed,
        _ => copy.backed,
    };
    Sight::Principal {
        who: Served {
            family: known(|copy| copy.family),
            fork: known(|copy| copy.fork),
            helper: posts.is_any().then(|| name.to_owned()),
            ..served(by, copy, replica)
        },
        exposed: false,
        backed,
        posts: Box::new(posts),
    }
}

/// Nothing counts the exchanges of roles in a group: that one happened shows in who serves, that
/// something was lost in the fork, that somebody took backups in how far it is backed up.
fn served(by: &str, copy: &Copy, replica: &Replica) -> Served {
    Served {
        by: by.to_owned(),
        term: Some(Term {
            guid: replica.database,
            role_sequence: 0,
        }),
        family: copy.family,
        fork: copy.fork,
        helper: None,
    }
}
