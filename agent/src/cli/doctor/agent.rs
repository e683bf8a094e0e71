//! The agent itself: state folder, identity, keys, plugins.

use twinset_domain::Fault;
use twinset_domain::doctor::{Finding, Level};

use crate::cli::{context, key};
use crate::config::{Config, SealedTo};
use crate::state::identity;

/// What only a run would find out of the agent's own files.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut found = vec![state(config)];
    match key::signer(config) {
        Ok(None) => {}
        Ok(Some(_)) => found.push(Finding::ok("signing key", "it can be read")),
        Err(fault) => found.push(Finding::of(fault)),
    }
    for name in config.plugins.keys() {
        found.push(match context::plugin(config, name, None) {
            Ok(plugin) => {
                let told = plugin.description();
                Finding::ok(
                    format!("plugin {name}"),
                    format!("{} {} is loaded", told.product, told.version),
                )
            }
            Err(fault) => Finding::of(fault),
        });
    }
    found.extend(secrets(config));
    found
}

fn state(config: &Config) -> Finding {
    let folder = &config.agent.state_dir;
    let object = folder.display().to_string();
    match identity::look(folder) {
        Err(fault) => Finding::of(fault),
        Ok(None) => Finding::note(
            object,
            "the state folder has no identity yet: the first run makes both",
        ),
        Ok(Some(shown)) if shown.of_this_machine => {
            Finding::ok(object, format!("agent {} of this machine", shown.agent))
        }
        Ok(Some(shown)) => Finding::failure(
            twinset_domain::code::IDENTITY,
            object,
            format!("agent {} was made on another machine", shown.agent),
        )
        .remedy("twinset agent renew-id, then format new media sets"),
    }
}

/// Passphrases and identities of encrypted media sets.
fn secrets(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    let judged = |object: String, what: &str, read: Result<(), Fault>, level| match read {
        Ok(()) => Finding::ok(object, format!("its {what} can be read")),
        Err(fault) => Finding::of(fault).at(level),
    };
    for (key, set) in &config.media_sets {
        let Some(age) = &set.stored.age else { continue };
        let object = format!("media set {key}");
        if let SealedTo::Passphrase(secret) = &age.to {
            let read = secret.resolve_as("passphrase").map(drop);
            found.push(judged(object.clone(), "passphrase", read, Level::Failure));
        }
        if let Some(secret) = &age.identity {
            // A host that only writes does without.
            let read = secret.resolve_as("identity").map(drop);
            found.push(judged(object, "identity", read, Level::Warning));
        }
    }
    found
}
