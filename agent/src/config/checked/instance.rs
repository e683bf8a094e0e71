//! `[instances.NAME]`.

use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use twinset_domain::system::HERE;
use twinset_domain::{Fault, grants};

use super::Check;
use super::password::password;
use crate::config::raw::InstanceTable;
use crate::config::secret::SecretRef;
use crate::config::source::Place;
use crate::sqlserver::settings::InstanceSettings;
use crate::sqlserver::settings::{
    self, DEFAULT_CONNECT_RETRY, DEFAULT_CONNECT_TIMEOUT, DEFAULT_FINISH_TIMEOUT,
    DEFAULT_OPEN_TIMEOUT, DEFAULT_QUERY_TIMEOUT, DEFAULT_VDI_LIBRARY,
};

pub use crate::sqlserver::settings::{Encrypt, Endpoint as Address};

/// SQL Server's port when none is named.
const DEFAULT_PORT: u16 = 1433;

/// A SQL Server instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its name in the configuration.
    pub name: String,
    /// Host name or address, IPv6 without brackets.
    pub host: String,
    /// Port, or the name that SQL Server Browser knows.
    pub address: Address,
    /// How the agent logs in.
    pub auth: Auth,
    /// What is encrypted.
    pub encrypt: Encrypt,
    /// Authorities (PEM) besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Name expected in the certificate, when it is not `host`.
    pub server_name: Option<String>,
    /// Accept any certificate.
    pub trust_server_certificate: bool,
    /// Bounds of everything that waits for the server.
    pub waits: Waits,
    /// SQL Server's VDI library.
    pub vdi_library: PathBuf,
    /// Name of the agent that serves it.
    pub agent: String,
    /// Where it stands.
    pub place: Place,
}

/// Bounds of everything that waits for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// One connection attempt.
    pub connect: Duration,
    /// All attempts at the start of a run.
    pub connect_retry: Duration,
    /// One short statement.
    pub query: Duration,
    /// The opening of virtual devices.
    pub open: Duration,
    /// The end of BACKUP behind its devices.
    pub finish: Duration,
}

/// How the agent logs in, and where the password lies.
pub type Auth = settings::Auth<SecretRef>;

impl Instance {
    /// What a connection needs, password included.
    ///
    /// # Errors
    /// As [`SecretRef::resolve`].
    pub fn settings(&self) -> Result<InstanceSettings, Fault> {
        Ok(InstanceSettings {
            name: self.name.clone(),
            host: self.host.clone(),
            endpoint: self.address.clone(),
            auth: self.auth.with(SecretRef::resolve)?,
            encrypt: self.encrypt,
            ca_file: self.ca_file.clone(),
            server_name: self.server_name.clone(),
            trust_server_certificate: self.trust_server_certificate,
            vdi_library: self.vdi_library.clone(),
            connect_timeout: self.waits.connect,
            connect_retry: self.waits.connect_retry,
            query_timeout: self.waits.query,
            open_timeout: self.waits.open,
            finish_timeout: self.waits.finish,
            agent: None,
        })
    }
}

/// Judges one instance; `None` when it cannot be used at all.
pub(crate) fn instance(
    check: &mut Check<'_>,
    name: &Spanned<String>,
    raw: InstanceTable,
) -> Option<Instance> {
    check.text(&raw.host, "host", 255);
    let address = address(check, &raw);
    let auth = auth(check, name, &raw);
    let encrypt = check.choice(
        &raw.encrypt,
        "encrypt",
        &[
            ("strict", Encrypt::Strict),
            ("required", Encrypt::Required),
            ("login-only", Encrypt::LoginOnly),
            ("off", Encrypt::Off),
        ],
        Encrypt::Required,
    );
    let trust = certificate(check, &raw);
    let waits = waits(check, &raw);
    if let Some(agent) = &raw.agent {
        check.name(agent, "an agent");
    }
    let path = |value: Spanned<String>| check.file.resolve(value.get_ref());
    let host = raw.host.into_inner();
    Some(Instance {
        name: name.get_ref().clone(),
        host: host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned(),
        address,
        auth: auth?,
        encrypt,
        ca_file: raw.ca_file.map(path),
        server_name: raw.server_name.map(Spanned::into_inner),
        trust_server_certificate: trust,
        waits,
        vdi_library: raw
            .vdi_library
            .map_or_else(|| PathBuf::from(DEFAULT_VDI_LIBRARY), path),
        agent: raw
            .agent
            .map_or_else(|| name.get_ref().clone(), Spanned::into_inner),
        place: check.file.place(&name.span()),
    })
}

