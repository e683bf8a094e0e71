//! Verbs that run the service, or ask it.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use twinset_domain::protection::Shown;
use twinset_domain::system::HERE;
use twinset_domain::{Exit, Fault, Moment, code};

use super::args::GroupVerb;
use super::context::Context;
use super::interrupt;
use crate::catalog::Catalog;
use crate::clock;
use crate::report::{Output, table, utc};
use crate::service::{self, control, input::Answer, input::Request};

/// `twinset run`.
pub(super) fn run(file: &Path, output: &Output) -> Exit {
    service::run(file, output, interrupt::flag())
}

/// A protected database as it stands.
#[derive(Serialize)]
pub(super) struct Standing {
    pub(super) group: String,
    pub(super) database: String,
    #[serde(flatten)]
    pub(super) shown: Shown,
    pub(super) text: String,
}

/// The protected databases of a group, or of all, as the catalog knows them.
pub(super) fn standings(catalog: &Catalog, group: Option<&str>) -> Result<Vec<Standing>, Fault> {
    let all = catalog.protected()?.into_iter();
    Ok(all
        .filter(|(of, _, _)| group.is_none_or(|group| of == group))
        .map(|(group, database, record)| {
            let shown = record.shown();
            let mut text = shown.to_string();
            if record.is_exposed() {
                text.push_str(
                    "; the principal serves without its partner, its log cannot be \
                               truncated meanwhile",
                );
            }
            for (kind, why) in record.excluded() {
                text.push_str(&format!("; no {kind} backups here: {why}"));
            }
            Standing {
                group,
                database,
                shown,
                text,
            }
        })
        .collect())
}

/// Why what the catalog says of protected databases may be old: no service runs, or it stands still.
/// Nothing where the service never ran.
pub(super) fn stale(state_dir: &Path, catalog: &Catalog) -> Result<Option<Fault>, Fault> {
    if catalog.protected()?.is_empty() {
        return Ok(None);
    }
    Ok(match ask(state_dir, &Request::Status) {
        Ok(answer) => answer.faults.into_iter().next(),
        Err(fault) => Some(fault),
    })
}

/// How that is said.
pub(super) fn stale_line(fault: &Fault) -> String {
    let (code, message) = (fault.code, &fault.message);
    format!("{code} {message}; states are shown as they were last known")
}

/// `twinset group ...`.
pub(super) fn group(state_dir: &Path, verb: GroupVerb, output: &Output) -> Result<Exit, Fault> {
    let request = match verb {
        GroupVerb::List => return list(state_dir, output),
        GroupVerb::Pause {
            name,
            database,
            span,
        } => Request::Pause {
            group: name,
            database,
            until: Moment(clock::now().0.saturating_add(span.seconds)),
        },
        GroupVerb::Resume { name, database } => Request::Resume {
            group: name,
            database,
        },
        // They need more than the service, and are served elsewhere.
        GroupVerb::Protect { name, .. } => return Err(elsewhere(&name)),
        GroupVerb::Adopt(order) => return Err(elsewhere(&order.name)),
        GroupVerb::Unprotect { name, database, .. } => Request::Unprotect {
            group: name,
            database,
        },
        GroupVerb::Reprotect { name, database } => Request::Reprotect {
            group: name,
            database,
        },
    };
    let answer = ask(state_dir, &request)?;
    for line in list_of(&answer, "databases") {
        let word = |key: &str| {
            line.get(key)
                .and_then(Value::as_str)
                .unwrap_or("-")
                .to_owned()
        };
        output.line(format!("{}: {}", word("database"), word("text")));
    }
    finish(answer, output)
}

fn elsewhere(group: &str) -> Fault {
    Fault::new(
        code::INTERNAL,
        format!("group {group}"),
        "the service was asked for a verb of its own",
    )
    .remedy("report this")
}

fn list(state_dir: &Path, output: &Output) -> Result<Exit, Fault> {
    let (standings, stale) = match Catalog::look(state_dir)? {
        Some(catalog) => (standings(&catalog, None)?, stale(state_dir, &catalog)?),
        None => (Vec::new(), None),
    };
    let rows: Vec<Vec<String>> = standings
        .iter()
        .map(|one| vec![one.group.clone(), one.database.clone(), one.text.clone()])
        .collect();
    if rows.is_empty() {
        output.line("the service has protected no database yet");
    } else {
        output.line(table(&["group", "database", "state"], &rows));
    }
    if let Some(fault) = stale {
        output.warn(stale_line(&fault));
    }
    Ok(output.finish(Ok((Exit::Done, standings))))
}

