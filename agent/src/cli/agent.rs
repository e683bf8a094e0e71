//! `twinset agent`: who this agent is. Works where nothing else does, on a cloned host.

use std::path::Path;

use serde::Serialize;
use twinset_domain::Exit;

use super::args::AgentVerb;
use crate::config;
use crate::report::Output;
use crate::state::identity::{self, Shown};

#[derive(Serialize)]
struct Told {
    name: String,
    #[serde(flatten)]
    identity: Shown,
}

/// Runs one of the verbs.
pub(super) fn agent(file: &Path, verb: AgentVerb, output: &Output) -> Exit {
    let config = match config::load(file) {
        Ok(config) => config,
        Err(faults) => return output.finish_faults(&faults),
    };
    let folder = &config.agent.state_dir;
    match verb {
        AgentVerb::Show => match identity::show(folder) {
            Ok(identity) => {
                output.line(format!("agent {} ({})", config.agent.name, identity.agent));
                let exit = if identity.of_this_machine {
                    Exit::Done
                } else {
                    output.line("made on another machine: run twinset agent renew-id");
                    Exit::Refused
                };
                let name = config.agent.name.clone();
                output.finish(Ok((exit, Told { name, identity })))
            }
            Err(fault) => output.finish::<()>(Err(fault)),
        },
        AgentVerb::RenewId { yes } => {
            let renewed = identity::renew(folder, yes);
            if let Ok(renewed) = &renewed {
                output.line(format!(
                    "agent {} is now {}; old identity and catalog: {}",
                    renewed.old,
                    renewed.new,
                    renewed.kept.display()
                ));
                output.line("format new media sets, on paths of their own ({agent})");
            }
            output.finish(renewed.map(|renewed| (Exit::Done, renewed)))
        }
    }
}
