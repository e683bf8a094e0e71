//! The model of one SQL Server instance: what it holds, who may see it, what its statements do.
//!
//! [`model`] and [`history`] are the state, [`catalog`] and [`query`] let it be read, [`session`]
//! and [`statement`] run what clients send, [`backup`] and [`restore`] move data through devices.

pub mod access;
mod accounts;
pub mod agent_jobs;
pub mod availability;
pub mod backup;
pub mod catalog;
pub mod clock;
pub mod errorlog;
pub mod faults;
pub mod history;
pub mod ledger;
pub mod mirroring;
pub mod model;
pub mod moment;
pub mod openable;
pub mod properties;
pub mod query;
pub mod restore;
pub mod rights;
pub mod session;
pub mod state;
pub mod statement;
pub mod transfer;
pub mod version;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use crate::tds::login;
use crate::tds::prelogin::ServerEncryption;
use crate::tds::reply::{Interrupt, Stop};
use crate::tds::tls::ServerTls;
use crate::tds::tokens::ServerMessage;
use clock::Clock;
use errorlog::ErrorLog;
use faults::Faults;
use history::History;
use mirroring::Network;
use model::{Database, Ids};
pub use openable::openable;
use session::Session;
pub use state::{Certificate, Progress, RequestRow, SessionRow, State};
use version::Version;

/// First session id of users; those below belong to the server itself.
const FIRST_SPID: i16 = 51;
/// Sessions at a time.
const MAX_SESSIONS: usize = 1000;

/// A login.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Name; `DOMAIN\user` is an account of Windows.
    pub name: String,
    /// Password; an account's is the one that its domain knows.
    pub password: String,
    /// Member of sysadmin.
    #[serde(default)]
    pub sysadmin: bool,
    /// Member of dbcreator.
    #[serde(default)]
    pub dbcreator: bool,
    /// VIEW SERVER STATE.
    #[serde(default)]
    pub view_server_state: bool,
    /// Member of db_backupoperator everywhere.
    #[serde(default)]
    pub backup_operator: bool,
    /// Member of db_owner everywhere.
    #[serde(default)]
    pub db_owner: bool,
    /// VIEW ANY DEFINITION.
    #[serde(default)]
    pub view_any_definition: bool,
    /// ALTER ANY CONNECTION.
    #[serde(default)]
    pub alter_any_connection: bool,
    /// What it was given by statements.
    #[serde(skip)]
    pub rights: rights::Rights,
}

/// What an instance is made from.
#[derive(Debug)]
pub struct Setup {
    /// `HOST` or `HOST\INSTANCE`.
    pub name: String,
    /// Version and edition.
    pub version: Version,
    /// TLS setting.
    pub encryption: ServerEncryption,
    /// Certificate.
    pub tls: ServerTls,
    /// Knobs.
    pub faults: Faults,
    /// Logins.
    pub logins: Vec<Login>,
    /// Certificates in master.
    pub certificates: Vec<Certificate>,
    /// Seconds that its clock is ahead.
    pub clock_offset: i64,
    /// Databases besides the system ones; ids are given here.
    pub databases: Vec<Database>,
    /// Seed of GUIDs made later.
    pub seed: u64,
    /// Where `DISK = 'name'` without a folder lies.
    pub backup_folder: PathBuf,
    /// Where the client shall go instead.
    pub routing: Option<(String, u16)>,
    /// Port of its mirroring endpoint.
    pub mirroring_port: u16,
}

/// One running instance.
#[derive(Debug)]
pub struct Instance {
    name: String,
    version: Version,
    encryption: ServerEncryption,
    tls: ServerTls,
    faults: Mutex<Arc<Faults>>,
    backup_folder: PathBuf,
    routing: Option<(String, u16)>,
    mirroring_port: u16,
    network: OnceLock<Weak<Network>>,
    is_running: AtomicBool,
    /// Its clock.
    pub clock: Clock,
    state: Mutex<State>,
}

/// An admitted client.
#[derive(Debug)]
pub struct Admitted {
    /// Its session.
    pub session: Session,
    /// Mirroring partner of the database it asked for.
    pub partner: Option<String>,
    /// Where it shall go instead.
    pub routing: Option<(String, u16)>,
}

impl Instance {
    /// Builds the instance with its system databases.
    #[must_use]
    pub fn new(setup: Setup) -> Arc<Self> {
        let clock = Clock::default();
        clock.advance(setup.clock_offset);
        let mut ids = Ids::new(setup.seed);
        let mut databases = Vec::new();
        for name in ["master", "tempdb", "model", "msdb"] {
            let id = databases.len() as i32 + 1;
            let mut made = Database::new(id, name, &mut ids, clock.now(), "/var/opt/mssql/data");
            made.recovery = match name {
                "model" => model::RecoveryModel::Full,
                _ => model::RecoveryModel::Simple,
            };
            databases.push(made);
        }
        for mut database in setup.databases {
            database.id = databases.len() as i32 + 1;
            databases.push(database);
        }
        let state = State {
            databases,
            logins: setup.logins,
            certificates: setup.certificates,
            sessions: BTreeMap::new(),
            msdb: History::default(),
            errorlog: ErrorLog::default(),
            witnessed: Vec::new(),
            groups: Vec::new(),
            ids,
            sent: HashMap::new(),
            damaged: HashMap::new(),
            received: Vec::new(),
            requests: 0,
        };
        Arc::new(Self {
            name: setup.name,
            version: setup.version,
            encryption: setup.encryption,
            tls: setup.tls,
            faults: Mutex::new(Arc::new(setup.faults)),
            backup_folder: setup.backup_folder,
            routing: setup.routing,
            mirroring_port: setup.mirroring_port,
            network: OnceLock::new(),
            is_running: AtomicBool::new(true),
            clock,
            state: Mutex::new(state),
        })
    }

