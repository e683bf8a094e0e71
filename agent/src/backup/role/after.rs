//! The role is read again when the statement has ended and before the verdict (design 7.2, row 12).

use twinset_domain::partner::{Answer, Membership, ReplicaRole, Tenure, Term, taken_over, tenure};
use twinset_domain::{Fault, code};
use twinset_format::manifest::Mirroring;
use uuid::Uuid;

use super::ask;
use crate::sqlserver::facts::{self, InstanceFacts};
use crate::sqlserver::groups;
use crate::sqlserver::partners::copy;
use crate::sqlserver::{Connector, InstanceSettings, Purpose, Session};

/// Who can be asked behind a backup.
pub(in crate::backup) struct After<'a> {
    /// What bound the database when the run began.
    pub(in crate::backup) before: Option<Before>,
    /// The database.
    pub(in crate::backup) database: &'a str,
    /// Our instance.
    pub(in crate::backup) ours: &'a InstanceSettings,
    /// What it said of itself.
    pub(in crate::backup) instance: &'a InstanceFacts,
    /// The other partner.
    pub(in crate::backup) other: Option<&'a InstanceSettings>,
}

/// What bound a database when its run began.
pub(in crate::backup) enum Before {
    /// A mirroring session.
    Session(Term),
    /// An availability group: its `group_database_id`, and the role here.
    Replica(Uuid, ReplicaRole),
}

impl Before {
    /// Nothing where nothing did.
    pub(in crate::backup) fn of(
        session: Option<Mirroring>,
        membership: &Membership,
    ) -> Option<Self> {
        let replica = membership.replica();
        let group = || Some(Self::Replica(replica?.database, replica?.role));
        let term = |session: Mirroring| {
            Self::Session(Term {
                guid: session.guid,
                role_sequence: session.role_sequence,
            })
        };
        session.map(term).or_else(group)
    }
}

/// A role that was not kept, or is not known to be.
#[derive(Clone, Debug)]
pub(in crate::backup) struct Lost {
    tenure: Tenure,
    before: i64,
    /// The new principal.
    now: Option<String>,
    /// What it is called.
    role: &'static str,
}

/// Looks at the role again. `None`: it was kept, or there was none to keep. A server that is cut off
/// goes on to believe in itself: where its statement `failed`, the other partner is asked as well.
pub(in crate::backup) fn look_again(
    after: &After<'_>,
    control: &mut Session,
    failed: bool,
) -> Option<Lost> {
    let before = match after.before.as_ref()? {
        Before::Session(term) => *term,
        Before::Replica(database, role) => {
            return replica_again(after, control, (*database, *role));
        }
    };
    let (mut kept, mut named) = read(after, before, control);
    if kept == Tenure::Unknown {
        // A connection that was lost is made anew once: the server itself may be well.
        let connector = Connector::new(after.ours.clone(), "roles");
        if let Ok(mut fresh) = connector.open_once(Purpose::Control) {
            (kept, named) = read(after, before, &mut fresh);
        }
    }
    if kept == Tenure::Kept && !failed {
        return None;
    }
    let other = after.other.and_then(|settings| {
        let said = ask(settings, after.database, false);
        let said = said.inspect_err(|fault| tracing::warn!(%fault, "the partner was not asked"));
        Some((
            taken_over(before, &said.ok()?.answer(after.database))?,
            settings.name.clone(),
        ))
    });
    if let Some((sequence, name)) = other {
        named = Some(name);
        if matches!(kept, Tenure::Unknown | Tenure::Kept) {
            kept = Tenure::Switched {
                sequence: Some(sequence),
                back: false,
            };
        }
    }
    (kept != Tenure::Kept).then_some(Lost {
        tenure: kept,
        before: before.role_sequence,
        now: named,
        role: "principal",
    })
}

/// The same of a replica: its own word counts.
fn replica_again(
    after: &After<'_>,
    control: &mut Session,
    (database, role): (Uuid, ReplicaRole),
) -> Option<Lost> {
    let mut found = groups::membership(control, after.instance, after.database);
    if found.is_err() {
        let connector = Connector::new(after.ours.clone(), "roles");
        let fresh = connector.open_once(Purpose::Control);
        found = fresh
            .and_then(|mut fresh| groups::membership(&mut fresh, after.instance, after.database));
    }
    let lost = |tenure, now| {
        Some(Lost {
            tenure,
            before: 0,
            now,
            role: "primary",
        })
    };
    match found {
        Err(fault) => {
            tracing::warn!(%fault, "the role could not be read again");
            lost(Tenure::Unknown, None)
        }
        Ok(Membership::Alone) => lost(Tenure::Ended, None),
        Ok(Membership::Hidden(_)) => lost(Tenure::Unknown, None),
        Ok(Membership::In(now)) if now.database != database => lost(Tenure::Ended, None),
        Ok(Membership::In(now)) if now.role == role => None,
        Ok(Membership::In(now)) => {
            let switched = Tenure::Switched {
                sequence: None,
                back: false,
            };
            lost(switched, now.primary)
        }
    }
}

/// What our instance says now, with the partner that its session names.
fn read(after: &After<'_>, before: Term, control: &mut Session) -> (Tenure, Option<String>) {
    match facts::probe_database(control, after.database) {
        Err(fault) => {
            tracing::warn!(%fault, "the role could not be read again");
            (Tenure::Unknown, None)
        }
        Ok(None) => (tenure(before, &Answer::Absent), None),
        Ok(Some(database)) => {
            let answer = Answer::Copy(copy(&database, after.instance, Membership::Alone));
            (tenure(before, &answer), database.mirroring_partner_instance)
        }
    }
}

impl Lost {
    /// It is certain that the role was not simply kept.
    pub(in crate::backup) const fn is_certain(&self) -> bool {
        !matches!(self.tenure, Tenure::Unknown)
    }

    /// What happened, as the first cause of whatever followed.
    pub(in crate::backup) fn fault(&self, object: String) -> Fault {
        let now = self.now.as_deref().unwrap_or("the other partner");
        let message = match self.tenure {
            Tenure::Switched { back: true, .. } => {
                "the roles were switched and switched back while it was backed up".to_owned()
            }
            Tenure::Switched { .. } => {
                let role = self.role;
                format!("the roles were switched while it was backed up: {now} is {role} now")
            }
            Tenure::Ended if self.role == "primary" => {
                "it left its availability group while it was backed up".to_owned()
            }
            Tenure::Ended => "its mirroring session ended while it was backed up".to_owned(),
            Tenure::Kept | Tenure::Unknown => {
                "its role could not be read again behind the backup".to_owned()
            }
        };
        let fault = Fault::new(code::ROLE_LOST, object, message);
        match self.tenure {
            Tenure::Switched {
                sequence: Some(sequence),
                ..
            } => fault.cause(format!(
                "role sequence {} when it began, {sequence} now",
                self.before
            )),
            _ => fault,
        }
    }
}
