//! The command line: one function per verb, wired here.

mod agent;
pub mod args;
mod backup;
mod catalog;
mod config;
mod context;
mod device;
mod doctor;
mod format;
mod grants;
mod instance;
mod interrupt;
mod key;
mod media;
mod owner;
mod plan;
mod plugin;
mod recover;
mod repair;
mod restore;
mod retention;
mod show;
mod stage;
mod status;
mod stored;
mod verify;

use std::path::Path;

use twinset_domain::{Exit, Fault};

use crate::report::Output;
use args::{Args, ConfigVerb, MediaVerb, Verb};
use context::Context;

/// Does what was typed and tells how the process ends.
#[must_use]
pub fn run(args: Args) -> Exit {
    let output = Output::new(args.json, args.no_progress);
    let file = args.config.as_path();
    match args.verb {
        Verb::Config(ConfigVerb::Check) => config::check(file, &output),
        Verb::Backup(order) => within(file, &output, |context| {
            backup::backup(context, &order, &output)
        }),
        Verb::Media(MediaVerb::Show {
            device: Some(device),
            plugin,
            ..
        }) => device::show_alone(file, &plugin.unwrap_or_default(), &device, &output),
        Verb::Media(verb) => within(file, &output, |context| {
            media::media(context, verb, &output)
        }),
        Verb::Restore(verb) => within(file, &output, |context| {
            restore::restore(context, verb, &output)
        }),
        Verb::Status { group } => within(file, &output, |context| {
            status::status(context, group.as_deref(), &output)
        }),
        Verb::Catalog(verb) => within(file, &output, |context| {
            catalog::catalog(context, verb, &output)
        }),
        Verb::Instance(verb) => instance::instance(file, &verb, &output),
        Verb::Plan(order) => plan::plan(file, &order, &output),
        Verb::Doctor(order) => doctor::doctor(file, &order, &output),
        Verb::Grants(order) => grants::grants(file, &order, &output),
        Verb::Plugin(verb) => plugin::plugin(file, verb, &output),
        Verb::Key(verb) => key::key(file, verb, &output),
        Verb::Agent(verb) => agent::agent(file, verb, &output),
    }
}

/// Runs a verb that needs configuration, state and catalog.
fn within(
    file: &Path,
    output: &Output,
    verb: impl FnOnce(&mut Context) -> Result<Exit, Fault>,
) -> Exit {
    let mut context = match Context::open(file, output) {
        Ok(context) => context,
        Err(faults) => return output.finish_faults(&faults),
    };
    match verb(&mut context) {
        Ok(exit) => exit,
        Err(fault) => output.finish::<()>(Err(fault)),
    }
}
