//! Jobs of SQL Server Agent as msdb holds them: only read, nothing runs them.

use serde::Deserialize;

use super::catalog::{Row, Table, msdb};
use super::history::History;
use super::model::Ids;
use super::moment::Moment;

use crate::tds::types::Value;

/// A job as an order names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// name
    pub name: String,
    /// enabled
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The `enabled` of its one schedule; none without it.
    #[serde(default)]
    pub schedule: Option<bool>,
    /// Its steps, from 1.
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// step_name
    pub name: String,
    /// TSQL, CmdExec, SSIS, PowerShell.
    #[serde(default = "tsql")]
    pub subsystem: String,
    /// command
    pub command: String,
}

const fn yes() -> bool {
    true
}

fn tsql() -> String {
    "TSQL".into()
}

/// Puts these jobs in the place of all others.
pub fn put(history: &mut History, jobs: &[Job], ids: &mut Ids, now: Moment) {
    let tables = [
        ("sysjobs", msdb::SYSJOBS),
        ("sysjobsteps", msdb::SYSJOBSTEPS),
        ("sysjobschedules", msdb::SYSJOBSCHEDULES),
        ("sysschedules", msdb::SYSSCHEDULES),
    ];
    let [all, steps, joined, schedules] = tables.map(|(name, columns)| Table::parse(name, columns));
    let mut rows: [Vec<Vec<Value>>; 4] = Default::default();
    for (number, job) in jobs.iter().enumerate() {
        let id = ids.fresh();
        let row = Row::new(&all)
            .set("job_id", id)
            .set("originating_server_id", 0)
            .set("name", job.name.as_str())
            .set("enabled", job.enabled)
            .set("start_step_id", 1)
            .set("category_id", 0)
            .set("date_created", now)
            .set("date_modified", now)
            .set("version_number", 1);
        rows[0].push(row.build());
        for (at, step) in (1_i64..).zip(&job.steps) {
            let row = Row::new(&steps)
                .set("job_id", id)
                .set("step_id", at)
                .set("step_name", step.name.as_str())
                .set("subsystem", step.subsystem.as_str())
                .set("command", step.command.as_str())
                .set("flags", 0)
                .set("database_name", "master");
            rows[1].push(row.build());
        }
        let Some(enabled) = job.schedule else {
            continue;
        };
        let schedule = number as i64 + 1;
        let row = Row::new(&joined)
            .set("schedule_id", schedule)
            .set("job_id", id)
            .set("next_run_date", 0)
            .set("next_run_time", 0);
        rows[2].push(row.build());
        let row = Row::new(&schedules)
            .set("schedule_id", schedule)
            .set("schedule_uid", ids.fresh())
            .set("name", format!("{} schedule", job.name))
            .set("enabled", enabled)
            .set("freq_type", 4)
            .set("freq_interval", 1)
            .set("active_start_time", 10_000);
        rows[3].push(row.build());
    }
    let [all, steps, joined, schedules] = rows;
    history.sysjobs = all;
    history.sysjobsteps = steps;
    history.sysjobschedules = joined;
    history.sysschedules = schedules;
}
