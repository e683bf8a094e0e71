//! One row each: whole, so that it may come twice.

use serde::Serialize;
use tokio_postgres::Error;
use twinset_domain::Moment;
use twinset_domain::fleet::{AlertTold, CheckTold, Inside, MemberTold, RunTold, SetTold};
use uuid::Uuid;

use super::{Work, signed};

/// Seconds of the years 1 and 9999: what lies beyond is no time of a backup.
const YEARS: (i64, i64) = (-62_135_596_800, 253_402_300_799);

impl Work<'_> {
    /// A place on the media where a set is held.
    pub(super) async fn holding(
        &mut self,
        set: &SetTold,
        number: i32,
        guid: Option<Uuid>,
    ) -> Result<(), Error> {
        let (agent, epoch) = (self.agent, self.epoch);
        let run = set.run.map(|run| run.0);
        let kind = set.kind.map(|kind| kind.to_string());
        self.run(
            "INSERT INTO twinset.holding (agent, media_set, position, number, epoch, set_guid, key,
               state, run, database, kind, written, published, bytes, mirrors, copy_only,
               over_damage)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, to_timestamp($12),
               to_timestamp($13), $14, $15, $16, $17)",
            &[
                &agent,
                &set.media_set.0,
                &signed(set.position),
                &number,
                &epoch,
                &guid,
                &set.key,
                &word(&set.state),
                &run,
                &set.database,
                &kind,
                &set.written.map(seconds),
                &set.published.map(seconds),
                &signed(set.bytes),
                &i32::from(set.mirrors),
                &set.copy_only,
                &set.over_damage,
            ],
        )
        .await
        .map(drop)
    }

    /// What is the same for all has one row; who tells more of it fills what was missing.
    pub(super) async fn inside(&mut self, set: &Inside) -> Result<(), Error> {
        let Some(guid) = set.set else { return Ok(()) };
        let kind = set.kind.map(|kind| kind.to_string());
        self.run(
            "INSERT INTO twinset.backup_set AS b
               (set_guid, family, fork, database, server, kind, first_lsn, last_lsn)
             VALUES ($1, $2, $3, $4, $5, $6, CAST(CAST($7 AS text) AS numeric),
               CAST(CAST($8 AS text) AS numeric))
             ON CONFLICT (set_guid) DO UPDATE SET
               family = coalesce(b.family, excluded.family),
               fork = coalesce(b.fork, excluded.fork),
               database = coalesce(b.database, excluded.database),
               server = coalesce(b.server, excluded.server),
               kind = coalesce(b.kind, excluded.kind),
               first_lsn = coalesce(b.first_lsn, excluded.first_lsn),
               last_lsn = coalesce(b.last_lsn, excluded.last_lsn)",
            &[
                &guid,
                &set.family,
                &set.fork,
                &set.database,
                &set.server,
                &kind,
                &set.first_lsn,
                &set.last_lsn,
            ],
        )
        .await
        .map(drop)
    }

    /// A run that ended.
    pub(super) async fn ended(&mut self, run: &RunTold) -> Result<(), Error> {
        let (agent, epoch) = (self.agent, self.epoch);
        self.run(
            "INSERT INTO twinset.run (agent, run, epoch, key, database, what, state, started, ended,
               bytes, note)
             VALUES ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8), to_timestamp($9), $10, $11)
             ON CONFLICT (agent, run) DO UPDATE SET
               epoch = excluded.epoch, key = excluded.key, database = excluded.database,
               what = excluded.what, state = excluded.state, started = excluded.started,
               ended = excluded.ended, bytes = excluded.bytes, note = excluded.note",
            &[
                &agent,
                &run.run.0,
                &epoch,
                &run.key,
                &run.database,
                &run.what,
                &run.state,
                &seconds(run.started),
                &run.ended.map(seconds),
                &signed(run.bytes),
                &run.note,
            ],
        )
        .await
        .map(drop)
    }

    /// An alert as it stands.
    pub(super) async fn alert(&mut self, alert: &AlertTold) -> Result<(), Error> {
        let (agent, epoch) = (self.agent, self.epoch);
        self.run(
            "INSERT INTO twinset.alert (agent, id, epoch, code, object, severity, message, remedy,
               scope, database, first, resolved, by_hand)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, to_timestamp($11),
               to_timestamp($12), $13)
             ON CONFLICT (agent, id) DO UPDATE SET
               epoch = excluded.epoch, code = excluded.code, object = excluded.object,
               severity = excluded.severity, message = excluded.message,
               remedy = excluded.remedy, scope = excluded.scope, database = excluded.database,
               first = excluded.first, resolved = excluded.resolved, by_hand = excluded.by_hand",
            &[
                &agent,
                &alert.id,
                &epoch,
                &alert.code,
                &alert.object,
                &alert.severity.word(),
                &alert.message,
                &alert.remedy,
                &alert.group,
                &alert.database,
                &seconds(alert.first),
                &alert.resolved.map(seconds),
                &alert.by_hand,
            ],
        )
        .await
        .map(drop)
    }

    /// An integrity check.
    pub(super) async fn check(&mut self, check: &CheckTold) -> Result<(), Error> {
        let (agent, epoch) = (self.agent, self.epoch);
        self.run(
            "INSERT INTO twinset.integrity (agent, id, epoch, database, instance, depth, outcome,
               found, began, ended)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9), to_timestamp($10))
             ON CONFLICT (agent, id) DO UPDATE SET
               epoch = excluded.epoch, database = excluded.database,
               instance = excluded.instance, depth = excluded.depth, outcome = excluded.outcome,
               found = excluded.found, began = excluded.began, ended = excluded.ended",
            &[
                &agent,
                &check.id,
                &epoch,
                &check.database,
                &check.instance,
                &check.depth.to_string(),
                &check.outcome,
                &check.found,
                &seconds(check.began),
                &seconds(check.ended),
            ],
        )
        .await
        .map(drop)
    }

    /// A protected database.
    pub(super) async fn member(&mut self, member: &MemberTold) -> Result<(), Error> {
        let (agent, epoch) = (self.agent, self.epoch);
        self.run(
            "INSERT INTO twinset.member (agent, scope, database, epoch, family, state, text,
               exposed, served_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (agent, scope, database) DO UPDATE SET
               epoch = excluded.epoch, family = excluded.family, state = excluded.state,
               text = excluded.text, exposed = excluded.exposed, served_by = excluded.served_by",
            &[
                &agent,
                &member.group,
                &member.database,
                &epoch,
                &member.family,
                &member.state,
                &member.text,
                &member.exposed,
                &member.served_by,
            ],
        )
        .await
        .map(drop)
    }
}

/// As the media and every `--json` write it.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn seconds(moment: Moment) -> f64 {
    // Whole seconds of these years are exact.
    moment.0.clamp(YEARS.0, YEARS.1) as f64
}