    /// `HOST` or `HOST\INSTANCE`.
    #[must_use]
    pub fn server_name(&self) -> &str {
        &self.name
    }

    /// The part before the instance name.
    #[must_use]
    pub fn machine(&self) -> &str {
        self.name.split('\\').next().unwrap_or(&self.name)
    }

    /// Version and edition.
    #[must_use]
    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// TLS setting.
    #[must_use]
    pub const fn encryption(&self) -> ServerEncryption {
        self.encryption
    }

    /// Certificate and TLS settings.
    #[must_use]
    pub const fn tls(&self) -> &ServerTls {
        &self.tls
    }

    /// Folder of disk backups without one.
    #[must_use]
    pub const fn backup_folder(&self) -> &PathBuf {
        &self.backup_folder
    }

    /// The knobs as they are now.
    #[must_use]
    pub fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Turns the knobs; statements that run already keep what they began with.
    pub fn set_faults(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(faults);
    }

    /// Whether a client that asks for this instance name has come to the right place.
    #[must_use]
    pub fn answers_to(&self, instance: &str) -> bool {
        let mine = self
            .name
            .split_once('\\')
            .map_or("MSSQLServer", |(_, instance)| instance);
        instance.is_empty() || instance.eq_ignore_ascii_case(mine)
    }

    /// Port of its mirroring endpoint.
    #[must_use]
    pub const fn mirroring_port(&self) -> u16 {
        self.mirroring_port
    }

    /// The instances it can have sessions with.
    #[must_use]
    pub fn network(&self) -> Option<Arc<Network>> {
        self.network.get().and_then(Weak::upgrade)
    }

    /// Makes it part of a network, once.
    pub fn join(&self, network: &Arc<Network>) {
        // A second network would be a fault of the lab; the first one stays.
        let _ = self.network.set(Arc::downgrade(network));
    }

    /// Brings its mirrored databases up to date, before anybody looks. Takes locks: hold none.
    pub fn settle(&self) {
        if let Some(network) = self.network() {
            network.settle(self);
        }
    }

    /// Whether it has not been stopped.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.is_running.load(Ordering::SeqCst)
    }

    /// It crashes (every client is gone without a word), or comes back.
    pub fn power(&self, on: bool) {
        self.settle();
        self.is_running.store(on, Ordering::SeqCst);
        if !on {
            for row in self.state().sessions.values() {
                row.interrupt.raise(Stop::Cut);
            }
        }
        self.settle();
    }

    /// The state; hold it briefly.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks a login and opens its session.
    pub fn admit(
        self: &Arc<Self>,
        login: &login::Login,
        interrupt: &Arc<Interrupt>,
    ) -> Result<Admitted, Vec<ServerMessage>> {
        let refused =
            |user: &str| ServerMessage::new(18_456, 14, format!("Login failed for user '{user}'."));
        self.settle();
        let mut state = self.state();
        if !self.is_running() {
            let text = "SHUTDOWN is in progress.";
            return Err(vec![ServerMessage::new(6005, 14, text)]);
        }
        let known = state
            .logins
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(&login.user));
        if login.integrated && !login.proven {
            let text = "Login failed. The login is from an untrusted domain and cannot be used \
                        with Integrated authentication.";
            return Err(vec![ServerMessage::new(18_452, 14, text)]);
        }
        let right = known.filter(|known| match known.is_of_windows() {
            true => login.proven,
            false => !login.proven && known.password == login.password,
        });
        let Some(known) = right.cloned() else {
            return Err(vec![refused(&login.user)]);
        };
        let wanted = if login.database.is_empty() {
            "master"
        } else {
            &login.database
        };
        let found = state
            .database(wanted)
            .filter(|database| openable(database).is_none());
        let Some(database) = found else {
            let text = format!(
                "Cannot open database \"{wanted}\" requested by the login. The login failed."
            );
            return Err(vec![
                ServerMessage::new(4060, 11, text),
                refused(&login.user),
            ]);
        };
        let partner = database
            .mirroring
            .as_ref()
            .map(|session| session.partner_instance.clone());
        let (database_id, database) = (database.id, database.name.clone());
        let free = (FIRST_SPID..i16::MAX).find(|spid| !state.sessions.contains_key(spid));
        let Some(spid) = free.filter(|_| state.sessions.len() < MAX_SESSIONS) else {
            let text = "Could not connect because the maximum number of connections was reached.";
            return Err(vec![ServerMessage::new(17_809, 20, text)]);
        };
        let now = self.clock.now();
        let row = SessionRow {
            spid,
            login: known.name.clone(),
            host: login.host.clone(),
            program: login.application.clone(),
            library: login.library.clone(),
            process: login.process,
            login_time: now,
            last_start: now,
            database_id,
            transactions: 0,
            packet_size: login.packet_size,
            interrupt: Arc::clone(interrupt),
            request: None,
        };
        state.sessions.insert(spid, row);
        drop(state);
        let session = Session::new(Arc::clone(self), spid, known, database);
        Ok(Admitted {
            session,
            partner,
            routing: self.routing.clone(),
        })
    }
}
