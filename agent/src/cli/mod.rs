//! The command line: one function per verb, wired here.

mod adopt;
mod agent;
mod alerts;
pub mod args;
mod backup;
mod catalog;
mod check;
mod chosen;
mod config;
mod context;
mod device;
mod doctor;
mod fleet;
mod format;
mod grants;
mod init;
mod instance;
mod integrity;
mod interrupt;
mod key;
mod media;
mod morning;
mod owner;
mod plan;
mod plugin;
mod recover;
mod repair;
mod restore;
mod retention;
mod service;
mod share;
mod show;
mod spool;
mod stage;
mod status;
mod stored;
mod system;
mod verify;

use std::path::Path;

use twinset_domain::{Exit, Fault};

use crate::report::Output;
use args::{Args, CatalogVerb, ConfigVerb, GroupVerb, MediaVerb, Verb};
use context::Context;

/// Does what was typed and tells how the process ends.
#[must_use]
pub fn run(args: Args) -> Exit {
    let output = Output::new(args.json, args.no_progress);
    if args.attended {
        interrupt::when_unattended();
    }
    let file = args.config.as_path();
    match args.verb {
        Verb::Init(order) => init::init(file, *order, &output),
        Verb::Config(ConfigVerb::Check) => config::check(file, &output),
        Verb::Backup(order) => within_as(args.attended, file, &output, |context| {
            context.attended(args.attended);
            backup::backup(context, &order, &output)
        }),
        Verb::Check(order) => within_as(args.attended, file, &output, |context| {
            context.attended(args.attended);
            check::check(context, &order, &output)
        }),
        Verb::Integrity(order) => within_as(args.attended, file, &output, |context| {
            integrity::integrity(context, &order, &output)
        }),
        Verb::Media(MediaVerb::Show {
            device: Some(device),
            plugin,
            ..
        }) => device::show_alone(file, &plugin.unwrap_or_default(), &device, &output),
        Verb::Media(verb) => within_as(args.attended, file, &output, |context| {
            media::media(context, verb, &output)
        }),
        Verb::Restore(verb) => within(file, &output, |context| {
            restore::restore(context, verb, &output)
        }),
        Verb::Run => service::run(file, &output),
        Verb::Group(GroupVerb::Protect { name, database }) => within(file, &output, |context| {
            format::format_group(context, &name, database.as_deref(), &output)
        }),
        Verb::Group(GroupVerb::Adopt(order)) => within(file, &output, |context| {
            adopt::adopt(context, &order, &output)
        }),
        Verb::Group(verb) => beside(file, &output, |dir| service::group(dir, verb, &output)),
        Verb::Jobs => beside(file, &output, |dir| service::jobs(dir, &output)),
        Verb::Cancel { job } => beside(file, &output, |dir| service::cancel(dir, job, &output)),
        Verb::History { group, last } => beside(file, &output, |dir| {
            service::history(dir, group.as_deref(), last, &output)
        }),
        Verb::Status { group } => within_as(true, file, &output, |context| {
            status::status(context, group.as_deref(), &output)
        }),
        Verb::Report { since } => within(file, &output, |context| {
            morning::report(context, since, &output)
        }),
        Verb::Catalog(CatalogVerb::Push { dry_run }) => {
            share::push(file, dry_run, args.attended, &output)
        }
        Verb::Fleet(verb) => fleet::fleet(file, &verb, &output),
        Verb::Catalog(CatalogVerb::Schema) => share::schema(&output),
        Verb::Catalog(CatalogVerb::Show { set }) => within(file, &output, |context| {
            catalog::show(context, set.as_deref(), &output)
        }),
        Verb::Catalog(CatalogVerb::Rebuild { set, database, .. }) => {
            within(file, &output, |context| {
                catalog::rebuild(context, set.as_deref(), database.as_deref(), &output)
            })
        }
        Verb::Instance(verb) => instance::instance(file, &verb, &output),
        Verb::Alerts(verb) => alerts::alerts(file, verb, &output),
        Verb::Plan(order) => plan::plan(file, &order, &output),
        Verb::Doctor(order) => doctor::doctor(file, &order, &output),
        Verb::Grants(order) => grants::grants(file, &order, &output),
        Verb::Plugin(verb) => plugin::plugin(file, verb, &output),
        Verb::Key(verb) => key::key(file, verb, &output),
        Verb::Agent(verb) => agent::agent(file, verb, &output),
        Verb::System(verb) => system::run(file, verb, output),
    }
}

/// Runs a verb that asks the service: the files may have become faulty since it read them.
fn beside(file: &Path, output: &Output, verb: impl FnOnce(&Path) -> Result<Exit, Fault>) -> Exit {
    match crate::config::state_dir(file) {
        Err(faults) => output.finish_faults(&faults),
        Ok(folder) => match verb(&folder) {
            Ok(exit) => exit,
            Err(fault) => output.finish::<()>(Err(fault)),
        },
    }
}

/// Runs a verb that needs configuration, state and catalog.
fn within(
    file: &Path,
    output: &Output,
    verb: impl FnOnce(&mut Context) -> Result<Exit, Fault>,
) -> Exit {
    within_as(false, file, output, verb)
}

/// The same; `older`: what is faulty holds as it was last sound.
fn within_as(
    older: bool,
    file: &Path,
    output: &Output,
    verb: impl FnOnce(&mut Context) -> Result<Exit, Fault>,
) -> Exit {
    let opened = if older {
        Context::open_standing(file, output)
    } else {
        Context::open(file, output)
    };
    let mut context = match opened {
        Ok(context) => context,
        Err(faults) => return output.finish_faults(&faults),
    };
    match verb(&mut context) {
        Ok(exit) => exit,
        Err(fault) => output.finish::<()>(Err(fault)),
    }
}
