//! What the partners of a group say of its databases: asked with two statements each, however many
//! databases there are, and read together.

use std::collections::HashMap;

use twinset_domain::partner::{
    Answer, Copy, Objection, Pairing, Place, Role, Session as Mirroring, SessionState, Side, State,
    objections, pairing,
};
use twinset_domain::protection::{Served, Sight, Term, Unfit};
use twinset_domain::{Fault, code};

use super::facts::{self, DatabaseFacts, InstanceFacts};
use super::session::Session;

/// What one instance answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who it is.
    pub instance: InstanceFacts,
    /// Its databases, by name.
    pub databases: Vec<DatabaseFacts>,
    /// Where each stands in the list, by its name in small letters: there may be thousands.
    places: HashMap<String, usize>,
}

/// Asks an instance for itself and all its databases.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn ask(control: &mut Session) -> Result<Told, Fault> {
    let instance = facts::probe_instance(control)?;
    let databases = facts::probe_databases(control)?;
    let place = |(at, database): (usize, &DatabaseFacts)| (database.name.to_lowercase(), at);
    Ok(Told {
        instance,
        places: databases.iter().enumerate().map(place).collect(),
        databases,
    })
}

impl Told {
    /// A database by its name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&DatabaseFacts> {
        let at = self.places.get(&name.to_lowercase())?;
        self.databases.get(*at)
    }

    /// What it says of a database.
    #[must_use]
    pub fn answer(&self, name: &str) -> Answer {
        match self.find(name) {
            None => Answer::Absent,
            Some(database) => Answer::Copy(copy(database, &self.instance)),
        }
    }
}

/// Where an instance is, and the partner that a database's session names.
#[must_use]
pub fn place(instance: &InstanceFacts, database: Option<&DatabaseFacts>) -> Place {
    Place {
        machine: Some(instance.machine_name.clone()),
        physical: instance.physical_name.clone(),
        partner: database.and_then(|database| database.mirroring_partner_name.clone()),
    }
}

/// A database as a partner's copy.
#[must_use]
pub fn copy(database: &DatabaseFacts, instance: &InstanceFacts) -> Copy {
    Copy {
        state: State::from_desc(&database.state_desc),
        family: database.family_guid,
        session: mirroring(database),
        sees_mirrors: instance.is_sysadmin,
    }
}

/// The session that a database's row shows.
#[must_use]
pub fn mirroring(database: &DatabaseFacts) -> Option<Mirroring> {
    let state = database.mirroring_state.as_deref().unwrap_or_default();
    Some(Mirroring {
        guid: database.mirroring_guid?,
        role: Role::from_number(database.mirroring_role?)?,
        state: SessionState::from_desc(state),
        role_sequence: database.mirroring_role_sequence.unwrap_or(0),
    })
}

/// What a partner was found to say: its answer, or why there is none.
pub type Heard<'a> = Result<&'a Told, &'a Fault>;

/// A partner as the configuration names it, with what it said.
#[derive(Clone, Copy, Debug)]
pub struct Partner<'a> {
    /// Its name in the configuration.
    pub name: &'a str,
    /// What it said.
    pub heard: Heard<'a>,
}

/// What our instance and the other partner, if there is one, say together of a database.
/// `allow_ip`: a partner may be named by its address.
#[must_use]
pub fn sight(
    database: &str,
    ours: Partner<'_>,
    other: Option<Partner<'_>>,
    allow_ip: bool,
) -> Sight {
    let here = match ours.heard {
        Ok(told) => told,
        Err(fault) if refuses(fault) => return Sight::Forbidden(said(fault)),
        Err(_) => return Sight::Unreachable,
    };
    let there = other.and_then(|partner| partner.heard.ok());
    let second = there.map_or_else(
        || match other {
            Some(_) => Answer::Unreachable,
            None => Answer::Absent,
        },
        |told| told.answer(database),
    );
    let read = pairing(&here.answer(database), &second);
    if read.is_mirrored()
        && let Some(there) = there
        && let Some(unfit) = unfit((here, there), database, allow_ip)
    {
        return Sight::Unfit(unfit);
    }
    let exposed = matches!(read, Pairing::Alone { exposed: true, .. });
    match read.source() {
        Some(Side::First) => serving(database, ours.name, here, exposed),
        Some(Side::Second) => match (other, there) {
            (Some(partner), Some(told)) => serving(database, partner.name, told, exposed),
            _ => Sight::NoPrincipal,
        },
        None => nobody(database, ours.name, here, read),
    }
}

/// The login was refused, or a right is missing: nothing to do with the database.
fn refuses(fault: &Fault) -> bool {
    fault.code == code::SQL_LOGIN
}

fn said(fault: &Fault) -> String {
    format!("{} {}: {}", fault.code, fault.object, fault.message)
}

fn unfit((here, there): (&Told, &Told), database: &str, allow_ip: bool) -> Option<Unfit> {
    let first = place(&here.instance, here.find(database));
    let second = place(&there.instance, there.find(database));
    objections(&first, &second)
        .into_iter()
        .find_map(|objection| match objection {
            Objection::SameComputer { computer } => Some(Unfit::SameComputer(computer)),
            Objection::ExplicitIp { address } if !allow_ip => Some(Unfit::ExplicitIp(address)),
            Objection::ExplicitIp { .. } => None,
        })
}

/// Who a partner is when it serves a database.
#[must_use]
pub fn served(by: &str, database: &DatabaseFacts) -> Served {
    Served {
        by: by.to_owned(),
        term: mirroring(database).map(|session| Term {
            session: session.guid,
            sequence: session.role_sequence,
        }),
        family: database.family_guid,
        fork: database.recovery_fork_guid,
    }
}

fn serving(database: &str, by: &str, told: &Told, exposed: bool) -> Sight {
    let Some(found) = told.find(database) else {
        return Sight::Absent;
    };
    if State::from_desc(&found.state_desc) != State::Online {
        return Sight::NotOpen(found.state_desc.clone());
    }
    let session = mirroring(found);
    if session.is_none() && found.family_guid.is_none() && !told.instance.is_sysadmin {
        let right = "its row in sys.database_mirroring is hidden: VIEW ANY DATABASE and VIEW ANY \
                     DEFINITION show it (twinset grants)";
        return Sight::Forbidden(right.to_owned());
    }
    let suspended = session.is_some_and(|session| session.state.is_exposed());
    Sight::Principal {
        who: served(by, found),
        exposed: exposed || suspended,
    }
}

fn nobody(database: &str, ours: &str, here: &Told, read: Pairing) -> Sight {
    match read {
        Pairing::Split => Sight::Split(
            here.find(database)
                .filter(|found| State::from_desc(&found.state_desc) == State::Online)
                .map(|found| served(ours, found)),
        ),
        Pairing::OtherSessions => Sight::Unfit(Unfit::OtherSessions),
        Pairing::Separate { related: true } => Sight::Unfit(Unfit::Separate),
        // Two databases of one name, such as master: each partner's agent protects its own.
        Pairing::Separate { related: false } => serving(database, ours, here, false),
        Pairing::Nowhere => Sight::Absent,
        Pairing::Unreachable => Sight::Unreachable,
        Pairing::Closed => match here.find(database) {
            Some(found) => Sight::NotOpen(found.state_desc.clone()),
            None => Sight::NoPrincipal,
        },
        _ => Sight::NoPrincipal,
    }
}
