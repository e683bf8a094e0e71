//! What an event does to the tables. Values are parameters, always.

mod rows;

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, GenericClient, Statement, Transaction};
use twinset_domain::fleet::{Batch, Event, Fit, Mark, Misfit, SetTold, Tag, fit};
use twinset_domain::{AgentId, MediaSetId};
use uuid::Uuid;

use super::Teller;
use super::link::{is_begun, mark as mark_of};

type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// How far an agent was heard; `locked`: nobody else tells of it until the transaction ends.
pub(super) async fn mark(
    client: &impl GenericClient,
    agent: AgentId,
    locked: bool,
) -> Result<Option<Mark>, Error> {
    let sql = match locked {
        true => "SELECT epoch, last, tag FROM twinset.agent WHERE agent = $1 FOR UPDATE",
        false => "SELECT epoch, last, tag FROM twinset.agent WHERE agent = $1",
    };
    let row = client.query_opt(sql, &[&agent.0]).await?;
    let Some(row) = row else { return Ok(None) };
    let found = mark_of(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(Some(found).filter(is_begun))
}

/// Takes a batch in one transaction. Gives how far the agent is heard behind it, or why nothing
/// was taken.
pub(super) async fn apply(
    client: &mut Client,
    teller: Teller<'_>,
    batch: &Batch,
) -> Result<Result<Mark, Misfit>, Error> {
    let change = client.transaction().await?;
    introduce(&change, teller).await?;
    let heard = mark(&change, teller.agent, true).await?;
    let skip = match fit(heard.as_ref(), batch) {
        Fit::Take { skip } => skip,
        Fit::Known => return Ok(heard.ok_or(Misfit::Gap)),
        Fit::Refused(why) => return Ok(Err(why)),
    };
    let mut taken = heard.unwrap_or(Mark {
        epoch: batch.epoch,
        last: 0,
        tag: Tag::NONE,
    });
    let mut work = Work {
        change,
        agent: teller.agent.0,
        epoch: signed(batch.epoch),
        let_go: BTreeSet::new(),
        statements: BTreeMap::new(),
    };
    for told in batch.events.iter().skip(skip) {
        work.event(&told.event).await?;
        taken = Mark {
            epoch: batch.epoch,
            last: told.number,
            tag: told.tag,
        };
    }
    work.finish(taken).await?;
    Ok(Ok(taken))
}

/// The agent has a row, with its name as it is now.
async fn introduce(client: &impl GenericClient, teller: Teller<'_>) -> Result<(), Error> {
    let release = env!("CARGO_PKG_VERSION");
    client
        .execute(
            "INSERT INTO twinset.agent (agent, name, release, epoch, last, tag, heard)
             VALUES ($1, $2, $3, 0, 0, $4, now())
             ON CONFLICT (agent) DO UPDATE
             SET name = excluded.name, release = excluded.release, heard = excluded.heard",
            &[&teller.agent.0, &teller.name, &release, &Tag::NONE.0],
        )
        .await
        .map(drop)
}

/// Says that the agent lives.
pub(super) async fn greet(client: &Client, teller: Teller<'_>) -> Result<(), Error> {
    introduce(client, teller).await
}

/// One transaction.
struct Work<'a> {
    change: Transaction<'a>,
    agent: Uuid,
    epoch: i64,
    /// Sets that this transaction took from a holder: perhaps from the last one.
    let_go: BTreeSet<Uuid>,
    /// What was prepared, by its text.
    statements: BTreeMap<&'static str, Statement>,
}

impl Work<'_> {
    /// Gives how many rows it touched.
    async fn run(&mut self, sql: &'static str, values: Values<'_>) -> Result<u64, Error> {
        let statement = self.prepared(sql).await?;
        self.change.execute(&statement, values).await
    }

    async fn prepared(&mut self, sql: &'static str) -> Result<Statement, Error> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let new = self.change.prepare(sql).await?;
        self.statements.insert(sql, new.clone());
        Ok(new)
    }

    /// Takes places of this agent away, and remembers which sets were held there.
    async fn take_away(&mut self, sql: &'static str, values: Values<'_>) -> Result<(), Error> {
        let statement = self.prepared(sql).await?;
        for row in self.change.query(&statement, values).await? {
            self.let_go.extend(row.try_get::<_, Option<Uuid>>(0)?);
        }
        Ok(())
    }

    async fn event(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::Begin => Ok(()),
            Event::Whole => self.whole().await,
            Event::Set(set) => self.set(set).await,
            Event::SetGone {
                media_set,
                position,
            } => self.set_gone(*media_set, *position).await,
            Event::Run(run) => self.ended(run).await,
            Event::Alert(alert) => self.alert(alert).await,
            Event::Check(check) => self.check(check).await,
            Event::Member(member) => self.member(member).await,
            Event::MemberGone { group, database } => {
                let sql = "DELETE FROM twinset.member
                           WHERE agent = $1 AND scope = $2 AND database = $3";
                let agent = self.agent;
                self.run(sql, &[&agent, group, database]).await.map(drop)
            }
        }
    }

    /// What older epochs told, and this one did not, is gone.
    async fn whole(&mut self) -> Result<(), Error> {
        let (agent, epoch) = (self.agent, self.epoch);
        let holdings = "DELETE FROM twinset.holding WHERE agent = $1 AND epoch <> $2
                        RETURNING set_guid";
        self.take_away(holdings, &[&agent, &epoch]).await?;
        for sql in [
            "DELETE FROM twinset.run WHERE agent = $1 AND epoch <> $2",
            "DELETE FROM twinset.alert WHERE agent = $1 AND epoch <> $2",
            "DELETE FROM twinset.integrity WHERE agent = $1 AND epoch <> $2",
            "DELETE FROM twinset.member WHERE agent = $1 AND epoch <> $2",
        ] {
            self.run(sql, &[&agent, &epoch]).await?;
        }
        Ok(())
    }

    async fn set_gone(&mut self, media_set: MediaSetId, position: u64) -> Result<(), Error> {
        let agent = self.agent;
        let sql = "DELETE FROM twinset.holding
                   WHERE agent = $1 AND media_set = $2 AND position = $3 RETURNING set_guid";
        let position = signed(position);
        self.take_away(sql, &[&agent, &media_set.0, &position])
            .await
    }

    async fn set(&mut self, set: &SetTold) -> Result<(), Error> {
        self.set_gone(set.media_set, set.position).await?;
        for inside in &set.inside {
            self.inside(inside).await?;
        }
        let mut guids: Vec<Option<Uuid>> = set.inside.iter().map(|inside| inside.set).collect();
        if guids.is_empty() {
            guids.push(None);
        }
        for (number, guid) in (0_i32..).zip(guids) {
            self.holding(set, number, guid).await?;
        }
        Ok(())
    }

    async fn finish(mut self, taken: Mark) -> Result<(), Error> {
        let agent = self.agent;
        let let_go: Vec<Uuid> = self.let_go.iter().copied().collect();
        if !let_go.is_empty() {
            self.run(
                "DELETE FROM twinset.backup_set b WHERE b.set_guid = ANY($1) AND NOT EXISTS
                   (SELECT 1 FROM twinset.holding h WHERE h.set_guid = b.set_guid)",
                &[&let_go],
            )
            .await?;
        }
        self.run(
            "UPDATE twinset.agent SET epoch = $2, last = $3, tag = $4 WHERE agent = $1",
            &[
                &agent,
                &signed(taken.epoch),
                &signed(taken.last),
                &taken.tag.0,
            ],
        )
        .await?;
        self.change.commit().await
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
