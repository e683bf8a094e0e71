//! `[alerts]` of `agent.toml`: who is told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::mail::{self, Smtp};
use super::{Check, Note};
use crate::config::raw::AlertsTable;
use crate::config::secret::SecretRef;

/// How long a receiver may take when the file does not say.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest address, in characters.
const MAX_ADDRESS: usize = 2048;

/// Where alerts go, besides the log.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// An address that gets JSON.
    pub webhook: Option<Webhook>,
    /// Program with its arguments; empty where there is none.
    pub command: Vec<String>,
    /// Mail.
    pub smtp: Option<Smtp>,
    /// How long a receiver may take.
    pub timeout: Duration,
}

/// A receiver on the web.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its address.
    pub address: Address,
    /// What stands behind `Authorization: Bearer`.
    pub token: Option<SecretRef>,
    /// Authorities that may sign its certificate, instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// Where an address stands.
#[derive(Clone, Debug)]
pub enum Address {
    /// In the configuration.
    Plain(String),
    /// In a file of its own: it is a secret.
    Secret(SecretRef),
}

/// Judges the table.
pub(crate) fn alerts(check: &mut Check<'_>, raw: Option<AlertsTable>) -> Alerts {
    let Some(raw) = raw else {
        return Alerts {
            webhook: None,
            command: Vec::new(),
            smtp: None,
            timeout: TIMEOUT,
        };
    };
    let range = Duration::from_secs(1)..=Duration::from_secs(120);
    let timeout = check.duration(&raw.timeout, "timeout", range, TIMEOUT);
    let webhook = webhook(check, &raw);
    if let Some(command) = &raw.command {
        program(check, command);
    }
    let smtp = raw.smtp.as_ref().and_then(|smtp| mail::smtp(check, smtp));
    Alerts {
        webhook,
        command: raw.command.map(Spanned::into_inner).unwrap_or_default(),
        smtp,
        timeout,
    }
}

fn webhook(check: &mut Check<'_>, raw: &AlertsTable) -> Option<Webhook> {
    let secret = |check: &mut Check<'_>, value: &Spanned<String>, key: &str| {
        check.text(value, key, 4096);
        SecretRef::File(check.secret_file(value))
    };
    let address = match (&raw.webhook, &raw.webhook_file) {
        (Some(plain), other) => {
            if let Some(file) = other {
                let remedy = "keep exactly one of the two";
                check.bad(&file.span(), "`webhook_file` contradicts `webhook`", remedy);
            }
            plain_address(check, plain, raw.webhook_token_file.is_some());
            Address::Plain(plain.get_ref().clone())
        }
        (None, Some(file)) => Address::Secret(secret(check, file, "webhook_file")),
        (None, None) => {
            let more = [&raw.webhook_token_file, &raw.webhook_ca_file];
            for value in more.into_iter().flatten() {
                let remedy = "add `webhook`, or leave this key out";
                check.bad(
                    &value.span(),
                    "there is no webhook that this is for",
                    remedy,
                );
            }
            return None;
        }
    };
    let token = raw.webhook_token_file.as_ref();
    let token = token.map(|value| secret(check, value, "webhook_token_file"));
    let ca_file = raw.webhook_ca_file.as_ref();
    Some(Webhook {
        address,
        token,
        ca_file: ca_file.map(|value| check.file.resolve(value.get_ref())),
    })
}

fn plain_address(check: &mut Check<'_>, value: &Spanned<String>, has_token: bool) {
    check.text(value, "webhook", MAX_ADDRESS);
    let (span, url) = (value.span(), value.get_ref().as_str());
    let (rest, is_open) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, false),
        (_, Some(rest)) => (rest, true),
        _ => {
            let message = "`webhook` is no address of the web";
            check.bad(&span, message, "write https://... (or http://...)");
            return;
        }
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() {
        let message = "`webhook` names no host";
        check.bad(&span, message, "write https://HOST/PATH");
    }
    if host.contains('@') {
        let message = "`webhook` holds a user or a password";
        let remedy = "put a token into a file and name it in `webhook_token_file`";
        check.bad(&span, message, remedy);
    }
    if is_open && !is_loopback(host) {
        if has_token {
            let message = "`webhook` would send its token for everybody to read";
            check.bad(&span, message, "write https://...");
        } else {
            check.notes.push(Note {
                place: check.file.place(&span),
                text: "alerts go over the network for everybody to read; https does not".into(),
            });
        }
    }
}

/// Whether a host with its port is this one.
fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]" | "[:")
}

fn program(check: &mut Check<'_>, value: &Spanned<Vec<String>>) {
    let span = value.span();
    match value.get_ref().first() {
        None => {
            let remedy = "write the program and its arguments, or leave the key out";
            check.bad(&span, "`command` is empty", remedy);
        }
        Some(program) if !Path::new(program).is_absolute() => {
            let message = format!("`command` does not say where \"{program}\" lies");
            check.bad(&span, message, "write the whole path of the program");
        }
        Some(_) => {}
    }
}