/// `twinset jobs`.
pub(super) fn jobs(state_dir: &Path, output: &Output) -> Result<Exit, Fault> {
    let answer = ask(state_dir, &Request::Jobs)?;
    let rows: Vec<Vec<String>> = list_of(&answer, "jobs")
        .iter()
        .map(|job| {
            let word = |key: &str| match job.get(key) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => "-".to_owned(),
                Some(Value::Object(map)) => map
                    .iter()
                    .map(|(key, value)| format!("{key} {}", value.as_str().unwrap_or_default()))
                    .collect(),
                Some(other) => other.to_string(),
            };
            [
                "job", "what", "group", "database", "why", "queued", "started",
            ]
            .map(word)
            .to_vec()
        })
        .collect();
    if rows.is_empty() {
        output.line("nothing runs, nothing waits");
    } else {
        let head = [
            "job", "what", "group", "database", "why", "queued", "started",
        ];
        output.line(table(&head, &rows));
    }
    finish(answer, output)
}

/// `twinset cancel JOB`.
pub(super) fn cancel(state_dir: &Path, job: u64, output: &Output) -> Result<Exit, Fault> {
    let answer = ask(state_dir, &Request::Cancel { job })?;
    if answer.faults.is_empty() {
        output.line(format!("job {job} stops"));
    }
    finish(answer, output)
}

/// `twinset history`.
pub(super) fn history(
    state_dir: &Path,
    group: Option<&str>,
    last: u32,
    output: &Output,
) -> Result<Exit, Fault> {
    let changes = match Catalog::look(state_dir)? {
        Some(catalog) => catalog.timeline(group, last)?,
        None => Vec::new(),
    };
    let rows: Vec<Vec<String>> = changes
        .iter()
        .map(|one| {
            vec![
                utc(one.at),
                one.group.clone(),
                one.database.clone(),
                one.text.clone(),
            ]
        })
        .collect();
    if rows.is_empty() {
        output.line("nothing has happened yet");
    } else {
        output.line(table(&["when", "group", "database", "what"], &rows));
    }
    Ok(output.finish(Ok((Exit::Done, changes))))
}

/// The check through the service; `None` when none runs.
pub(super) fn check(
    context: &Context,
    group: &str,
    database: &str,
) -> Result<Option<Answer>, Fault> {
    let request = Request::Check {
        group: group.to_owned(),
        database: Some(database.to_owned()),
    };
    control::request(context.state.path(), &request)
}

/// A media set that another run has: which job of the service that is, if it is one.
pub(super) fn named_holder(context: &Context, fault: Fault) -> Fault {
    if context.attended || fault.code != code::STATE_LOCKED {
        return fault;
    }
    let Ok(Some(answer)) = control::request(context.state.path(), &Request::Jobs) else {
        return fault;
    };
    let holds = |job: &&Value| {
        let sets = job.get("media_sets").and_then(Value::as_array);
        let mut sets = sets.into_iter().flatten().filter_map(Value::as_str);
        sets.any(|set| fault.object == format!("media set {set}"))
    };
    let Some(job) = list_of(&answer, "jobs").iter().find(holds) else {
        return fault;
    };
    let word = |key: &str| job.get(key).and_then(Value::as_str).unwrap_or("-");
    let number = job.get("job").and_then(Value::as_u64).unwrap_or(0);
    let text = format!(
        "job {number} of the service has it: group {}, database {} ({})",
        word("group"),
        word("database"),
        word("why")
    );
    fault.cause(text).remedy(format!(
        "wait until it has ended (twinset jobs tells how far it is), or twinset cancel {number}"
    ))
}

/// Asks the service, which must run.
fn ask(path: &Path, request: &Request) -> Result<Answer, Fault> {
    control::request(path, request)?.ok_or_else(|| {
        Fault::new(
            code::NO_SERVICE,
            path.display().to_string(),
            "no service runs here",
        )
        .remedy(format!("start it: {}", HERE.start))
    })
}

fn list_of<'a>(answer: &'a Answer, key: &str) -> &'a [Value] {
    let found = answer
        .result
        .as_ref()
        .and_then(|result| result.get(key)?.as_array());
    found.map_or(&[], Vec::as_slice)
}

/// Ends as the service said.
pub(super) fn finish(answer: Answer, output: &Output) -> Result<Exit, Fault> {
    let exit = Exit::from_code(answer.exit);
    Ok(output.finish_both(exit, answer.result, &answer.faults))
}