fn waits(check: &mut Check<'_>, raw: &InstanceTable) -> Waits {
    let second = Duration::from_secs(1);
    let (minutes, hour, day) = (second * 600, second * 3600, second * 86_400);
    Waits {
        connect: check.duration(
            &raw.connect_timeout,
            "connect_timeout",
            second..=minutes,
            DEFAULT_CONNECT_TIMEOUT,
        ),
        connect_retry: check.duration(
            &raw.connect_retry,
            "connect_retry",
            Duration::ZERO..=hour,
            DEFAULT_CONNECT_RETRY,
        ),
        query: check.duration(
            &raw.query_timeout,
            "query_timeout",
            second..=hour,
            DEFAULT_QUERY_TIMEOUT,
        ),
        open: check.duration(
            &raw.open_timeout,
            "open_timeout",
            second..=day,
            DEFAULT_OPEN_TIMEOUT,
        ),
        finish: check.duration(
            &raw.finish_timeout,
            "finish_timeout",
            second..=day,
            DEFAULT_FINISH_TIMEOUT,
        ),
    }
}

/// Port or instance name, never both: the Browser would be asked on the wrong port.
fn address(check: &mut Check<'_>, raw: &InstanceTable) -> Address {
    if let (Some(_), Some(instance)) = (&raw.port, &raw.instance) {
        let message = "`port` and `instance` contradict each other";
        check.bad(
            &instance.span(),
            message,
            "keep `port`; the instance is found by it alone",
        );
    }
    match &raw.instance {
        Some(instance) => {
            check.text(instance, "instance", 128);
            Address::Instance(instance.get_ref().clone())
        }
        None => Address::Port(check.number(&raw.port, "port", 1..=u16::MAX, DEFAULT_PORT)),
    }
}

/// A login of SQL Server or an account of Windows, and exactly one way to its password; or the
/// account that the agent runs under, which needs none.
fn auth(check: &mut Check<'_>, name: &Spanned<String>, raw: &InstanceTable) -> Option<Auth> {
    let choices = [("sql", false), ("windows", true)];
    let windows = check.choice(&raw.auth, "auth", &choices, false);
    if let (true, false, Some(auth)) = (windows, HERE.windows_logins, &raw.auth) {
        // The proof would be the system's own (SSPI): there is none to build in on Linux, and NTLM
        // with a stored password is no better than a login of SQL Server.
        let remedy = "use `auth = \"sql\"` with a login of SQL Server and `encrypt = \"strict\"` or \
                      `\"required\"`; `twinset grants` prints the login and its rights";
        check.bad(
            &auth.span(),
            "`auth = \"windows\"` is for agents on Windows",
            remedy,
        );
        return None;
    }
    let keys = [
        ("password_file", &raw.password_file),
        ("password_env", &raw.password_env),
        ("password_credential", &raw.password_credential),
    ];
    let user = raw.user.as_ref();
    if windows && user.is_none() && keys.iter().all(|(_, key)| key.is_none()) {
        return Some(Auth::Own);
    }
    match user {
        Some(user) if windows && !grants::is_of_windows(user.get_ref()) => check.bad(
            &user.span(),
            format!("\"{}\" is no account of Windows", user.get_ref()),
            "write DOMAIN\\user, in single quotes; or leave user and password out: then it is the \
             account that the agent runs under",
        ),
        Some(user) => check.text(user, "user", 128),
        None => check.bad(&name.span(), "`user` is missing", "add `user = \"...\"`"),
    }
    let password = password(check, &name.span(), keys)?;
    let user = user?.get_ref().clone();
    Some(match windows {
        true => Auth::Windows { user, password },
        false => Auth::Sql { user, password },
    })
}

/// Trusting everything goes with nothing that says whom to trust.
fn certificate(check: &mut Check<'_>, raw: &InstanceTable) -> bool {
    let Some(trust) = raw
        .trust_server_certificate
        .as_ref()
        .filter(|trust| *trust.get_ref())
    else {
        return false;
    };
    for (key, value) in [("ca_file", &raw.ca_file), ("server_name", &raw.server_name)] {
        if value.is_some() {
            check.bad(
                &trust.span(),
                format!("`trust_server_certificate` contradicts `{key}`"),
                format!("keep `{key}` and remove `trust_server_certificate`"),
            );
        }
    }
    true
}
