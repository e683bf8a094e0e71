//! Receivers, as the configuration names them.

use twinset_domain::Fault;

use super::{Channel, Hook, Program};
use crate::config::{Config, WebhookAddress};

/// The receivers of the configuration, with their secrets.
///
/// # Errors
/// Those of a secret that cannot be read.
pub fn channels(config: &Config) -> Result<Vec<Channel>, Fault> {
    let mut channels = Vec::new();
    let settings = &config.alerts;
    if !settings.command.is_empty() {
        channels.push(Channel::Command(Program {
            line: settings.command.clone(),
            timeout: settings.timeout,
        }));
    }
    if let Some(hook) = &settings.webhook {
        let address = match &hook.address {
            WebhookAddress::Plain(address) => address.clone(),
            WebhookAddress::Secret(file) => file.resolve_as("address")?.expose().to_owned(),
        };
        let token = hook.token.as_ref().map(|token| token.resolve_as("token"));
        channels.push(Channel::Webhook(Hook {
            address,
            token: token.transpose()?.map(|token| token.expose().to_owned()),
            ca_file: hook.ca_file.clone(),
            timeout: settings.timeout,
        }));
    }
    Ok(channels)
}
