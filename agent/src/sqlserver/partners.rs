//! What the partners of a group say of its databases: asked with two statements each, however many
//! databases there are.

use std::collections::HashMap;

use twinset_domain::Fault;
use twinset_domain::partner::{
    Answer, Backed, Copy, Membership, Place, Role, Session as Mirroring, SessionState, State,
};

use super::facts::{self, DatabaseFacts, InstanceFacts};
use super::groups::{self, Memberships};
use super::session::Session;

/// What one instance answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who it is.
    pub instance: InstanceFacts,
    /// Its databases, by name: all of them, or the one that was asked for.
    pub databases: Vec<DatabaseFacts>,
    /// Those that are in an availability group.
    groups: Memberships,
    /// Where each stands in the list, by its name as it is written and in small letters: there may
    /// be thousands. A server whose collation minds case may have both.
    places: HashMap<String, usize>,
}

/// Asks an instance for itself and all its databases.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn ask(control: &mut Session) -> Result<Told, Fault> {
    let instance = facts::probe_instance(control)?;
    let databases = facts::probe_databases(control)?;
    let groups = groups::memberships(control, &instance, None)?;
    Ok(Told::new(instance, databases, groups))
}

/// Asks an instance for itself and one database.
///
/// # Errors
/// The faults of [`Session::query`].
pub fn ask_one(control: &mut Session, name: &str) -> Result<Told, Fault> {
    let instance = facts::probe_instance(control)?;
    let database = facts::probe_database(control, name)?;
    let groups = groups::memberships(control, &instance, Some(name))?;
    Ok(Told::new(instance, database.into_iter().collect(), groups))
}

impl Told {
    /// Of an instance with these databases.
    #[must_use]
    pub fn new(
        instance: InstanceFacts,
        databases: Vec<DatabaseFacts>,
        groups: Memberships,
    ) -> Self {
        let mut places = HashMap::new();
        for (at, database) in databases.iter().enumerate() {
            places.entry(database.name.to_lowercase()).or_insert(at);
        }
        for (at, database) in databases.iter().enumerate() {
            places.insert(database.name.clone(), at);
        }
        Self {
            instance,
            databases,
            groups,
            places,
        }
    }

    /// A database by its name: as it is written, else whatever the case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&DatabaseFacts> {
        let exact = self.places.get(name);
        let at = exact.or_else(|| self.places.get(&name.to_lowercase()))?;
        self.databases.get(*at)
    }

    /// What it says of a database.
    #[must_use]
    pub fn answer(&self, name: &str) -> Answer {
        match self.find(name) {
            None => Answer::Absent,
            Some(database) => {
                let membership = self.membership(database);
                Answer::Copy(copy(database, &self.instance, membership))
            }
        }
    }

    /// The availability group of a database.
    #[must_use]
    pub fn membership(&self, database: &DatabaseFacts) -> Membership {
        let found = self.groups.get(&database.name).cloned();
        found.unwrap_or_default()
    }

    /// Where it is, and the partner that a database's session names.
    #[must_use]
    pub fn place(&self, name: &str) -> Place {
        Place {
            machine: Some(self.instance.machine_name.clone()),
            physical: self.instance.physical_name.clone(),
            partner: self
                .find(name)
                .and_then(|database| database.mirroring_partner_name.clone()),
        }
    }
}

/// A database as a partner's copy.
#[must_use]
pub fn copy(database: &DatabaseFacts, instance: &InstanceFacts, membership: Membership) -> Copy {
    Copy {
        state: State::from_desc(&database.state_desc),
        family: database.family_guid,
        fork: database.recovery_fork_guid,
        session: mirroring(database),
        backed: Backed {
            log: database.last_log_backup_lsn,
            base: database.differential_base_lsn,
        },
        sees_mirrors: instance.is_sysadmin,
        membership,
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
