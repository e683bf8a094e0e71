//! `twinset catalog push` and `schema`: the view of all agents.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use twinset_domain::alert::Alert;
use twinset_domain::fleet::{Tag, Tries, is_long};
use twinset_domain::{Exit, Fault, code};

use super::interrupt;
use crate::alerts;
use crate::catalog::{Catalog, Sharing};
use crate::clock;
use crate::config::{self, Config, Shared};
use crate::fleet::{self, Planned, Pushed, Teller};
use crate::report::{Output, utc};
use crate::state::StateDir;

#[derive(Serialize)]
#[serde(untagged)]
enum Done {
    Pushed(Pushed),
    Planned(Planned),
}

/// Tells everything that waits; the service does so through this verb. `older`: what is faulty in
/// the files holds as it was last sound.
pub(super) fn push(file: &Path, dry_run: bool, older: bool, output: &Output) -> Exit {
    let config = match older {
        true => config::standing(file).map(|standing| standing.config),
        false => config::load(file),
    };
    let config = match config {
        Ok(config) => config,
        Err(faults) => return output.finish_faults(&faults),
    };
    let done = match shared(&config) {
        Ok(shared) if dry_run => plan(&config, shared, output).map(Done::Planned),
        Ok(shared) => tell(&config, shared, output).map(Done::Pushed),
        Err(fault) => Err(fault),
    };
    output.finish(done.map(|done| (Exit::Done, done)))
}

/// The shared catalog of the configuration.
pub(super) fn shared(config: &Config) -> Result<&Shared, Fault> {
    config.shared.as_ref().ok_or_else(|| {
        Fault::new(
            code::USAGE,
            config.file.display().to_string(),
            "no shared catalog is configured",
        )
        .remedy("add [shared_catalog] with `host`, `user` and `password_file`")
    })
}

fn plan(config: &Config, shared: &Shared, output: &Output) -> Result<Planned, Fault> {
    let state = StateDir::open(&config.agent.state_dir)?;
    let catalog = Catalog::open(state.path())?;
    let teller = Teller {
        agent: state.agent,
        name: &config.agent.name,
    };
    let planned = fleet::plan(&catalog, shared, teller)?;
    if planned.tables.is_none() {
        output.line("the tables would be made");
    }
    match (planned.anew, planned.events) {
        (Some(why), _) => output.line(format!("everything would be told anew: {why}")),
        (None, events) => output.line(format!("{} events would be told", events.unwrap_or(0))),
    }
    Ok(planned)
}

fn tell(config: &Config, shared: &Shared, output: &Output) -> Result<Pushed, Fault> {
    let state = StateDir::open(&config.agent.state_dir)?;
    let Some(_lock) = state.lock_push()? else {
        let message = "another process of this agent tells it just now";
        return Err(Fault::new(code::STATE_LOCKED, shared.object(), message)
            .remedy("nothing needs to be done: it tells everything that waits"));
    };
    let mut catalog = Catalog::open(state.path())?;
    let teller = Teller {
        agent: state.agent,
        name: &config.agent.name,
    };
    let pushed = fleet::push(&mut catalog, shared, teller, interrupt::flag());
    let failed = pushed.as_ref().err();
    // Of what chance is made does not matter: pauses of many agents are to differ.
    let chance = Tag::random().0.as_fields().0;
    let now = clock::now();
    let tries = fleet::note(&mut catalog, failed, chance, now)?;
    match failed {
        None => {
            catalog.resolve(code::SHARED_BEHIND, fleet::OBJECT, now)?;
        }
        Some(fault) if is_long(&tries, seconds(shared.alert_after), now) => {
            alerts::raise(&mut catalog, &behind(fault, &tries), now)?;
        }
        Some(_) => {}
    }
    let pushed = pushed?;
    if let Some(why) = pushed.anew {
        output.line(format!("everything was told anew: {why}"));
    }
    output.line(format!(
        "{} events told, up to {} of epoch {}",
        pushed.events, pushed.last, pushed.epoch
    ));
    Ok(pushed)
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

fn behind(fault: &Fault, tries: &Tries) -> Alert {
    let since = tries.silent.map_or_else(|| "long".to_owned(), utc);
    let message = format!(
        "the shared catalog has not been told anything since {since}, what it shows of this agent \
         is old: {} {}: {}",
        fault.code, fault.object, fault.message
    );
    Alert::new(code::SHARED_BEHIND, fleet::OBJECT, message).remedy(&fault.remedy)
}

/// How far the shared catalog was told, for people.
pub(super) fn line(sharing: &Sharing) -> String {
    let reached = sharing.tries.reached.map(utc);
    let waiting = match (sharing.waiting, sharing.since) {
        (Some(0), _) => "nothing waits".to_owned(),
        (Some(events), Some(since)) => format!("{events} events wait since {}", utc(since)),
        (Some(events), None) => format!("{events} events wait"),
        (None, _) => "everything is told at the next meeting".to_owned(),
    };
    match (&sharing.fault, reached) {
        (Some(fault), reached) => {
            let since = sharing.tries.silent.map_or_else(|| "now".to_owned(), utc);
            let told = reached.map_or_else(|| "never told".to_owned(), |at| format!("told {at}"));
            let (code, message) = (fault.code, &fault.message);
            format!("shared catalog: fails since {since}: {code} {message}; {told}, {waiting}")
        }
        (None, Some(reached)) => format!("shared catalog: told {reached}, {waiting}"),
        (None, None) => format!("shared catalog: never told, {waiting}"),
    }
}

/// Prints the tables.
pub(super) fn schema(output: &Output) -> Exit {
    let sql = fleet::schema::script();
    output.line(sql.trim_end());
    let version = fleet::schema::VERSION;
    output.finish(Ok((Exit::Done, json!({ "version": version, "sql": sql }))))
}
