//! Receivers, as the configuration names them.

use std::time::Duration;

use twinset_domain::Fault;

use super::{Channel, Hook, Mail, Program, Way};
use crate::config::{Config, MailEncrypt, Smtp, WebhookAddress};

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
    if let Some(smtp) = &settings.smtp {
        channels.push(Channel::Mail(mail(smtp, settings.timeout)?));
    }
    Ok(channels)
}

fn mail(smtp: &Smtp, timeout: Duration) -> Result<Mail, Fault> {
    let login = match &smtp.login {
        None => None,
        Some((user, secret)) => Some((user.clone(), secret.resolve()?.expose().to_owned())),
    };
    Ok(Mail {
        host: smtp.host.clone(),
        port: smtp.port,
        way: match smtp.encrypt {
            MailEncrypt::StartTls => Way::StartTls,
            MailEncrypt::Tls => Way::Tls,
            MailEncrypt::Off => Way::Plain,
        },
        login,
        ca_file: smtp.ca_file.clone(),
        from: smtp.from.clone(),
        to: smtp.to.clone(),
        timeout,
    })
}
