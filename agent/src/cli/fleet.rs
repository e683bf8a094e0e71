//! `twinset fleet`: all agents at one look, as the shared catalog knows them.

use std::path::Path;

use twinset_domain::fleet::{Guarded, Replica, Report};
use twinset_domain::{BackupKind, Exit, Fault};

use super::args::FleetVerb;
use super::share;
use crate::config::{self, Config};
use crate::fleet::view;
use crate::report::{Output, table, utc};

/// Does what was typed.
pub(super) fn fleet(file: &Path, verb: &FleetVerb, output: &Output) -> Exit {
    let config = match config::standing(file) {
        Ok(standing) => standing.config,
        Err(faults) => return output.finish_faults(&faults),
    };
    let done = match verb {
        FleetVerb::Status => status(&config, output),
    };
    output.finish(done.map(|report| (report.exit(), report)))
}

fn status(config: &Config, output: &Output) -> Result<Report, Fault> {
    let report = view::report(share::shared(config)?, &config.agent.name)?;
    let agents: Vec<Vec<String>> = report
        .agents
        .iter()
        .map(|agent| {
            let silent = if agent.silent { "silent" } else { "" };
            vec![
                agent.seen.name.clone(),
                agent.seen.release.clone(),
                utc(agent.seen.heard),
                silent.to_owned(),
            ]
        })
        .collect();
    if agents.is_empty() {
        output.line("no agent has told anything yet");
    } else {
        output.line(table(&["agent", "release", "heard", ""], &agents));
    }
    let databases: Vec<Vec<String>> = report.databases.iter().map(row).collect();
    if !databases.is_empty() {
        let head = ["database", "protection", "full", "differential", "log"];
        output.line(table(&head, &databases));
    }
    for alert in &report.alerts {
        let (severity, since) = (alert.severity, utc(alert.since));
        output.line(format!(
            "{}: {severity} since {since}: {} {}: {}",
            alert.agent, alert.code, alert.object, alert.message
        ));
    }
    Ok(report)
}

fn row(line: &Replica) -> Vec<String> {
    let members = line.members.iter();
    let who = match line.guarded {
        Guarded::Nobody => "nobody's".to_owned(),
        Guarded::Protected => members
            .filter(|one| one.state == "protected")
            .map(|one| match one.exposed {
                true => format!("{} (without its partner)", one.name),
                false => one.name.clone(),
            })
            .collect::<Vec<_>>()
            .join(", "),
        Guarded::NotNow => members
            .map(|one| format!("{}: {}", one.name, one.state))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let newest = |kind: BackupKind| {
        let of_kind = line.last.iter().filter(|last| last.kind == kind);
        let newest = of_kind.filter_map(|last| last.began).max();
        newest.map_or_else(|| "-".to_owned(), utc)
    };
    vec![
        line.database.clone(),
        who,
        newest(BackupKind::Full),
        newest(BackupKind::Differential),
        newest(BackupKind::Log),
    ]
}
