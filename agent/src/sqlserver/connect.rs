//! Opens connections: resolve, ask Browser, TCP, TLS, login.

use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use tiberius::error::Error;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_util::compat::TokioAsyncWriteCompatExt;
use twinset_domain::stamp::{self, Stamp};
use twinset_domain::{Fault, code};

use super::session::{Session, TdsClient};
use super::settings::{Auth, Encrypt, Endpoint, InstanceSettings};
use super::{browser, fault, os, runtime};

mod ahead;

pub use ahead::Ahead;

/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 8;
/// Times that a server may send us on to another one.
const MAX_ROUTES: u32 = 3;
/// Grace over the driver's own login timeout, which is expected to come first.
const LOGIN_GRACE: Duration = Duration::from_secs(2);
/// Largest CA file that is read, in bytes.
const MAX_CA_FILE: u64 = 1 << 20;
/// Pause before the second attempt; it doubles from one to the next.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// What a connection is for; stands in its program name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Runs the one long statement.
    Work,
    /// Asks for progress and history, and cancels.
    Control,
}

impl Purpose {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Control => "control",
        }
    }
}

/// Opens connections to one instance on behalf of one run.
#[derive(Clone, Debug)]
pub struct Connector {
    settings: InstanceSettings,
    run_id: String,
}

/// An attempt that failed.
struct Failed {
    fault: Box<Fault>,
    /// Another attempt may end otherwise: the server may be starting.
    again: bool,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self {
            fault: Box::new(fault),
            again: false,
        }
    }
}

impl Failed {
    fn passing(fault: Fault) -> Self {
        Self {
            fault: Box::new(fault),
            again: true,
        }
    }
}

impl Connector {
    /// `run_id` stands in the program name of every session (`Twinset work RUN`), followed by the
    /// stamp of agent and process where the settings name the agent.
    pub fn new(settings: InstanceSettings, run_id: impl Into<String>) -> Self {
        Self {
            settings,
            run_id: run_id.into(),
        }
    }

    /// The settings it connects with.
    #[must_use]
    pub fn settings(&self) -> &InstanceSettings {
        &self.settings
    }

