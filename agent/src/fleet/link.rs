//! The way to PostgreSQL: one connection, a bound on every wait, nothing believed that TLS does not
//! prove.

use std::fs;
use std::future::Future;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use twinset_domain::fleet::{Batch, Mark, Misfit, Tag};
use twinset_domain::{AgentId, Fault, code};

use super::{Teller, apply, fault, schema};
use crate::config::Shared;

/// Largest file of authorities, in bytes.
const MAX_AUTHORITIES: u64 = 4 << 20;
/// Most tries of a batch that another agent's transaction got in the way of.
const TRIES: u32 = 5;
/// How long a whole batch may take, in timeouts of a single answer.
const BATCH: u32 = 20;

/// A connection to the shared catalog.
pub struct Link {
    pub(super) runtime: Runtime,
    pub(super) client: Client,
    pub(super) object: String,
    pub(super) timeout: Duration,
}

impl Link {
    /// Connects and logs in; no table is looked at.
    ///
    /// # Errors
    /// [`code::SECRET`]; [`code::SHARED_AWAY`], [`code::SHARED_TRUST`], [`code::SHARED_REFUSED`].
    pub fn open(shared: &Shared, name: &str) -> Result<Self, Fault> {
        let object = shared.object();
        let password = shared.password.resolve()?;
        let mut config = Config::new();
        config
            .user(&shared.user)
            .password(password.expose())
            .dbname(&shared.database)
            .application_name(format!("twinset/{} {name}", env!("CARGO_PKG_VERSION")))
            .ssl_mode(match shared.encrypted {
                true => SslMode::Require,
                false => SslMode::Disable,
            });
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| fault::io(&object, &error))?;
        let stream = connect(shared).map_err(|error| fault::io(&object, &error))?;
        let opened = runtime.block_on(async {
            let stream = tokio::net::TcpStream::from_std(stream)
                .map_err(|error| fault::io(&object, &error))?;
            let login = log_in(shared, &config, stream, &object);
            match tokio::time::timeout(shared.timeout, login).await {
                Ok(opened) => opened,
                Err(_) => Err(fault::late(&object)),
            }
        });
        let link = Self {
            client: opened?,
            runtime,
            object,
            timeout: shared.timeout,
        };
        link.bound()?;
        Ok(link)
    }

    /// Bounds at the server too: what an agent that froze has locked is let go.
    fn bound(&self) -> Result<(), Fault> {
        let milliseconds = self.timeout.as_millis();
        let sql = format!(
            "SET statement_timeout = {milliseconds}; SET lock_timeout = {milliseconds}; \
             SET idle_in_transaction_session_timeout = {milliseconds}; \
             SET search_path = pg_catalog; SET client_min_messages = error"
        );
        self.wait(self.timeout, self.client.batch_execute(&sql))
    }

    /// Waits for an answer, no longer than that.
    pub(super) fn wait<T>(
        &self,
        longest: Duration,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        let answer = async { tokio::time::timeout(longest, answer).await };
        match self.runtime.block_on(answer) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(fault::of(&self.object, &error)),
            Err(_) => Err(fault::late(&self.object)),
        }
    }

    /// Makes the tables, or brings them up to date, if that is needed.
    ///
    /// # Errors
    /// [`code::SHARED_SCHEMA`] when that is another release's or an administrator's to do.
    pub fn prepare(&mut self) -> Result<(), Fault> {
        let found = self.version()?;
        if schema::judge(&self.object, found)? {
            return Ok(());
        }
        let work = schema::build(&mut self.client);
        let bound = self.timeout * BATCH;
        let answer = async { tokio::time::timeout(bound, work).await };
        match self.runtime.block_on(answer) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if fault::is_right(&error) => {
                Err(schema::no_right(&self.object, found, &error))
            }
            Ok(Err(error)) => Err(fault::of(&self.object, &error)),
            Err(_) => Err(fault::late(&self.object)),
        }
    }

    /// The version of the tables that are there.
    ///
    /// # Errors
    /// As [`Link::open`].
    pub fn version(&self) -> Result<Option<i32>, Fault> {
        self.wait(self.timeout, schema::version(&self.client))
    }

    /// How far an agent was heard.
    ///
    /// # Errors
    /// As [`Link::open`].
    pub fn mark(&self, agent: AgentId) -> Result<Option<Mark>, Fault> {
        self.wait(self.timeout, apply::mark(&self.client, agent, false))
    }

    /// Gives a batch, whole or not at all; gives how far the agent is heard behind it.
    ///
    /// # Errors
    /// [`code::SHARED_WRITE`] when it does not fit; as [`Link::open`].
    pub fn apply(&mut self, teller: Teller<'_>, batch: &Batch) -> Result<Mark, Fault> {
        let bound = self.timeout * BATCH;
        let mut tries = 0;
        loop {
            tries += 1;
            let work = apply::apply(&mut self.client, teller, batch);
            let answer = async { tokio::time::timeout(bound, work).await };
            return match self.runtime.block_on(answer) {
                Ok(Ok(Ok(mark))) => Ok(mark),
                Ok(Ok(Err(misfit))) => Err(self.misfit(misfit)),
                // Another agent told of the same sets in another order.
                Ok(Err(error)) if fault::is_clash(&error) && tries < TRIES => continue,
                Ok(Err(error)) => Err(fault::of(&self.object, &error)),
                Err(_) => Err(fault::late(&self.object)),
            };
        }
    }

    fn misfit(&self, misfit: Misfit) -> Fault {
        let message = "events do not follow on what it has heard of this agent";
        Fault::new(code::SHARED_WRITE, &self.object, message)
            .cause(misfit)
            .remedy(
                "nothing needs to be done: the next meeting sets it right; if it happens again, \
                 look for a copy of this agent",
            )
    }

    /// Somebody else tells of this agent at the same time.
    pub(super) fn other_past(&self) -> Fault {
        self.misfit(Misfit::OtherPast)
    }

    /// Says that the agent lives.
    ///
    /// # Errors
    /// As [`Link::open`].
    pub fn greet(&self, teller: Teller<'_>) -> Result<(), Fault> {
        self.wait(self.timeout, apply::greet(&self.client, teller))
    }
}

