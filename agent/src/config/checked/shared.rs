//! `[shared_catalog]` of `agent.toml`: the view of all agents.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use twinset_domain::fleet::ABSENCE;

use super::Check;
use super::password::password;
use crate::config::raw::SharedTable;
use crate::config::secret::SecretRef;

/// PostgreSQL's port when none is named.
const PORT: u16 = 5432;
/// Name of the database when the file does not say.
const DATABASE: &str = "twinset";
/// How long a connection, or one answer, may take when the file does not say.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Longest name in PostgreSQL, in bytes.
const MAX_NAME: usize = 63;

/// Where the shared catalog is, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Host name or address, IPv6 without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Database.
    pub database: String,
    /// Role.
    pub user: String,
    /// Where its password lies.
    pub password: SecretRef,
    /// TLS, with a certificate that is checked. Only a server on this host can be reached without.
    pub encrypted: bool,
    /// Authorities (PEM) instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Name expected in the certificate, when it is not `host`.
    pub server_name: Option<String>,
    /// How long a connection, or one answer, may take.
    pub timeout: Duration,
    /// Absence behind which an alert is raised.
    pub alert_after: Duration,
}

impl Shared {
    /// Where it is, for people: never with a secret.
    #[must_use]
    pub fn object(&self) -> String {
        format!(
            "shared catalog {} at {}:{}",
            self.database, self.host, self.port
        )
    }
}

/// Judges the table; `None` where there is none, or none that can be used.
pub(crate) fn shared(check: &mut Check<'_>, raw: Option<Spanned<SharedTable>>) -> Option<Shared> {
    let raw = raw?;
    let (whole, raw) = (raw.span(), raw.into_inner());
    let second = Duration::from_secs(1);
    check.text(&raw.host, "host", 255);
    check.text(&raw.user, "user", MAX_NAME);
    if let Some(database) = &raw.database {
        check.text(database, "database", MAX_NAME);
    }
    let port = check.number(&raw.port, "port", 1..=u16::MAX, PORT);
    let words = [("required", true), ("off", false)];
    let encrypted = check.choice(&raw.encrypt, "encrypt", &words, true);
    let host = raw.host.get_ref().trim_matches(['[', ']']).to_owned();
    if let (false, Some(encrypt)) = (encrypted, &raw.encrypt) {
        open(check, encrypt, &host, &raw);
    }
    let timeout = check.duration(&raw.timeout, "timeout", second..=second * 300, TIMEOUT);
    let absence = Duration::from_secs(ABSENCE.unsigned_abs());
    let range = Duration::ZERO..=second * 86_400 * 30;
    let alert_after = check.duration(&raw.alert_after, "alert_after", range, absence);
    let password = password(
        check,
        &whole,
        [
            ("password_file", &raw.password_file),
            ("password_env", &raw.password_env),
            ("password_credential", &raw.password_credential),
        ],
    );
    let ca_file = raw.ca_file.as_ref();
    Some(Shared {
        port,
        database: raw
            .database
            .map_or_else(|| DATABASE.to_owned(), Spanned::into_inner),
        user: raw.user.into_inner(),
        password: password?,
        encrypted,
        ca_file: ca_file.map(|value| check.file.resolve(value.get_ref())),
        server_name: raw.server_name.map(Spanned::into_inner),
        timeout,
        alert_after,
        host,
    })
}

/// Without TLS the password of the role, names and messages would be for everybody to read.
fn open(check: &mut Check<'_>, encrypt: &Spanned<String>, host: &str, raw: &SharedTable) {
    let address = host.parse::<IpAddr>();
    let is_here = host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.is_loopback());
    if !is_here {
        let message = "`encrypt = \"off\"` is for a server on this host alone";
        let remedy = "leave it out; `ca_file` names the authority of a certificate of your own";
        check.bad(&encrypt.span(), message, remedy);
    }
    for (key, value) in [("ca_file", &raw.ca_file), ("server_name", &raw.server_name)] {
        if let Some(value) = value {
            let message = format!("`{key}` contradicts `encrypt = \"off\"`");
            check.bad(&value.span(), message, "remove one of the two");
        }
    }
}
