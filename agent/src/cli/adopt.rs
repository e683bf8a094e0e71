//! `twinset group adopt`: takes over from other tools without breaking the chain.

use std::path::PathBuf;

use serde::Serialize;
use twinset_domain::adopt::{self, Found, Outcome, TakeOver};
use twinset_domain::{Exit, Fault, code};

use super::args::{AdoptGroupArgs, BackupArgs, Kind};
use super::backup;
use super::chosen::{chosen, targets};
use super::context::{Context, desk};
use super::media::import_one;
use crate::backup::adopt::look;
use crate::config::Group;
use crate::report::{Output, table};
use crate::sqlserver::{Connector, Purpose, Session, others};

/// What a program is told.
#[derive(Serialize)]
struct Told {
    group: String,
    /// Jobs of other tools.
    jobs: Vec<Found>,
    /// Why they cannot be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    unseen: Option<Fault>,
    databases: Vec<TakeOver>,
    /// Positions of what was taken in, with the media set.
    imported: Vec<Imported>,
    /// What to type next.
    next: String,
}

#[derive(Serialize)]
struct Imported {
    database: String,
    media_set: String,
    position: u64,
    files: Vec<String>,
}

/// Runs the verb.
pub(super) fn adopt(
    context: &mut Context,
    args: &AdoptGroupArgs,
    output: &Output,
) -> Result<Exit, Fault> {
    let (group, settings, names) = chosen(context, &args.name, args.database.as_deref())?;
    let connector = Connector::new(settings, "adopt");
    let mut control = connector.open_once(Purpose::Control)?;
    let (jobs, unseen) = match others::jobs(&mut control) {
        Ok(jobs) => (adopt::find(&jobs), None),
        Err(fault) => (Vec::new(), Some(unseen(fault))),
    };
    print_jobs(&jobs, unseen.as_ref(), output);
    if args.trial {
        return trial(context, args, output);
    }
    let mut found = Vec::new();
    for name in &names {
        let targets = targets(context, &group, name)?;
        let progress = output.progress();
        let mut desk = desk(context, &*progress);
        found.push(look(&mut desk, &targets, name, &mut control)?);
    }
    print(&found, output);
    let mut told = Told {
        group: group.name.clone(),
        jobs,
        unseen,
        databases: found,
        imported: Vec::new(),
        next: next(&group),
    };
    if !args.yes {
        output.line("nothing was touched; --yes takes these files in");
        return Ok(output.finish(Ok((Exit::Done, told))));
    }
    if !args.despite_jobs {
        still_running(&told.jobs)?;
    }
    drop(control);
    let mut faults = take_in(context, &group, &mut told, output);
    // Looked at once more over a new connection: taking in may have lasted for hours.
    faults.extend(proven(
        context,
        &group,
        &told.databases,
        &connector,
        output,
    )?);
    output.line(format!("next: {}", told.next));
    Ok(output.finish_both(Exit::Done, told, &faults))
}

/// The jobs cannot be read: the chain guard would see what they do, but only behind it.
fn unseen(fault: Fault) -> Fault {
    fault.remedy(
        "let the login read msdb.dbo.sysjobs, sysjobsteps, sysjobschedules and sysschedules \
         (GRANT SELECT), or look at the jobs of SQL Server Agent yourself",
    )
}

/// A copy of each database now, beside whatever the other tools do.
fn trial(context: &mut Context, args: &AdoptGroupArgs, output: &Output) -> Result<Exit, Fault> {
    let order = BackupArgs {
        copy_only: true,
        ..BackupArgs::of(&args.name, args.database.clone(), Kind::Full)
    };
    backup::backup(context, &order, output)
}