    /// This agent and this process, as they stand in the program names of its sessions.
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        let agent = self.settings.agent?;
        let process = os::this_process()?;
        Some(Stamp { agent, process })
    }

    /// Connects to the database `master` and logs in. A server that cannot be reached is tried
    /// again for as long as the settings say; a login that is refused is not. Each attempt takes
    /// at most a few connect timeouts.
    ///
    /// # Errors
    /// `TW4001` not reachable, `TW4002` certificate not trusted, `18456` login refused, `TW1002`
    /// and `TW1003` for settings that cannot be used.
    pub fn open(&self, purpose: Purpose) -> Result<Session, Fault> {
        let limit = self.settings.connect_retry;
        let begun = Instant::now();
        let (mut pause, mut tries) = (FIRST_PAUSE, 1_u32);
        loop {
            let failed = match self.attempt(purpose) {
                Ok(session) => return Ok(session),
                Err(failed) => failed,
            };
            if !failed.again || begun.elapsed() + pause > limit {
                return Err(match tries {
                    1 => *failed.fault,
                    _ => failed
                        .fault
                        .cause(format!("tried {tries} times (connect_retry is {limit:?})")),
                });
            }
            tracing::info!(
                instance = self.settings.name,
                fault = failed.fault.message,
                "tried again"
            );
            thread::sleep(pause);
            pause = (pause * 2).min(MAX_PAUSE);
            tries += 1;
        }
    }

    /// One attempt, whatever `connect_retry` says.
    ///
    /// # Errors
    /// As [`Connector::open`].
    pub fn open_once(&self, purpose: Purpose) -> Result<Session, Fault> {
        self.attempt(purpose).map_err(|failed| *failed.fault)
    }

    fn attempt(&self, purpose: Purpose) -> Result<Session, Failed> {
        let program = stamp::program(purpose.word(), &self.run_id, self.stamp().as_ref());
        let config = self.config(&program)?;
        let client = runtime::runtime()?.block_on(self.connect(config))?;
        // What only asks may be opened again; a work connection is its statement.
        let again = (purpose == Purpose::Control).then(|| self.clone());
        Ok(Session::introduce(client, program, &self.settings, again)?)
    }

    fn config(&self, program: &str) -> Result<Config, Fault> {
        let settings = &self.settings;
        let mut config = Config::new();
        config.database("master");
        config.application_name(program);
        config.encryption(match settings.encrypt {
            Encrypt::Strict => EncryptionLevel::Strict,
            Encrypt::Required => EncryptionLevel::Required,
            Encrypt::LoginOnly => EncryptionLevel::Off,
            Encrypt::Off => EncryptionLevel::NotSupported,
        });
        config.authentication(self.proof()?);
        config.handshake_timeout(Some(settings.connect_timeout));
        // Long statements are silent for hours; short ones get a bound of ours.
        config.command_timeout(None);
        match (&settings.ca_file, settings.trust_server_certificate) {
            (Some(_), true) => {
                return Err(Fault::new(
                    code::CONFIG_VALUE,
                    settings.to_string(),
                    "ca_file and trust_server_certificate contradict each other",
                )
                .remedy("keep ca_file and remove trust_server_certificate"));
            }
            (Some(path), false) => config.trust_cert_ca_bundle(read_ca(path)?),
            (None, true) => config.trust_cert(),
            (None, false) => {}
        }
        Ok(config)
    }

    /// A password, or what Windows proves.
    fn proof(&self) -> Result<AuthMethod, Fault> {
        let account = match &self.settings.auth {
            Auth::Sql { user, password } => {
                return Ok(AuthMethod::sql_server(user, password.expose()));
            }
            Auth::Windows { user, password } => Some((user.as_str(), password.expose())),
            Auth::Own => None,
        };
        os::windows_login(account).ok_or_else(|| {
            let message = "accounts of Windows log in from Windows alone";
            Fault::new(code::CONFIG_VALUE, self.settings.to_string(), message)
                .remedy("use `auth = \"sql\"`")
        })
    }

    async fn connect(&self, config: Config) -> Result<TdsClient, Failed> {
        let settings = &self.settings;
        let mut host = settings.host.clone();
        let mut endpoint = settings.endpoint.clone();
        for _ in 0..=MAX_ROUTES {
            let (stream, port) = self.dial(&host, &endpoint).await?;
            let mut config = config.clone();
            config.host(&host);
            config.port(port);
            config.hostname_in_certificate(settings.server_name.as_deref().unwrap_or(&host));
            let login = Client::connect(config, stream.compat_write());
            let bound = settings.connect_timeout + LOGIN_GRACE;
            match timeout(bound, login).await {
                Ok(Ok(client)) => return Ok(client),
                Ok(Err(Error::Routing { host: next, port })) => {
                    host = next;
                    endpoint = Endpoint::Port(port);
                }
                Ok(Err(error)) => {
                    let fault = fault::login(settings, &error);
                    // A server that starts or stops resets connections, or says so.
                    let again = fault.code == code::SQL_CONNECT
                        && matches!(error, Error::Io { .. } | Error::Server(_));
                    let fault = Box::new(fault);
                    return Err(Failed { fault, again });
                }
                Err(_) => {
                    let fault = self.unreachable("the login took too long");
                    return Err(Failed::passing(fault));
                }
            }
        }
        let message = format!("sent on to another server {MAX_ROUTES} times");
        Err(self.unreachable(&message).into())
    }

    /// Tries every address of the host in turn, each within the connect timeout.
    async fn dial(&self, host: &str, endpoint: &Endpoint) -> Result<(TcpStream, u16), Failed> {
        let bound = self.settings.connect_timeout;
        let addresses = self.resolve(host).await?;
        let mut causes = Vec::new();
        for address in addresses {
            let port = match endpoint {
                Endpoint::Port(port) => *port,
                Endpoint::Instance(instance) => match browser::port(address, instance).await {
                    Ok(port) => port,
                    Err(text) => {
                        causes.push(text);
                        continue;
                    }
                },
            };
            let address = SocketAddr::new(address, port);
            match timeout(bound, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    os::keep_alive(&stream).map_err(|error| {
                        self.unreachable("socket options are refused")
                            .source(&error)
                    })?;
                    return Ok((stream, port));
                }
                Ok(Err(error)) => causes.push(format!("{address}: {error}")),
                Err(_) => causes.push(format!("{address}: no answer within {bound:?}")),
            }
        }
        let fault = self.unreachable("cannot connect to SQL Server");
        Err(Failed::passing(
            causes.into_iter().fold(fault, Fault::cause),
        ))
    }

    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Failed> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        let bound = self.settings.connect_timeout;
        let found = match timeout(bound, lookup_host((host, 0))).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                let fault = self.unreachable("the host name is not known");
                return Err(fault.source(&error).into());
            }
            Err(_) => {
                let fault = self.unreachable("the host name was not resolved in time");
                return Err(Failed::passing(fault));
            }
        };
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found.map(|found| found.ip()) {
            if addresses.len() < MAX_ADDRESSES && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }

    fn unreachable(&self, message: &str) -> Fault {
        Fault::new(code::SQL_CONNECT, self.settings.to_string(), message)
            .remedy("check host, port and firewall, and that SQL Server runs and listens on TCP")
    }
}

fn read_ca(path: &std::path::Path) -> Result<Vec<u8>, Fault> {
    use std::io::Read;
    let fault = |text: &str| {
        Fault::new(code::CONFIG_FILE, path.display().to_string(), text)
            .remedy("set ca_file to a PEM file that this service may read")
    };
    let cannot_read = |error: std::io::Error| fault("the CA file cannot be read").source(&error);
    let file = std::fs::File::open(path).map_err(cannot_read)?;
    let mut bytes = Vec::new();
    file.take(MAX_CA_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot_read)?;
    if bytes.len() as u64 > MAX_CA_FILE {
        return Err(fault("the CA file is larger than 1 MiB"));
    }
    if !bytes.windows(11).any(|window| window == b"-----BEGIN ") {
        return Err(fault("the CA file holds no PEM certificate"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
