//! Availability groups as the local replica tells them (facts/sqlserver.md 8.1): one statement more,
//! and only where the instance has any.

use std::collections::BTreeMap;

use twinset_domain::partner::{
    Access, Cluster, Membership, Preference, Replica, ReplicaRole, Shape,
};
use twinset_domain::{Fault, code};

use super::facts::InstanceFacts;
use super::rows::{Param, Row};
use super::session::Session;

/// First version whose groups may be basic, or groups of groups.
const SHAPES: u16 = 13;
/// First version that knows other clusters than Windows'.
const CLUSTERS: u16 = 14;
/// First version with contained groups.
const CONTAINED: u16 = 16;

/// Databases that are in a group, by name.
pub type Memberships = BTreeMap<String, Membership>;

/// Asks for the groups of all databases, or of one. An instance without groups is asked for nothing.
///
/// # Errors
/// The faults of [`Session::query`]; that the login may not see the groups is an answer.
pub fn memberships(
    session: &mut Session,
    instance: &InstanceFacts,
    only: Option<&str>,
) -> Result<Memberships, Fault> {
    if !instance.is_hadr {
        return Ok(Memberships::new());
    }
    let sql = statement(instance.major, only.is_some());
    let name = only.map(Param::Text);
    match session.query(&sql, name.as_slice()) {
        Ok(rows) => {
            let all = rows.all().iter();
            all.map(|row| Ok((row.need_text("name")?, read(row)?)))
                .collect()
        }
        Err(fault) if is_denied(&fault) => hidden(session, only),
        Err(fault) => Err(fault),
    }
}

/// The same of one database.
///
/// # Errors
/// As [`memberships`].
pub fn membership(
    session: &mut Session,
    instance: &InstanceFacts,
    database: &str,
) -> Result<Membership, Fault> {
    let found = memberships(session, instance, Some(database))?;
    Ok(found.into_values().next().unwrap_or_default())
}

/// SQL Server refuses the dynamic views, and the function, to whoever may not see the server's state.
fn is_denied(fault: &Fault) -> bool {
    let said = |number: &str| fault.message.contains(&format!("error {number}:"));
    fault.code == code::SQL_ERROR && ["297", "300", "371"].into_iter().any(said)
}

/// That a database is in a group, everybody sees.
fn hidden(session: &mut Session, only: Option<&str>) -> Result<Memberships, Fault> {
    let one = only.map_or("", |_| " AND d.name = @P1");
    let sql = format!("SELECT d.name FROM sys.databases d WHERE d.replica_id IS NOT NULL{one}");
    let name = only.map(Param::Text);
    let rows = session.query(&sql, name.as_slice())?;
    let all = rows.all().iter();
    all.map(|row| {
        let right = lacks("VIEW SERVER STATE");
        Ok((row.need_text("name")?, Membership::Hidden(right)))
    })
    .collect()
}

fn lacks(right: &str) -> String {
    format!("how its availability group stands is hidden: {right} shows it (twinset grants)")
}

/// Columns that a version does not have are told as what they would say there.
fn statement(major: u16, one: bool) -> String {
    let shape = match major {
        SHAPES.. => "g.basic_features, x.distributed,",
        _ => "CAST(0 AS bit) AS basic_features, CAST(NULL AS nvarchar(128)) AS distributed,",
    };
    let cluster = match major {
        CLUSTERS.. => "CAST(g.cluster_type AS int) AS cluster_type,",
        _ => "CAST(0 AS int) AS cluster_type,",
    };
    let contained = match major {
        CONTAINED.. => "g.is_contained,",
        _ => "CAST(0 AS bit) AS is_contained,",
    };
    // A distributed group lists the groups that it is made of as its replicas.
    let distributed = match major {
        SHAPES.. => {
            "LEFT JOIN (SELECT o.replica_server_name AS inner_name, MAX(y.name) AS distributed
           FROM sys.availability_replicas o
           JOIN sys.availability_groups y ON y.group_id = o.group_id AND y.is_distributed = 1
           GROUP BY o.replica_server_name) x ON x.inner_name = g.name"
        }
        _ => "",
    };
    let name = if one { " AND d.name = @P1" } else { "" };
    format!(
        "\
SELECT d.name, d.replica_id, d.group_database_id, g.group_id, g.name AS group_name,
       g.automated_backup_preference_desc, {shape} {cluster} {contained}
       r.replica_server_name, r.availability_mode_desc, r.backup_priority,
       r.secondary_role_allow_connections_desc,
       s.role_desc, s.synchronization_health_desc, p.primary_replica,
       t.synchronization_state_desc, t.is_suspended, t.suspend_reason_desc,
       sys.fn_hadr_backup_is_preferred_replica(d.name) AS preferred
FROM sys.databases d
LEFT JOIN sys.availability_replicas r ON r.replica_id = d.replica_id
LEFT JOIN sys.availability_groups g ON g.group_id = r.group_id
LEFT JOIN sys.dm_hadr_availability_replica_states s ON s.replica_id = d.replica_id
LEFT JOIN sys.dm_hadr_availability_group_states p ON p.group_id = g.group_id
LEFT JOIN sys.dm_hadr_database_replica_states t
       ON t.replica_id = d.replica_id AND t.group_database_id = d.group_database_id
{distributed}
WHERE d.replica_id IS NOT NULL{name}"
    )
}

/// A row of the catalogue that the login may not see is missing.
fn read(row: &Row) -> Result<Membership, Fault> {
    let found = (
        row.guid("group_id")?,
        row.guid("replica_id")?,
        row.guid("group_database_id")?,
    );
    let (Some(group), Some(replica), Some(database)) = found else {
        return Ok(Membership::Hidden(lacks("VIEW ANY DEFINITION")));
    };
    let text = |column: &str| Ok::<String, Fault>(row.text(column)?.unwrap_or_default());
    let suspended = row.bit("is_suspended")?.unwrap_or(false);
    let reason = row.text("suspend_reason_desc")?;
    let reason = reason.unwrap_or_else(|| "suspended".to_owned());
    Ok(Membership::In(Box::new(Replica {
        group,
        name: text("group_name")?,
        database,
        replica,
        server: text("replica_server_name")?,
        role: ReplicaRole::from_desc(&text("role_desc")?),
        primary: row.text("primary_replica")?.filter(|name| !name.is_empty()),
        synchronous: text("availability_mode_desc")? == "SYNCHRONOUS_COMMIT",
        synchronization: text("synchronization_state_desc")?,
        health: text("synchronization_health_desc")?,
        suspended: suspended.then_some(reason),
        preference: Preference::from_desc(&text("automated_backup_preference_desc")?),
        priority: row.int("backup_priority")?.unwrap_or(0),
        preferred: row.bit("preferred")?.unwrap_or(false),
        access: Access::from_desc(&text("secondary_role_allow_connections_desc")?),
        cluster: Cluster::from_number(row.int("cluster_type")?),
        shape: Shape {
            basic: row.bit("basic_features")?.unwrap_or(false),
            contained: row.bit("is_contained")?.unwrap_or(false),
            distributed: row.text("distributed")?,
        },
    })))
}