/// Jobs that go on would break what is taken over.
fn still_running(jobs: &[Found]) -> Result<(), Fault> {
    let running: Vec<&Found> = jobs
        .iter()
        .filter(|job| job.active && job.breaks())
        .collect();
    let Some(first) = running.first() else {
        return Ok(());
    };
    let mut names: Vec<&str> = running.iter().map(|job| job.job.as_str()).collect();
    names.dedup();
    let message = format!(
        "jobs of other tools still take backups: {}",
        names.join(", ")
    );
    Err(
        Fault::new(code::OTHER_JOBS, format!("job {}", first.job), message).remedy(format!(
            "disable them first, each like this: {}; --despite-jobs goes on all the same",
            first.disable.trim_end_matches(';')
        )),
    )
}

/// Takes the files in, database by database; one that fails stops its own database alone.
fn take_in(context: &mut Context, group: &Group, told: &mut Told, output: &Output) -> Vec<Fault> {
    let mut faults = Vec::new();
    for taken in &told.databases {
        for import in &taken.imports {
            let set = group.media_set_of(import.kind);
            let files: Vec<PathBuf> = import.files.iter().map(PathBuf::from).collect();
            match import_one(context, set, &taken.database, &files, output) {
                Ok((finished, degraded)) => {
                    told.imported.push(Imported {
                        database: taken.database.clone(),
                        media_set: set.to_owned(),
                        position: finished.position.get(),
                        files: import.files.clone(),
                    });
                    faults.extend(degraded);
                }
                Err(fault) => {
                    faults.push(fault);
                    break;
                }
            }
        }
    }
    faults
}

/// The chains that are held now must reach far enough.
fn proven(
    context: &mut Context,
    group: &Group,
    databases: &[TakeOver],
    connector: &Connector,
    output: &Output,
) -> Result<Vec<Fault>, Fault> {
    let mut control = connector.open_once(Purpose::Control)?;
    let promised = databases
        .iter()
        .filter(|one| one.outcome == Outcome::GoesOn);
    let reached = promised.map(|one| reaches(context, group, &one.database, &mut control, output));
    Ok(reached.filter_map(Result::err).collect())
}

/// Whether nothing is missing any more.
fn reaches(
    context: &mut Context,
    group: &Group,
    database: &str,
    control: &mut Session,
    output: &Output,
) -> Result<(), Fault> {
    let targets = targets(context, group, database)?;
    let progress = output.progress();
    let mut desk = desk(context, &*progress);
    let now = look(&mut desk, &targets, database, control)?;
    if now.outcome == Outcome::GoesOn && now.imports.is_empty() {
        return Ok(());
    }
    let message = format!("what was taken in is not enough: {}", now.text());
    Err(
        Fault::new(code::CHAIN_BROKEN, format!("database {database}"), message)
            .remedy("the next log backup makes a new base; or run the adoption again"),
    )
}

fn next(group: &Group) -> String {
    format!("twinset backup {} --kind log", group.name)
}

fn print_jobs(jobs: &[Found], unseen: Option<&Fault>, output: &Output) {
    if let Some(fault) = unseen {
        output.warn(format!(
            "jobs cannot be seen: {}: {}; {}",
            fault.code, fault.message, fault.remedy
        ));
        return;
    }
    if jobs.is_empty() {
        output.line("no job of SQL Server Agent takes backups");
        return;
    }
    let row = |job: &Found| {
        let runs = if job.active { "yes" } else { "no" };
        [
            job.job.clone(),
            job.tool.to_string(),
            job.takes(),
            runs.to_owned(),
            job.risk().to_owned(),
        ]
        .to_vec()
    };
    let rows: Vec<Vec<String>> = jobs.iter().map(row).collect();
    let head = ["job", "tool", "takes", "runs", "if it goes on"];
    output.line(table(&head, &rows));
    let stop: Vec<&str> = jobs
        .iter()
        .filter(|job| job.active && job.breaks())
        .map(|job| job.disable.as_str())
        .collect();
    if !stop.is_empty() {
        output.line(format!("to stop them:\n  {}", stop.join("\n  ")));
    }
}

fn print(found: &[TakeOver], output: &Output) {
    for one in found {
        output.line(format!("{}: {}", one.database, one.text()));
        for import in &one.imports {
            output.line(format!("  {} {}", import.kind, import.files.join(", ")));
        }
    }
}
