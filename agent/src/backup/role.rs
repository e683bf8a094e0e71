//! Who is principal: asked of both partners before a backup, and again behind it (design 7.2, rows
//! 11 to 15).

mod after;
mod words;

use serde::Serialize;
use twinset_domain::Fault;
use twinset_domain::partner::{
    Allowed, Answer, Beside, Duty, Pairing, Refusal, duty, objections, pairing,
};

use crate::sqlserver::partners::{self, Told};
use crate::sqlserver::{Connector, InstanceSettings, Purpose};

pub(super) use after::{After, Before, Lost, look_again};

/// The two partners of a group: the one that this agent serves, and the other.
#[derive(Clone, Debug)]
pub struct Partners {
    /// Ours.
    pub ours: InstanceSettings,
    /// The other one, as its own settings reach it; or why they cannot be used.
    pub other: Result<InstanceSettings, Fault>,
    /// Its name in the configuration.
    pub other_name: String,
    /// What the group allows.
    pub allowed: Allowed,
}

/// What the partners said of a database.
#[derive(Debug, Serialize)]
pub struct Role {
    /// The database.
    pub database: String,
    /// Both answers, read together.
    #[serde(flatten)]
    pub pairing: Pairing,
    /// What follows for us.
    pub duty: Duty,
    /// The other partner.
    pub partner: String,
    /// What is said beside the backup, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<String>,
    /// Why it did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    #[serde(skip)]
    ours: String,
    #[serde(skip)]
    named: Option<String>,
    #[serde(skip)]
    login: String,
}

/// Asks one partner, once: who does not answer is passed over.
fn ask(settings: &InstanceSettings, database: &str, patient: bool) -> Result<Told, Fault> {
    let connector = Connector::new(settings.clone(), "roles");
    let mut control = if patient {
        connector.open(Purpose::Control)?
    } else {
        connector.open_once(Purpose::Control)?
    };
    partners::ask_one(&mut control, database)
}

/// Asks both partners of a database; nothing where ours is a replica of an availability group: that
/// one knows its role by itself, and [`super::replica`] judges it. The two are asked one after the other, so that a switch in
/// between may look like two principals or none: such a reading is asked for once more.
///
/// # Errors
/// Why our own instance cannot be asked.
pub fn look(partners: &Partners, database: &str) -> Result<Option<Role>, Fault> {
    let Some(first) = once(partners, database)? else {
        return Ok(None);
    };
    match &first.duty {
        Duty::Refused(refusal) if refusal.may_pass() && first.fault.is_none() => {
            once(partners, database)
        }
        _ => Ok(Some(first)),
    }
}

fn once(partners: &Partners, database: &str) -> Result<Option<Role>, Fault> {
    let ours = ask(&partners.ours, database, true)?;
    let in_group = |found| ours.membership(found).is_in();
    if ours.find(database).is_some_and(in_group) {
        return Ok(None);
    }
    let other = partners.other.as_ref().map_err(Clone::clone);
    let other = other.and_then(|settings| ask(settings, database, false));
    let (here, there) = (
        ours.answer(database),
        other
            .as_ref()
            .map_or(Answer::Unreachable, |told| told.answer(database)),
    );
    let place = other.as_ref().map(|told| told.place(database));
    let against = objections(&ours.place(database), &place.unwrap_or_default());
    let facts = ours.find(database);
    let role = Role {
        database: database.to_owned(),
        pairing: pairing(&here, &there),
        duty: duty(&here, &there, &against, partners.allowed),
        partner: partners.other_name.clone(),
        fault: other.err(),
        ours: partners.ours.name.clone(),
        named: facts.and_then(|facts| facts.mirroring_partner_instance.clone()),
        login: ours.instance.login,
        said: Vec::new(),
    };
    let said = role.notes();
    Ok(Some(Role { said, ..role }))
}

impl Role {
    /// What is said beside the backup, if it may be taken.
    #[must_use]
    pub fn beside(&self) -> &[Beside] {
        match &self.duty {
            Duty::Ours(beside) => beside,
            Duty::Refused(_) => &[],
        }
    }

    /// Why it may not be taken.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match &self.duty {
            Duty::Refused(refusal) => Some(refusal),
            Duty::Ours(_) => None,
        }
    }
}
