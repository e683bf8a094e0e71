//! What the shared catalog holds of all agents, at one moment.

use tokio_postgres::{Client, Error, IsolationLevel, Row};
use twinset_domain::alert::Severity;
use twinset_domain::fleet::{AgentSeen, AlertSeen, LastSeen, MemberSeen, Report, Seen};
use twinset_domain::{AgentId, BackupKind, Fault, Moment, code};

use super::link::Link;
use super::schema;
use crate::config::Shared;

/// Most rows of each table that are read: a fleet that is larger asks with SQL.
const MOST: i64 = 200_000;

/// Reads it, and puts it together.
///
/// # Errors
/// Those of [`Link::open`]; [`code::SHARED_SCHEMA`] where no agent has told anything yet.
pub fn report(shared: &Shared, name: &str) -> Result<Report, Fault> {
    let mut link = Link::open(shared, name)?;
    let version = link.version()?;
    if !schema::judge(&link.object, version)? {
        let message = "its tables are missing, or those of an older release";
        return Err(Fault::new(code::SHARED_SCHEMA, &link.object, message)
            .remedy("tell it something first: twinset catalog push"));
    }
    let timeout = link.timeout;
    let Link {
        runtime,
        client,
        object,
        ..
    } = &mut link;
    let read = async { tokio::time::timeout(timeout, seen(client)).await };
    let (seen, now) = match runtime.block_on(read) {
        Ok(Ok(read)) => read,
        Ok(Err(error)) => return Err(super::fault::of(object, &error)),
        Err(_) => return Err(super::fault::late(object)),
    };
    Ok(Report::of(seen, now))
}

async fn seen(client: &mut Client) -> Result<(Seen, Moment), Error> {
    let look = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    let now = look
        .query_one("SELECT CAST(extract(epoch FROM now()) AS bigint)", &[])
        .await?;
    let agents = "SELECT agent, name, release, CAST(extract(epoch FROM heard) AS bigint)
                  FROM twinset.agent ORDER BY name LIMIT $1";
    let members =
        "SELECT m.agent, a.name, m.scope, m.database, m.family, m.state, m.text, m.exposed
                   FROM twinset.member m JOIN twinset.agent a USING (agent)
                   ORDER BY m.database, a.name LIMIT $1";
    let last = "SELECT l.family, l.database, l.kind, CAST(extract(epoch FROM l.written) AS bigint),
                  l.agent, a.name, l.key, l.position
                FROM twinset.last_success l JOIN twinset.agent a USING (agent)
                ORDER BY l.database, l.kind LIMIT $1";
    let alerts = "SELECT a.name, t.code, t.object, t.severity, t.message, t.remedy,
                    CAST(extract(epoch FROM t.first) AS bigint)
                  FROM twinset.alert t JOIN twinset.agent a USING (agent)
                  WHERE t.resolved IS NULL ORDER BY t.first DESC LIMIT $1";
    let all = |rows: Vec<Row>| rows.into_iter();
    let seen = Seen {
        agents: all(look.query(agents, &[&MOST]).await?)
            .map(|row| agent(&row))
            .collect::<Result<_, Error>>()?,
        members: all(look.query(members, &[&MOST]).await?)
            .map(|row| member(&row))
            .collect::<Result<_, Error>>()?,
        last: all(look.query(last, &[&MOST]).await?)
            .filter_map(|row| newest(&row).transpose())
            .collect::<Result<_, Error>>()?,
        alerts: all(look.query(alerts, &[&MOST]).await?)
            .map(|row| alert(&row))
            .collect::<Result<_, Error>>()?,
    };
    Ok((seen, Moment(now.try_get(0)?)))
}

fn agent(row: &Row) -> Result<AgentSeen, Error> {
    Ok(AgentSeen {
        agent: AgentId(row.try_get(0)?),
        name: row.try_get(1)?,
        release: row.try_get(2)?,
        heard: Moment(row.try_get(3)?),
    })
}

fn member(row: &Row) -> Result<MemberSeen, Error> {
    Ok(MemberSeen {
        agent: AgentId(row.try_get(0)?),
        name: row.try_get(1)?,
        group: row.try_get(2)?,
        database: row.try_get(3)?,
        family: row.try_get(4)?,
        state: row.try_get(5)?,
        text: row.try_get(6)?,
        exposed: row.try_get(7)?,
    })
}

/// Nothing where the kind is one of a later release.
fn newest(row: &Row) -> Result<Option<LastSeen>, Error> {
    let kind: String = row.try_get(2)?;
    let kinds = [BackupKind::Full, BackupKind::Differential, BackupKind::Log];
    let Some(kind) = kinds.into_iter().find(|known| known.to_string() == kind) else {
        return Ok(None);
    };
    let database: Option<String> = row.try_get(1)?;
    Ok(Some(LastSeen {
        family: row.try_get(0)?,
        database: database.unwrap_or_default(),
        kind,
        began: row.try_get::<_, Option<i64>>(3)?.map(Moment),
        agent: AgentId(row.try_get(4)?),
        name: row.try_get(5)?,
        media_set: row.try_get(6)?,
        position: row.try_get::<_, i64>(7)?.unsigned_abs(),
    }))
}

fn alert(row: &Row) -> Result<AlertSeen, Error> {
    Ok(AlertSeen {
        agent: row.try_get(0)?,
        code: row.try_get(1)?,
        object: row.try_get(2)?,
        severity: Severity::from_word(&row.try_get::<_, String>(3)?),
        message: row.try_get(4)?,
        remedy: row.try_get(5)?,
        since: Moment(row.try_get(6)?),
    })
}
