//! `twinset instance databases`: what can be protected, before anything is protected.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use twinset_domain::partner::{
    Answer, Membership, Objection, Pairing, Replica, ReplicaRole, Session, Side, objections,
    pairing,
};
use twinset_domain::{BackupKind, Exit, Fault, code};

use super::args::InstanceVerb;
use crate::backup::replica;
use crate::backup::vdi::backupable;
use crate::config::{self, Config};
use crate::report::{Output, table};
use crate::sqlserver::facts::{DatabaseFacts, InstanceFacts};
use crate::sqlserver::partners::{self, Told};
use crate::sqlserver::{Connector, Purpose};

/// What the verb prints.
#[derive(Serialize)]
struct Listed {
    instance: InstanceFacts,
    /// The other partner that was asked.
    partner: Option<Asked>,
    databases: Vec<Line>,
}

/// The other partner.
#[derive(Serialize)]
struct Asked {
    name: String,
    /// Why it did not answer.
    fault: Option<Fault>,
}

/// One database.
#[derive(Serialize)]
struct Line {
    name: String,
    state: String,
    recovery_model: String,
    /// Groups that mean it.
    groups: Vec<String>,
    /// Its session, as this instance tells it.
    mirroring: Option<Mirroring>,
    /// It belongs to an availability group.
    availability_group: bool,
    /// Its replica there, where that can be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    replica: Option<Replica>,
    /// What both partners say together.
    #[serde(flatten)]
    pairing: Option<Pairing>,
    /// The same in words.
    reading: Option<String>,
    /// What speaks against the pair.
    objections: Vec<Objection>,
    /// Why it cannot be backed up here now; nothing when it can.
    refused: Option<Fault>,
}

/// The columns of a session that an operator knows.
#[derive(Serialize)]
struct Mirroring {
    #[serde(flatten)]
    session: Session,
    safety: Option<String>,
    partner: Option<String>,
    partner_instance: Option<String>,
    witness: Option<String>,
    witness_state: Option<String>,
}

/// Runs the verb.
pub(super) fn instance(file: &Path, verb: &InstanceVerb, output: &Output) -> Exit {
    let InstanceVerb::Databases { instance, partner } = verb;
    match config::load(file) {
        Err(faults) => output.finish_faults(&faults),
        Ok(config) => match databases(&config, instance, partner.as_deref()) {
            Err(fault) => output.finish::<()>(Err(fault)),
            Ok(listed) => {
                print(&listed, output);
                output.finish(Ok((Exit::Done, listed)))
            }
        },
    }
}

fn databases(config: &Config, name: &str, partner: Option<&str>) -> Result<Listed, Fault> {
    let told = ask(config, name)?;
    let partner = match partner {
        Some(partner) => Some(partner.to_owned()),
        None => only_partner(config, name),
    };
    let (asked, answers) = match partner {
        None => (None, None),
        Some(partner) => {
            config.instance(&partner)?;
            let answers = ask(config, &partner);
            let fault = answers.as_ref().err().cloned();
            let asked = Asked {
                name: partner,
                fault,
            };
            (Some(asked), Some(answers.ok()))
        }
    };
    let databases = told
        .databases
        .iter()
        .map(|database| line(config, name, &told, database, answers.as_ref()))
        .collect();
    Ok(Listed {
        instance: told.instance,
        partner: asked,
        databases,
    })
}

/// Two statements, however many databases there are.
fn ask(config: &Config, name: &str) -> Result<Told, Fault> {
    let settings = config.instance(name)?.settings()?;
    let mut control = Connector::new(settings, "look").open(Purpose::Control)?;
    partners::ask(&mut control)
}

/// The other partner of the instance's groups, if they agree on one.
fn only_partner(config: &Config, name: &str) -> Option<String> {
    let groups = config.groups.values();
    let others: BTreeSet<&String> = groups
        .filter(|group| group.partners.iter().any(|partner| partner == name))
        .flat_map(|group| group.partners.iter().filter(|partner| *partner != name))
        .collect();
    match others.into_iter().collect::<Vec<_>>()[..] {
        [other] => Some(other.clone()),
        _ => None,
    }
}

/// `answers`: nothing when no partner was asked, nothing inside when it did not answer.
fn line(
    config: &Config,
    instance: &str,
    here: &Told,
    database: &DatabaseFacts,
    answers: Option<&Option<Told>>,
) -> Line {
    let groups = config.groups.values();
    let groups = groups.filter(|group| {
        group.partners.iter().any(|partner| partner == instance)
            && group.databases.select(&database.name)
    });
    let ours = here.answer(&database.name);
    let answer = |told: &Option<Told>| match told {
        None => Answer::Unreachable,
        Some(told) => told.answer(&database.name),
    };
    let membership = here.membership(database);
    // A replica knows its role by itself.
    let asked = answers.filter(|_| !membership.is_in());
    let read = asked.map(|answers| pairing(&ours, &answer(answers)));
    let there = answers.and_then(Option::as_ref);
    let pair = read.filter(|read| read.is_mirrored()).and(there);
    let against = pair.map_or_else(Vec::new, |there| {
        objections(&here.place(&database.name), &there.place(&database.name))
    });
    Line {
        name: database.name.clone(),
        state: database.state_desc.clone(),
        recovery_model: database.recovery_model.clone(),
        groups: groups.map(|group| group.name.clone()).collect(),
        mirroring: mirroring(database),
        availability_group: database.replica_id.is_some(),
        replica: membership.replica().cloned(),
        pairing: read,
        reading: read.map(|read| read.to_string()),
        objections: against,
        refused: refused(database, instance, (read, &membership)),
    }
}

