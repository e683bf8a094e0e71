//! Opens connections: resolve, ask Browser, TCP, TLS, login.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tiberius::error::Error;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_util::compat::TokioAsyncWriteCompatExt;
use twinset_domain::{Fault, code};

use super::running::Identity;
use super::session::{Session, TdsClient};
use super::settings::{Auth, Encrypt, Endpoint, InstanceSettings};
use super::{browser, fault, os, runtime};

/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 8;
/// Times that a server may send us on to another one.
const MAX_ROUTES: u32 = 3;
/// Grace over the driver's own login timeout, which is expected to come first.
const LOGIN_GRACE: Duration = Duration::from_secs(2);
/// Largest CA file that is read, in bytes.
const MAX_CA_FILE: u64 = 1 << 20;
/// Longest program name that SQL Server keeps, in characters.
const MAX_PROGRAM: usize = 128;

/// What a connection is for; stands in its program name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Runs the one long statement.
    Work,
    /// Asks for progress and history, and cancels.
    Control,
}

impl Purpose {
    const fn word(self) -> &'static str {
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

impl Connector {
    /// `run_id` stands in the program name of every session (`Twinset work <run id>`), where it
    /// proves that a session is this run's own.
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

    /// Connects to the database `master` and logs in. Blocks for at most a few connect timeouts.
    ///
    /// # Errors
    /// `TW4001` not reachable, `TW4002` certificate not trusted, `18456` login refused, `TW1002`
    /// and `TW1003` for settings that cannot be used.
    pub fn open(&self, purpose: Purpose) -> Result<Session, Fault> {
        let program: String = format!("Twinset {} {}", purpose.word(), self.run_id)
            .chars()
            .take(MAX_PROGRAM)
            .collect();
        let config = self.config(&program)?;
        let client = runtime::runtime()?.block_on(self.connect(config))?;
        let identity = Identity {
            spid: 0,
            program,
            login: String::new(),
        };
        Session::introduce(client, identity, &self.settings.name)
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
        let Auth::Sql { user, password } = &settings.auth;
        config.authentication(AuthMethod::sql_server(user, password.expose()));
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

    async fn connect(&self, config: Config) -> Result<TdsClient, Fault> {
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
                Ok(Err(error)) => return Err(fault::login(settings, &error)),
                Err(_) => {
                    return Err(self.unreachable("the login took too long"));
                }
            }
        }
        Err(self.unreachable(&format!("sent on to another server {MAX_ROUTES} times")))
    }

    /// Tries every address of the host in turn, each within the connect timeout.
    async fn dial(&self, host: &str, endpoint: &Endpoint) -> Result<(TcpStream, u16), Fault> {
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
        Err(causes.into_iter().fold(fault, Fault::cause))
    }

    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Fault> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        let bound = self.settings.connect_timeout;
        let found = match timeout(bound, lookup_host((host, 0))).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                return Err(self
                    .unreachable("the host name is not known")
                    .source(&error));
            }
            Err(_) => {
                return Err(self.unreachable("the host name was not resolved in time"));
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