/// The tag before every event, as the tables hold it.
pub(super) const fn is_begun(mark: &Mark) -> bool {
    mark.epoch > 0
}

/// A mark of three columns.
pub(super) fn mark(epoch: i64, last: i64, tag: uuid::Uuid) -> Mark {
    Mark {
        epoch: epoch.unsigned_abs(),
        last: last.unsigned_abs(),
        tag: Tag(tag),
    }
}

/// Tries every address of the host.
fn connect(shared: &Shared) -> std::io::Result<TcpStream> {
    let mut failed = None;
    for address in (shared.host.as_str(), shared.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, shared.timeout) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                return Ok(stream);
            }
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| std::io::Error::other("the name has no address")))
}

async fn log_in(
    shared: &Shared,
    config: &Config,
    stream: tokio::net::TcpStream,
    object: &str,
) -> Result<Client, Fault> {
    let failed = |error: tokio_postgres::Error| fault::of(object, &error);
    if !shared.encrypted {
        let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(failed)?;
        // Its end is told by the next call of the client.
        tokio::spawn(connection);
        return Ok(client);
    }
    let mut tls = MakeRustlsConnect::new(tls(shared, object)?);
    let name = shared.server_name.as_deref().unwrap_or(&shared.host);
    let tls = MakeTlsConnect::<tokio::net::TcpStream>::make_tls_connect(&mut tls, name)
        .map_err(|error| fault::trust(object, &error))?;
    let (client, connection) = config.connect_raw(stream, tls).await.map_err(failed)?;
    tokio::spawn(connection);
    Ok(client)
}

/// Certificate and name are checked, always.
fn tls(shared: &Shared, object: &str) -> Result<ClientConfig, Fault> {
    let untrusted = |text: String| fault::authorities(object, text);
    let mut roots = RootCertStore::empty();
    match &shared.ca_file {
        Some(path) => {
            let shown = path.display();
            let failed = |error: std::io::Error| untrusted(format!("{shown}: {error}"));
            if fs::metadata(path).map_err(failed)?.len() > MAX_AUTHORITIES {
                return Err(untrusted(format!("{shown} is too large")));
            }
            let pem = fs::read(path).map_err(failed)?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate =
                    certificate.map_err(|error| untrusted(format!("{shown}: {error}")))?;
                roots
                    .add(certificate)
                    .map_err(|error| untrusted(format!("{shown}: {error}")))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(untrusted("no authority is known".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| untrusted(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