fn mirroring(database: &DatabaseFacts) -> Option<Mirroring> {
    // Some versions show an empty name where there is no witness.
    let witness = database.mirroring_witness_name.clone();
    let witness = witness.filter(|name| !name.is_empty());
    Some(Mirroring {
        session: partners::mirroring(database)?,
        safety: database.mirroring_safety_level.clone(),
        partner: database.mirroring_partner_name.clone(),
        partner_instance: database.mirroring_partner_instance.clone(),
        witness_state: witness
            .as_ref()
            .and(database.mirroring_witness_state.clone()),
        witness,
    })
}

/// Why no backup can be taken here now: what the backup itself would say, and what only both
/// partners together can tell.
fn refused(
    database: &DatabaseFacts,
    instance: &str,
    (read, membership): (Option<Pairing>, &Membership),
) -> Option<Fault> {
    let object = format!("{instance}, database {}", database.name);
    if let Err(fault) = backupable(database, false, instance) {
        return Some(fault);
    }
    // What a secondary can take at all.
    if let Err(fault) = replica::fits(membership, (BackupKind::Log, false), &object) {
        return Some(fault);
    }
    match read {
        Some(read @ (Pairing::Split | Pairing::Switching)) => Some(
            Fault::new(code::NOT_PRINCIPAL, object, read.to_string())
                .remedy("look again when the partners agree on one principal"),
        ),
        Some(read) if read.source() == Some(Side::Second) => Some(
            Fault::new(code::NOT_PRINCIPAL, object, read.to_string())
                .remedy("back it up on the other partner"),
        ),
        _ => None,
    }
}

fn print(listed: &Listed, output: &Output) {
    let here = &listed.instance;
    output.line(format!(
        "{}: SQL Server {}, {}, login {}{}",
        here.server_name,
        here.version,
        here.edition,
        here.login,
        if here.is_sysadmin { " (sysadmin)" } else { "" }
    ));
    if !here.is_sysadmin {
        output.warn("a mirror's session is shown to sysadmins only: a mirror looks like RESTORING");
    }
    if let Some(Asked {
        name,
        fault: Some(fault),
    }) = &listed.partner
    {
        output.warn(format!(
            "partner {name} does not answer: {} {}: {}",
            fault.code, fault.object, fault.message
        ));
    }
    let head = [
        "database", "state", "recovery", "session", "partner", "groups", "backup",
    ];
    let rows: Vec<Vec<String>> = listed.databases.iter().map(row).collect();
    output.line(table(&head, &rows));
    for line in &listed.databases {
        for objection in &line.objections {
            output.warn(format!("{}: {objection}", line.name));
        }
        let told = line.reading.as_ref().zip(line.pairing);
        if let Some((reading, _)) = told.filter(|(_, read)| worth_saying(*read)) {
            output.line(format!("{}: {reading}", line.name));
        }
    }
}

/// What the table does not tell already.
const fn worth_saying(read: Pairing) -> bool {
    !matches!(
        read,
        Pairing::Healthy { .. } | Pairing::Single { .. } | Pairing::Closed
    )
}

/// A replica in a few words.
fn told(replica: &Replica) -> String {
    let (name, role) = (&replica.name, replica.role);
    let suspended = match &replica.suspended {
        Some(why) => format!(", {why}"),
        None => String::new(),
    };
    let preferred = if replica.preferred {
        ", preferred for backups"
    } else {
        ""
    };
    let state = &replica.synchronization;
    format!("{role} in {name}, {state}{suspended}{preferred}")
}

fn row(line: &Line) -> Vec<String> {
    let dash = || "-".to_owned();
    let session = |mirroring: &Mirroring| {
        let session = &mirroring.session;
        let safety = mirroring.safety.as_deref().unwrap_or("UNKNOWN");
        let witness = match &mirroring.witness_state {
            Some(state) => format!(", witness {state}"),
            None => String::new(),
        };
        format!(
            "{} {}, safety {safety}{witness}",
            session.role,
            session.state.desc()
        )
    };
    let partner = |mirroring: &Mirroring| {
        let names = [&mirroring.partner_instance, &mirroring.partner];
        names.into_iter().flatten().next().cloned()
    };
    let grouped = |line: &Line| match &line.replica {
        Some(replica) => Some(told(replica)),
        None => line
            .availability_group
            .then(|| "availability group (hidden)".to_owned()),
    };
    let primary = |line: &Line| line.replica.as_ref()?.primary.clone();
    let mirroring = line.mirroring.as_ref();
    let secondary = |replica: &Replica| replica.role == ReplicaRole::Secondary;
    let secondary = line.replica.as_ref().is_some_and(secondary);
    vec![
        line.name.clone(),
        line.state.clone(),
        line.recovery_model.clone(),
        mirroring
            .map(session)
            .or_else(|| grouped(line))
            .unwrap_or_else(dash),
        mirroring
            .and_then(partner)
            .or_else(|| primary(line))
            .unwrap_or_else(dash),
        if line.groups.is_empty() {
            dash()
        } else {
            line.groups.join(", ")
        },
        match &line.refused {
            None if secondary => "logs, copy-only fulls".to_owned(),
            None => "yes".to_owned(),
            Some(fault) => format!("no: {} {}", fault.code, fault.message),
        },
    ]
}
