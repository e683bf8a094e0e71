//! What a connection to one instance needs to know; filled by the configuration.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use twinset_domain::AgentId;

use super::secret::Secret;

/// Time for resolving, TCP connect, TLS and login, each, when the configuration names none.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a run goes on trying to connect when the configuration does not say.
pub const DEFAULT_CONNECT_RETRY: Duration = Duration::from_secs(10);
/// Bound of a short statement when the configuration names none.
pub const DEFAULT_QUERY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long SQL Server may take to open virtual devices when the configuration does not say.
pub const DEFAULT_OPEN_TIMEOUT: Duration = Duration::from_secs(300);
/// How long BACKUP may take to end behind its devices when the configuration does not say.
pub const DEFAULT_FINISH_TIMEOUT: Duration = Duration::from_secs(300);
/// Where SQL Server's package puts the VDI library (facts of the Linux VDI specification).
pub const DEFAULT_VDI_LIBRARY: &str = super::os::VDI_LIBRARY;

/// How an instance is found on its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// This TCP port.
    Port(u16),
    /// A named instance; SQL Server Browser (UDP 1434) is asked for its port.
    Instance(String),
}

/// The account that the service runs under. On another host it is that of the machine,
/// `DOMAIN\HOST$`.
const OWN: &str = r"NT AUTHORITY\SYSTEM";

/// How the login proves itself; `P` is its password, or where that lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth<P = Secret> {
    /// A SQL Server login.
    Sql {
        /// Login name.
        user: String,
        /// Its password.
        password: P,
    },
    /// An account of Windows.
    Windows {
        /// `DOMAIN\user`.
        user: String,
        /// Its password.
        password: P,
    },
    /// The account of Windows that this process runs under.
    Own,
}

impl<P> Auth<P> {
    /// The login that SQL Server knows. Of the account that the agent runs under: the service's.
    #[must_use]
    pub fn login(&self) -> &str {
        match self {
            Self::Sql { user, .. } | Self::Windows { user, .. } => user,
            Self::Own => OWN,
        }
    }

    /// The password, if there is one.
    #[must_use]
    pub const fn password(&self) -> Option<&P> {
        match self {
            Self::Sql { password, .. } | Self::Windows { password, .. } => Some(password),
            Self::Own => None,
        }
    }

    /// The same with what becomes of its password.
    ///
    /// # Errors
    /// As `with`.
    pub fn with<Q, E>(&self, with: impl FnOnce(&P) -> Result<Q, E>) -> Result<Auth<Q>, E> {
        let user = self.login().to_owned();
        Ok(match self {
            Self::Sql { password, .. } => Auth::Sql {
                user,
                password: with(password)?,
            },
            Self::Windows { password, .. } => Auth::Windows {
                user,
                password: with(password)?,
            },
            Self::Own => Auth::Own,
        })
    }
}

/// How much of the connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encrypt {
    /// TLS before anything else (TDS 8.0, SQL Server 2022 and later).
    Strict,
    /// Everything from the login on; a server without TLS is refused.
    #[default]
    Required,
    /// The login only; statements and answers go in the clear.
    LoginOnly,
    /// Nothing at all, the password included. Only for servers without TLS.
    Off,
}

/// One SQL Server instance as the agent reaches it.
#[derive(Clone, Debug)]
pub struct InstanceSettings {
    /// Name of the instance in the configuration; the object of faults.
    pub name: String,
    /// Host name or address (IPv6 without brackets).
    pub host: String,
    /// Port or instance name.
    pub endpoint: Endpoint,
    /// The login.
    pub auth: Auth,
    /// Encryption.
    pub encrypt: Encrypt,
    /// PEM file with one or more certificates to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Name the server's certificate must carry, when it is not `host`.
    pub server_name: Option<String>,
    /// Takes any certificate, under any name. For laboratories.
    pub trust_server_certificate: bool,
    /// The VDI library.
    pub vdi_library: PathBuf,
    /// Bound for resolving, TCP connect, and TLS with login, each.
    pub connect_timeout: Duration,
    /// How long a server that cannot be reached is tried again at the start of a run.
    pub connect_retry: Duration,
    /// Bound of a short statement, its answer included.
    pub query_timeout: Duration,
    /// How long SQL Server may take to open the virtual devices of a statement: it may wait for
    /// locks, or behind another backup.
    pub open_timeout: Duration,
    /// How long BACKUP may work on after its last device has closed.
    pub finish_timeout: Duration,
    /// The agent whose sessions these are; stands in their program names, where it lets a later
    /// run know them again. `None` for looks that leave nothing behind.
    pub agent: Option<AgentId>,
}

impl InstanceSettings {
    /// Settings with the defaults of the reference for everything that is not named.
    pub fn new(name: &str, host: &str, endpoint: Endpoint, auth: Auth) -> Self {
        Self {
            name: name.to_owned(),
            host: host.to_owned(),
            endpoint,
            auth,
            encrypt: Encrypt::default(),
            ca_file: None,
            server_name: None,
            trust_server_certificate: false,
            vdi_library: PathBuf::from(DEFAULT_VDI_LIBRARY),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            connect_retry: DEFAULT_CONNECT_RETRY,
            query_timeout: DEFAULT_QUERY_TIMEOUT,
            open_timeout: DEFAULT_OPEN_TIMEOUT,
            finish_timeout: DEFAULT_FINISH_TIMEOUT,
            agent: None,
        }
    }

    /// The same, for sessions that belong to an agent.
    #[must_use]
    pub fn of_agent(mut self, agent: AgentId) -> Self {
        self.agent = Some(agent);
        self
    }

    /// The name that the server's certificate is checked against.
    #[must_use]
    pub fn certificate_name(&self) -> &str {
        self.server_name.as_deref().unwrap_or(&self.host)
    }
}

impl fmt::Display for InstanceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Port(port) if self.host.contains(':') => {
                write!(f, "{} ([{}]:{port})", self.name, self.host)
            }
            Endpoint::Port(port) => write!(f, "{} ({}:{port})", self.name, self.host),
            Endpoint::Instance(instance) => write!(f, "{} ({}\\{instance})", self.name, self.host),
        }
    }
}
